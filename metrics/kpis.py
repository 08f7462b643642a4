"""The figures: aggregates in the database, frozen dataclasses out. Definitions stand in `definitions.py`.

Everything is computed from the clocks at the moment of asking, so a correction counts at once.
Durations are seconds as floats. `None`, never 0, where nothing qualifies.
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from metrics import kept_months, sql
from metrics.asking import fetch
from metrics.definitions import AVERAGE_DOWNTIME, RATES, STATISTICS, Kpi
from metrics.periods import Scope


@dataclass(frozen=True)
class Statistic:
    """`n` incidents qualified; the rest is None when there were none. Percentiles interpolate linearly."""

    mean_seconds: float | None
    median_seconds: float | None
    p90_seconds: float | None
    n: int
    still_open: int = 0
    least_seconds: float | None = None
    most_seconds: float | None = None

    @property
    def is_small(self) -> bool:
        """So few incidents that one more may move the mean a long way: shown with the range they lie in."""
        return 0 < self.n < SMALL_SAMPLE


SMALL_SAMPLE = 8


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
    causes: dict[str, int]
    """Cause of the linked problem to number of incidents; empty key where no problem is linked."""
    targets: dict[str, float]
    """What the figures should be, read with those of the whole period: key of the figure to its target."""
    effort: Rate
    """Seconds that people held a seat, added up over people; None when nobody did."""


@dataclass(frozen=True)
class Month:
    """One piece of the period: a month, or a week or a day where those were asked for."""

    month: str
    summary: Summary
    change_percent: float | None
    """Against the first month of the range; None when the first month has no incident."""
    change_previous_percent: float | None = None
    """Against the month before; None for the first, and when the one before has no incident."""

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
class TierFigures:
    """All services of one tier together."""

    tier: int
    services: int
    mtbf: TimeBetweenFailures
    downtime_seconds: float
    cost: float


@dataclass(frozen=True)
class Figures:
    """Everything the dashboard and the API show for one scope."""

    scope: Scope
    whole: Summary
    months: list[Month]
    services: list[ServiceFigures]
    mtbf: TimeBetweenFailures
    tiers: list[TierFigures]


def _as_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _share(hits: int | None, n: int | None) -> Rate:
    return Rate(float(hits or 0) / float(n), int(n)) if n else Rate(None, 0)


def _statistic(kpi: Kpi, row: dict[str, Any]) -> Statistic:
    median, p90 = row.get(f"{kpi.key}_percentiles") or (None, None)
    return Statistic(
        mean_seconds=row.get(f"{kpi.key}_mean"),
        median_seconds=median,
        p90_seconds=p90,
        n=row.get(f"{kpi.key}_n", 0),
        still_open=row["still_down"] if kpi is AVERAGE_DOWNTIME else 0,
        least_seconds=row.get(f"{kpi.key}_least"),
        most_seconds=row.get(f"{kpi.key}_most"),
    )


_EMPTY_ROW: dict[str, Any] = {"incidents": 0, "still_down": 0, "cost_value": None, "cost_n": 0, "channels": []}


def _summary(row: dict[str, Any]) -> Summary:
    statistics = {kpi.key: _statistic(kpi, row) for kpi in STATISTICS}
    return Summary(
        count=row["incidents"],
        statistics=statistics,
        rates={kpi.key: _share(row.get(f"{kpi.key}_hits"), row.get(f"{kpi.key}_n")) for kpi in RATES},
        cost=Rate(row["cost_value"], row["cost_n"]),
        detection_by_channel=dict(Counter(row["channels"] or []).most_common()),
        causes=dict(Counter(row.get("causes") or []).most_common()),
        targets=_as_json(row.get("targets")) or {},
        effort=Rate(row.get("effort_value"), row.get("effort_n") or 0),
    )


_SUMMARIES: kept_months.Recent[str, Summary] = kept_months.Recent(400)
"""Of kept months, by their version."""


def _summary_of_piece(row: dict[str, Any]) -> Summary:
    version = row.get("version")
    if version is None:
        return _summary(row)
    return _SUMMARIES.get(version) or _SUMMARIES.put(version, _summary(row))


def change_percent(count: int, first: int) -> float | None:
    """How far a month's count is from the first month's, in per cent; None when the first month had none."""
    return (count - first) / first * 100 if first else None


def nothing(scope: Scope) -> Figures:
    """The scope without a figure, for what needs only the scope."""
    return Figures(scope, _summary(_EMPTY_ROW), [], [], _between_failures(0, 0, 0, 0), [])


def summarise(scope: Scope, *, at: datetime, with_pieces: bool = True) -> tuple[Summary, list[Month]]:
    """The whole period and each month of it in the organisation's zone, months without incidents included.

    Without pieces the list is empty.
    """
    whole, *found = kept_months.summary_rows(scope, at) if scope.is_of_months else fetch(sql.SUMMARY, scope, at)
    if not with_pieces:
        return _summary(whole), []
    by_month = {row["month"]: row for row in found}
    names = scope.months()
    summaries = [_summary_of_piece(by_month.get(name, _EMPTY_ROW)) for name in names]
    first = summaries[0].count if summaries else 0
    months = [
        Month(
            name, summary, change_percent(summary.count, first),
            change_percent(summary.count, summaries[at_ - 1].count) if at_ else None,
        )
        for at_, (name, summary) in enumerate(zip(names, summaries, strict=True))
    ]  # fmt: skip
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
    rows = kept_months.service_rows(scope, at) if scope.is_of_services else fetch(sql.SERVICES, scope, at)
    services = [
        ServiceFigures(
            id=row["id"], slug=row["slug"], name=row["name"], tier=row["tier"],
            mtbf=_between_failures(period - row["downtime_seconds"], row["failures"], row["gap_seconds"], row["gaps"]),
            downtime_seconds=row["downtime_seconds"],
            cost=row["cost"],
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
    return Figures(scope, whole, months, services, mtbf, by_tier(services))


def by_tier(services: list[ServiceFigures]) -> list[TierFigures]:
    """Each tier that has a service: sum of uptimes ÷ sum of failures."""
    found = []
    for tier in sorted({one.tier for one in services}):
        own = [one for one in services if one.tier == tier]
        gaps = [
            (one.mtbf.start_to_start_seconds, one.mtbf.failures - 1)
            for one in own
            if one.mtbf.start_to_start_seconds is not None
        ]
        together = _between_failures(
            sum(one.mtbf.uptime_seconds for one in own), sum(one.mtbf.failures for one in own),
            sum(mean * count for mean, count in gaps), sum(count for _, count in gaps),
        )  # fmt: skip
        found.append(
            TierFigures(
                tier, len(own), together, sum(one.downtime_seconds for one in own), sum(one.cost for one in own)
            )
        )
    return found


def incident_rows(scope: Scope, *, at: datetime) -> list[dict[str, Any]]:
    """One row per incident behind the figures: its clocks, what lies between them, downtime, cost. Newest first.

    Keys are those of `definitions.KPIS` for durations (seconds or None), the clocks, `ref`, `services`, `cost`.
    """
    rows = fetch(sql.ROWS, scope, at)
    for row in rows:
        row["ref"], row["costs"] = f"MI-{row['id']}", _as_json(row["costs"])
    return rows
