"""Past incidents for the tests, and the figures of process.md computed once more, naively, in plain Python."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from incidents.models import (
    AffectedService,
    DowntimeInterval,
    MajorIncident,
    Organisation,
    RaciMatrix,
    Service,
    default_cells,
)
from metrics.periods import Scope

CLOCKS_OF = {
    "mttd": ("started_at", "detected_at"),
    "mtta": ("reported_at", "acknowledged_at"),
    "mttr": ("reported_at", "resolved_at"),
    "time_to_declare": ("detected_at", "declared_at"),
    "time_to_contain": ("detected_at", "contained_at"),
    "time_to_restore": ("reported_at", "restored_at"),
}


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def scope(start: datetime, end: datetime, zone: str = "UTC", **filters) -> Scope:
    return Scope(start, end, ZoneInfo(zone), **filters)


def service(name: str, cost_per_hour: int = 0) -> Service:
    return Service.objects.get_or_create(
        slug=name, defaults={"name": name.title(), "cost_per_hour": cost_per_hour}
    )[0]  # fmt: skip


def set_zone(name: str) -> None:
    Organisation.objects.update_or_create(pk=1, defaults={"time_zone": name})


def past_incident(*, downtime=(), services=(), stage="closed", severity="SEV1", **fields) -> MajorIncident:
    """An imported incident; `downtime` is a list of (service or None, start, end or None)."""
    matrix, _ = RaciMatrix.objects.get_or_create(version=1, defaults={"cells": default_cells()})
    incident = MajorIncident.objects.create(
        title=fields.pop("title", "Outage"), stage=stage, severity=severity, impact=1, urgency=1, priority="P1",
        matrix=matrix, is_imported=True, **fields,
    )  # fmt: skip
    named = {one.pk: one for one in [*services, *(row[0] for row in downtime if row[0])]}
    for one in named.values():
        AffectedService.objects.create(incident=incident, service=one, added_at=utc(2020, 1, 1))
    for one, start, end in downtime:
        DowntimeInterval.objects.create(incident=incident, service=one, started_at=start, ended_at=end)
    return incident


# --- The same figures again, naively: minute by minute, no ranges, no SQL -----------------------
def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    position = (len(ordered) - 1) * share
    low, high = math.floor(position), math.ceil(position)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def _statistic(values: list[float]) -> tuple[float | None, float | None, float | None, int]:
    if not values:
        return None, None, None, 0
    return sum(values) / len(values), _percentile(values, 0.5), _percentile(values, 0.9), len(values)


def minutes_of(intervals, now: datetime, windows=()) -> set[datetime]:
    """Every minute that any of the intervals covers and no window of the same service does."""
    covered = set()
    for service_id, start, end in intervals:
        moment = start
        while moment < (end or now):
            if not any(service_id == s and a <= moment < b for s, a, b in windows):
                covered.add(moment)
            moment += timedelta(minutes=1)
    return covered


def naive_statistics(incidents: list[dict], start: datetime, end: datetime, now: datetime, windows=()) -> dict:
    """`incidents` are dictionaries of clocks with `downtime` as (service id, start, end) on whole minutes."""
    chosen = []
    for incident in incidents:
        belongs = incident.get("declared_at") or incident.get("reported_at")
        if belongs is not None and start <= belongs < end:
            chosen.append(incident)
    found: dict = {}
    for key, (first, last) in CLOCKS_OF.items():
        found[key] = _statistic(
            [(one[last] - one[first]).total_seconds() for one in chosen if one.get(first) and one.get(last)]
        )
    lengths = [len(minutes_of(one["downtime"], now, windows)) * 60.0 for one in chosen]
    found["average_downtime"] = _statistic([length for length in lengths if length])
    found["count"] = len(chosen)
    return found


def naive_between_failures(incidents: list[dict], service_ids, start: datetime, end: datetime, now: datetime):
    """(mean, failures, uptime) of all the services together."""
    until = min(end, now)
    uptime, failures = 0.0, 0
    for service_id in service_ids:
        own = [row for one in incidents for row in one["downtime"] if row[0] == service_id]
        down = [minute for minute in minutes_of(own, now) if start <= minute < until]
        uptime += (until - start).total_seconds() - 60 * len(down)
        failures += sum(1 for _, began, _ in own if start <= began < until)
    return (uptime / failures if failures else None), failures, uptime
