"""How services did in the last 90 days, and what there was before."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from django.db.models import Q

from incidents.models import DowntimeInterval, MaintenanceWindow
from incidents.process import Stage
from notifications.status.public import PublicIncident, describe, public_services, told_incidents

DAYS = 90
LISTED = 100

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Day:
    """`down_seconds` of the local day's `seconds` (23 to 25 hours; up to now for today)."""

    day: date
    down_seconds: int
    seconds: int

    @property
    def level(self) -> int:
        """0 nothing, 1 up to ten minutes, 2 up to an hour, 3 more."""
        return sum(self.down_seconds > limit for limit in (0, 600, 3600))


@dataclass(frozen=True)
class ServiceHistory:
    name: str
    days: list[Day]

    @property
    def uptime_percent(self) -> float:
        """Share of the 90 days without downtime; never shown as 100 when there was any."""
        total = sum(day.seconds for day in self.days)
        down = sum(day.down_seconds for day in self.days)
        if not down or not total:
            return 100.0
        return min(99.99, int(10_000 * (total - down) / total) / 100)

    @property
    def uptime_in_words(self) -> str:
        return f"{self.uptime_percent:.2f}".rstrip("0").rstrip(".") + " %"


@dataclass(frozen=True)
class Month:
    first: date
    incidents: list[PublicIncident]


def of_services(at: datetime, zone: ZoneInfo) -> list[ServiceHistory]:
    """One bar a local day for each public service, the oldest first. Planned work is no downtime. Three queries."""
    today = at.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    edges = [datetime.combine(day, time(), zone) for day in [*days, today + timedelta(days=1)]]
    down, planned = _downtime(edges[0], at), _planned(edges[0], at)
    return [
        ServiceHistory(
            service.name,
            [
                Day(day, _seconds(down[service.pk], planned[service.pk], begin, min(end, at)), _length(begin, end, at))
                for day, begin, end in zip(days, edges, edges[1:], strict=False)
            ],
        )
        for service in public_services()
    ]


def _length(begin: datetime, end: datetime, at: datetime) -> int:
    return max(0, round(min(end, at).timestamp() - begin.timestamp()))


def _downtime(since: datetime, at: datetime) -> dict[int, list[Span]]:
    rows = (
        DowntimeInterval.objects.filter(service__isnull=False, started_at__lt=at)
        .filter(Q(ended_at__isnull=True) | Q(ended_at__gt=since))
        .filter(incident__is_drill=False, incident__merged_into__isnull=True)
        .exclude(incident__stage=Stage.STOOD_DOWN)
        .values_list("service_id", "started_at", "ended_at")
    )
    found: dict[int, list[Span]] = defaultdict(list)
    for service_id, begin, end in rows:
        if service_id is not None:
            found[service_id].append((begin, end or at))
    return found


def _planned(since: datetime, at: datetime) -> dict[int, list[Span]]:
    rows = MaintenanceWindow.objects.filter(starts_at__lt=at, ends_at__gt=since)
    found: dict[int, list[Span]] = defaultdict(list)
    for service_id, begin, end in rows.values_list("services", "starts_at", "ends_at"):
        if service_id is not None:
            found[service_id].append((begin, end))
    return found


def _seconds(down: Iterable[Span], planned: Iterable[Span], begin: datetime, end: datetime) -> int:
    """Seconds between `begin` and `end` that lie in a downtime and in no planned window."""
    whole = _within(down, begin, end)
    return round(_total(whole) - _total(_overlap(whole, _within(planned, begin, end))))


def _within(spans: Iterable[Span], begin: datetime, end: datetime) -> list[Span]:
    """Cut to the period and merged, in order."""
    merged: list[Span] = []
    for start, stop in sorted((max(one, begin), min(other, end)) for one, other in spans):
        if stop <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    return merged


def _overlap(first: list[Span], second: list[Span]) -> list[Span]:
    return [
        (max(a, c), min(b, d)) for a, b in first for c, d in second if max(a, c) < min(b, d)
    ]  # both merged: nothing is counted twice


def _total(spans: Iterable[Span]) -> float:
    return sum(stop.timestamp() - start.timestamp() for start, stop in spans)


def by_month(zone: ZoneInfo, at: datetime) -> list[Month]:
    """The newest hundred incidents that users were told of, by the local month they began in."""
    rows = [row for row in describe(told_incidents(at).order_by("-id")[:LISTED], at) if row.began_at]
    rows.sort(key=lambda row: row.began_at, reverse=True)  # type: ignore[arg-type, return-value]

    def month(row: PublicIncident) -> date:
        assert row.began_at is not None
        return row.began_at.astimezone(zone).date().replace(day=1)

    return [Month(first, list(group)) for first, group in groupby(rows, key=month)]
