"""Reading the tickets of a major incident: how they stand, what may belong to it too, what was done with them."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Count, Q, QuerySet

from incidents.models import (
    OPEN_TICKET_STATUSES,
    CascadeJob,
    CascadeOutcome,
    MajorIncident,
    Ticket,
    TicketKind,
    TicketStatus,
    User,
)
from incidents.permissions import visible_tickets

LOOKS_BACK = timedelta(hours=24)
ALIKE = 0.3
MOST_SIMILAR = 200


@dataclass(frozen=True)
class Standing:
    total: int
    open: int
    resolved: int
    closed: int


def standing(incident: MajorIncident) -> Standing:
    """One query."""
    return Standing(
        **incident.tickets.aggregate(
            total=Count("pk"),
            open=Count("pk", filter=Q(status__in=OPEN_TICKET_STATUSES)),
            resolved=Count("pk", filter=Q(status=TicketStatus.RESOLVED)),
            closed=Count("pk", filter=Q(status=TicketStatus.CLOSED)),
        )
    )


def similar_unlinked(incident: MajorIncident, user: User) -> QuerySet[Ticket]:
    """Open incident tickets without a parent, reported since a day before it began, about its services or in words
    like its title; the most alike first."""
    since = incident.started_at or incident.detected_at or incident.declared_at or incident.created_at
    rows = visible_tickets(user).filter(
        status__in=OPEN_TICKET_STATUSES,
        kind=TicketKind.INCIDENT,
        major_incident=None,
        reported_at__gte=since - LOOKS_BACK,
    )
    rows = rows.annotate(alike=TrigramSimilarity("title", incident.title))
    same = Q(alike__gte=ALIKE) | Q(service__in=incident.services.all())
    found = rows.filter(same).select_related("service", "assignee", "team", "requester")
    return found.order_by("-alike", "-id")[:MOST_SIMILAR]


def jobs_of(incident: MajorIncident, *, most: int = 20) -> list[CascadeJob]:
    """The newest first, each with `done`, `unchanged`, `failed` and `waiting` tickets. One query."""
    counts = {outcome: Count("results", filter=Q(results__outcome=outcome)) for outcome in CascadeOutcome.values}
    return list(incident.cascades.select_related("requested_by").annotate(**counts).order_by("-id")[:most])
