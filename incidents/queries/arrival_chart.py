"""How the reports behind a candidate came in, minute by minute, against what this hour of the week normally brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from incidents.detection import Minute, figure, minute_of
from incidents.models import Candidate, Ticket
from incidents.queries import influx

BEFORE = timedelta(minutes=45)
LONGEST = timedelta(hours=3)


@dataclass(frozen=True)
class ArrivalChart:
    """`options` is for the chart; `rows` (minute, tickets, alerts, normally) only where something came."""

    options: dict[str, Any]
    rows: list[tuple[datetime, int, int, float]]
    total: int
    normally: str
    words: list[tuple[str, int]]


def arrival_chart(candidate: Candidate, now: datetime) -> ArrivalChart:
    """From before it was raised until its verdict, or now. A constant number of queries."""
    end = minute_of(min(candidate.decided_at or now, candidate.raised_at + LONGEST - BEFORE))
    begin = minute_of(candidate.raised_at - BEFORE)
    found = {one.at: one for one in _counted(candidate, begin, end)}
    calendar = influx.calendar()
    moments = [begin + timedelta(minutes=step) for step in range(int((end - begin).total_seconds() // 60) + 1)]
    usual = influx.usual([candidate.service_id], {calendar.hour(at) for at in moments}).get(candidate.service_id)
    normal = [usual.per_hour[calendar.hour(at)] / 60 if usual and candidate.service_id else 0.0 for at in moments]
    minutes = [found.get(at, Minute(at)) for at in moments]
    rows = [
        (one.at, one.tickets, one.alerts, usually)
        for one, usually in zip(minutes, normal, strict=True)
        if one.tickets or one.alerts
    ]
    words = [(str(word), int(times)) for word, times in candidate.evidence.get("influx", {}).get("words", [])]
    total = sum(one.tickets + one.alerts for one in minutes)
    return ArrivalChart(_options(minutes, normal), rows, total, figure(sum(normal)), words)


def _counted(candidate: Candidate, begin: datetime, end: datetime) -> list[Minute]:
    """The counters of its service; without a service, or before counters were kept, its own tickets."""
    if candidate.service_id:
        counted = influx.minutes_of({candidate.service_id}, begin, end)[candidate.service_id]
        if counted:
            return counted
    found: dict[datetime, int] = {}
    inside = Ticket.objects.filter(
        candidate=candidate, reported_at__gte=begin, reported_at__lt=end + timedelta(minutes=1)
    )
    for at in inside.values_list("reported_at", flat=True)[:5_000]:
        found[minute_of(at)] = found.get(minute_of(at), 0) + 1
    return [Minute(at, tickets) for at, tickets in found.items()]


def _options(minutes: Sequence[Minute], normal: Sequence[float]) -> dict[str, Any]:
    def bars(name: str, data: list[int]) -> dict[str, Any]:
        return {"name": name, "type": "bar", "stack": "arrived", "barCategoryGap": "10%", "data": data}

    series = [bars("Tickets", [one.tickets for one in minutes])]
    if any(one.alerts for one in minutes):
        series.append(bars("Alerts", [one.alerts for one in minutes]))
    if any(normal):
        line = {"type": "line", "step": "middle", "showSymbol": False, "lineStyle": {"type": "dashed"}}
        series.append({"name": "Normally", **line, "data": [round(one, 3) for one in normal]})
    labels = [timezone.localtime(one.at).strftime("%H:%M") for one in minutes]
    return {
        "legend": {"top": 0, "left": 0},
        "xAxis": {"type": "category", "data": labels},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": series,
    }
