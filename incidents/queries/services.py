"""Reading the service catalogue: what works now, who needs whom, what happened lately."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from incidents.models import (
    AffectedService,
    Change,
    DowntimeInterval,
    MaintenanceWindow,
    MajorIncident,
    Service,
    ServiceDependency,
    Ticket,
    User,
)
from incidents.permissions import can, visible_changes
from incidents.process import OPEN_STAGES
from incidents.queries.radius import Reached, reach_of
from incidents.queries.words import matching

ORDER = ("tier", "name", "id")
LOOK_BACK = timedelta(days=90)
CLOSED_TICKETS = ("resolved", "closed")


@dataclass
class Health:
    """One service at this moment. `state` is down, degraded (something it needs is down), maintenance_window or
    operational; `incidents` are why it is down, `through` names what it needs that is down."""

    state: str = "operational"
    incidents: list[MajorIncident] = field(default_factory=list)
    through: list[str] = field(default_factory=list)
    since: datetime | None = None
    window: MaintenanceWindow | None = None


def open_downtime() -> QuerySet[DowntimeInterval]:
    """Intervals nobody has ended, of incidents that are under way; drills touch no service."""
    return DowntimeInterval.objects.filter(
        ended_at__isnull=True, service__isnull=False, incident__stage__in=OPEN_STAGES, incident__is_drill=False
    )


def health_of(services: Iterable[Service], at: datetime) -> dict[int, Health]:
    """How each of these services is now. Three queries."""
    found = {service.pk: Health() for service in services}
    down: dict[int, str] = {}
    for row in open_downtime().select_related("incident", "service").order_by("started_at"):
        down[row.service_id] = row.service.name  # type: ignore[index, union-attr]
        if (here := found.get(row.service_id)) is not None:  # type: ignore[arg-type]
            here.state, here.since = "down", here.since or row.started_at
            here.incidents.append(row.incident)
    _through_others(found, down)
    planned = MaintenanceWindow.services.through._default_manager.filter(
        service__in=found, maintenancewindow__starts_at__lte=at, maintenancewindow__ends_at__gt=at
    )
    for one in planned.select_related("maintenancewindow"):
        here = found[one.service_id]
        here.window = one.maintenancewindow
        here.state = "maintenance_window" if here.state == "operational" else here.state
    return found


def _through_others(found: dict[int, Health], down: dict[int, str]) -> None:
    """Names, for each service, what it needs, directly or through others, that is down."""
    needs: dict[int, list[int]] = {}
    for service, needed in ServiceDependency.objects.values_list("service", "needs"):
        needs.setdefault(service, []).append(needed)
    for pk, here in found.items():
        waiting, seen = list(needs.get(pk, ())), set()
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += needs.get(one, [])
        here.through = sorted(down[one] for one in seen if one in down and one != pk)
        if here.through and here.state == "operational":
            here.state = "degraded"


STATES = {"": "Any", "down": "Down now", "retired": "No longer offered"}


def filtered_services(*, q: str = "", tier: str = "", state: str = "") -> QuerySet[Service]:
    """The catalogue. `state` is "", "down" or "retired"; what is no longer offered shows only when asked for."""
    rows = Service.objects.select_related("owner", "team").annotate(
        need_count=Count("needs", distinct=True), needed_count=Count("needed_by", distinct=True)
    )
    if q:
        rows = matching(rows, q, "name", "description")
    if tier.isascii() and tier.isdigit() and len(tier) < 3:
        rows = rows.filter(tier=int(tier))
    rows = rows.filter(is_active=state != "retired")
    return rows.filter(Exists(open_downtime().filter(service=OuterRef("pk")))) if state == "down" else rows


def open_incidents_of(services: Iterable[Service]) -> dict[int, list[MajorIncident]]:
    """Open major incidents by the services they touch, drills left out. One query."""
    rows = AffectedService.objects.filter(
        service__in=list(services), incident__stage__in=OPEN_STAGES, incident__is_drill=False
    )
    found: dict[int, list[MajorIncident]] = {}
    for row in rows.select_related("incident").order_by("incident_id"):
        found.setdefault(row.service_id, []).append(row.incident)
    return found


@dataclass(frozen=True)
class ServicePage:
    """Everything one service page shows. `reach` is what fails with it, itself left out, nearest first;
    `down_seconds` is its downtime of the last 90 days, none counted twice. Tickets and changes only for those who
    may read them."""

    service: Service
    health: Health
    needs: list[tuple[Service, Health]]
    needed_by: list[tuple[Service, Health]]
    reach: list[Reached]
    incidents: list[MajorIncident]
    downtime: list[DowntimeInterval]
    down_seconds: float
    changes: list[Change]
    windows: list[MaintenanceWindow]
    open_tickets: int | None


def service_page(user: User, slug: str, *, at: datetime) -> ServicePage:
    """Raises Service.DoesNotExist."""
    service = Service.objects.select_related("owner", "team").get(slug=slug)
    needs = list(Service.objects.filter(needed_by__service=service).select_related("owner"))
    needed_by = list(Service.objects.filter(needs__needs=service).select_related("owner"))
    health = health_of([service, *needs, *needed_by], at)
    past = _downtime(service, at)
    is_desk = can(user, "view_desk")
    waiting = Ticket.objects.filter(service=service).exclude(status__in=CLOSED_TICKETS)
    windows = MaintenanceWindow.objects.filter(services=service, ends_at__gt=at - timedelta(days=30))
    return ServicePage(
        service=service,
        health=health[service.pk],
        needs=[(one, health[one.pk]) for one in needs],
        needed_by=[(one, health[one.pk]) for one in needed_by],
        reach=reach_of(service),
        incidents=open_incidents_of([service]).get(service.pk, []),
        downtime=past[:10],
        down_seconds=union_seconds(past, since=at - LOOK_BACK, until=at),
        changes=_changes(user, service) if is_desk else [],
        windows=list(windows.prefetch_related("services").order_by("-starts_at")[:20]),
        open_tickets=waiting.count() if is_desk else None,
    )


def _downtime(service: Service, at: datetime) -> list[DowntimeInterval]:
    """Of real incidents that were not declared in error, the latest first, the last 90 days (at most 500)."""
    rows = DowntimeInterval.objects.filter(service=service, incident__is_drill=False)
    rows = rows.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at - LOOK_BACK)).exclude(incident__stage="stood_down")
    found = list(rows.select_related("incident").order_by("-started_at", "-id")[:500])
    for row in found:
        row.seconds = ((row.ended_at or at) - row.started_at).total_seconds()  # type: ignore[attr-defined]
    return found


def union_seconds(rows: Iterable[Any], *, since: datetime, until: datetime) -> float:
    """Seconds covered by any of the intervals between `since` and `until`; open ones last until `until`."""
    total, reached = 0.0, since
    for row in sorted(rows, key=lambda one: one.started_at):
        begins, ends = max(row.started_at, reached), min(row.ended_at or until, until)
        if ends > begins:
            total += (ends - begins).total_seconds()
            reached = ends
    return total


def _changes(user: User, service: Service) -> list[Change]:
    return list(visible_changes(user).filter(services=service).select_related("owner").order_by("-id")[:8])
