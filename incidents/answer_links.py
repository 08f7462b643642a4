"""“Does it work?” asked by mail: a signed address that says which ticket, and of which solution it speaks."""

from dataclasses import dataclass
from datetime import timedelta

from django.core import signing
from django.urls import reverse

from incidents.models import Ticket

VALID_FOR = timedelta(days=14)
_SALT = "incidents.whether-it-works"


@dataclass(frozen=True)
class Question:
    """`resolved_at` is the moment (ISO, UTC) of the solution that was asked about: a later one is another question."""

    ticket_id: int
    resolved_at: str


def address(ticket: Ticket, *, works: bool) -> str:
    """The path for a resolved ticket, with the answer that was tapped; looking at it changes nothing."""
    token = signing.dumps([ticket.pk, _moment(ticket)], salt=_SALT)
    return f"{reverse('answer', args=[token])}?works={'yes' if works else 'no'}"


def read(token: str) -> Question | None:
    """What the link asks; None when it was changed, or is older than 14 days."""
    try:
        ticket_id, resolved_at = signing.loads(token, salt=_SALT, max_age=VALID_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Question(int(ticket_id), str(resolved_at))


def is_still_asked(question: Question, ticket: Ticket) -> bool:
    """Whether the ticket waits for the answer to this very question."""
    return ticket.status == "resolved" and _moment(ticket) == question.resolved_at


def _moment(ticket: Ticket) -> str:
    return ticket.resolved_at.isoformat() if ticket.resolved_at else ""
