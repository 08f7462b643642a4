"""A phone call taken by a technician: one ticket, and what it sets off, in one transaction."""

from datetime import datetime, timedelta

from django.contrib.postgres.search import TrigramSimilarity
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from incidents.actions import candidates, tickets
from incidents.actions.input import clean_text
from incidents.actions.ticket_states import allow
from incidents.errors import Invalid
from incidents.models import (
    OPEN_CANDIDATE_STATUSES,
    Candidate,
    CandidateSource,
    Channel,
    MajorIncident,
    Service,
    Ticket,
    User,
)

LONGEST_CALL = timedelta(hours=4)
"""A clock that runs longer was forgotten: the call counts from when it was saved."""
ALIKE = 0.3


@transaction.atomic
def take_call(
    *,
    caller_words: str,
    title: str,
    actor: User,
    at: datetime,
    requester: User | None = None,
    callback_number: str = "",
    service: Service | None = None,
    began_at: datetime | None = None,
    impact: int = 3,
    urgency: int = 3,
    tried: str = "",
    notes: str = "",
    is_suspected_major: bool = False,
    call_started_at: datetime | None = None,
    incident: MajorIncident | None = None,
) -> Ticket:
    """Files the call. `incident` makes it a child of an open major incident, which needs no title of its own.

    `caller_words` is kept in the text when it is nobody in the directory. `call_started_at` is when it reached the
    desk, `began_at` since when it does not work. A suspected major becomes, or joins, a candidate at once.
    """
    allow(actor, "work_ticket")
    words = clean_text("caller", caller_words, 200)
    if requester is None and not words:
        raise Invalid(caller="Say who is calling, or a number.")
    address = words if requester is None and _is_address(words) else ""
    ticket = tickets.open_ticket(
        title=title.strip() or (f"Affected by {incident.ref}" if incident else title),
        description=_description("" if requester or address else words, tried, notes),
        channel=Channel.HOTLINE,
        requester=requester,
        requester_email=address,
        callback_number=callback_number,
        service=service or (incident.services.first() if incident else None),
        began_at=began_at,
        impact=impact,
        urgency=urgency,
        reported_at=_reached_us(call_started_at, at),
        major_incident=incident,
        actor=actor,
        at=at,
    )
    if is_suspected_major and incident is None:
        suspect(ticket, reason=f"{actor.display_name} on the phone: suspected major.", actor=actor, at=at)
    return tickets.locked(ticket.pk)


def suspect(ticket: Ticket, *, reason: str, actor: User | None, at: datetime) -> Candidate:
    """Somebody on the phone fears that this is a major incident: the manager on call is paged by the candidate.

    Joins the open candidate of the service; without a service, one in alike words. The caller holds the transaction.
    """
    return candidates.gather(
        title=ticket.title,
        source=CandidateSource.HOTLINE,
        service=ticket.service,
        reasons=[f"{reason} {ticket.ref}: {ticket.title}"],
        ticket_ids=[ticket.pk],
        joins=ticket.candidate or (None if ticket.service_id else _alike(ticket.title)),
        actor=actor,
        at=at,
    )


def _alike(title: str) -> Candidate | None:
    waiting = Candidate.objects.filter(status__in=OPEN_CANDIDATE_STATUSES, service__isnull=True)
    alike = waiting.annotate(alike=TrigramSimilarity("title", title)).filter(alike__gte=ALIKE)
    return alike.order_by("-alike", "pk").first()


def _is_address(words: str) -> bool:
    try:
        validate_email(words)
    except ValidationError:
        return False
    return True


def _reached_us(call_started_at: datetime | None, at: datetime) -> datetime:
    if call_started_at is None or not at - LONGEST_CALL <= call_started_at <= at:
        return at
    return call_started_at


def _description(stranger: str, tried: str, notes: str) -> str:
    parts = (("Caller, not in the directory: ", stranger), ("Tried already: ", tried), ("", notes))
    return "\n\n".join(f"{label}{text.strip()}" for label, text in parts if text.strip())
