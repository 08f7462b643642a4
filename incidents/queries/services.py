"""Reading the catalogue: services, what they need, what needs them, how they have been."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from incidents.models import AffectedService, DowntimeInterval, MajorIncident, Service, ServiceDependency, User
from incidents.permissions import visible_incidents
from incidents.process import OPEN_STAGES

LOOKS_BACK = timedelta(days=90)


def catalogue(*, q: str = "", everything: bool = False) -> QuerySet[Service]:
    """Services in the order of their tier, with whether one is down and how many incidents are open."""
    down = DowntimeInterval.objects.filter(service=OuterRef("pk"), ended_at=None, incident__is_drill=False)
    rows = Service.objects.select_related("owner", "team").annotate(
        is_down=Exists(down),
        open_incidents=Count(
            "affected_by", filter=Q(affected_by__incident__stage__in=OPEN_STAGES, affected_by__incident__is_drill=False)
        ),
    )
    rows = rows.order_by("tier", "name")
    if not everything:
        rows = rows.filter(is_active=True)
    return rows.filter(Q(name__icontains=q) | Q(description__icontains=q)) if q else rows


@dataclass(frozen=True)
class Node:
    """One service in a chain of dependencies and those behind it."""

    service: Service
    below: list["Node"]


@dataclass(frozen=True)
class ServicePage:
    service: Service
    needs: list[Node]
    needed_by: list[Node]
    incidents: list[MajorIncident]
    downtime: list[DowntimeInterval]
    down_since: datetime | None
    down_seconds: float


def service_page(user: User, slug: str, *, at: datetime) -> ServicePage:
    """Raises Service.DoesNotExist. Incidents are those the person may open; downtime covers the last 90 days."""
    service = Service.objects.select_related("owner", "team").prefetch_related("needs").get(slug=slug)
    edges = list(ServiceDependency.objects.select_related("service", "needs"))
    affected = AffectedService.objects.filter(service=service).values("incident")
    intervals = DowntimeInterval.objects.filter(service=service, incident__is_drill=False)
    recent = list(
        intervals.filter(Q(ended_at=None) | Q(ended_at__gte=at - LOOKS_BACK))
        .select_related("incident")
        .order_by("-started_at")[:20]
    )
    open_now = [one.started_at for one in recent if one.ended_at is None]
    return ServicePage(
        service=service,
        needs=_chain(service.pk, [(edge.service_id, edge.needs) for edge in edges]),
        needed_by=_chain(service.pk, [(edge.needs_id, edge.service) for edge in edges]),
        incidents=list(visible_incidents(user).filter(pk__in=affected, stage__in=OPEN_STAGES)),
        downtime=recent,
        down_since=min(open_now) if open_now else None,
        down_seconds=_union_seconds(recent, since=at - LOOKS_BACK, until=at),
    )


def _chain(start: int, edges: Iterable[tuple[int, Service]]) -> list[Node]:
    """The tree of services behind `start`; each service once, so a chain that meets itself ends."""
    following: dict[int, list[Service]] = {}
    for origin, target in edges:
        following.setdefault(origin, []).append(target)
    seen = {start}

    def grow(pk: int) -> list[Node]:
        fresh = [one for one in following.get(pk, []) if one.pk not in seen]
        seen.update(one.pk for one in fresh)
        return [Node(one, grow(one.pk)) for one in fresh]

    return grow(start)


def _union_seconds(intervals: Iterable[DowntimeInterval], *, since: datetime, until: datetime) -> float:
    """Seconds in which at least one interval ran, cut to the window."""
    total, reached = 0.0, since
    for one in sorted(intervals, key=lambda interval: interval.started_at):
        begin, end = max(one.started_at, reached), min(one.ended_at or until, until)
        if end > begin:
            total += (end - begin).total_seconds()
            reached = end
    return total
