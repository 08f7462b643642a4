"""Codes and tests to one address of one person: queued with the act, sent by the channel that sends everything else.

They belong to no event and are of use for ten minutes. The words are sealed while they wait, and gone afterwards: a
code opens an address.
"""

import json
import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from incidents import live, mail_reference
from incidents.errands import after_commit
from incidents.models import Organisation
from incidents.sealed import SealBroken, seal, unseal
from notifications.channels import Outcome, Outgoing, registry
from notifications.channels.health import HealthBook
from notifications.models import ChannelKey, ContactMessage, ContactPoint, Delivery, Message
from notifications.routing import address_of

OF_USE_FOR = timedelta(minutes=10)
LEASE = timedelta(seconds=20)
KEPT_FOR = timedelta(days=30)
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 5, 60
_log = logging.getLogger(__name__)


def queue(point: ContactPoint, kind: str, *, code: str = "", at: datetime) -> ContactMessage:
    """Writes it in the caller's transaction and wakes a worker after the commit."""
    name = Organisation.current().name
    if kind == ContactMessage.Kind.CODE:
        words = {"subject": f"{name}: your code is {code}", "code": code}
        words["text"] = f"Enter {code} in MIM under My settings, Messages. It works for ten minutes."
    else:
        words = {
            "subject": f"{name}: test message",
            "text": "This address works: messages about incidents arrive here.",
        }
    message = ContactMessage.objects.create(
        user=point.user,
        contact=point,
        channel=point.channel,
        address=point.address,
        kind=kind,
        sealed=seal(json.dumps(words)),
        asked_at=at,
        next_attempt_at=at,
    )
    ring()
    return message


def ring() -> None:
    """After the commit, asks a worker to look; what it misses the sweep of the outbox finds."""
    after_commit("send codes and tests", _call)


def _call() -> None:
    from notifications.tasks import sweep_contact_messages  # the task imports what rings

    sweep_contact_messages.apply_async(ignore_result=True, retry=False, expires=60)


def has_due(*, at: datetime) -> bool:
    return _waiting().filter(next_attempt_at__lte=at).exists()


def _waiting() -> QuerySet[ContactMessage]:
    return ContactMessage.objects.filter(sent_at__isnull=True, given_up_at__isnull=True)


def send_due(*, at: datetime, most: int = 20) -> int:
    """Sends what is due; returns how many were tried. Safe to run twice and in parallel."""
    for tried in range(most):
        message = _claim(at)
        if message is None:
            return tried
        _send(message, at)
    return most


@transaction.atomic
def _claim(at: datetime) -> ContactMessage | None:
    row = (
        _waiting()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("user", "contact__user")
        .filter(next_attempt_at__lte=at)
        .order_by("next_attempt_at", "id")
        .first()
    )
    if row is None:
        return None
    found: ContactMessage = row
    found.attempts += 1
    found.next_attempt_at = at + LEASE
    found.save(update_fields=["attempts", "next_attempt_at"])
    return found


def _send(message: ContactMessage, at: datetime) -> None:
    """Outside of any transaction: a slow provider holds nobody's locks."""
    groups: list[list[tuple[Outgoing, Outcome]]] = []
    try:
        refusal = _why_not(message, at)
        if not refusal:
            groups = list(registry()[message.channel].send([_outgoing(message, at)]))
    except SealBroken as broken:
        refusal = str(broken)
    except Exception as error:  # whatever a channel comes up with
        _log.exception("code or test could not be sent", extra={"contact_message": message.pk})
        refusal = f"It could not be sent: {type(error).__name__}"
    if refusal:
        _settle(message, Outcome(False, refusal, is_final=True), at)
    for group in groups:
        for _, outcome in group:
            _settle(message, outcome, at)
        HealthBook(message.channel).note(group, at)


def _why_not(message: ContactMessage, at: datetime) -> str:
    """Why it does not leave any more; "" when it does."""
    if at > message.asked_at + OF_USE_FOR:
        return message.answer or "No worker was there to send it."
    if message.contact is None:
        return "The address was removed before this left."
    return "" if message.channel in registry() else "Nothing here can send by this channel."


def _settle(message: ContactMessage, outcome: Outcome, at: datetime) -> None:
    """Sent, or tried again while it is of use."""
    over = outcome.is_final or at >= message.asked_at + OF_USE_FOR
    pause = timedelta(seconds=min(FIRST_RETRY_SECONDS * 2 ** (message.attempts - 1), LONGEST_RETRY_SECONDS))
    found = ContactMessage.objects.filter(pk=message.pk)
    if outcome.accepted:
        keeps = {} if message.channel == ChannelKey.VOICE else {"sealed": ""}  # a call asks for its words when it is up
        found.update(sent_at=at, answer=outcome.answer[:500], provider_id=outcome.provider_id, **keeps)
    elif over:
        found.update(given_up_at=at, answer=outcome.answer[:500], sealed="")
    else:
        found.update(next_attempt_at=at + max(pause, outcome.retry_after or pause), answer=outcome.answer[:500])
    live.changed(f"user-{message.user_id}", "contacts")


def _outgoing(message: ContactMessage, at: datetime) -> Outgoing:
    """As every channel takes it: a delivery and a message that are not in the database."""
    words = json.loads(unseal(message.sealed))
    delivery = Delivery(
        recipient=message.user,
        contact=message.contact,
        channel=message.channel,
        address=address_of(message.contact) if message.contact else message.address,
        moment=f"contact_{message.kind}",
        message_id=message_id(message),
        priority=0,
        queued_at=message.asked_at,
        next_attempt_at=at,
        valid_until=message.asked_at + OF_USE_FOR,
    )
    said = Message(
        subject=words["subject"], summary=words["text"], text=words["text"], html=f"<p>{words['text']}</p>", url=""
    )
    return Outgoing(delivery, said)


def message_id(message: ContactMessage) -> str:
    return f"<contact-{message.pk}@{mail_reference.own_host()}>"


def by_message_id(text: str) -> ContactMessage | None:
    number = text.removeprefix("<contact-").partition("@")[0]
    if not number.isascii() or not number.isdigit():
        return None
    return ContactMessage.objects.filter(pk=int(number)).first()


def spoken(message: ContactMessage) -> str:
    """What a call says: the code digit by digit; "" when the words are gone."""
    try:
        words = json.loads(unseal(message.sealed) or "{}")
    except SealBroken:
        return ""
    if code := words.get("code", ""):
        return f"Your code is: {', '.join(code)}."
    return str(words.get("text", ""))


def forget(*, at: datetime) -> None:
    """The words of calls that are over, and after a month that they were."""
    over = ContactMessage.objects.filter(asked_at__lt=at - OF_USE_FOR).exclude(sealed="")
    over.exclude(sent_at__isnull=True, given_up_at__isnull=True).update(sealed="")
    ContactMessage.objects.filter(asked_at__lt=at - KEPT_FOR).delete()
