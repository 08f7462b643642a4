"""The dependency graph around an outage: what is down, what is suspected, what is healthy, and what should be broken by
rights but is not. And the changes before it, by how likely each is the cause."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Value

from incidents.models import (
    Alert,
    AlertState,
    Change,
    DowntimeInterval,
    Risk,
    Service,
    ServiceDependency,
    Ticket,
    TicketKind,
)

LATELY = timedelta(minutes=30)
SIGNS_OF_USERS = 2
"""Tickets about a service within that time, from which on it is suspected."""
HALF_LIFE = 120
"""Minutes before the impact after which a change is half as suspicious."""


@dataclass(frozen=True)
class Node:
    """A service near the outage. `depth` 0 is affected itself, 1 needs one of those and so on; -1 is needed by one.

    `state` is down, restored, suspected, odd (should be broken but shows nothing) or healthy; `why` says what speaks
    for it.
    """

    service: Service
    depth: int
    needs: tuple[str, ...]
    state: str
    why: str

    @property
    def label(self) -> str:
        return LABELS[self.state]


LABELS = {
    "down": "Down",
    "restored": "Restored",
    "suspected": "Suspected",
    "odd": "Unexpectedly up",
    "healthy": "Healthy",
}
ORDER = list(LABELS)


@dataclass(frozen=True)
class Radius:
    nodes: list[Node]

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many of each state, in the order of the labels; states nobody is in are left out."""
        counted = Counter(node.state for node in self.nodes)
        return [(LABELS[state].lower(), counted[state]) for state in ORDER if counted[state]]


def _depths(affected: Iterable[int], edges: list[tuple[int, int]]) -> dict[int, int]:
    """How many steps each service that needs them, directly or not, is away."""
    depths = dict.fromkeys(affected, 0)
    needed_by: dict[int, set[int]] = {}
    for dependent, needs in edges:
        needed_by.setdefault(needs, set()).add(dependent)
    frontier, depth = set(depths), 0
    while frontier:
        depth += 1
        frontier = {one for pk in frontier for one in needed_by.get(pk, ()) if one not in depths}
        depths.update(dict.fromkeys(frontier, depth))
    return depths


@dataclass(frozen=True)
class Reached:
    """A service that fails with another one, `depth` steps away (1 or more), through the nearer ones in `needs`."""

    service: Service
    depth: int
    needs: tuple[str, ...]


def reach_of(service: Service) -> list[Reached]:
    """Every service that fails with it, nearest first. Two queries."""
    edges = list(ServiceDependency.objects.values_list("service", "needs"))
    depths = _depths([service.pk], edges)
    services = {row.pk: row for row in Service.objects.filter(pk__in=depths)}
    names = {pk: row.name for pk, row in services.items()}
    found = [Reached(row, depths[pk], _nearer(depths, edges, pk, names)) for pk, row in services.items() if depths[pk]]
    return sorted(found, key=lambda one: (one.depth, one.service.name))


def radius_of(affected: Iterable[int], now: datetime) -> Radius:
    """The affected services, what needs them and what they need directly. Three queries, none without a service."""
    edges = list(ServiceDependency.objects.values_list("service", "needs")) if (affected := list(affected)) else []
    depths = _depths(affected, edges)
    if not depths:
        return Radius([])
    for dependent, needs in edges:
        if depths.get(dependent) == 0:
            depths.setdefault(needs, -1)
    services = {row.pk: row for row in Service.objects.filter(pk__in=depths).select_related("team")}
    signs = _Signs.of(services, now)
    names = {pk: row.name for pk, row in services.items()}
    nodes = []
    for pk, service in services.items():
        state, why = signs.state_of(pk, depths[pk], [needs for one, needs in edges if one == pk])
        nodes.append(Node(service, depths[pk], _nearer(depths, edges, pk, names), state, why))
    return Radius(
        sorted(nodes, key=lambda node: (node.depth < 0, node.depth, ORDER.index(node.state), node.service.name))
    )


def _nearer(depths: dict[int, int], edges: list[tuple[int, int]], pk: int, names: dict[int, str]) -> tuple[str, ...]:
    """The names of what this service needs and what is nearer to the outage."""
    through = {needs for one, needs in edges if one == pk and 0 <= depths.get(needs, -1) < depths[pk]}
    return tuple(sorted(names[needs] for needs in through))


@dataclass(frozen=True)
class _Signs:
    """What speaks for trouble, by service."""

    down: set[int]
    alerts: dict[int, int]
    tickets: dict[int, int]

    @classmethod
    def of(cls, services: Iterable[int], now: datetime) -> "_Signs":
        keys = list(services)
        down = DowntimeInterval.objects.filter(service__in=keys, ended_at=None)
        firing = Alert.objects.filter(service__in=keys).exclude(status=AlertState.RESOLVED)
        reported = Ticket.objects.filter(service__in=keys, kind=TicketKind.INCIDENT, reported_at__gt=now - LATELY)
        found: dict[str, dict[int, int]] = {"down": {}, "alert": {}, "ticket": {}}
        rows = _counted(down, "down").union(_counted(firing, "alert"), _counted(reported, "ticket"), all=True)
        for sign, service, number in rows:
            found[sign][service] = number
        return cls(set(found["down"]), found["alert"], found["ticket"])

    def state_of(self, pk: int, depth: int, needs: list[int]) -> tuple[str, str]:
        alerts, tickets = self.alerts.get(pk, 0), self.tickets.get(pk, 0)
        said = [f"{alerts} alert{'s' * (alerts != 1)} firing"] * bool(alerts)
        said += [f"{tickets} ticket{'s' * (tickets != 1)} in {int(LATELY.total_seconds() / 60)} min"] * bool(tickets)
        why = ", ".join(said)
        if pk in self.down:
            return "down", why
        if alerts or tickets >= SIGNS_OF_USERS:
            return "suspected", why
        if depth == 0:
            return "restored", why
        if depth > 0 and any(one in self.down for one in needs):
            return "odd", why or "no alert and no ticket, though what it needs is down"
        return "healthy", why


def _counted(rows: QuerySet[Any], sign: str) -> QuerySet[Any]:
    """Of each service how many."""
    counted = rows.order_by().values("service").annotate(sign=Value(sign), n=Count("pk"))
    return counted.values_list("sign", "service", "n")


# --- What changed ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Suspect:
    """A change before the outage, how likely (0 to 1) it is the cause, and what speaks for it."""

    change: Change
    likelihood: float
    why: tuple[str, ...]

    @property
    def label(self) -> str:
        return "likely" if self.likelihood >= 0.6 else "possible" if self.likelihood >= 0.35 else "less likely"


def suspects(changes: Iterable[Change], affected: Iterable[int], began: datetime) -> list[Suspect]:
    """The most likely first: how shortly before, on the very service or on what it needs, how risky, taken back.

    The changes come with their services prefetched; nothing is asked here.
    """
    own = set(affected)
    found = [_suspect(change, own, began) for change in changes]
    return sorted(found, key=lambda one: (-one.likelihood, -one.change.pk))


def _suspect(change: Change, own: set[int], began: datetime) -> Suspect:
    at = change.implemented_at or change.started_at or began
    minutes = max((began - at).total_seconds() / 60, 0)
    score, why = 0.5 * 0.5 ** (minutes / HALF_LIFE), [_before(minutes)]
    touched = [service.name for service in change.services.all() if service.pk in own]
    if touched:
        score, why = score + 0.25, [*why, f"on {', '.join(touched)} itself"]
    elif change.services.all():
        score, why = score + 0.1, [*why, "on what it needs"]
    weight = {Risk.HIGH: 0.12, Risk.MEDIUM: 0.06}.get(Risk(change.risk), 0.0)
    if change.risk == Risk.HIGH:
        why.append("high risk")
    if change.type == "emergency":
        weight, why = weight + 0.06, [*why, "emergency"]
    if change.implemented_at is None:
        weight, why = weight + 0.06, [*why, "under way"]
    if change.rolled_back_at:
        weight, why = weight + 0.06, [*why, "taken back"]
    return Suspect(change, min(round(score + weight, 2), 1.0), tuple(why))


def _before(minutes: float) -> str:
    if minutes < 1:
        return "at that very time"
    return f"{minutes:.0f} min before" if minutes < 120 else f"{minutes / 60:.0f} h before"
