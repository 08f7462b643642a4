"""Tickets as children of a major incident, and tickets as evidence for one."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from incidents import events
from incidents.actions import candidates, clocks
from incidents.actions.children import adopt, lock_many
from incidents.actions.input import clean_text
from incidents.actions.locking import check_open, lock_incident
from incidents.actions.ticket_states import allow, locked
from incidents.errors import Duplicate, Invalid, WrongStage
from incidents.models import Candidate, MajorIncident, Ticket, User
from incidents.process import EventKind


@transaction.atomic
def link(ticket_ids: Sequence[int], *, incident_id: int, actor: User | None, at: datetime) -> list[Ticket]:
    """Makes tickets children of an open major incident and recomputes its clocks from them.

    A ticket that is its child already stays so; one of another incident is refused until it is unlinked.
    """
    incident = lock_incident(incident_id)
    check_open(incident, "linking tickets")
    tickets = lock_many(ticket_ids)
    for ticket in tickets:
        allow(actor, "work_ticket", ticket)
        if ticket.major_incident_id not in (None, incident.pk):
            raise Duplicate(
                f"{ticket.ref} already belongs to MI-{ticket.major_incident_id}. Unlink it there first.",
                ticket=ticket.ref,
                major_incident=f"MI-{ticket.major_incident_id}",
            )
    adopt(tickets, incident, actor=actor, at=at)
    clocks.recompute(incident, actor=actor, at=at)
    return tickets


@transaction.atomic
def unlink(ticket_id: int, *, reason: str, actor: User, at: datetime) -> Ticket:
    """It was not this outage. The incident's clocks forget the ticket."""
    parent = Ticket.objects.values_list("major_incident", flat=True).get(pk=ticket_id)
    incident = lock_incident(parent) if parent else None
    ticket = locked(ticket_id)
    allow(actor, "work_ticket", ticket)
    text = clean_text("reason", reason, required=True)
    if incident is None or ticket.major_incident_id != incident.pk:
        raise WrongStage(f"{ticket.ref} is not linked to a major incident.", status=ticket.status)
    check_open(incident, "unlinking tickets")
    leave(ticket, incident, reason=text, actor=actor, at=at)
    clocks.recompute(incident, actor=actor, at=at)
    return ticket


def leave(ticket: Ticket, incident: MajorIncident, *, reason: str, actor: User | None, at: datetime) -> None:
    """Takes the locked ticket away from the locked incident. The caller recomputes the incident's clocks."""
    ticket.major_incident, ticket.kept_open_reason = None, ""
    ticket.save(update_fields=["major_incident", "kept_open_reason", "updated_at"])
    ticket.alerts.filter(major_incident=incident).update(major_incident=None)
    events.record(
        EventKind.TICKET_UNLINKED, ticket, actor=actor, at=at, incident=incident, text=reason, ticket=ticket.ref
    )


@transaction.atomic
def keep_open(ticket_id: int, *, reason: str, actor: User, at: datetime) -> Ticket:
    """It stays open when its major incident is resolved, because something else is wrong, too. An empty reason: it
    is resolved with the others again."""
    ticket = locked(ticket_id)
    allow(actor, "work_ticket", ticket)
    text = clean_text("reason", reason, 200)
    if ticket.major_incident_id is None or not ticket.is_open:
        raise WrongStage(
            f"{ticket.ref} is no open ticket of a major incident, so nothing would resolve it.", status=ticket.status
        )
    if text == ticket.kept_open_reason:
        return ticket
    ticket.kept_open_reason = text
    ticket.save(update_fields=["kept_open_reason", "updated_at"])
    events.record(EventKind.TICKET_KEPT_OPEN, ticket, actor=actor, at=at, text=text, is_kept=bool(text))
    return ticket


@transaction.atomic
def propose(
    ticket_ids: Sequence[int], *, reason: str, business_impact: str = "", actor: User, at: datetime
) -> Candidate:
    """A technician thinks this may be a major incident. Joins the open candidate of the service, or makes one.

    The service is the first one among the tickets; a ticket that is evidence already brings its candidate.
    """
    why = clean_text("reason", reason, required=True)
    impact = clean_text("business_impact", business_impact)
    known = Ticket.objects.filter(pk__in=list(ticket_ids)).order_by("pk").select_related("service", "candidate")
    first = next((ticket for ticket in known if ticket.service), None) or known.first()
    if first is None:
        raise Invalid(tickets="Name at least one ticket that exists.")
    allow(actor, "propose", first)
    for ticket in known:
        if ticket.major_incident_id is not None:
            raise Duplicate(
                f"{ticket.ref} already belongs to MI-{ticket.major_incident_id}.",
                major_incident=f"MI-{ticket.major_incident_id}",
            )
    existing = next((ticket.candidate for ticket in known if ticket.candidate and ticket.candidate.is_open), None)
    return candidates.gather(
        title=first.title,
        source="proposed",
        service=first.service,
        reasons=[f"{actor.display_name}: {why}"],
        business_impact=impact,
        ticket_ids=list(ticket_ids),
        joins=existing,
        actor=actor,
        at=at,
    )
