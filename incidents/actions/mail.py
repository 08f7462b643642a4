"""What becomes of mail: kept as it came, then a ticket, a comment, or put aside with the reason in words."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from incidents import permissions
from incidents.actions import tickets
from incidents.actions.input import TEXT, TITLE
from incidents.errors import Invalid, ProcessError, WrongStage
from incidents.models import (
    Channel,
    InboundMail,
    Mailbox,
    MailState,
    MajorIncident,
    Ticket,
    TicketComment,
    TicketStatus,
    User,
)
from incidents.queries.mail import Route

MOST_ATTEMPTS = 5
RETRIED_WITHIN = timedelta(hours=1)
"""A mail without a Message-ID that comes again within so long, byte for byte, is a sender's retry."""
_CUT = "\n\n… The mail goes on; its source has all of it."


@dataclass(frozen=True)
class Came:
    """How a mail came. `envelope_from` is "" for an empty return path and None when nobody knows it."""

    via: str
    envelope_from: str | None = None
    recipients: Sequence[str] = ()
    peer: str = ""
    mailbox: Mailbox | None = None
    uid_validity: int | None = None
    uid: int | None = None


@dataclass(frozen=True)
class Says:
    """What its headers say, ready for the columns."""

    message_id: str = ""
    sender: str = ""
    sender_name: str = ""
    subject: str = ""
    headers: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Read:
    """What was read of it: new words, files by name, and files that were left out already, with why."""

    text: str = ""
    files: Sequence[tuple[str, bytes]] = ()
    left_out: Sequence[str] = ()
    marks: dict[str, Any] = field(default_factory=dict)


# --- Keeping ------------------------------------------------------------------------------------------
@transaction.atomic
def keep_mail(raw: bytes, came: Came, says: Says, *, at: datetime) -> tuple[InboundMail, bool]:
    """Writes the mail down, and whether it is new: a sender who missed our answer sends the same bytes again."""
    digest = hashlib.sha256(raw).hexdigest()
    if before := _before(digest, says.message_id, came, at):
        return before, False
    mail = InboundMail(
        received_at=at,
        via=came.via,
        mailbox=came.mailbox,
        uid_validity=came.uid_validity,
        uid=came.uid,
        peer=came.peer[:64],
        envelope_from=(came.envelope_from or "")[:320],
        has_envelope=came.envelope_from is not None,
        recipients=[one[:320] for one in dict.fromkeys(came.recipients)][:200],
        raw=raw,
        sha256=digest,
        body_sha256=hashlib.sha256(_body(raw)).hexdigest(),
        size=len(raw),
        message_id=says.message_id[:300],
        sender=says.sender[:254],
        sender_name=says.sender_name[:200],
        subject=says.subject[:250],
        headers=[list(pair) for pair in says.headers],
        next_attempt_at=at,
    )
    try:
        with transaction.atomic():
            mail.save(force_insert=True)
    except IntegrityError:  # another door took it at the same moment
        return _before(digest, says.message_id, came, at) or InboundMail.objects.get(
            mailbox=came.mailbox, uid_validity=came.uid_validity, uid=came.uid
        ), False
    return mail, True


def _before(digest: str, message_id: str, came: Came, at: datetime) -> InboundMail | None:
    same = InboundMail.objects.defer("raw").filter(sha256=digest)
    if message_id:
        return same.filter(message_id=message_id[:300]).first()
    if came.uid is not None:
        return None  # the mailbox says which is which
    return same.filter(message_id="", received_at__gte=at - RETRIED_WITHIN).first()


def _body(raw: bytes) -> bytes:
    """What follows the headers, which every server on the way adds to."""
    head, gap, rest = raw.partition(b"\r\n\r\n")
    if not gap:
        head, gap, rest = raw.partition(b"\n\n")
    return rest.replace(b"\r\n", b"\n").rstrip() if gap else raw


# --- Settling, in the transaction of whoever processes it ------------------------------------------------
def settle(mail: InboundMail, state: str, reason: str, *, at: datetime, **marks: Any) -> InboundMail:
    """Writes what became of a locked mail."""
    mail.state, mail.reason, mail.processed_at = state, reason[:2000], at
    for name, value in marks.items():
        setattr(mail, name, value)
    mail.save(update_fields=["state", "reason", "processed_at", *marks])
    return mail


@transaction.atomic
def open_from_mail(
    mail: InboundMail,
    read: Read,
    route: Route,
    *,
    requester_email: str,
    no_answer: str,
    reason: str,
    incident: MajorIncident | None = None,
    at: datetime,
) -> Ticket:
    """One mail becomes one ticket. `no_answer` is why its sender gets no acknowledgement, "" when they get one."""
    ticket = tickets.open_ticket(
        title=shortened(mail.subject, TITLE) or "(no subject)",
        description=shortened(read.text, TEXT),
        channel=Channel.EMAIL,
        requester_email=requester_email,
        service=route.service,
        team=route.team,
        major_incident=incident,
        reported_at=min(mail.received_at, at),
        no_answer=no_answer,
        actor=None,
        at=at,
    )
    _attach(ticket, read, actor=_writer(ticket.requester, ticket), at=at)
    is_answered = bool(requester_email) and not no_answer
    settle(mail, MailState.TICKET, reason, at=at, ticket=ticket, is_answered=is_answered, text=read.text, **read.marks)
    return ticket


@transaction.atomic
def add_from_mail(
    mail: InboundMail, ticket: Ticket, read: Read, *, public: bool, author: User | None, reason: str, at: datetime
) -> TicketComment:
    """One mail becomes one entry of a ticket's conversation. `author` is None where the sender is not proved."""
    actor = _writer(author, ticket)
    text = shortened(read.text, TEXT) or ("(only files)" if read.files else "(no words)")
    row = tickets.comment(ticket.pk, text=text, public=public, sender=mail.sender, actor=actor, at=at)
    _attach(ticket, read, actor=actor, at=at)
    settle(mail, MailState.COMMENT, reason, at=at, ticket=ticket, comment=row, text=read.text, **read.marks)
    return row


@transaction.atomic
def still_broken_by_mail(mail: InboundMail, ticket: Ticket, text: str, *, actor: User | None, at: datetime) -> None:
    """The requester answered the message that it is solved: the same as "still broken" in the portal."""
    if Ticket.objects.values_list("status", flat=True).get(pk=ticket.pk) != TicketStatus.RESOLVED:
        return
    tickets.reopen(ticket.pk, reason=shortened(text, 500) or "Still broken.", actor=actor, by_requester=True, at=at)
    mail.reason += f" {ticket.ref} was resolved and is open again."
    mail.save(update_fields=["reason"])


def _writer(person: User | None, ticket: Ticket) -> User | None:
    """The person when they may write on the ticket themselves, else the product on their behalf."""
    return person if person is not None and permissions.can(person, "comment_ticket", ticket) else None


def _attach(ticket: Ticket, read: Read, *, actor: User | None, at: datetime) -> None:
    """Keeps the files; those that cannot be kept are named in a note for the desk, and are in the source."""
    left_out = list(read.left_out)
    for name, content in read.files:
        try:
            tickets.attach(ticket.pk, file=ContentFile(content, name=name), actor=actor, at=at)
        except Invalid as refusal:
            left_out.append(f"{name}: {refusal.message}")
    if left_out:
        note = "Not everything in the mail was kept here; its source has all of it.\n\n" + "\n".join(
            f"- {one}" for one in left_out[:60]
        )
        tickets.comment(ticket.pk, text=shortened(note, TEXT), public=False, actor=None, at=at)


def shortened(text: str, longest: int) -> str:
    """The text, or its beginning with a word about the rest."""
    plain = text.strip()
    if len(plain) <= longest:
        return plain
    ending = _CUT if longest > 1000 else "…"
    return plain[: longest - len(ending)] + ending


@transaction.atomic
def note_failure(mail_id: int, error: str, *, at: datetime) -> None:
    """Processing broke down, which is our fault: tried again later, and after five times left for a person."""
    mail = InboundMail.objects.select_for_update(of=("self",)).defer("raw").get(pk=mail_id)
    if mail.state != MailState.WAITING:
        return
    mail.attempts += 1
    mail.reason = f"It could not be processed: {error}"[:2000]
    if mail.attempts >= MOST_ATTEMPTS:
        mail.state, mail.processed_at = MailState.FAILED, at
    mail.next_attempt_at = at + timedelta(seconds=5 * 2**mail.attempts)
    mail.save(update_fields=["attempts", "reason", "state", "processed_at", "next_attempt_at"])


# --- What people decide -----------------------------------------------------------------------------
_RELEASABLE = (MailState.PARKED, MailState.QUARANTINED, MailState.IGNORED, MailState.FAILED)


@transaction.atomic
def release(mail_id: int, *, actor: User, at: datetime) -> InboundMail:
    """It is processed again and becomes a ticket or comment whatever it was held back for. Raises WrongStage."""
    mail = _locked_for(mail_id, actor, _RELEASABLE, "released")
    mail.state, mail.released_by, mail.attempts, mail.next_attempt_at = MailState.WAITING, actor, 0, at
    mail.reason = f"Released by {actor.display_name}."
    mail.save(update_fields=["state", "released_by", "attempts", "next_attempt_at", "reason"])
    return mail


@transaction.atomic
def try_again(mail_id: int, *, actor: User, at: datetime) -> InboundMail:
    """It is processed again by the same rules. Raises WrongStage."""
    mail = _locked_for(mail_id, actor, (*_RELEASABLE, MailState.WAITING), "processed again")
    mail.state, mail.attempts, mail.next_attempt_at = MailState.WAITING, 0, at
    mail.save(update_fields=["state", "attempts", "next_attempt_at"])
    return mail


@transaction.atomic
def put_aside(mail_id: int, *, actor: User, at: datetime) -> InboundMail:
    """It needs no ticket. It stays in the list and can still be released. Raises WrongStage."""
    held = (MailState.PARKED, MailState.QUARANTINED, MailState.FAILED)
    mail = _locked_for(mail_id, actor, held, "put aside")
    return settle(mail, MailState.IGNORED, f"Put aside by {actor.display_name}. {mail.reason}", at=at)


def _locked_for(mail_id: int, actor: User, states: Iterable[str], verb: str) -> InboundMail:
    permissions.require(actor, "view_mail")
    mail = InboundMail.objects.select_for_update(of=("self",)).defer("raw").get(pk=mail_id)
    if mail.state not in states:
        raise WrongStage(f"This mail is “{mail.get_state_display().lower()}” and cannot be {verb}.", state=mail.state)
    return mail


def reads_as_refusal(error: Exception) -> str:
    """Why an action refused, for the reason of a mail."""
    return error.message if isinstance(error, ProcessError) else f"{type(error).__name__}: {error}"
