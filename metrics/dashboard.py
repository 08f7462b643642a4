"""What the KPI dashboard shows, ready for its template: the question asked, tiles, months, links to what is behind."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlencode

from django.db.models import TextChoices
from django.http import QueryDict
from django.urls import reverse

from incidents.errors import Invalid
from incidents.models import CauseCategory
from metrics.definitions import (
    AVERAGE_DOWNTIME,
    COST,
    DURATIONS,
    KPI_BY_KEY,
    MAJOR_INCIDENTS,
    MORE_IS_BETTER,
    MTBF,
    RATES,
    Kpi,
    Unit,
)
from metrics.kpis import Figures, Month, Statistic
from metrics.periods import KnownService, Scope, read_scope, start_of_day

PRESETS = (("3", "3 months"), ("6", "6 months"), ("12", "12 months"), ("24", "2 years"), ("all", "Everything"))
DEFAULT_PRESET = "12"
TILES = (*(kpi for kpi in DURATIONS if kpi.key in ("mttd", "mtta", "mttr")), MTBF, MAJOR_INCIDENTS, AVERAGE_DOWNTIME)


class Compare(TextChoices):
    """What the period is held against."""

    PREVIOUS = "previous", "The period before"
    YEAR = "year", "A year earlier"


FILTERS = ("service", "tree", "team", "severity", "cause", "channel")


@dataclass(frozen=True)
class Asked:
    """The question as it stands in the address; kept as typed when it cannot be answered."""

    preset: str = DEFAULT_PRESET
    start: str = ""
    end: str = ""
    service: str = ""
    tree: str = ""
    team: str = ""
    severity: str = ""
    cause: str = ""
    channel: str = ""
    by: str = ""
    compare: str = ""

    def query(self, **changed: str) -> str:
        """The query string of the same question with these parts changed; empty parts are left out."""
        own = {name: getattr(self, name) for name in (*FILTERS, "by", "compare")}
        parts = {"preset": self.preset, "from": self.start, "to": self.end} | own | changed
        return urlencode({name: value for name, value in parts.items() if value})

    @property
    def is_narrow(self) -> bool:
        return bool(self.start or self.end or any(getattr(self, name) for name in FILTERS))

    @property
    def filter_count(self) -> int:
        return sum(bool(getattr(self, name)) for name in FILTERS)


def read_question(given: QueryDict) -> Asked:
    start, end = given.get("from", "").strip(), given.get("to", "").strip()
    preset = given.get("preset", "")
    if start or end:
        preset = ""
    elif preset not in dict(PRESETS):
        preset = DEFAULT_PRESET
    rest = {name: given.get(name, "").strip()[:200] for name in (*FILTERS, "by", "compare")}
    return Asked(preset, start, end, **rest)


def scope_of(asked: Asked, *, at: datetime, known: list[KnownService] | None = None) -> Scope:
    """Raises Invalid with every bad part of the question. `known` saves a query where the services were read."""
    months = None if asked.preset in ("", "all") else int(asked.preset)
    if asked.compare and asked.compare not in Compare.values:
        raise Invalid(compare=f"“{asked.compare[:60]}” is not possible here. Use one of {', '.join(Compare.values)}.")
    return read_scope(
        start=asked.start, end=asked.end, services=[asked.service], severities=[asked.severity], teams=[asked.team],
        with_tree=bool(asked.tree), causes=[asked.cause], channels=[asked.channel], grain=asked.by, at=at,
        default_months=months, known=known,
    )  # fmt: skip


def compared(scope: Scope, asked: Asked) -> Scope | None:
    """The period to hold this one against; None when nobody asked."""
    if asked.compare == Compare.PREVIOUS:
        return scope.before()
    return scope.year_before() if asked.compare == Compare.YEAR else None


@dataclass(frozen=True)
class Goal:
    """A target and whether it is met; `is_met` is None when there is nothing to measure."""

    value: float
    is_met: bool | None


@dataclass(frozen=True)
class Tile:
    """One figure with its trend: `spark` is a value a month, 0 where there was nothing to measure."""

    kpi: Kpi
    url: str
    value: float | None
    statistic: Statistic | None
    n: int
    spark: list[float]
    change: float | None
    """Per cent from the first month that has a value to the last; None with fewer than two of them."""
    goal: Goal | None = None
    before: float | None = None
    """The same figure of the period compared with."""
    has_before: bool = False

    @property
    def direction(self) -> str:
        """down, up or empty."""
        return _direction(self.change)

    @property
    def spark_label(self) -> str:
        return f"{self.kpi.label} over time{', seconds' if self.kpi.unit == Unit.SECONDS else ''}"

    @property
    def goal_words(self) -> str:
        return "at least" if self.kpi.key in MORE_IS_BETTER else "at most"

    @property
    def goal_is_monthly(self) -> bool:
        return self.kpi in (MAJOR_INCIDENTS, COST)

    @property
    def change_from_before(self) -> float | None:
        if self.value is None or not self.before:
            return None
        return (self.value - self.before) / self.before * 100

    @property
    def is_better(self) -> bool | None:
        """Than before; None when it is the same or cannot be said."""
        change = self.change_from_before
        if change is None or round(change) == 0:
            return None
        return (change > 0) == (self.kpi.key in MORE_IS_BETTER)


def _direction(change: float | None) -> str:
    if change is None or round(change) == 0:
        return ""
    return "up" if change > 0 else "down"


def value_of(kpi: Kpi, figures: Figures) -> tuple[float | None, int]:
    """The figure and its sample: the one place that tile, chart, export, report and API read it from."""
    whole = figures.whole
    if kpi is MTBF:
        return figures.mtbf.mean_seconds, figures.mtbf.failures
    if kpi is MAJOR_INCIDENTS:
        return float(whole.count), whole.count
    if kpi is COST:
        return whole.cost.value, whole.cost.n
    if kpi.key in whole.rates:
        return whole.rates[kpi.key].value, whole.rates[kpi.key].n
    return whole.statistics[kpi.key].mean_seconds, whole.statistics[kpi.key].n


def goal_of(kpi: Kpi, figures: Figures) -> Goal | None:
    """Counts and money are held against their target a month, on the average of the period's months."""
    target = figures.whole.targets.get(kpi.key)
    if target is None:
        return None
    value, _ = value_of(kpi, figures)
    if value is not None and kpi in (MAJOR_INCIDENTS, COST):
        value /= max(figures.scope.length_in_months(), 1e-9)
    met = None if value is None else (value >= target if kpi.key in MORE_IS_BETTER else value <= target)
    return Goal(target, met)


def tiles(figures: Figures, asked: Asked, before: Figures | None = None) -> list[Tile]:
    return [tile_of(kpi, figures, asked, before) for kpi in TILES]


def tile_of(kpi: Kpi, figures: Figures, asked: Asked, before: Figures | None) -> Tile:
    values = [_value(kpi, month) for month in figures.months]
    known = [value for value in values if value]
    change = (known[-1] - known[0]) / known[0] * 100 if len(known) > 1 else None
    value, n = value_of(kpi, figures)
    return Tile(
        kpi, behind(kpi.key, asked), value, figures.whole.statistics.get(kpi.key), n,
        spark=[] if kpi is MTBF else [value or 0 for value in values],
        change=None if kpi is MTBF else change, goal=goal_of(kpi, figures),
        before=value_of(kpi, before)[0] if before else None, has_before=before is not None,
    )  # fmt: skip


def _value(kpi: Kpi, month: Month) -> float | None:
    if kpi is MAJOR_INCIDENTS:
        return float(month.count)
    if kpi is COST:
        return month.summary.cost.value
    if kpi.key in month.summary.rates:
        return month.summary.rates[kpi.key].value
    statistic = month.summary.statistics.get(kpi.key)
    return statistic.mean_seconds if statistic else None


def behind(key: str, asked: Asked) -> str:
    """The address of the incidents behind a figure."""
    return f"{reverse('kpi_drill', args=[key])}?{asked.query()}"


def further(figures: Figures, asked: Asked, before: Figures | None = None) -> list[Tile]:
    """The figures below the tiles: times between other clocks, cost and rates."""
    kpis = [*(kpi for kpi in DURATIONS if kpi not in TILES), COST, *RATES]
    return [tile_of(kpi, figures, asked, before) for kpi in kpis]


def piece_questions(scope: Scope, asked: Asked) -> list[str]:
    """The query string for each month (week, day) of the period, cut at the period."""
    found = []
    narrowed = replace(asked, preset="", by="", compare="")
    for _, first, after in scope.pieces():
        since, until = start_of_day(first, scope.zone), start_of_day(after, scope.zone)
        begin = _rfc3339(scope.start) if since < scope.start else f"{first:%Y-%m-%d}"
        end = _rfc3339(scope.end) if until > scope.end else f"{after:%Y-%m-%d}"
        found.append(_query_of(narrowed, begin, end))
    return found


@lru_cache(maxsize=2048)
def _query_of(asked: Asked, begin: str, end: str) -> str:
    """The query string of the question for another period; remembered, ten years ask it 120 times a page."""
    return asked.query(**{"from": begin, "to": end})


def export_query(scope: Scope, asked: Asked) -> str:
    """The same question for the export, whose period is always said in moments."""
    return asked.query(**{"preset": "", "compare": "", "from": _rfc3339(scope.start), "to": _rfc3339(scope.end)})


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


CHANNEL_WORDS = {
    "portal": "Portal", "email": "E-mail", "hotline": "Hotline", "api": "API", "monitoring": "Monitoring",
    "": "No ticket linked",
}  # fmt: skip


CAUSE_WORDS = {**dict(CauseCategory.choices), "": "No problem linked"}


def title_of(key: str) -> Kpi | None:
    return KPI_BY_KEY.get(key)
