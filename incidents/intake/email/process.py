"""A kept mail becomes a ticket, a comment, or is put aside; once, whoever tries how often."""

import logging
from datetime import datetime

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from incidents.actions import mail as acts
from incidents.actions import response
from incidents.actions.mail import Read
from incidents.errors import ProcessError
from incidents.intake.email import decide
from incidents.intake.email.decide import Mail
from incidents.intake.email.parse import ParsedMail, parse
from incidents.intake.email.quotes import new_words
from incidents.models import InboundMail, MailKind, MailRules, MailState, TicketStatus
from incidents.process import OPEN_STAGES, SeatState
from incidents.queries import mail as queries

MOST_BOUNCE_NOTES = 3
_SENDER_LANE = 0x4D4149  # names the advisory lock under which the mails of one sender follow each other
_log = logging.getLogger(__name__)


def process_due(*, at: datetime, most: int = 200) -> int:
    """Processes what is due, the oldest first; counts the mails it tried. Safe to run twice and in parallel."""
    tried = 0
    for mail_id in list(queries.due_mails(at).values_list("pk", flat=True)[:most]):
        tried += process_one(mail_id, at=at)
    return tried


def process_one(mail_id: int, *, at: datetime) -> bool:
    """False when somebody else has it or had it. A mail that breaks the processing is noted and tried again."""
    try:
        with transaction.atomic():
            row = _claimed(mail_id, at)
            if row is None:
                return False
            _decide_and_act(decide.look_at(row, parse(bytes(row.raw))), at)
    except (OperationalError, InterfaceError):
        raise  # the database is away; the mail waits
    except (DatabaseError, ProcessError, ArithmeticError, LookupError, ValueError, TypeError, AttributeError, OSError,
            RuntimeError, AssertionError) as error:  # fmt: skip
        _log.exception("mail could not be processed", extra={"mail": mail_id})
        acts.note_failure(mail_id, acts.reads_as_refusal(error), at=at)
    return True


def _claimed(mail_id: int, at: datetime) -> InboundMail | None:
    """The mail under its lock and its sender's, so that what is counted of a sender stands still meanwhile."""
    due = queries.due_mails(at).filter(pk=mail_id)
    row = due.select_for_update(of=("self",), skip_locked=True).select_related("mailbox").first()
    if row is not None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_SENDER_LANE, row.sender])
    return row


def _decide_and_act(mail: Mail, at: datetime) -> None:
    row = mail.row
    kind = mail.automatic.kind if mail.automatic else ""
    marks = {"automatic": kind, "is_signed": mail.place.is_signed, "is_from_other": mail.place.is_from_other}
    released = row.released_by_id is not None
    if copy := queries.earlier_copy(row):
        marks |= {"ticket": copy.ticket}
        acts.settle(row, MailState.IGNORED, f"The same mail as no. {copy.pk}, which came before.", at=at, **marks)
    elif not released and _set_aside(mail, marks, at):
        return
    elif decide.continues(mail):
        _comment(mail, marks, at)
    elif not (mail.place.incident and _note_in_the_war_room(mail, marks, at)):
        _open(mail, marks, at)


def _set_aside(mail: Mail, marks: dict, at: datetime) -> bool:
    """What never becomes a ticket by itself: automatic answers, spam, nothing at all."""
    row, automatic = mail.row, mail.automatic
    if automatic and automatic.kind == MailKind.BOUNCE and mail.place.is_signed and mail.place.ticket:
        _note_bounce(mail, marks, at)
    elif automatic and automatic.kind != MailKind.GENERATED:
        about = f" It is about {mail.place.ticket.ref}." if mail.place.ticket else ""
        words = f"{automatic.kind.label}: {automatic.why}. It is kept and was not answered.{about}"
        acts.settle(row, MailState.IGNORED, words, at=at, ticket=mail.place.ticket, text=mail.parsed.text, **marks)
    elif decide.is_spam(mail.parsed):
        words = "A filter on the way marked it as spam. Release it if it is none."
        acts.settle(row, MailState.QUARANTINED, words, at=at, text=mail.parsed.text, **marks)
    elif decide.is_empty(mail.parsed):
        words = mail.parsed.trouble or "It has no subject, no words and no files."
        acts.settle(row, MailState.QUARANTINED, f"{words} Look at its source and release it.", at=at, **marks)
    elif automatic and not decide.continues(mail) and not MailRules.current().automatic_opens_ticket:
        words = f"Sent by a program ({automatic.why}), and the rules say that such mail opens no ticket."
        acts.settle(row, MailState.IGNORED, words, at=at, text=mail.parsed.text, **marks)
    else:
        return False
    return True


def _note_bounce(mail: Mail, marks: dict, at: datetime) -> None:
    """The desk learns on the ticket that its words did not arrive; the first times only."""
    ticket = mail.place.ticket
    if ticket is None:
        return
    before = InboundMail.objects.filter(ticket=ticket, automatic=MailKind.BOUNCE, state=MailState.COMMENT).count()
    if before >= MOST_BOUNCE_NOTES:
        words = f"Another bounce of a message about {ticket.ref}."
        acts.settle(mail.row, MailState.IGNORED, words, at=at, ticket=ticket, text=mail.parsed.text, **marks)
        return
    text = f"A message about this ticket could not be delivered. The mail server says:\n\n{mail.parsed.text[:3000]}"
    words = f"A message about {ticket.ref} came back; noted there for the desk."
    acts.add_from_mail(mail.row, ticket, Read(text, marks=marks), public=False, author=None, reason=words, at=at)


def _comment(mail: Mail, marks: dict, at: datetime) -> None:
    ticket, place = mail.place.ticket, mail.place
    if ticket is None:
        return
    text = new_words(mail.parsed)
    person = queries.account_of(mail.sender)
    is_theirs = place.standing in ("requester", "watcher")
    author = person if place.is_proved or is_theirs else None
    read = Read(text, _files(mail.parsed), _left_out(mail.parsed), marks)
    words = f"Added to {ticket.ref}, {_by_what(mail)}."
    acts.add_from_mail(mail.row, ticket, read, public=is_theirs, author=author, reason=words, at=at)
    is_by_person = mail.automatic is None or mail.automatic.is_list
    if place.standing == "requester" and ticket.status == TicketStatus.RESOLVED and is_by_person:
        if decide.only_thanks(text):
            return
        acts.still_broken_by_mail(mail.row, ticket, text, actor=person, at=at)


def _by_what(mail: Mail) -> str:
    place = mail.place
    if place.is_from_other:
        return "by a reference that was sent to somebody else; only the desk reads it"
    if place.is_proved:
        return "by a reference that was sent to this address"
    if place.is_signed:
        return f"by our reference; the sender is its {place.standing}"
    return f"without our reference, because the sender is its {place.standing}"


def _note_in_the_war_room(mail: Mail, marks: dict, at: datetime) -> bool:
    """Somebody seated on the incident answered a message about it: their words go on its timeline."""
    incident, person = mail.place.incident, queries.account_of(mail.sender)
    if incident is None or person is None or not mail.place.is_proved or mail.automatic:
        return False
    if not incident.seats.filter(user=person, state=SeatState.ACCEPTED).exists():
        return False
    text = acts.shortened(new_words(mail.parsed), 10_000)
    try:
        with transaction.atomic():
            response.post_note(incident.pk, text=text, actor=person, at=at)
    except ProcessError:
        return False  # closed meanwhile, say: then it is a report like any other
    words = f"Noted on the timeline of {incident.ref}, because its sender holds a seat there."
    acts.settle(mail.row, MailState.COMMENT, words, at=at, text=text, **marks)
    return True


def _open(mail: Mail, marks: dict, at: datetime) -> None:
    rules = MailRules.current()
    row, place = mail.row, mail.place
    if row.released_by_id is None and decide.too_many(mail, rules, at):
        words = (
            f"{mail.sender or 'This sender'} has opened {rules.tickets_per_hour} tickets within the hour. "
            "Release it to open one more."
        )
        acts.settle(row, MailState.PARKED, words, at=at, text=mail.parsed.text, **marks)
        return
    incident = place.incident
    if incident is not None and (incident.stage not in OPEN_STAGES or incident.is_drill):
        incident = None
    closed = f"It follows {place.ticket.ref}, which is closed.\n\n" if place.ticket else ""
    text = f"{closed}{new_words(mail.parsed) if place.is_signed else mail.parsed.text}"
    route = queries.route_for(decide.recipients(row, mail.parsed), row.mailbox)
    acts.open_from_mail(
        row,
        Read(text, _files(mail.parsed), _left_out(mail.parsed), marks),
        route,
        requester_email=decide.requester_email(mail),
        no_answer=decide.why_no_answer(mail, rules, at),
        reason=_opened_because(mail),
        incident=incident,
        at=at,
    )


def _opened_because(mail: Mail) -> str:
    if mail.row.released_by is not None:
        return f"A new report, released by {mail.row.released_by.display_name}."
    if mail.automatic:
        return f"A new report sent by a program ({mail.automatic.why}); its sender is not answered."
    return "A new report."


def _files(parsed: ParsedMail) -> list[tuple[str, bytes]]:
    return [(file.name, file.content) for file in parsed.files if file.content.strip()]


def _left_out(parsed: ParsedMail) -> list[str]:
    return [*parsed.left_out, *([parsed.trouble] if parsed.trouble else [])]
