"""The world around an outage: what depends on it, what changed before it, what looked like it, who reports it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Count, F, Q
from django.db.models.functions import TruncMinute

from incidents.models import AffectedService, Change, ChangeLink, MajorIncident, Service, ServiceDependency, Ticket
from incidents.process import Stage

CHANGES_BACK = timedelta(days=7)
ARRIVAL_WINDOW = timedelta(minutes=60)
ARRIVAL_BUCKETS = 30
SIMILAR_ENOUGH = 0.25


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
    for service, needs in edges:
        needed_by.setdefault(needs, set()).add(service)
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
    """Tickets linked to the incident: how many, and how many arrived in each two minutes, oldest first."""

    total: int
    open: int
    counts: list[int]
    lately: int


def arrivals(incident: MajorIncident, now: datetime) -> Arrivals:
    """Two queries whatever the number of tickets. The window ends when the incident did."""
    end = min(filter(None, (now, incident.resolved_at, incident.closed_at)))
    first = (incident.started_at or incident.reported_at or incident.declared_at or end) - timedelta(minutes=10)
    begin = max(first, end - ARRIVAL_WINDOW) if end - first > ARRIVAL_WINDOW else end - ARRIVAL_WINDOW
    children = Ticket.objects.filter(major_incident=incident)
    totals = children.aggregate(total=Count("pk"), waiting=Count("pk", filter=~Q(status__in=["resolved", "closed"])))
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
    return Arrivals(totals["total"], totals["waiting"], counts, sum(counts[-3:]))


def recent_changes(services: Iterable[int], incident: MajorIncident, *, limit: int = 6) -> list[Change]:
    """Changes on these services in the week before the impact began, the latest first: what changed?"""
    began = incident.started_at or incident.detected_at or incident.declared_at
    if began is None or not services:
        return []
    moment = Q(implemented_at__gte=began - CHANGES_BACK) | Q(started_at__gte=began - CHANGES_BACK)
    fixes = ChangeLink.objects.filter(incident=incident, relation=ChangeLink.Relation.FIX).values("change")
    return list(
        Change.objects.filter(moment, services__in=services)
        .exclude(pk__in=fixes)
        .distinct()
        .order_by(F("implemented_at").desc(nulls_last=True), "-pk")[:limit]
    )


def similar_incidents(incident: MajorIncident, visible: Any, *, limit: int = 4) -> list[MajorIncident]:
    """Past incidents whose title reads alike or that hit the same service, each with the fix that worked."""
    services = AffectedService.objects.filter(incident=incident).values("service")
    alike = AffectedService.objects.filter(service__in=services).values("incident")
    rows = list(
        visible.filter(stage__in=[Stage.CLOSED, Stage.MAINTENANCE], merged_into__isnull=True)
        .exclude(pk=incident.pk)
        .annotate(likeness=TrigramSimilarity("title", incident.title))
        .filter(Q(likeness__gte=SIMILAR_ENOUGH) | Q(pk__in=alike))
        .order_by("-likeness", "-pk")
        .prefetch_related("change_links__change", "problems")[:limit]
    )
    for row in rows:
        fixes = [link.change for link in row.change_links.all() if link.relation == ChangeLink.Relation.FIX]
        row.fix = next((change for change in fixes if change.implemented_at and not change.rolled_back_at), None)
        row.cause = next((problem.root_cause for problem in row.problems.all() if problem.root_cause), "")
    return rows
