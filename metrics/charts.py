"""Charts as plain data: the option for the library, the same as a table and as CSV, and a sentence instead of it.

No script is written here; the page hands the options over as JSON. Every number of a chart comes from `Figures` (or one
of the two queries below), the same that tiles, exports, report and API read.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse

from incidents.models import Service
from metrics import calendar
from metrics.chart_parts import Cell, Chart, Column
from metrics.dashboard import CAUSE_WORDS, CHANNEL_WORDS, Asked, piece_questions, value_of
from metrics.definitions import DURATIONS, KPI_BY_KEY
from metrics.distribution import BINS, counted
from metrics.kpis import Figures

MOST_SERVICES = 20
CUT = (
    "Downtime and cost of a service are cut at the period; those of an incident count whole, in its own period."
    " So the sums differ where an outage reaches over the end."
)
TIMES = ("mttd", "mtta", "mttr", "time_to_restore")


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 1)


def _frame(names: Sequence[str], series: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Category axis below, values at the side; a slider where there are more points than anybody can tell apart."""
    option: dict[str, Any] = {
        "legend": {"top": 0, "left": 0},
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 8, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": list(names)},
        "yAxis": {"type": "value"},
        "series": series,
    }
    if len(names) > 60:
        option["dataZoom"] = [{"type": "inside"}, {"type": "slider", "height": 16, "bottom": 4}]
        option["grid"] = {**option["grid"], "bottom": 32}
    return option | more


def monthly(figures: Figures, asked: Asked) -> Chart:
    """Incidents a month as bars that open the month, and how long the services were down on average as a line."""
    drill = reverse("kpi_drill", args=["major_incidents"])
    links = [f"{drill}?{query}" for query in piece_questions(figures.scope, asked)]
    names = [month.month for month in figures.months]
    downtime = [month.summary.statistics["average_downtime"].mean_seconds for month in figures.months]
    bars = {
        "name": "Major incidents",
        "type": "bar",
        "data": [{"value": one.count, "url": url} for one, url in zip(figures.months, links, strict=True)],
    }
    line = {
        "name": "Average downtime (min)",
        "type": "line",
        "yAxisIndex": 1,
        "connectNulls": True,
        "symbolSize": 6,
        "data": [_minutes(seconds) for seconds in downtime],
    }
    axes = [
        {"type": "value", "minInterval": 1},
        {"type": "value", "splitLine": {"show": False}, "name": "min"},
    ]
    rows = [
        [one.month, one.count, one.change_percent, one.change_previous_percent,
         *(one.summary.statistics[key].mean_seconds for key in ("mttd", "mtta", "mttr", "average_downtime")),
         one.summary.cost.value]
        for one in figures.months
    ]  # fmt: skip
    columns = [
        Column("Period"), Column("Major incidents", "count"), Column("% against the first", "change"),
        Column("% against the one before", "change"), Column("MTTD", "seconds"), Column("MTTA", "seconds"),
        Column("MTTR", "seconds"), Column("Average downtime", "seconds"), Column("Cost", "money"),
    ]  # fmt: skip
    top = max(figures.months, key=lambda one: one.count, default=None)
    sentence = f"{figures.whole.count} major incidents in {len(names)} {figures.scope.grain}s"
    if top and top.count:
        sentence += f"; most in {top.month}: {top.count}"
    return Chart(
        "monthly", f"{figures.scope.grain.capitalize()} by {figures.scope.grain}", f"{sentence}.", columns, rows,
        _frame(names, [bars, line], yAxis=axes), links,
        note="% changes compare the number of incidents with the first piece of the period, and with the one before.",
    )  # fmt: skip


def times(figures: Figures, asked: Asked) -> Chart:
    """How long it took, on the mean, in each piece of the period."""
    names = [month.month for month in figures.months]
    kpis = [KPI_BY_KEY[key] for key in TIMES]
    series = [
        {
            "name": kpi.label, "type": "line", "connectNulls": True, "symbolSize": 6,
            "data": [_minutes(month.summary.statistics[kpi.key].mean_seconds) for month in figures.months],
        }
        for kpi in kpis
    ]  # fmt: skip
    rows: list[list[Cell]] = []
    for month in figures.months:
        row: list[Cell] = [month.month]
        for kpi in kpis:
            one = month.summary.statistics[kpi.key]
            row += [one.mean_seconds, one.median_seconds, one.n]
        rows.append(row)
    columns = [Column("Period")]
    for kpi in kpis:
        columns += [Column(kpi.label, "seconds"), Column("median", "seconds"), Column("n", "count")]
    known = [f"{kpi.short} n {figures.whole.statistics[kpi.key].n}" for kpi in kpis]
    axis = {"type": "value", "name": "min"}
    return Chart(
        "times", f"How long it took, {figures.scope.grain.label.lower()}",
        f"Mean minutes of each {figures.scope.grain}: {', '.join(known)}.",
        columns, rows, _frame(names, series, yAxis=axis),
    )  # fmt: skip


def distribution(figures: Figures, asked: Asked, *, counts: dict[str, list[int]] | None = None) -> Chart:
    """Into how many incidents each length of time falls: one long outage hides in no mean."""
    found = counts if counts is not None else {}
    kpis = [*DURATIONS, KPI_BY_KEY["average_downtime"]]
    labels = [label for label, _ in BINS]
    shown = [kpi for kpi in kpis if kpi.key in ("mtta", "mttr", "time_to_restore", "average_downtime")]
    series = [{"name": kpi.label, "type": "bar", "data": found.get(kpi.key, [0] * len(BINS))} for kpi in shown]
    rows: list[list[Cell]] = [
        [label, *(found.get(kpi.key, [0] * len(BINS))[at] for kpi in kpis)] for at, label in enumerate(labels)
    ]
    columns = [Column("Length"), *(Column(kpi.label, "count") for kpi in kpis)]
    restore = found.get("time_to_restore", [])
    quick = sum(restore[:4])
    sentence = f"Restored within an hour: {quick} of {sum(restore)} incidents." if restore else "No incident."
    return Chart(
        "distribution", "How the times are spread", sentence, columns, rows,
        _frame(labels, series, yAxis={"type": "value", "minInterval": 1}),
        note="Each incident is in one length for each figure it has both clocks for.",
    )  # fmt: skip


def services(figures: Figures, asked: Asked) -> Chart:
    """Time between failures of each service; the bars are those that fail most often."""
    drill = reverse("kpi_drill", args=["mtbf"])
    failing = sorted(
        (one for one in figures.services if one.mtbf.mean_seconds is not None),
        key=lambda one: one.mtbf.mean_seconds or 0,
    )[:MOST_SERVICES]
    bars = {
        "name": "Days between failures",
        "type": "bar",
        "data": [
            {"value": round((one.mtbf.mean_seconds or 0) / 86400, 1), "url": f"{drill}?{asked.query(service=one.slug)}"}
            for one in reversed(failing)
        ],
    }
    option = {
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 24, "top": 16, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "name": "days"},
        "yAxis": {"type": "category", "data": [one.name for one in reversed(failing)]},
        "series": [bars],
    }
    rows = [
        [one.name, one.tier, one.mtbf.mean_seconds, one.mtbf.failures, one.downtime_seconds, one.availability, one.cost,
         "down now" if one.is_still_down else ""]
        for one in figures.services
    ]  # fmt: skip
    columns = [
        Column("Service"), Column("Tier", "count"), Column("MTBF", "seconds"), Column("Failures", "count"),
        Column("Downtime", "seconds"), Column("Availability", "share"), Column("Cost", "money"), Column(""),
    ]  # fmt: skip
    worst = failing[0] if failing else None
    sentence = (
        f"{worst.name} failed most often: {worst.mtbf.failures} times."
        if worst
        else "No service failed in this period."
    )
    links = [f"{drill}?{asked.query(service=one.slug)}" for one in figures.services]
    return Chart("services", "Time between failures", sentence, columns, rows, option if failing else None, links)


def tiers(figures: Figures, asked: Asked) -> Chart:
    """Time between failures of each tier: sum of uptimes ÷ sum of failures."""
    names = dict(Service.Tier.choices)
    rows = [
        [names.get(one.tier, str(one.tier)), one.services, one.mtbf.mean_seconds, one.mtbf.failures,
         one.mtbf.start_to_start_seconds, one.downtime_seconds, one.cost]
        for one in figures.tiers
    ]  # fmt: skip
    if figures.services:
        whole = figures.mtbf
        rows.append(["All services", len(figures.services), whole.mean_seconds, whole.failures,
                     whole.start_to_start_seconds, sum(one.downtime_seconds for one in figures.services),
                     sum(one.cost for one in figures.services)])  # fmt: skip
    columns = [
        Column("Tier"), Column("Services", "count"), Column("MTBF", "seconds"), Column("Failures", "count"),
        Column("Start to start", "seconds"), Column("Downtime", "seconds"), Column("Cost", "money"),
    ]  # fmt: skip
    return Chart(
        "tiers", "By tier", f"{figures.mtbf.failures} failures in all.", columns, rows, None, note=CUT,
    )  # fmt: skip


def _shares(
    key: str, title: str, counts: dict[str, int], words: dict[str, str], figures: Figures, link: Callable[[str], str]
) -> Chart:
    names = [words.get(one, one) for one in counts]
    whole = figures.whole.count
    bars = {
        "name": "Major incidents",
        "type": "bar",
        "data": [{"value": count, "url": link(one)} for one, count in reversed(counts.items())],
    }
    option = {
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 24, "top": 16, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {"type": "category", "data": names[::-1]},
        "series": [bars],
    }
    rows = [[name, count, count / whole if whole else None] for name, count in zip(names, counts.values(), strict=True)]
    sentence = f"Most: {names[0]}, {next(iter(counts.values()))} of {whole}." if counts else "No incident."
    columns = [Column(title), Column("Major incidents", "count"), Column("Share", "share")]
    return Chart(key, title, sentence, columns, rows, option if counts else None, [link(one) for one in counts])


def channels(figures: Figures, asked: Asked) -> Chart:
    drill = reverse("kpi_drill", args=["major_incidents"])
    counts = figures.whole.detection_by_channel
    return _shares("channels", "Noticed by", counts, CHANNEL_WORDS, figures,
                   lambda one: f"{drill}?{asked.query(channel=one or 'none')}")  # fmt: skip


def causes(figures: Figures, asked: Asked) -> Chart:
    drill = reverse("kpi_drill", args=["major_incidents"])
    return _shares("causes", "Causes", figures.whole.causes, CAUSE_WORDS, figures,
                   lambda one: f"{drill}?{asked.query(cause=one or 'none')}")  # fmt: skip


def summary(figures: Figures, asked: Asked) -> Chart:
    """Every figure of the period in one table: what the tiles show, to the last digit."""
    rows: list[list[Cell]] = []
    for kpi in KPI_BY_KEY.values():
        value, n = value_of(kpi, figures)
        statistic = figures.whole.statistics.get(kpi.key)
        spread = (statistic.median_seconds, statistic.p90_seconds) if statistic else (None, None)
        extremes = (statistic.least_seconds, statistic.most_seconds) if statistic else (None, None)
        rows.append([kpi.label, kpi.unit, value, n, *spread, *extremes])
    columns = [
        Column("Figure"), Column("Unit"), Column("Value", "plain"), Column("n", "count"), Column("Median", "seconds"),
        Column("p90", "seconds"), Column("Least", "seconds"), Column("Most", "seconds"),
    ]  # fmt: skip
    return Chart("summary", "All figures", f"{figures.whole.count} major incidents.", columns, rows, None)


MAKERS: dict[str, Callable[[Figures, Asked], Chart]] = {
    "summary": summary, "monthly": monthly, "times": times, "services": services, "tiers": tiers,
    "channels": channels, "causes": causes,
}  # fmt: skip
KEYS = (*MAKERS, "distribution", "calendar")
"""Each of them can be had as CSV."""


def chart(key: str, figures: Figures, asked: Asked, *, at: datetime) -> Chart:
    """One chart by its key, whole. KeyError for one that is not."""
    if key == "distribution":
        return distribution(figures, asked, counts=counted(figures.scope, at=at))
    if key == "calendar":
        return calendar.as_chart(calendar.days(figures.scope, at=at))
    return MAKERS[key](figures, asked)
