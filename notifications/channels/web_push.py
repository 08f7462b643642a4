"""Web push (RFC 8030): a notification of the browser, also while no page is open.

The words are encrypted for the one browser (RFC 8291) and the request is signed with a key of this installation (VAPID,
RFC 8292), made on first use and sealed. The push services of the browser's makers carry it and can read nothing of it.
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from py_vapid import Vapid02

from incidents import outgoing
from incidents.sealed import SealBroken
from notifications.channels import Outcome, Outgoing, short_text
from notifications.channels.in_parallel import SECONDS, in_parallel
from notifications.models import ChannelAccount, ChannelKey, ContactPoint
from notifications.page_links import MOMENT as PAGE
from notifications.policy import NORMAL, URGENT

TOKEN_HOURS = 12
LONGEST_TEXT = 600
GONE = (404, 410)
_KEY = "vapid_private_key"


class WebPushChannel:
    key = ChannelKey.WEB_PUSH.value
    batch = 40
    one_at_a_time = True

    def send(self, wanted: Iterable[Outgoing]) -> Iterator[list[tuple[Outgoing, Outcome]]]:
        """A browser that has unsubscribed is removed from its owner's addresses."""
        account = ChannelAccount.objects.filter(channel=self.key, is_enabled=True).first()
        try:
            signer = Signer.of(account) if account else None
        except SealBroken as broken:
            yield from _all(wanted, Outcome(False, str(broken)))
            return
        if signer is None:
            yield from _all(wanted, Outcome(False, "Web push is not switched on.", is_final=True))
            return
        for group in in_parallel(wanted, _pushing(signer)):
            yield group
            for one, outcome in group:
                if outcome.answer.startswith(tuple(str(status) for status in GONE)):
                    ContactPoint.objects.filter(pk__in=[one.delivery.contact_id]).delete()


def _all(wanted: Iterable[Outgoing], outcome: Outcome) -> Iterator[list[tuple[Outgoing, Outcome]]]:
    for one in wanted:
        yield [(one, outcome)]


class Signer:
    """Signs requests as this installation; `public_key` is what browsers subscribe to."""

    def __init__(self, vapid: Vapid02, contact: str) -> None:
        self._vapid, self._contact = vapid, contact

    @classmethod
    def of(cls, account: ChannelAccount) -> "Signer":
        """With the account's key, which is made when there is none. Raises SealBroken."""
        private = account.secrets.get(_KEY) or _make_key(account.pk)
        contact = str(account.settings.get("contact") or "") or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        return cls(Vapid02.from_raw(str(private).encode()), f"mailto:{contact}")

    @property
    def public_key(self) -> str:
        point = self._vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(point).decode().rstrip("=")

    def headers(self, endpoint: str) -> dict[str, str]:
        origin = urlsplit(endpoint)
        claims = {
            "aud": f"{origin.scheme}://{origin.netloc}",
            "exp": int(time.time()) + TOKEN_HOURS * 3600,
            "sub": self._contact,
        }
        return dict(self._vapid.sign(claims))


@transaction.atomic
def _make_key(account_id: int) -> str:
    """Once: whoever comes second finds the first one's. Another key would end every subscription."""
    account = ChannelAccount.objects.select_for_update().get(pk=account_id)
    kept = account.secrets
    if not kept.get(_KEY):
        number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        kept[_KEY] = base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")
        account.keep_secrets(kept)
        account.save(update_fields=["sealed"])
    return str(kept[_KEY])


def public_key() -> str:
    """What browsers subscribe to; "" while web push is off or its key cannot be opened."""
    account = ChannelAccount.objects.filter(channel=ChannelKey.WEB_PUSH, is_enabled=True).first()
    try:
        return Signer.of(account).public_key if account else ""
    except SealBroken:
        return ""


def _pushing(signer: Signer) -> Callable[[Outgoing], Outcome]:
    def push(one: Outgoing) -> Outcome:
        contact = one.delivery.contact
        if contact is None:
            return Outcome(False, "The browser was removed.", is_final=True, blames_address=True)
        try:
            subscription = json.loads(contact.secrets["subscription"])
            body = encrypted(json.dumps(_payload(one)).encode(), subscription)
        except SealBroken as broken:
            return Outcome(False, str(broken), is_final=True, blames_address=True)
        except (KeyError, TypeError, ValueError):
            return Outcome(False, "The browser’s keys cannot be used.", is_final=True, blames_address=True)
        endpoint = str(subscription["endpoint"])
        headers = {**signer.headers(endpoint), **_manner(one), "Content-Encoding": "aes128gcm"}
        headers["Content-Type"] = "application/octet-stream"
        try:
            reply = outgoing.request("POST", endpoint, content=body, headers=headers, seconds=SECONDS)
        except outgoing.OutgoingRefused as refusal:
            return Outcome(False, str(refusal), is_final=True, blames_address=True)
        except outgoing.OutgoingFailed as failure:
            return Outcome(False, str(failure))
        return outcome_of(reply)

    return push


def encrypted(words: bytes, subscription: dict[str, Any]) -> bytes:
    """For this browser alone. Raises ValueError, KeyError, TypeError for keys that are none."""
    keys = subscription["keys"]
    try:
        return bytes(
            http_ece.encrypt(
                words,
                private_key=ec.generate_private_key(ec.SECP256R1()),
                dh=decoded(keys["p256dh"]),
                auth_secret=decoded(keys["auth"]),
                version="aes128gcm",
            )
        )
    except http_ece.ECEException as error:
        raise ValueError(str(error)) from error


def decoded(text: str) -> bytes:
    """URL-safe base 64 with or without its padding. Raises ValueError, TypeError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def outcome_of(reply: outgoing.Reply) -> Outcome:
    """What the push service's answer means for the message."""
    said = f"{reply.status} {' '.join(reply.text.split())[:160]}".strip()
    if 200 <= reply.status < 300:
        return Outcome(True, said, provider_id=reply.headers.get("location", "")[-120:])
    if reply.status in GONE:
        words = f"{reply.status} the browser has unsubscribed; it was removed from the addresses"
        return Outcome(False, words, is_final=True, blames_address=True)
    is_passing = reply.status in (408, 429) or reply.status >= 500
    return Outcome(
        False,
        said,
        is_final=not is_passing,
        blames_address=reply.status in (400, 401, 403),  # subscribed to another key than ours
        retry_after=outgoing.pause_asked(reply.headers),
    )


def _manner(one: Outgoing) -> dict[str, str]:
    """How long the push service keeps it for a browser that is away, and whether it wakes the device.

    The topic makes a repetition replace the first, while that waits.
    """
    row = one.delivery
    useful = max((row.valid_until or timezone.now()) - timezone.now(), timedelta(minutes=1))
    longest = timedelta(hours=1) if row.priority == URGENT else timedelta(hours=24)
    topic = hashlib.sha256(row.message_id.encode()).digest()
    return {
        "TTL": str(int(min(useful, longest).total_seconds())),
        "Urgency": "high" if row.priority == URGENT else "normal" if row.priority <= NORMAL else "low",
        "Topic": base64.urlsafe_b64encode(topic).decode()[:32],
    }


def _payload(one: Outgoing) -> dict[str, Any]:
    """Title, text and link; a page can be acknowledged by the button, which opens its one-tap page."""
    message = one.message
    text = message.summary or short_text(one)
    return {
        "title": message.subject,
        "text": text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…",
        "url": message.url or settings.PUBLIC_URL,
        "tag": one.delivery.message_id,
        "is_page": one.delivery.moment == PAGE,
        "is_urgent": one.delivery.priority == URGENT,
    }
