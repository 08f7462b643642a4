"""Every figure of process.md a second time, by counting minutes in plain Python: no SQL, no ranges, no rollup.

A history is a dictionary: the clocks, `stage`, `is_drill`, `is_merged`, `severity`, `downtime` as (service id, start,
end or None), `steps` as (is opened, state, by fallback), `promises` as states, `is_reviewed`, `cause`, `channel`.
"""

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.metrics.histories import CLOCKS_OF, _statistic

MINUTE = timedelta(minutes=1)


def minutes(start: datetime, end: datetime) -> set[datetime]:
    found = set()
    while start < end:
        found.add(start)
        start += MINUTE
    return found


class Naive:
    """`prices` maps a service to (cost an hour, share outside hours, zone, first and last hour of every weekday)."""

    def __init__(self, histories, *, start, end, now, zone: ZoneInfo, windows=(), prices=None):
        self.start, self.end, self.now, self.zone = start, end, now, zone
        self.windows, self.prices = windows, prices or {}
        self.counted = [
            one for one in histories if not one["is_drill"] and not one["is_merged"] and one["stage"] != "stood_down"
        ]
        self.chosen = [one for one in self.counted if (at := self.belongs(one)) is not None and start <= at < end]

    @staticmethod
    def belongs(one):
        return one["declared_at"] or one["reported_at"]

    def is_planned(self, service, moment) -> bool:
        return any(service == known and a <= moment < b for known, a, b in self.windows)

    def down(self, one, only=None) -> set[datetime]:
        """Unplanned minutes of one incident, of one service when it is named."""
        return {
            moment
            for service, a, b in one["downtime"]
            if only is None or service == only
            for moment in minutes(a, b or self.now)
            if not self.is_planned(service, moment)
        }

    def statistics(self):
        found = {
            key: _statistic([(one[b] - one[a]).total_seconds() for one in self.chosen if one[a] and one[b]])
            for key, (a, b) in CLOCKS_OF.items()
        }
        lengths = [60.0 * len(self.down(one)) for one in self.chosen]
        return found | {"average_downtime": _statistic([length for length in lengths if length])}

    def price(self, service, moments) -> float:
        an_hour, share, zone, (opens, closes) = self.prices[service]
        total = 0.0
        for moment in moments:
            local = moment.astimezone(zone)
            is_open = local.weekday() < 5 and opens <= local.hour < closes
            total += an_hour / 60 * (1 if is_open else share)
        return total

    def cost(self):
        """Sum, and how many incidents had downtime of a service."""
        each = []
        for one in self.chosen:
            by_service = {service: self.down(one, service) for service, _, _ in one["downtime"]}
            priced = [self.price(service, moments) for service, moments in by_service.items() if moments]
            if priced:
                each.append(sum(priced))
        return (sum(each) if each else None), len(each)

    def rates(self):
        steps = [step for one in self.chosen for step in one["steps"] if step[0]]
        promises = [state for one in self.chosen for state in one["promises"] if state in ("kept", "broken")]
        closed = [one for one in self.chosen if one["stage"] == "closed"]
        return {
            "raci_conformance": _share([state == "done" and not fallback for _, state, fallback in steps]),
            "promise_kept_rate": _share([state == "kept" for state in promises]),
            "pir_rate": _share([one["is_reviewed"] for one in closed]),
            "problem_rate": _share([one["cause"] is not None for one in self.chosen]),
        }

    def channels(self):
        return dict(Counter(one["channel"] or "" for one in self.chosen))

    def causes(self):
        return dict(Counter(one["cause"] or "" for one in self.chosen))

    def months(self):
        """(name, count, % against the first, % against the one before) of every month the period touches."""
        local = [self.belongs(one).astimezone(self.zone) for one in self.chosen]
        names, moment = [], self.start
        while moment < self.end:
            name = f"{moment.astimezone(self.zone):%Y-%m}"
            names += [] if name in names else [name]
            moment += timedelta(hours=1)
        counts = [sum(f"{at:%Y-%m}" == name for at in local) for name in names]

        def change(count, base):
            return (count - base) / base * 100 if base else None

        return [
            (name, count, change(count, counts[0]), change(count, counts[at - 1]) if at else None)
            for at, (name, count) in enumerate(zip(names, counts, strict=True))
        ]

    def between_failures(self, services):
        """(mean, failures, uptime, start to start) of all the services together."""
        until = max(self.start, min(self.end, self.now))
        uptime, failures, gaps = 0.0, 0, []
        for service in services:
            down = set().union(*(self.down(one, service) for one in self.counted)) if self.counted else set()
            uptime += (until - self.start).total_seconds() - 60 * sum(self.start <= one < until for one in down)
            began = []
            for one in self.counted:
                for known, a, b in one["downtime"]:
                    if known != service:
                        continue
                    left = [m for m in sorted(minutes(a, b or self.now)) if not self.is_planned(service, m)]
                    if left and self.start <= left[0] < until:
                        began.append(left[0])
            began.sort()
            failures += len(began)
            gaps += [(b - a).total_seconds() for a, b in zip(began, began[1:], strict=False)]
        mean = uptime / failures if failures else None
        return mean, failures, uptime, (sum(gaps) / len(gaps) if gaps else None)


def _share(hits):
    return (sum(hits) / len(hits), len(hits)) if hits else (None, 0)
