"""PURE: how much of the time between two moments counts, and when a given amount of it has passed. No ORM.

Service hours are what a clock on the wall shows: "Monday 08:00 to 18:00 in Berlin". A second counts when the wall
clock of the zone, at that very second, stands within the hours of its weekday and its date is no holiday. So an hour
that a change to winter time repeats counts twice, and one that a change to summer time leaves out does not count.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
FARTHEST = timedelta(days=3660)
"""Service hours that do not yield an amount within ten years never will."""
MOST_KNOWN = 5000
"""Days whose service hours are kept in memory."""
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)

Span = tuple[int, int]
"""From and until, in minutes after midnight; until is at most 1440 and does not belong to it."""
ALL_DAY: Span = (0, DAY_MINUTES)
WORKING_WEEK: tuple[tuple[Span, ...], ...] = (((8 * 60, 18 * 60),),) * 5 + ((), ())
"""Monday to Friday, 08:00 to 18:00: what a service desk has until an administrator says otherwise."""


@dataclass(frozen=True)
class Hours:
    """Service hours: `week` has seven days from Monday on, each with its spans in order and without overlap."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...] = WORKING_WEEK
    holidays: frozenset[date] = field(default_factory=frozenset)
    _known: dict[date, list[tuple[datetime, datetime]]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @property
    def is_always(self) -> bool:
        """Around the clock: every second counts."""
        return not self.holidays and all(day == (ALL_DAY,) for day in self.week)

    def is_open(self, at: datetime) -> bool:
        """Whether the aware moment counts."""
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in self._spans(local.date()))

    def seconds_between(self, start: datetime, end: datetime) -> float:
        """Counted seconds from `start` to `end` (aware); 0 when `end` is not later."""
        if end <= start:
            return 0.0
        if self.is_always:
            return (end - start).total_seconds()
        total = sum((until - since for since, until in self._counted(start, end)), timedelta())
        return total.total_seconds()

    def after(self, start: datetime, seconds: float) -> datetime | None:
        """The first moment (aware, UTC) at which so many seconds have been counted since `start`: the deadline.

        None when that is not within ten years. No seconds left: `start` itself.
        """
        left = timedelta(seconds=seconds)
        if left <= timedelta():
            return start.astimezone(UTC)
        if self.is_always:
            return start.astimezone(UTC) + left
        for since, until in self._counted(start, start + FARTHEST):
            if until - since >= left:
                return since + left
            left -= until - since
        return None

    def _spans(self, day: date) -> tuple[Span, ...]:
        return () if day in self.holidays else self.week[day.weekday()]

    def _counted(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """What counts between the two moments, as intervals in UTC, the earliest first.

        Every deadline of a desk lies in the same few weeks, so what a day of UTC holds is worked out once.
        """
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        day = start.date()
        while (midnight := datetime(day.year, day.month, day.day, tzinfo=UTC)) < end:
            known = self._known.get(day)
            if known is None:
                if len(self._known) > MOST_KNOWN:
                    self._known.clear()
                known = self._known[day] = list(self._worked_out(midnight, midnight + _DAY))
            for since, until in known:
                if until > start and since < end:
                    yield max(since, start), min(until, end)
            day += _DAY

    def _worked_out(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        for since, until, offset in self._steady(start, end):
            begin, stop = (since + offset).replace(tzinfo=None), (until + offset).replace(tzinfo=None)
            day = begin.date()
            while datetime.combine(day, datetime.min.time()) < stop:
                midnight = datetime.combine(day, datetime.min.time())
                for first, last in self._spans(day):
                    opens = max(midnight + timedelta(minutes=first), begin)
                    closes = min(midnight + timedelta(minutes=last), stop)
                    if closes > opens:
                        yield (opens - offset).replace(tzinfo=UTC), (closes - offset).replace(tzinfo=UTC)
                day += _DAY

    def _steady(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
        """The time from `start` to `end` cut where the zone's offset changes; each piece with its offset."""
        since = start
        while since < end:
            until = min(since + _DAY, end)
            offset = self._offset(since)
            if self._offset(until) != offset:
                until = self._change(since, until, offset)
            yield since, until, offset
            since = until

    def _change(self, since: datetime, until: datetime, offset: timedelta) -> datetime:
        """The first second at which the offset is another one."""
        while until - since > _SECOND:
            middle = since + timedelta(seconds=int((until - since).total_seconds() // 2))
            if self._offset(middle) == offset:
                since = middle
            else:
                until = middle
        return until.replace(microsecond=0)

    def _offset(self, at: datetime) -> timedelta:
        return at.astimezone(self.zone).utcoffset() or timedelta()


def around_the_clock(zone: ZoneInfo) -> Hours:
    """Every second counts, holidays too."""
    return Hours(zone, ((ALL_DAY,),) * 7)


def tidy(spans: Iterable[Span]) -> tuple[Span, ...]:
    """One day's spans in order, those that touch or overlap joined. Raises ValueError for one that is none."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if not 0 <= start < end <= DAY_MINUTES:
            raise ValueError(f"{start} to {end} is no part of a day")
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def read_day(text: str) -> tuple[Span, ...]:
    """ "08:00-12:00, 13:00-17:30" as spans; nothing for an empty text. Raises ValueError when it is neither."""
    spans = []
    for part in text.replace("–", "-").split(","):
        if not part.strip():
            continue
        start, dash, end = part.partition("-")
        if not dash:
            raise ValueError(f"“{part.strip()}” is not like 08:00-17:00")
        spans.append((_minutes(start), _minutes(end)))
    return tidy(spans)


def _minutes(text: str) -> int:
    hour, colon, minute = text.strip().partition(":")
    if not (hour.isascii() and hour.isdigit() and (not colon or (minute.isascii() and minute.isdigit()))):
        raise ValueError(f"“{text.strip()}” is not a time like 08:00")
    value = int(hour) * 60 + int(minute or 0)
    if int(minute or 0) > 59 or value > DAY_MINUTES:
        raise ValueError(f"“{text.strip()}” is not a time of a day")
    return value


def written_day(spans: Sequence[Span]) -> str:
    """The reverse of `read_day`."""
    return ", ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in spans)
