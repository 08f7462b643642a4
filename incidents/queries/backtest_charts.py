"""A back-test as its page shows it: the figures of both thresholds side by side, a chart, and each finding in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.detection import Thresholds
from incidents.models import Backtest, BacktestState
from incidents.queries.backtests import read, service_names, tried

WORDS = {
    "window_minutes": "Window, minutes",
    "least_arrivals": "Tickets and alerts, at least",
    "least_requesters": "Requesters, at least",
    "tail": "Rarer than one window in",
    "similarity": "Alike from",
    "attaches": "Attaches later tickets",
}


@dataclass(frozen=True)
class Figures:
    """What one set of thresholds would have done. `earlier_minutes` is the middle one; None when nothing was caught."""

    caught: list[dict[str, Any]]
    missed: list[dict[str, Any]]
    false: list[dict[str, Any]]
    weeks: list[dict[str, Any]]
    earlier_minutes: int | None

    @property
    def declared(self) -> int:
        return len(self.caught) + len(self.missed)

    @property
    def false_a_week(self) -> float | None:
        return len(self.false) / len(self.weeks) if self.weeks else None


@dataclass(frozen=True)
class Shown:
    """`compared` are (words, tried, saved, differs); `weeks` are (week, tried, saved)."""

    compared: list[tuple[str, str, str, bool]]
    differs: bool
    tried: Figures | None = None
    saved: Figures | None = None
    chart: dict[str, Any] | None = None
    weeks: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = ()


def shown(job: Backtest) -> Shown:
    """Without figures while it is not done. One query at most."""
    now, before = tried(job).of(job.service_id), read(job.saved).of(job.service_id)
    compared = [(WORDS[name], *_pair(name, now, before)) for name in WORDS]
    differs = any(row[3] for row in compared)
    if job.state != BacktestState.DONE:
        return Shown(compared, differs)
    raised = [one for name in ("tried", "saved") for one in job.result[name]["false"]]
    names = service_names({one["service"] for one in raised if one["service"]})
    one, other = (_figures(job.result[name], names) for name in ("tried", "saved"))
    weeks = tuple((row["week"], row, was) for row, was in zip(one.weeks, other.weeks, strict=True))
    return Shown(compared, differs, one, other, _chart(one, other), weeks)


def _pair(name: str, now: Thresholds, before: Thresholds) -> tuple[str, str, bool]:
    one, other = getattr(now, name), getattr(before, name)
    return _said(name, one), _said(name, other), one != other


def _said(name: str, value: Any) -> str:
    if name == "tail":
        return f"{round(1 / value):,}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"


def _figures(result: Mapping[str, Any], names: Mapping[int, str]) -> Figures:
    caught = [{**one, "at": datetime.fromisoformat(one["at"])} for one in result["caught"]]
    missed = [{**one, "at": datetime.fromisoformat(one["at"])} for one in result["missed"]]
    false = [
        {**one, "at": datetime.fromisoformat(one["at"]), "about": names.get(one["service"], "") or f"“{one['words']}”"}
        for one in result["false"]
    ]
    earlier = sorted(one["earlier_minutes"] for one in caught)
    middle = earlier[len(earlier) // 2] if earlier else None
    return Figures(caught, missed, false, result["weeks"], middle)


def _chart(one: Figures, other: Figures) -> dict[str, Any]:
    """Each week's bars: caught, missed and cried wolf with the tried thresholds; a line for the wolves of the saved."""

    def bars(name: str, key: str) -> dict[str, Any]:
        return {"name": name, "type": "bar", "stack": "weeks", "data": [row[key] for row in one.weeks]}

    return {
        "legend": {"top": 0, "left": 0},
        "xAxis": {"type": "category", "data": [row["week"] for row in one.weeks]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            bars("Caught", "caught"),
            bars("Missed", "missed"),
            bars("Cried wolf", "false"),
            {
                "name": "Cried wolf with the saved ones",
                "type": "line",
                "symbolSize": 6,
                "data": [row["false"] for row in other.weeks],
            },
        ],
    }
