"""What is about to be late is warned about, what is late is escalated up the line, and clocks are computed anew when
targets, service hours or holidays change. Each is a sweep."""

from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import events
from incidents.actions.sla_follow import clocks_of, follow
from incidents.actions.ticket_escalation import escalate
from incidents.errors import Invalid
from incidents.models import (
    OPEN_TICKET_STATUSES,
    Organisation,
    SlaKind,
    Ticket,
    TicketClock,
    TicketEscalation,
)
from incidents.process import EventKind
from incidents.queries.sla import current_rules
from incidents.sla import Rules

BATCH = 200


def strike_due_clocks(*, at: datetime, batch: int = BATCH) -> int:
    """Warns about what is about to be late and escalates what is. Counts the clocks; safe to run twice or at once."""
    struck = 0
    seen: set[int] = set()
    while True:
        due = TicketClock.objects.filter(next_at__lte=at).exclude(pk__in=seen).order_by("next_at")
        rows = list(due.values_list("pk", "ticket_id")[:batch])
        if not rows:
            return struck
        for pk, ticket_id in rows:
            seen.add(pk)
            struck += _strike(pk, ticket_id, at)


@transaction.atomic
def _strike(clock_id: int, ticket_id: int, at: datetime) -> bool:
    """One clock, read again under the ticket's lock. False when another worker has it or nothing is due any more."""
    ticket = Ticket.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=ticket_id).first()
    clock = TicketClock.objects.get(pk=clock_id) if ticket else None
    if ticket is None or clock is None or clock.next_at is None or clock.next_at > at or clock.due_at is None:
        return False
    is_late = clock.due_at <= at
    clock.warned_at = clock.warned_at or at
    clock.breached_at = clock.due_at if is_late else None
    clock.next_at = None if is_late else clock.due_at
    clock.save(update_fields=["warned_at", "breached_at", "next_at"])
    said: dict[str, Any] = {"sla": clock.kind, "due_at": clock.due_at.isoformat()}
    events.record(EventKind.SLA_BREACHED if is_late else EventKind.SLA_WARNED, ticket, actor=None, at=at, **said)
    if is_late:
        _escalate(ticket, clock, at)
    return True


def _escalate(ticket: Ticket, clock: TicketClock, at: datetime) -> None:
    """Up the line. Where there is nobody, the broken promise stands in the record alone."""
    what = "answered" if clock.kind == SlaKind.RESPONSE else "solved"
    reason = f"Not {what} within {clock.target_seconds // 60} minutes of service time."
    try:
        with transaction.atomic():
            escalate(ticket.pk, kind=TicketEscalation.Kind.HIERARCHICAL, reason=reason, actor=None, at=at)
    except Invalid:
        return


def renew_clocks(*, at: datetime, batch: int = BATCH) -> int:
    """Open tickets whose clocks were computed under other targets, hours or holidays, or never, get them anew.

    Counts them; safe to run twice or at once. Nothing before the first administrator saved an organisation.
    """
    organisation = Organisation.objects.filter(pk=1).first()
    if organisation is None:
        return 0
    rules, renewed = current_rules(organisation), 0
    while count := _renew_batch(rules, at, batch):
        renewed += count
    return renewed


@transaction.atomic
def _renew_batch(rules: Rules, at: datetime, batch: int) -> int:
    stale = Ticket.objects.filter(status__in=OPEN_TICKET_STATUSES).exclude(sla_stamp=rules.stamp)
    tickets = list(stale.select_for_update(of=("self",), skip_locked=True).order_by("pk")[:batch])
    known = clocks_of(tickets)
    for ticket in tickets:
        fields = follow(ticket, at=at, rules=rules, clocks=known[ticket.pk])
        ticket.save(update_fields=fields)
    return len(tickets)
