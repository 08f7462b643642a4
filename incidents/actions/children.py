"""Tickets becoming children of a major incident, whichever act makes them so."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from incidents import events
from incidents.errors import Invalid
from incidents.models import Alert, MajorIncident, Ticket, User
from incidents.process import EventKind


def lock_many(ticket_ids: Iterable[int]) -> list[Ticket]:
    """Tickets under lock, in the order of their numbers. Raises Invalid naming those that do not exist."""
    wanted = sorted(set(ticket_ids))
    if not wanted:
        raise Invalid(tickets="Name at least one ticket.")
    tickets = list(Ticket.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk"))
    missing = set(wanted) - {ticket.pk for ticket in tickets}
    if missing:
        raise Invalid(tickets=f"No such ticket: {', '.join(f'INC-{pk}' for pk in sorted(missing))}.")
    return tickets


def adopt(tickets: Iterable[Ticket], incident: MajorIncident, *, actor: User | None, at: datetime) -> int:
    """Sets the parent of locked tickets; counts those that did not have it. The caller holds the incident's lock."""
    count, adopted = 0, []
    for ticket in tickets:
        if ticket.major_incident_id == incident.pk:
            continue
        adopted.append(ticket.pk)
        ticket.major_incident = incident
        ticket.save(update_fields=["major_incident", "updated_at"])
        events.record(
            EventKind.TICKET_LINKED,
            ticket,
            actor=actor,
            at=at,
            incident=incident,
            ticket=ticket.ref,
            title=ticket.title,
            major_incident=incident.ref,
        )
        count += 1
    adopt_alerts(Alert.objects.filter(ticket__in=adopted), incident)
    return count


def adopt_alerts(alerts: QuerySet[Alert], incident: MajorIncident) -> int:
    """What led to an adopted ticket or candidate belongs to the incident too. Answers how many."""
    return alerts.filter(major_incident=None).update(major_incident=incident)
