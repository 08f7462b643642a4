"""The world around an outage: what depends on it, what changed before it, what looked like it, who reports it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, prefetch_related_objects
from django.db.models.functions import TruncMinute

from incidents.models import ChangeLink, MajorIncident, Service, ServiceDependency, Ticket
from incidents.process import Stage
from incidents.queries.affected import count_of_incident

ARRIVAL_WINDOW = timedelta(minutes=60)
ARRIVAL_BUCKETS = 30
SHOWN = 4


@dataclass(frozen=True)
class Node:
    """A service that feels the outage; `depth` 0 is affected itself, 1 needs one of those, and so on."""

    service: Service
    depth: int
    needs: tuple[str, ...]


def blast_radius(affected: Iterable[int]) -> list[Node]:
    """The affected services and everything that needs them, nearest first. Two queries."""
    reached = dict.fromkeys(affected, 0)
    if not reached:
        return []
    edges = list(ServiceDependency.objects.values_list("service", "needs"))
    needed_by: dict[int, set[int]] = {}
    for dependent, needs in edges:
        needed_by.setdefault(needs, set()).add(dependent)
    frontier, depth = set(reached), 0
    while frontier:
        depth += 1
        frontier = {dependent for pk in frontier for dependent in needed_by.get(pk, ()) if dependent not in reached}
        reached.update(dict.fromkeys(frontier, depth))
    services = {row.pk: row for row in Service.objects.filter(pk__in=reached).select_related("owner", "team")}
    names = {pk: row.name for pk, row in services.items()}
    nodes = []
    for pk, service in services.items():
        because = sorted(names[needs] for one, needs in edges if one == pk and reached.get(needs, 99) < reached[pk])
        nodes.append(Node(service, reached[pk], tuple(because)))
    return sorted(nodes, key=lambda node: (node.depth, node.service.tier, node.service.name))


@dataclass(frozen=True)
class Arrivals:
    """Tickets linked to the incident: how many, and how many arrived in each two minutes, oldest first.

    `people` say without a ticket that they are affected.
    """

    total: int
    open: int
    counts: list[int]
    lately: int
    people: int


def arrivals(incident: MajorIncident, now: datetime) -> Arrivals:
    """Two queries whatever the number of tickets. The window ends when the incident did."""
    end = min(filter(None, (now, incident.resolved_at, incident.closed_at)))
    first = (incident.started_at or incident.reported_at or incident.declared_at or end) - timedelta(minutes=10)
    begin = max(first, end - ARRIVAL_WINDOW) if end - first > ARRIVAL_WINDOW else end - ARRIVAL_WINDOW
    children = Ticket.objects.filter(major_incident=incident)
    waiting = Count("tickets", filter=~Q(tickets__status__in=["resolved", "closed"]))
    reported = MajorIncident.objects.annotate(total=Count("tickets"), waiting=waiting, people=count_of_incident())
    totals = reported.values("total", "waiting", "people").get(pk=incident.pk)
    rows = (
        children.filter(reported_at__gt=begin, reported_at__lte=end)
        .annotate(minute=TruncMinute("reported_at"))
        .values_list("minute")
        .annotate(n=Count("pk"))
    )
    width = ARRIVAL_WINDOW / ARRIVAL_BUCKETS
    counts = [0] * ARRIVAL_BUCKETS
    for at, number in rows:
        counts[min(max(int((at - begin) / width), 0), ARRIVAL_BUCKETS - 1)] += number
    return Arrivals(totals["total"], totals["waiting"], counts, sum(counts[-3:]), totals["people"])


def with_fixes(rows: Iterable[MajorIncident]) -> list[MajorIncident]:
    """Past incidents that are over, each with `fix`, the change that worked, and `cause`, when they are known."""
    found = [row for row in rows if row.stage in (Stage.CLOSED, Stage.MAINTENANCE)][:SHOWN]
    prefetch_related_objects(found, "change_links__change", "problems")
    for row in found:
        fixes = [link.change for link in row.change_links.all() if link.relation == ChangeLink.Relation.FIX]
        worked = (change for change in fixes if change.implemented_at and not change.rolled_back_at)
        row.fix = next(worked, None)  # type: ignore[attr-defined]
        causes = (problem.root_cause for problem in row.problems.all() if problem.root_cause)
        row.cause = next(causes, "")  # type: ignore[attr-defined]
    return found
