"""How good the influx detector is on made-up history: what it caught, what it cried wolf about, how fast it was."""

import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from incidents.alike import Vocabulary
from incidents.detection import Calendar, InForce, Thresholds, UsualOfAll, hours_between, usual_of
from incidents.replay import Raised, Replay, Report
from metrics.demo.influx_history import BEGINS, NUMBER, ZONE, History, Outage

WEEK = timedelta(weeks=1)
BASELINE = timedelta(weeks=12)
SAMPLE = 5_000


@dataclass(frozen=True)
class Caught:
    """`lag_seconds` is how long after the report with which the outage's own reports first reached the floors."""

    outage: Outage
    raised: Raised
    lag_seconds: float


@dataclass(frozen=True)
class Measured:
    caught: list[Caught]
    missed: list[Outage]
    false: list[Raised]
    weeks: float
    reports: int
    slowest_ms: float
    p95_ms: float

    @property
    def recall(self) -> float:
        total = len(self.caught) + len(self.missed)
        return len(self.caught) / total if total else 1.0

    @property
    def false_a_week(self) -> float:
        return len(self.false) / self.weeks


def measure(history: History, thresholds: Thresholds) -> Measured:
    """Replays week by week; what is usual is taken only from the weeks before."""
    calendar = Calendar(ZONE, history.holidays)
    replay = Replay(InForce(thresholds), calendar)
    raised: list[Raised] = []
    took: list[float] = []
    week = BEGINS
    past: deque[Report] = deque(maxlen=SAMPLE)
    hourly: dict[int | None, dict[datetime, int]] = {None: {}}
    for report in history.reports:
        while report.at >= week:
            replay.usual = _usual(hourly, week, calendar)
            replay.vocabulary = Vocabulary.of((one.title, one.body) for one in past)
            week += WEEK
        began = time.perf_counter()
        found = replay.see(report)
        took.append(time.perf_counter() - began)
        if found is not None:
            raised.append(found)
        if report.incident is None:  # what belonged to an outage is linked to it, and not usual
            past.append(report)
            hour = report.at.replace(minute=0, second=0, microsecond=0)
            for key in {None, report.service}:
                counts = hourly.setdefault(key, {})
                counts[hour] = counts.get(hour, 0) + 1
    took.sort()
    return _judged(history, raised, thresholds, took)


def _usual(hourly: dict[int | None, dict[datetime, int]], until: datetime, calendar: Calendar) -> UsualOfAll:
    since = max(BEGINS, until - BASELINE)
    hours = hours_between(since, until, calendar)
    return UsualOfAll({service: usual_of(hourly.get(service, {}), hours) for service in (None, *NUMBER.values())})


def _judged(history: History, raised: list[Raised], thresholds: Thresholds, took: list[float]) -> Measured:
    first: dict[int, Raised] = {}
    false = []
    for one in raised:
        incident = one.incident()
        if incident is None:
            false.append(one)
        else:
            first.setdefault(incident, one)
    caught, missed = [], []
    for outage in history.outages:
        if outage.number not in first:
            missed.append(outage)
            continue
        could = earliest(history, outage, thresholds)
        found = first[outage.number]
        caught.append(Caught(outage, found, max(0.0, (found.at - could).total_seconds()) if could else 0.0))
    weeks = (history.until - BEGINS) / WEEK
    return Measured(
        caught, missed, false, weeks, len(history.reports), took[-1] * 1000, took[int(len(took) * 0.95)] * 1000
    )


def earliest(history: History, outage: Outage, thresholds: Thresholds) -> datetime | None:
    """When the reports of the outage alone reached both floors inside one window; None if they never did."""
    window: deque[Report] = deque()
    for report in history.reports:
        if report.incident != outage.number:
            continue
        window.append(report)
        while window[0].at <= report.at - timedelta(minutes=thresholds.window_minutes):
            window.popleft()
        enough = len(window) >= thresholds.least_arrivals
        if enough and len({one.source for one in window}) >= thresholds.least_requesters:
            return report.at.astimezone(UTC)
    return None
