"""Brings the clocks of a ticket in line with its state, before the ticket is saved."""

from collections.abc import Iterable
from datetime import datetime

from incidents.models import SlaKind, Ticket, TicketClock, TicketStatus
from incidents.queries.sla import current_rules
from incidents.service_hours import Hours
from incidents.sla import WARN_SHARE, Rules

FIELDS = ["sla_kind", "sla_warn_at", "sla_due_at", "sla_stamp"]


def follow(
    ticket: Ticket,
    *,
    at: datetime,
    rules: Rules | None = None,
    clocks: Iterable[TicketClock] | None = None,
    reported_before: datetime | None = None,
) -> list[str]:
    """Starts, pauses, ends or moves the clocks, writes them, and sets the ticket's nearest promise.

    The caller holds the ticket's lock, has set its new state, and saves it with the names of fields this returns.
    `reported_before` is when it was reported until this correction.
    """
    rules = rules or current_rules()
    known = {clock.kind: clock for clock in (ticket.clocks.all() if clocks is None else clocks)}
    for clock in known.values():
        if reported_before is not None and clock.running_since == reported_before:
            clock.running_since = ticket.reported_at
    found = [_follow(ticket, kind, known.get(kind), rules, at) for kind in SlaKind.values]
    for clock in found:
        clock.save()
    _set_nearest(ticket, found, rules)
    return FIELDS


def begin(ticket: Ticket, *, at: datetime, rules: Rules) -> list[TicketClock]:
    """The clocks of a ticket that is not saved yet; the caller saves them after it, all with one statement."""
    found = [_follow(ticket, kind, None, rules, at) for kind in SlaKind.values]
    _set_nearest(ticket, found, rules)
    return found


def clocks_of(tickets: list[Ticket]) -> dict[int, list[TicketClock]]:
    """By ticket, with one query."""
    found: dict[int, list[TicketClock]] = {ticket.pk: [] for ticket in tickets}
    for clock in TicketClock.objects.filter(ticket__in=found):
        found[clock.ticket_id].append(clock)
    return found


def _set_nearest(ticket: Ticket, clocks: list[TicketClock], rules: Rules) -> None:
    running = [clock for clock in clocks if clock.ended_at is None and clock.due_at is not None]
    nearest = min(running, key=lambda clock: (clock.due_at, clock.kind), default=None)
    ticket.sla_kind = nearest.kind if nearest else ""
    ticket.sla_warn_at = nearest.warn_at if nearest else None
    ticket.sla_due_at = nearest.due_at if nearest else None
    ticket.sla_stamp = rules.stamp


def _follow(ticket: Ticket, kind: str, clock: TicketClock | None, rules: Rules, at: datetime) -> TicketClock:
    target = rules.target(ticket.service_id, ticket.priority)
    hours = rules.hours(ticket.service_id, target)
    is_new = clock is None
    clock = clock or TicketClock(ticket=ticket, kind=kind, running_since=ticket.reported_at)
    clock.target_seconds = target.seconds(kind)
    if (ended_at := _end_of(ticket, kind)) is not None:
        _end(clock, hours, ended_at)
    elif ticket.status == TicketStatus.ON_HOLD:
        if clock.due_at is not None and clock.due_at < at:
            clock.breached_at = clock.due_at
        _stop(clock, hours, at)
        clock.ended_at = clock.warn_at = clock.due_at = None
    else:
        clock.ended_at = None
        clock.running_since = clock.running_since or at
        _aim(clock, hours, at, is_new=is_new)
    return clock


def _end_of(ticket: Ticket, kind: str) -> datetime | None:
    """When the promise was kept, or broken for good: answered by a person, solved. None while it is owed."""
    solved = None if ticket.is_open else ticket.resolved_at
    if kind == SlaKind.RESPONSE:
        return min(filter(None, (ticket.acknowledged_at, solved)), default=None)
    return solved


def _stop(clock: TicketClock, hours: Hours, when: datetime) -> None:
    if clock.running_since is not None:
        clock.used_seconds += hours.seconds_between(clock.running_since, when)
    clock.running_since = clock.next_at = None


def _end(clock: TicketClock, hours: Hours, when: datetime) -> None:
    if clock.ended_at is not None:
        return
    if clock.due_at is None and clock.running_since is not None:
        _aim(clock, hours, when, is_new=False)
    if clock.due_at is not None and when > clock.due_at:
        clock.breached_at = clock.due_at
    _stop(clock, hours, when)
    clock.ended_at = when


def _aim(clock: TicketClock, hours: Hours, at: datetime, *, is_new: bool) -> None:
    """Where the warning and the deadline of a running clock lie now. What was late before the clock was started (a
    report of the past) stands in the record; nobody is woken about it."""
    since = clock.running_since
    if since is None:
        return
    left = clock.target_seconds - clock.used_seconds
    if left <= 0 and clock.breached_at:
        clock.due_at, clock.warn_at = clock.breached_at, clock.warn_at or clock.breached_at
    else:
        clock.due_at = hours.after(since, left)
        clock.warn_at = hours.after(since, clock.target_seconds * WARN_SHARE - clock.used_seconds)
    clock.warned_at = clock.warned_at if clock.warn_at is None or clock.warn_at <= at else None
    clock.breached_at = clock.breached_at if clock.due_at is None or clock.due_at <= at else None
    if is_new and clock.due_at is not None and clock.due_at <= at:
        clock.warned_at, clock.breached_at = clock.warn_at, clock.due_at
    waits = [
        moment
        for moment, done in ((clock.warn_at, clock.warned_at), (clock.due_at, clock.breached_at))
        if moment is not None and done is None
    ]
    clock.next_at = min(waits, default=None)
