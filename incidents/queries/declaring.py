"""Before a major incident is declared: what the dialog begins with, and what declaring would do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from incidents.models import OPEN_CANDIDATE_STATUSES, Candidate, Organisation, Service, Ticket, User
from incidents.permissions import visible_candidates, visible_tickets
from incidents.priority import priority_for, severity_for, suggests_major
from incidents.queries.references import numbers_in

FIRST_UPDATE = {"SEV1": timedelta(minutes=30), "SEV2": timedelta(minutes=30), "SEV3": timedelta(minutes=60)}


def beginning_of(user: User, candidate: str, tickets: str) -> dict[str, Any]:
    """What is known already: title and service of the candidate or the tickets."""
    found = waiting_candidate(user, candidate)
    rows = list(
        visible_tickets(user).filter(pk__in=numbers_in(tickets, "INC")).select_related("service").order_by("pk")
    )
    if found is not None:
        rows = [*rows, *Ticket.objects.filter(candidate=found).select_related("service").order_by("pk")[:200]]
    services = {row.service_id for row in rows if row.service_id} | (
        {found.service_id} if found and found.service_id else set()
    )
    begun: dict[str, Any] = {"services": list(services)}
    if found is not None:
        begun |= {"candidate": found.ref, "title": found.title, "description": found.business_impact}
    elif rows:
        begun |= {"title": rows[0].title}
    if numbers := numbers_in(tickets, "INC"):
        begun["tickets"] = ", ".join(f"INC-{number}" for number in numbers)
    return begun


def waiting_candidate(user: User, words: str) -> Candidate | None:
    found = visible_candidates(user).filter(pk__in=numbers_in(words, "CAN"), status__in=OPEN_CANDIDATE_STATUSES)
    return found.select_related("service").first()


@dataclass(frozen=True)
class Preview:
    """What declaring does: severity, children, clocks, the first promise, who owns what is down."""

    severity: str
    priority: str
    suggests_major: bool
    candidate: Candidate | None
    tickets: list[Ticket]
    ticket_count: int
    services: list[Service]
    promise_minutes: int
    detected_from: str


def preview_of(user: User, form: Any) -> Preview:
    """Reads what is typed, valid or not, and writes nothing."""
    impact, urgency = form.levels()
    candidate = waiting_candidate(user, str(form["candidate"].value() or ""))
    wanted = numbers_in(str(form["tickets"].value() or ""), "INC")
    rows = visible_tickets(user).filter(pk__in=wanted, major_incident__isnull=True)
    if candidate is not None:
        rows = rows | visible_tickets(user).filter(candidate=candidate, major_incident__isnull=True)
    tickets = list(rows.order_by("reported_at", "pk")[:6])
    count = rows.count() if len(tickets) == 6 else len(tickets)
    chosen = [int(pk) for pk in form["services"].value() or [] if str(pk).isdigit() and len(str(pk)) < 16]
    severity = severity_for(impact, urgency)
    return Preview(
        severity=severity,
        priority=priority_for(impact, urgency, Organisation.current().priority_table),
        suggests_major=suggests_major(impact, urgency),
        candidate=candidate,
        tickets=tickets,
        ticket_count=count,
        services=list(Service.objects.filter(pk__in=chosen).select_related("owner", "team")),
        promise_minutes=int(FIRST_UPDATE[severity].total_seconds() // 60),
        detected_from=tickets[0].ref if tickets else "",
    )
