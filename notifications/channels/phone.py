"""SMS and voice calls by a provider that speaks Twilio's protocol.

An SMS is the short text. A call fetches from us what to say (`notifications/phone_line.py`) and tells us the key that
was pressed; that somebody or a machine picked up acknowledges nothing.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core import signing
from django.urls import reverse

from incidents import outgoing
from incidents.sealed import SealBroken
from notifications.channels import Outcome, Outgoing, short_text
from notifications.channels.in_parallel import SECONDS, in_parallel
from notifications.models import ChannelAccount, ChannelKey, TextReply
from notifications.page_links import MOMENT as PAGE

USUAL_BASE_URL = "https://api.twilio.com"
RING_SECONDS = 25
HOURS_VALID = 12
_SALT = "notifications.channels.phone"

WORDS: dict[int, str] = {
    20003: "the provider refused the account SID or the token",
    20404: "the provider does not know this account",
    20429: "too many requests at once",
    21211: "invalid number",
    21212: "the sender’s number is invalid",
    21214: "the number cannot be called",
    21215: "the account may not call this country",
    21217: "invalid number",
    21408: "the account may not text this country",
    21603: "no sender is set",
    21606: "the sender’s number cannot send SMS",
    21608: "a trial account may only text verified numbers",
    21610: "unsubscribed: the owner answered STOP",
    21612: "the provider has no way to this number",
    21614: "not a mobile number",
    13223: "invalid number",
    13224: "invalid number",
    13227: "the account may not call this country",
    30001: "the provider’s queue is full",
    30002: "the provider has suspended the account",
    30003: "the telephone cannot be reached",
    30004: "the owner or the network blocks our messages",
    30005: "the number does not exist",
    30006: "a landline, or a network without SMS",
    30007: "filtered by the network as spam",
    30008: "lost in the network",
}
ADDRESS_CODES = frozenset(
    {21211, 21214, 21217, 21610, 21612, 21614, 13223, 13224, 30003, 30004, 30005, 30006}
)  # fmt: skip
"""The number is at fault, not the provider."""


def in_words(code: int | None, said: str = "") -> str:
    """`21610 unsubscribed: …`; the provider's own words for a code we do not know."""
    words = (WORDS.get(code) if code else "") or said
    return f"{code} {words}".strip() if code else words


class NotSetUp(Exception):
    """Says what an administrator has to do."""


@dataclass(frozen=True)
class Provider:
    """The account. `sender` is a number or a messaging service (MG…); `caller` "" when no number may call."""

    base_url: str
    account_sid: str
    token: str
    sender: str
    caller: str

    @classmethod
    def current(cls) -> "Provider":
        """Raises NotSetUp, SealBroken."""
        row = ChannelAccount.objects.filter(channel=ChannelKey.SMS).first()
        if row is None or not row.is_enabled:
            raise NotSetUp("SMS and voice calls are not switched on.")
        given = {name: str(value or "").strip() for name, value in row.settings.items()}
        token = str(row.secrets.get("auth_token") or "")
        sid, sender = given.get("account_sid", ""), given.get("from_number", "")
        if not sid or not token:
            raise NotSetUp("The account SID or the token of the provider is missing.")
        caller = given.get("voice_number", "") or ("" if sender.startswith("MG") else sender)
        return cls((given.get("base_url") or USUAL_BASE_URL).rstrip("/"), sid, token, sender, caller)

    def text(self, to: str, body: str) -> Outcome:
        sender = {"MessagingServiceSid": self.sender} if self.sender.startswith("MG") else {"From": self.sender}
        return self._post("Messages.json", {"To": to, **sender, "Body": body, "StatusCallback": _address("sms")})

    def call(self, to: str, url: str) -> Outcome:
        if not self.caller:
            return Outcome(False, "No number to call from is set.", is_final=True)
        fields = {
            "To": to, "From": self.caller, "Url": url, "Method": "POST", "Timeout": str(RING_SECONDS),
            "StatusCallback": _address("voice"), "StatusCallbackMethod": "POST",
        }  # fmt: skip
        return self._post("Calls.json", fields)

    def _post(self, resource: str, fields: dict[str, str]) -> Outcome:
        url = f"{self.base_url}/2010-04-01/Accounts/{quote(self.account_sid, safe='')}/{resource}"
        try:
            reply = outgoing.request("POST", url, data=fields, auth=(self.account_sid, self.token), seconds=SECONDS)
        except (outgoing.OutgoingFailed, outgoing.OutgoingRefused) as error:
            return Outcome(False, str(error))
        return outcome_of(reply)


def _address(channel: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse('phone_status', args=[channel])}"


def outcome_of(reply: outgoing.Reply) -> Outcome:
    """What the provider's answer means for the message."""
    said = _json(reply.body)
    if 200 <= reply.status < 300:
        sid, status = str(said.get("sid") or "")[:120], str(said.get("status") or "accepted")
        return Outcome(True, f"{status} {sid}".strip(), provider_id=sid)
    code = said.get("code") if isinstance(said.get("code"), int) else None
    words = in_words(code, str(said.get("message") or "")[:200]) or f"The provider answered {reply.status}"
    is_passing = reply.status in (401, 403, 408, 429) or reply.status >= 500
    # Refused credentials are put right by an administrator: the message waits or takes another way, the number is well.
    return Outcome(
        False,
        words,
        is_final=not is_passing,
        blames_address=code in ADDRESS_CODES,
        retry_after=outgoing.pause_asked(reply.headers),
    )


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


class SmsChannel:
    key = ChannelKey.SMS.value
    batch = 40
    one_at_a_time = True

    def send(self, wanted: Iterable[Outgoing]) -> Iterator[list[tuple[Outgoing, Outcome]]]:
        hears_replies = TextReply.objects.exists()  # nobody is told to answer a number that does not pass it on

        def act(provider: Provider, one: Outgoing) -> Outcome:
            how = " Reply 1 to take it." if hears_replies and one.delivery.moment == PAGE else ""
            return provider.text(one.delivery.address, short_text(one) + how)

        yield from _by_provider(wanted, act)


class VoiceChannel:
    key = ChannelKey.VOICE.value
    batch = 40
    one_at_a_time = True

    def send(self, wanted: Iterable[Outgoing]) -> Iterator[list[tuple[Outgoing, Outcome]]]:
        yield from _by_provider(wanted, lambda provider, one: provider.call(one.delivery.address, call_url(one)))


def _by_provider(
    wanted: Iterable[Outgoing], act: Callable[[Provider, Outgoing], Outcome]
) -> Iterator[list[tuple[Outgoing, Outcome]]]:
    try:
        provider = Provider.current()
    except (NotSetUp, SealBroken) as reason:
        for one in wanted:
            yield [(one, Outcome(False, str(reason), is_final=isinstance(reason, NotSetUp)))]
        return
    yield from in_parallel(wanted, lambda one: act(provider, one))


# --- What a call is about ----------------------------------------------------------------------
def call_url(one: Outgoing) -> str:
    """Where the provider asks what to say: signed, and of this one message to this one person."""
    row = one.delivery
    if row.pk:
        about: dict[str, Any] = {"delivery": row.pk}
    elif row.contact_id:
        about = {"message_id": row.message_id}
    else:  # an administrator tries the provider
        about = {"say": one.message.subject[:120]}
    token = signing.dumps(about, salt=_SALT)
    return f"{settings.PUBLIC_URL}{reverse('phone_call', args=[token])}"


def about_of(token: str) -> dict[str, Any] | None:
    """What a call's address is about; None for a forged or expired one."""
    try:
        about = signing.loads(token, salt=_SALT, max_age=HOURS_VALID * 3600)
    except signing.BadSignature:
        return None
    return about if isinstance(about, dict) else None
