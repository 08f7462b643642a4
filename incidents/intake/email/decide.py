"""What a mail is to us: whose conversation it belongs to, and whether it may become a ticket. Reads, never writes."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents import mail_reference
from incidents.intake.email.automatic import Automatic, recognise
from incidents.intake.email.parse import ParsedMail, addresses, may_be_written_to
from incidents.mail_reference import Reference
from incidents.models import InboundMail, MailKind, MailRules, MajorIncident, Ticket, TicketStatus
from incidents.queries import mail as queries

_NUMBER = re.compile(r"\bINC-(\d{1,15})\b", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,298}>")
_THANKS = re.compile(
    r"(?:(?:thank(?:s| you)|many|very much|a lot|so much|ok(?:ay)?|great|perfect|it|now|works?|working|again|fine|all|"
    r"good|solved|fixed|cheers|danke\w*|vielen|dank|sch[öo]n|super|passt|geht|wieder|alles|gut|merci|beaucoup|gracias|"
    r"grazie|bedankt|tack|hi|hello|hallo|team|yes|ja)[\s,.!:;)-]*){1,12}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail belongs: a ticket, or an incident whose updates it answers; neither for a new report.

    `is_signed`: it bore our reference. `is_proved`: that reference had been sent to the very address it comes from.
    """

    ticket: Ticket | None = None
    incident: MajorIncident | None = None
    standing: str = ""
    is_signed: bool = False
    is_proved: bool = False

    @property
    def is_from_other(self) -> bool:
        return self.is_signed and not self.is_proved and not self.standing


@dataclass(frozen=True, slots=True)
class Mail:
    """A kept mail, what was parsed of it, and what was recognised."""

    row: InboundMail
    parsed: ParsedMail
    sender: str
    automatic: Automatic | None
    place: Place


def look_at(row: InboundMail, parsed: ParsedMail) -> Mail:
    """Recognises a kept mail."""
    own = queries.accepted_addresses()
    references = _references(row, parsed)
    answered = _MESSAGE_ID.findall(f"{parsed.first('in-reply-to')} {parsed.first('references')[-3000:]}")
    answers_ours = bool(references) or any(map(mail_reference.is_own_message_id, answered))
    automatic = recognise(
        parsed, envelope_from=row.envelope_from if row.has_envelope else None, own=own, answers_ours=answers_ours
    )
    if automatic and automatic.kind == MailKind.BOUNCE and not references:
        references = mail_reference.find(" ".join(value for _, value in parsed.nested))
    sender = parsed.sender[1]
    return Mail(row, parsed, sender, automatic, _place(parsed, sender, references, answered))


def _references(row: InboundMail, parsed: ParsedMail) -> list[Reference]:
    """Ours, the surest first: the address it was sent to, what it answers, what stands in the subject."""
    to = [*row.recipients, *parsed.all("to"), *parsed.all("cc"), *parsed.all("delivered-to")]
    thread = [parsed.first("in-reply-to"), *reversed(parsed.first("references").split()[-50:])]
    return mail_reference.find(" ".join([*(one[:1000] for one in to[:50]), *thread, parsed.subject]))


def _place(parsed: ParsedMail, sender: str, references: list[Reference], answered: list[str]) -> Place:
    for reference in references:
        proved = bool(sender) and reference.was_made_for(sender)
        if reference.kind == "INC":
            ticket = _ticket(reference.number)
            if ticket:
                return Place(ticket, None, queries.standing_of(sender, ticket), True, proved)
        elif incident := MajorIncident.objects.filter(pk=reference.number).first():
            mine = queries.ticket_in_incident(incident, sender)
            return Place(mine, incident, "requester" if mine else "", True, proved)
    if _is_disowned(parsed):
        return Place()
    return _unsigned(parsed, sender, answered)


def _unsigned(parsed: ParsedMail, sender: str, answered: list[str]) -> Place:
    """A number in the subject or an answered mail leads to a ticket only for people who belong to it."""
    numbers = [int(number) for number in _NUMBER.findall(parsed.subject)[:3]]
    found = [_ticket(number) for number in numbers] or [queries.ticket_of_message(reversed(answered))]
    for ticket in found:
        if ticket is not None and (standing := queries.standing_of(sender, ticket)):
            return Place(ticket, None, standing)
    return Place()


def _ticket(number: int) -> Ticket | None:
    return Ticket.objects.select_related("requester", "major_incident").filter(pk=number).first()


def _is_disowned(parsed: ParsedMail) -> bool:
    """The server that took it says that the sender's domain does not stand for it."""
    return any(re.search(r"\bdmarc=fail\b", value, re.IGNORECASE) for value in parsed.all("authentication-results"))


def is_spam(parsed: ParsedMail) -> bool:
    """A filter on the way has said so."""
    flagged = parsed.first("x-spam-flag").strip().lower() == "yes"
    return flagged or parsed.first("x-spam-status").strip().lower().startswith("yes")


def is_empty(parsed: ParsedMail) -> bool:
    return not (parsed.subject or parsed.text.strip() or parsed.files)


def continues(mail: Mail) -> bool:
    """Whether it belongs to its ticket's conversation; a requester's answer to a closed report is a new one.

    A report that was merged is closed, too, but its conversation goes on in the ticket it was merged into.
    """
    ticket = mail.place.ticket
    if ticket is None or not (mail.place.standing or mail.place.is_signed):
        return False
    is_over = ticket.status == TicketStatus.CLOSED and ticket.merged_into_id is None
    return not (is_over and mail.place.standing == "requester")


def only_thanks(text: str) -> bool:
    """A short answer of nothing but thanks or "works": no reason to reopen anything."""
    return len(text) <= 120 and _THANKS.fullmatch(text.strip()) is not None


def too_many(mail: Mail, rules: MailRules, at: datetime) -> bool:
    """Whether this sender has opened as many tickets within the hour as the rules allow."""
    return queries.tickets_opened_by(mail.sender, at - timedelta(hours=1)) >= rules.tickets_per_hour


def why_no_answer(mail: Mail, rules: MailRules, at: datetime) -> str:
    """Why the sender of a new report gets no acknowledgement, in words; "" when they get one."""
    if mail.automatic:
        return f"sent by a program: {mail.automatic.why}"
    if not may_be_written_to(mail.sender):
        return "the sender’s address cannot be written to"
    if mail.row.released_by_id:
        return "it had been held back and was released by a person"
    if queries.answers_to(mail.sender, at - timedelta(days=1)) >= rules.answers_per_day:
        return f"{mail.sender} has had {rules.answers_per_day} automatic answers within a day"
    return ""


def requester_email(mail: Mail) -> str:
    """Who is the requester: the sender, and of what programs send only people whom we know."""
    if not may_be_written_to(mail.sender):
        return ""
    return mail.sender if not mail.automatic or queries.account_of(mail.sender) else ""


def recipients(row: InboundMail, parsed: ParsedMail) -> list[str]:
    """Whom it was sent to: the envelope's word, and for mailboxes what the headers say."""
    stated = [address for name in ("delivered-to", "x-original-to", "to", "cc") for value in parsed.all(name)[:20]
              for _, address in addresses(value)]  # fmt: skip
    return list(dict.fromkeys([*row.recipients, *stated]))
