"""Reading what requesters answered since a major incident was resolved."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from incidents.models import (
    CascadeJob,
    CascadeOutcome,
    CascadeResult,
    MajorIncident,
    Organisation,
    Review,
    Ticket,
    TicketStatus,
    TimelineEvent,
)
from incidents.process import EventKind, Stage


@dataclass(frozen=True)
class Answers:
    """Of the tickets that were resolved with the incident. `still_broken` counts distinct people, `until` is the end
    of the observation window, `threshold` how many of them reopen it."""

    asked: int
    works: int
    still_broken: int
    waiting: int
    threshold: int
    until: datetime

    @property
    def answered(self) -> int:
        return self.asked - self.waiting


def window_ends_at(incident: MajorIncident, organisation: Organisation | None = None) -> datetime | None:
    """End of the observation window; None before the incident is resolved."""
    if incident.resolved_at is None:
        return None
    review = Review.objects.filter(incident=incident).first()
    hours = review.observation_hours if review else (organisation or Organisation.current()).observation_hours
    return incident.resolved_at + timedelta(hours=hours)


def still_broken_people(incident: MajorIncident) -> set[str]:
    """The distinct requesters who answered "still broken" within the observation window; empty before resolution."""
    until = window_ends_at(incident)
    if until is None:
        return set()
    said = TimelineEvent.objects.filter(
        ticket__major_incident=incident,
        kind=EventKind.TICKET_STATUS_CHANGED,
        payload__still_broken=True,
        at__gte=incident.resolved_at,
        at__lte=until,
    )
    rows = said.values_list("ticket__requester", "ticket__requester_email", "ticket")
    return {f"person {person}" if person else (email.lower() or f"ticket {pk}") for person, email, pk in rows}


def answers(incident: MajorIncident) -> Answers | None:
    """None while the incident is not resolved. Six queries, whatever the number of tickets."""
    if incident.resolved_at is None or incident.stage not in (Stage.MAINTENANCE, Stage.CLOSED):
        return None
    organisation = Organisation.current()
    until = window_ends_at(incident, organisation) or incident.resolved_at
    job = incident.cascades.filter(kind=CascadeJob.Kind.RESOLVE, requested_by=None).last()
    done = CascadeResult.objects.filter(job=job, outcome=CascadeOutcome.DONE)
    asked = Ticket.objects.filter(pk__in=done.values("ticket"), major_incident=incident).aggregate(
        asked=Count("pk"),
        works=Count("pk", filter=Q(status=TicketStatus.CLOSED, merged_into=None)),
        waiting=Count("pk", filter=Q(status=TicketStatus.RESOLVED)),
    )
    return Answers(
        **asked,
        still_broken=len(still_broken_people(incident)),
        threshold=organisation.still_broken_to_reopen,
        until=until,
    )


def answer_about(ticket: Ticket) -> str:
    """What its requester answered since the incident was resolved: `waiting`, `works`, `still_broken`; "" when nothing
    was asked. No query but for a ticket that was reopened since."""
    incident = ticket.major_incident
    if incident is None or incident.resolved_at is None or incident.stage not in (Stage.MAINTENANCE, Stage.CLOSED):
        return ""
    if ticket.status == TicketStatus.RESOLVED:
        return "waiting"
    if ticket.status == TicketStatus.CLOSED:
        return "works" if ticket.merged_into_id is None else ""
    said = ticket.events.filter(
        kind=EventKind.TICKET_STATUS_CHANGED, payload__still_broken=True, at__gte=incident.resolved_at
    )
    return "still_broken" if said.exists() else ""
