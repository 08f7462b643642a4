"""PURE: counts, a window and what is usual become a verdict with reasons. No ORM, no clock of its own.

A subject is one service, or one group of tickets that say the same. Its arrivals are counted per minute; what is usual
is known per hour of the week, in the organisation's time zone.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

HOURS = 168
SUNDAY = 6
UNKNOWN_PER_HOUR = 0.5
"""What is taken for usual while there is no history at all."""
LEAST_PER_HOUR = 0.02
LEAST_EXPECTED = 0.005
"""Of alike texts in one window, however rare their words."""
BY_ACCIDENT = 0.05
"""Repetitions that are taken for usual in any window."""
SMOOTHING = 3.0
"""A thin history is filled up with so many weeks of what similar hours bring."""
MOST_SOURCES = 64
"""Distinct requesters remembered per minute: far above any floor, so that a storm cannot grow a row."""


@dataclass(frozen=True)
class Thresholds:
    """When an influx is proposed. `tail` is the largest probability of so many arrivals by chance (0 to 1).

    `similarity` is how alike a text must be to a group to belong to it (0 to 1). `attaches` says whether later
    tickets join an open candidate or incident by themselves.
    """

    window_minutes: int = 15
    least_arrivals: int = 5
    least_requesters: int = 3
    tail: float = 1e-6
    similarity: float = 0.35
    attaches: bool = True


@dataclass(frozen=True)
class InForce:
    """The thresholds of the organisation, and of each service that has its own."""

    default: Thresholds = field(default_factory=Thresholds)
    services: Mapping[int, Thresholds] = field(default_factory=dict)

    def of(self, service_id: int | None) -> Thresholds:
        return self.services.get(service_id or 0, self.default)


@dataclass(frozen=True)
class Minute:
    """What arrived for one subject in the minute that begins at `at`. `sources` tell requesters apart."""

    at: datetime
    tickets: int = 0
    alerts: int = 0
    sources: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Window:
    """The arrivals of one subject from `begins_at` to `ends_at` (both beginnings of minutes, included).

    `lasted` is the number of minutes from the first arrival to the last, at least 1.
    """

    begins_at: datetime
    ends_at: datetime
    tickets: int = 0
    alerts: int = 0
    sources: frozenset[int] = frozenset()
    lasted: int = 1

    @property
    def arrived(self) -> int:
        return self.tickets + self.alerts

    @property
    def requesters(self) -> int:
        return len(self.sources)


@dataclass(frozen=True)
class Repeated:
    """How much of a window says the same as something else in it. `beyond` leaves out the first of each group, since
    one has to be there; `expected` is how many such repetitions are usual. Each requester counts once per group."""

    reports: int = 0
    beyond: int = 0
    expected: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """`expected` is what the window normally brings, `tail` how probable so many, or so many alike, are by chance."""

    proposes: bool
    window: Window
    expected: float
    tail: float
    repeated: Repeated | None = None


def minute_of(at: datetime) -> datetime:
    """The beginning of its minute, in UTC."""
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def window_of(minutes: Iterable[Minute], ends_at: datetime, length: int, *, after: datetime | None = None) -> Window:
    """Sums the `length` minutes that end with the minute of `ends_at`.

    `after`: what arrived up to and including that minute was judged already and does not count again.
    """
    end = minute_of(ends_at)
    begin = end - timedelta(minutes=length - 1)
    if after is not None:
        begin = max(begin, minute_of(after) + timedelta(minutes=1))
    held = [one for one in minutes if begin <= one.at <= end and (one.tickets or one.alerts)]
    if not held:
        return Window(begin, end)
    first, last = min(one.at for one in held), max(one.at for one in held)
    return Window(
        begin,
        end,
        sum(one.tickets for one in held),
        sum(one.alerts for one in held),
        frozenset().union(*(one.sources for one in held)),
        int((last - first).total_seconds() // 60) + 1,
    )


def poisson_tail(count: int, expected: float) -> float:
    """The probability of `count` or more arrivals when `expected` are usual; 1 for counts that are not above it."""
    if count <= 0:
        return 1.0
    if expected <= 0:
        return 0.0
    if count <= expected:  # the usual case, which nobody asks the exact figure of
        return 1.0
    log_term = count * math.log(expected) - expected - math.lgamma(count + 1)
    if log_term < -700:
        return 0.0
    term = total = math.exp(log_term)
    number = count
    while term > total * 1e-12:
        number += 1
        term *= expected / number
        total += term
    return min(total, 1.0)


def assess(window: Window, expected: float, thresholds: Thresholds, *, repeated: Repeated | None = None) -> Verdict:
    """Proposes when both floors are reached and so many, or so many alike, are improbable."""
    tail = poisson_tail(window.arrived, expected)
    if repeated is not None:
        tail = min(tail, combined(tail, poisson_tail(repeated.beyond, repeated.expected)))
    reached = reaches_floors(window, thresholds) and tail <= thresholds.tail
    return Verdict(reached, window, expected, tail, repeated)


def combined(one: float, other: float) -> float:
    """The probability of two such findings together (Fisher): many at once, and many that say the same."""
    product = one * other
    return product * (1 - math.log(product)) if product > 0 else 0.0


def reaches_floors(window: Window, thresholds: Thresholds) -> bool:
    """Enough arrivals from enough requesters to be worth a second look."""
    return window.arrived >= thresholds.least_arrivals and window.requesters >= thresholds.least_requesters


def repeated_in(groups: Iterable[tuple[int, float]]) -> Repeated:
    """From (distinct requesters, usual arrivals of such words in the window) of each group of alike reports."""
    several = [(number, usual) for number, usual in groups if number > 1]
    return Repeated(
        sum(number for number, _ in several),
        sum(number - 1 for number, _ in several),
        BY_ACCIDENT + sum(max(usual, LEAST_EXPECTED) for _, usual in several),
    )


def said(verdict: Verdict, mentions: Sequence[tuple[str, int]] = ()) -> list[str]:
    """The verdict in plain words: how many, against what, which words, from how many, how unlikely.

    `mentions` are words with how many of the tickets use them.
    """
    window, expected, repeated = verdict.window, verdict.expected, verdict.repeated
    arrived = [_counted(window.tickets, "ticket")] if window.tickets else []
    arrived += [_counted(window.alerts, "alert")] if window.alerts else []
    named = ", ".join(f"{times} mention {word}" for word, times in mentions)
    first = f"{' and '.join(arrived) or 'Nothing'} in {_counted(window.lasted, 'minute')}, normally {figure(expected)}"
    alike = [f"{repeated.reports} of them say the same as another"] if repeated and repeated.reports else []
    return [
        f"{first}; {named}" if named else first,
        *alike,
        f"From {_counted(window.requesters, 'different requester or source', 'different requesters or sources')}",
        f"By chance this happens {_chance(verdict.tail)}",
    ]


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def figure(expected: float) -> str:
    """A number of arrivals that need not be whole, in words."""
    return f"{expected:.1f}" if expected >= 0.1 else "less than 0.1"


def _chance(tail: float) -> str:
    if tail < 1e-9:
        return "less than once in a thousand million such windows"
    return f"about once in {round(1 / tail):,} such windows"


# --- What is usual ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Calendar:
    """Hours of the week as the organisation's clocks show them. A holiday counts as a Sunday."""

    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()

    def hour(self, at: datetime) -> int:
        """0 for Monday 00:00 to 167 for Sunday 23:00. Both of the doubled hours in autumn are the same hour."""
        weekday, hour, is_holiday = _local_hour(self, at.astimezone(UTC).replace(minute=0, second=0, microsecond=0))
        return (SUNDAY if is_holiday else weekday) * 24 + hour

    def is_holiday(self, at: datetime) -> bool:
        return _local_hour(self, at.astimezone(UTC).replace(minute=0, second=0, microsecond=0))[2]


@lru_cache(maxsize=50_000)
def _local_hour(calendar: Calendar, at: datetime) -> tuple[int, int, bool]:
    """Zones of half hours are taken at the beginning of the full hour of UTC."""
    local = at.astimezone(calendar.zone)
    return local.weekday(), local.hour, local.date() in calendar.holidays


@dataclass(frozen=True)
class Usual:
    """What one subject brings in each hour of the week. `observed` is from how many weeks it is known."""

    per_hour: tuple[float, ...] = (UNKNOWN_PER_HOUR,) * HOURS
    observed: int = 0

    def expected(self, begins_at: datetime, ends_at: datetime, calendar: Calendar) -> float:
        """Arrivals that the minutes from `begins_at` to `ends_at` (included) normally bring."""
        total, at = 0.0, begins_at
        while at <= ends_at:
            to_next_hour = 60 - at.minute
            left = int((ends_at - at).total_seconds() // 60) + 1
            taken = min(to_next_hour, left)
            total += self.per_hour[calendar.hour(at)] * taken / 60
            at += timedelta(minutes=taken)
        return total


def hours_between(since: datetime, until: datetime, calendar: Calendar) -> list[tuple[datetime, int]]:
    """Every full hour (UTC) from `since` up to but not including `until`, with its hour of the week; no holidays."""
    at = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    found = []
    while at < until:
        if not calendar.is_holiday(at):
            found.append((at, calendar.hour(at)))
        at += timedelta(hours=1)
    return found


def usual_of(counts: Mapping[datetime, int], hours: Sequence[tuple[datetime, int]]) -> Usual:
    """What is usual, from the arrivals of past hours (UTC); hours without an entry brought nothing.

    Robust: a single outage among the weeks is cut to what the middle of them makes plausible. Smoothed: few weeks are
    filled up with what the same time of day on similar days brings, and that with the mean of all hours.
    """
    seen: list[list[int]] = [[] for _ in range(HOURS)]
    for at, hour in hours:
        seen[hour].append(counts.get(at, 0))
    observed = max((len(one) for one in seen), default=0)
    if not observed:
        return Usual()
    cut = [_cut(one) for one in seen]
    number = sum(len(one) for one in cut)
    overall = (sum(map(sum, cut)) + 24 * UNKNOWN_PER_HOUR) / (number + 24)  # the unknown counts as one day
    per_hour = []
    for hour in range(HOURS):
        kin = _kin(hour)
        near = (sum(sum(cut[one]) for one in kin) + 2 * overall) / (sum(len(cut[one]) for one in kin) + 2)
        per_hour.append(max((sum(cut[hour]) + SMOOTHING * near) / (len(cut[hour]) + SMOOTHING), LEAST_PER_HOUR))
    return Usual(tuple(per_hour), observed)


def _cut(counts: list[int]) -> list[float]:
    """Counts no higher than three standard deviations above the middle one."""
    if not counts:
        return []
    middle = sorted(counts)[len(counts) // 2]
    highest = middle + 3 * math.sqrt(middle + 1)
    return [min(count, highest) for count in counts]


@lru_cache(maxsize=HOURS)
def _kin(hour: int) -> tuple[int, ...]:
    """The same time of day, and the hours beside it, on days of the same kind: working days, or the weekend."""
    day, clock = divmod(hour, 24)
    days = range(5) if day < 5 else range(5, 7)
    return tuple(one * 24 + (clock + step) % 24 for one in days for step in (-1, 0, 1))


@dataclass(frozen=True)
class UsualOfAll:
    """What is usual for each service, and under None for everything together."""

    services: Mapping[int | None, Usual] = field(default_factory=dict)

    def of(self, service: int | None) -> Usual:
        return self.services.get(service) or Usual()
