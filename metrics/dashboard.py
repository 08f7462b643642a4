"""What the KPI dashboard shows, ready for its template: the question asked, tiles, months, links to what is behind."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from metrics.definitions import AVERAGE_DOWNTIME, COST, DURATIONS, KPI_BY_KEY, MAJOR_INCIDENTS, MTBF, RATES, Kpi
from metrics.kpis import Figures, Month, Statistic, Summary
from metrics.periods import Scope, month_start, read_scope

PRESETS = (("3", "3 months"), ("6", "6 months"), ("12", "12 months"), ("24", "2 years"), ("all", "Everything"))
DEFAULT_PRESET = "12"
TILES = (*(kpi for kpi in DURATIONS if kpi.key in ("mttd", "mtta", "mttr")), MTBF, MAJOR_INCIDENTS, AVERAGE_DOWNTIME)


@dataclass(frozen=True)
class Asked:
    """The question as it stands in the address; kept as typed when it cannot be answered."""

    preset: str
    start: str
    end: str
    service: str
    severity: str

    def query(self, **changed: str) -> str:
        """The query string of the same question with these parts changed; empty parts are left out."""
        parts = {"preset": self.preset, "from": self.start, "to": self.end, "service": self.service,
                 "severity": self.severity} | changed  # fmt: skip
        return urlencode({name: value for name, value in parts.items() if value})

    @property
    def is_narrow(self) -> bool:
        return bool(self.service or self.severity or self.start or self.end)


def read_question(given: QueryDict) -> Asked:
    start, end = given.get("from", "").strip(), given.get("to", "").strip()
    preset = given.get("preset", "")
    if start or end:
        preset = ""
    elif preset not in dict(PRESETS):
        preset = DEFAULT_PRESET
    return Asked(preset, start, end, given.get("service", "").strip(), given.get("severity", "").strip())


def scope_of(asked: Asked, *, at: datetime) -> Scope:
    """Raises Invalid with every bad part of the question."""
    months = None if asked.preset in ("", "all") else int(asked.preset)
    return read_scope(
        start=asked.start, end=asked.end, services=[asked.service], severities=[asked.severity], at=at,
        default_months=months,
    )  # fmt: skip


@dataclass(frozen=True)
class Tile:
    """One figure with its trend: `spark` is a value a month, 0 where there was nothing to measure."""

    kpi: Kpi
    url: str
    statistic: Statistic | None
    spark: list[float]
    change: float | None
    """Per cent from the first month that has a value to the last; None with fewer than two of them."""

    @property
    def direction(self) -> str:
        """down, up or empty; less is better everywhere but in the time between failures."""
        if self.change is None or round(self.change) == 0:
            return ""
        return "up" if self.change > 0 else "down"


def tiles(figures: Figures, asked: Asked) -> list[Tile]:
    found = []
    for kpi in TILES:
        values = [_value(kpi, month) for month in figures.months]
        known = [value for value in values if value]
        change = (known[-1] - known[0]) / known[0] * 100 if len(known) > 1 else None
        found.append(
            Tile(
                kpi,
                behind(kpi.key, asked),
                figures.whole.statistics.get(kpi.key),
                [] if kpi is MTBF else [value or 0 for value in values],
                None if kpi is MTBF else change,
            )
        )
    return found


def _value(kpi: Kpi, month: Month) -> float | None:
    if kpi is MAJOR_INCIDENTS:
        return float(month.count)
    statistic = month.summary.statistics.get(kpi.key)
    return statistic.mean_seconds if statistic else None


def behind(key: str, asked: Asked) -> str:
    """The address of the incidents behind a figure."""
    return f"{reverse('kpi_drill', args=[key])}?{asked.query()}"


def further(whole: Summary, asked: Asked) -> list[dict[str, Any]]:
    """The figures below the tiles: times between other clocks, cost and rates."""
    times = [kpi for kpi in DURATIONS if kpi not in TILES]
    rows: list[dict[str, Any]] = [
        {"kpi": kpi, "url": behind(kpi.key, asked), "statistic": whole.statistics[kpi.key]} for kpi in times
    ]
    rows.append({"kpi": COST, "url": behind(COST.key, asked), "rate": whole.cost})
    rows += [{"kpi": kpi, "url": behind(kpi.key, asked), "rate": whole.rates[kpi.key], "is_share": True}
             for kpi in RATES]  # fmt: skip
    for row in rows:
        rate = row.get("rate")
        if rate is not None and rate.value is not None:
            row["percent"] = rate.value * 100
    return rows


def month_question(month: Month, scope: Scope, asked: Asked) -> str:
    """The query string for one month of the period."""
    first = datetime.fromisoformat(f"{month.month}-01").replace(tzinfo=scope.zone)
    after = month_start(first + timedelta(days=32), scope.zone)
    return asked.query(**{"preset": "", "from": f"{first:%Y-%m-%d}", "to": f"{after:%Y-%m-%d}"})


def export_query(scope: Scope, asked: Asked) -> str:
    """The same question for the export, whose period is always said in moments."""
    return asked.query(**{"preset": "", "from": _rfc3339(scope.start), "to": _rfc3339(scope.end)})


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


CHANNEL_WORDS = {
    "portal": "Portal", "email": "E-mail", "hotline": "Hotline", "api": "API", "monitoring": "Monitoring",
    "": "No ticket linked",
}  # fmt: skip


def channels(whole: Summary) -> list[dict[str, Any]]:
    """How incidents were noticed, most frequent first."""
    return [
        {"label": CHANNEL_WORDS.get(key, key), "count": count, "percent": count / whole.count * 100}
        for key, count in whole.detection_by_channel.items()
    ]


def title_of(key: str) -> Kpi | None:
    return KPI_BY_KEY.get(key)
