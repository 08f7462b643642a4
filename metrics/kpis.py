"""The figures: aggregates in the database, frozen dataclasses out. Definitions stand in `definitions.py`.

Everything is computed from the clocks at the moment of asking, so a correction counts at once.
Durations are seconds as floats. `None`, never 0, where nothing qualifies.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from metrics import sql
from metrics.definitions import RATES, STATISTICS
from metrics.periods import Scope


@dataclass(frozen=True)
class Statistic:
    """`n` incidents qualified; the rest is None when there were none. Percentiles interpolate linearly."""

    mean_seconds: float | None
    median_seconds: float | None
    p90_seconds: float | None
    n: int
    still_open: int = 0


@dataclass(frozen=True)
class Rate:
    """A share of 1, or a sum of money; None when `n` is 0."""

    value: float | None
    n: int


@dataclass(frozen=True)
class TimeBetweenFailures:
    """`mean_seconds` is None without a failure, `start_to_start_seconds` without two of one service."""

    mean_seconds: float | None
    failures: int
    uptime_seconds: float
    start_to_start_seconds: float | None


@dataclass(frozen=True)
class Summary:
    """The figures of one period (or one month of it) that are made of incidents."""

    count: int
    statistics: dict[str, Statistic]
    rates: dict[str, Rate]
    cost: Rate
    detection_by_channel: dict[str, int]
    """Channel of the earliest linked ticket to number of incidents; empty key where no ticket is linked."""


@dataclass(frozen=True)
class Month:
    month: str
    summary: Summary
    change_percent: float | None
    """Against the first month of the range; None when the first month has no incident."""

    @property
    def count(self) -> int:
        return self.summary.count


@dataclass(frozen=True)
class ServiceFigures:
    """One service in the period: `downtime_seconds` is the union of its downtime, cut to the period."""

    id: int
    slug: str
    name: str
    tier: int
    mtbf: TimeBetweenFailures
    downtime_seconds: float
    cost: float
    availability: float | None
    is_still_down: bool


@dataclass(frozen=True)
class Figures:
    """Everything the dashboard and the API show for one scope."""

    scope: Scope
    whole: Summary
    months: list[Month]
    services: list[ServiceFigures]
    mtbf: TimeBetweenFailures


def _parameters(scope: Scope, at: datetime) -> dict[str, Any]:
    return {
        "start": scope.start,
        "end": scope.end,
        "now": at,
        "until": max(scope.start, min(scope.end, at)),
        "zone": scope.zone.key,
        "by_service": bool(scope.services),
        "services": list(scope.services),
        "by_severity": bool(scope.severities),
        "severities": list(scope.severities),
        "by_incident": scope.incident_ids is not None,
        "only_counted": scope.only_counted,
        "incident_ids": list(scope.incident_ids or ()),
    }


def _fetch(statement: str, scope: Scope, at: datetime) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, _parameters(scope, at))
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _share(hits: int | None, n: int | None) -> Rate:
    return Rate(float(hits or 0) / float(n), int(n)) if n else Rate(None, 0)


_EMPTY_ROW: dict[str, Any] = {"incidents": 0, "still_down": 0, "cost_value": None, "cost_n": 0, "channels": []}


def _summary(row: dict[str, Any]) -> Summary:
    statistics = {
        kpi.key: Statistic(
            row.get(f"{kpi.key}_mean"), row.get(f"{kpi.key}_median"), row.get(f"{kpi.key}_p90"),
            row.get(f"{kpi.key}_n", 0), row["still_down"] if kpi.key == "average_downtime" else 0,
        )
        for kpi in STATISTICS
    }  # fmt: skip
    return Summary(
        count=row["incidents"],
        statistics=statistics,
        rates={kpi.key: _share(row.get(f"{kpi.key}_hits"), row.get(f"{kpi.key}_n")) for kpi in RATES},
        cost=Rate(row["cost_value"], row["cost_n"]),
        detection_by_channel=dict(Counter(row["channels"] or []).most_common()),
    )


def change_percent(count: int, first: int) -> float | None:
    """How far a month's count is from the first month's, in per cent; None when the first month had none."""
    return (count - first) / first * 100 if first else None


def summarise(scope: Scope, *, at: datetime) -> tuple[Summary, list[Month]]:
    """The whole period and each month of it in the organisation's zone, months without incidents included."""
    whole, *found = _fetch(sql.SUMMARY, scope, at)
    by_month = {row["month"]: row for row in found}
    names = scope.months()
    summaries = [_summary(by_month.get(name, _EMPTY_ROW)) for name in names]
    first = summaries[0].count if summaries else 0
    months = [
        Month(name, summary, change_percent(summary.count, first))
        for name, summary in zip(names, summaries, strict=True)
    ]
    return _summary(whole), months


def _between_failures(uptime: float, failures: int, gap_seconds: float, gaps: int) -> TimeBetweenFailures:
    return TimeBetweenFailures(
        mean_seconds=uptime / failures if failures else None,
        failures=failures,
        uptime_seconds=uptime,
        start_to_start_seconds=gap_seconds / gaps if gaps else None,
    )


def by_service(scope: Scope, *, at: datetime) -> tuple[list[ServiceFigures], TimeBetweenFailures]:
    """Each active service (or each one asked for), and all of them: sum of uptimes ÷ sum of failures.

    Uptime counts from the beginning of the period however long a service has been registered, up to now.
    """
    period = max((min(scope.end, at) - scope.start).total_seconds(), 0.0)
    rows = _fetch(sql.SERVICES, scope, at)
    services = [
        ServiceFigures(
            id=row["id"], slug=row["slug"], name=row["name"], tier=row["tier"],
            mtbf=_between_failures(period - row["downtime_seconds"], row["failures"], row["gap_seconds"], row["gaps"]),
            downtime_seconds=row["downtime_seconds"],
            cost=row["downtime_seconds"] / 3600 * row["cost_per_hour"],
            availability=1 - row["downtime_seconds"] / period if period else None,
            is_still_down=row["is_still_down"],
        )
        for row in rows
    ]  # fmt: skip
    together = _between_failures(
        sum(service.mtbf.uptime_seconds for service in services),
        sum(service.mtbf.failures for service in services),
        sum(row["gap_seconds"] for row in rows),
        sum(row["gaps"] for row in rows),
    )
    return services, together


def figures(scope: Scope, *, at: datetime) -> Figures:
    """Every figure of the scope in two queries, whatever their number."""
    whole, months = summarise(scope, at=at)
    services, mtbf = by_service(scope, at=at)
    return Figures(scope, whole, months, services, mtbf)


def incident_rows(scope: Scope, *, at: datetime) -> list[dict[str, Any]]:
    """One row per incident behind the figures: its clocks, what lies between them, downtime, cost. Newest first.

    Keys are those of `definitions.KPIS` for durations (seconds or None), the clocks, `ref`, `services`, `cost`.
    """
    rows = _fetch(sql.ROWS, scope, at)
    for row in rows:
        row["ref"] = f"MI-{row['id']}"
    return rows
