"""Reading planned work of all services as a calendar."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from incidents.models import Alert, MaintenanceWindow

LOOKS_BACK = timedelta(days=30)
MOST = 100

Days = list[tuple[date, list[MaintenanceWindow]]]


@dataclass(frozen=True)
class Calendar:
    """Windows under way; those to come by the day they begin (the reader's), soonest first; those of the last 30
    days, the latest first. Each knows how many alerts began on its services meanwhile (`calmed`)."""

    now: list[MaintenanceWindow]
    upcoming: Days
    past: Days

    @property
    def is_empty(self) -> bool:
        return not (self.now or self.upcoming or self.past)


def calendar(at: datetime, slug: str = "") -> Calendar:
    """Of one service when `slug` names one. Six queries, however many windows; at most 100 of each part."""
    rows = MaintenanceWindow.objects.select_related("created_by").prefetch_related("services")
    if slug:
        rows = rows.filter(services__slug=slug)
    under_way = rows.filter(starts_at__lte=at, ends_at__gt=at).order_by("ends_at", "id")
    coming = rows.filter(starts_at__gt=at).order_by("starts_at", "id")
    past = rows.filter(ends_at__lte=at, ends_at__gt=at - LOOKS_BACK).order_by("-starts_at", "-id")
    return Calendar(list(_calmed(under_way)[:MOST]), _by_day(coming[:MOST]), _by_day(_calmed(past)[:MOST]))


def _calmed(rows: QuerySet[MaintenanceWindow]) -> QuerySet[MaintenanceWindow]:
    inside = Alert.objects.filter(
        service__maintenance_windows=OuterRef("pk"),
        started_at__gte=OuterRef("starts_at"),
        started_at__lt=OuterRef("ends_at"),
        in_maintenance=True,
    )
    counted = inside.order_by().values("service__maintenance_windows").annotate(n=Count("pk")).values("n")
    return rows.annotate(calmed=Subquery(counted))


def _by_day(rows: Iterable[MaintenanceWindow]) -> Days:
    return [
        (day, list(windows)) for day, windows in groupby(rows, lambda one: timezone.localtime(one.starts_at).date())
    ]
