"""Mail is kept here first, by whichever door it comes, and looked at afterwards."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from incidents.actions.mail import Came, Says, keep_mail, settle
from incidents.errands import after_commit
from incidents.intake.email.parse import parse_head
from incidents.intake.email.words import clean
from incidents.models import InboundMail, MailState


def keep(raw: bytes, came: Came, *, at: datetime) -> tuple[InboundMail, bool]:
    """Writes the mail down and wakes a worker after the commit; what the wake-up misses, the sweep finds.

    Says whether it is new. Raises only what the database raises.
    """
    mail, is_new = keep_mail(raw, _cleaned(came), _says(raw), at=at)
    if is_new:
        after_commit("process mail", _call)
    return mail, is_new


@transaction.atomic
def keep_aside(raw: bytes, came: Came, reason: str, *, at: datetime) -> bool:
    """Writes down what cannot be taken as it is, for a person to see to; whether it is new."""
    mail, is_new = keep_mail(raw, _cleaned(came), _says(raw), at=at)
    if is_new:
        settle(mail, MailState.QUARANTINED, reason, at=at)
    return is_new


def _says(raw: bytes) -> Says:
    head = parse_head(raw)
    name, sender = head.sender
    return Says(head.message_id, sender, name, head.subject, head.headers)


def _cleaned(came: Came) -> Came:
    sender = None if came.envelope_from is None else clean(came.envelope_from)
    return replace(came, recipients=[clean(one) for one in came.recipients], envelope_from=sender)


def _call() -> None:
    from incidents.intake.email.tasks import process_mail  # the task imports what wakes it

    process_mail.apply_async(ignore_result=True, retry=False, expires=60)
