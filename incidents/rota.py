"""Who is on call when: layers of people in turns, restricted to windows, replaced by covers. Pure: no ORM, no clock.

A layer is written in local time of its zone, because people are: the handover at 09:00 stays at 09:00 when the
clocks change. Every boundary is a local wall time that `instant` turns into one moment; a wall time that is skipped
means the moment of the jump, one that is repeated means the first time. All intervals are [from, to), aware, in UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_DAY = timedelta(days=1)
_POINT = timedelta(seconds=1)
_LOOKED_AHEAD = timedelta(days=100)


@dataclass(frozen=True)
class Window:
    """Hours of some weekdays (0 is Monday). `ends` not after `begins` lies on the next day."""

    weekdays: frozenset[int]
    begins: time
    ends: time


@dataclass(frozen=True)
class Layer:
    """People in turns of `length` units, in force from `starts_on` (to `ends_on`) at the handover time.

    `weekday` is the one of a weekly handover: the first turn is cut short when `starts_on` is another day.
    Without windows the layer is kept around the clock. `people` are ids, each as often as their share of turns.
    """

    key: int
    rank: int
    people: tuple[int, ...]
    zone: str
    starts_on: date
    handover_at: time
    unit: str = "week"
    length: int = 1
    weekday: int | None = None
    ends_on: date | None = None
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True)
class Cover:
    """Somebody else for a while, whatever turn or window it is. Of several at once the highest key counts."""

    key: int
    layer: int
    person: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Segment:
    """One person on one layer from–to; `cover` is the key of the cover it comes from, None for an ordinary turn."""

    layer: int
    rank: int
    person: int
    starts_at: datetime
    ends_at: datetime
    cover: int | None = None


@dataclass(frozen=True)
class Gap:
    starts_at: datetime
    ends_at: datetime

    @property
    def seconds(self) -> float:
        return (self.ends_at - self.starts_at).total_seconds()


class Interval(Protocol):
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) of a naive wall time. Later wall times never give an earlier moment."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return first if first <= second else _jump(second, first, zone)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the clock is put forward, to the second."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > _POINT:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which the day begins there."""
    return instant(datetime.combine(day, time.min), zone)


def segments(layer: Layer, covers: Iterable[Cover], since: datetime, until: datetime) -> list[Segment]:
    """Who holds the layer between the two moments, in order, cut at both ends. What is missing nobody holds."""
    found = [
        Segment(layer.key, layer.rank, person, max(begins, opens), min(ends, closes))
        for begins, ends, person in _turns(layer, since, until)
        for opens, closes in _open_hours(layer, begins, ends)
    ]
    for cover in sorted(covers, key=lambda one: one.key):
        if cover.layer == layer.key and cover.starts_at < until and cover.ends_at > since:
            begins, ends = max(cover.starts_at, since), min(cover.ends_at, until)
            found = [*_without(found, begins, ends)]
            found.append(Segment(layer.key, layer.rank, cover.person, begins, ends, cover.key))
    return sorted(found, key=lambda one: one.starts_at)


def on_duty(layers: Sequence[Layer], covers: Sequence[Cover], at: datetime) -> list[Segment]:
    """Everybody whom a layer names at the moment, by rank, then in the order of layers."""
    found = [one for layer in layers for one in segments(layer, covers, at, at + _POINT) if one.starts_at <= at]
    return sorted(found, key=lambda one: one.rank)


def until(layer: Layer, covers: Sequence[Cover], at: datetime) -> datetime | None:
    """When the person of this moment goes off duty (looked for up to 100 days ahead); None when there is nobody."""
    ahead = segments(layer, covers, at, at + _LOOKED_AHEAD)
    if not ahead or ahead[0].starts_at > at:
        return None
    ends = ahead[0]
    for one in ahead[1:]:
        if one.person != ends.person or one.starts_at > ends.ends_at:
            break
        ends = one
    return ends.ends_at


def gaps(held: Iterable[Interval], since: datetime, until: datetime, *, least: timedelta) -> list[Gap]:
    """When none of the intervals holds between the two moments, shorter ones than `least` left out."""
    found, reached = [], since
    for one in sorted(held, key=lambda one: one.starts_at):
        if one.starts_at >= until:
            break
        if one.starts_at - reached >= least:
            found.append(Gap(reached, one.starts_at))
        reached = max(reached, one.ends_at)
    if until - reached >= least:
        found.append(Gap(reached, until))
    return found


# --- Turns and windows ------------------------------------------------------------------------
def first_turn(layer: Layer) -> datetime:
    """Local wall time from which turns are counted: the weekly handover at or before the first day."""
    day = layer.starts_on
    if layer.unit == "week" and layer.weekday is not None:
        day -= timedelta(days=(day.weekday() - layer.weekday) % 7)
    return datetime.combine(day, layer.handover_at)


def _turns(layer: Layer, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, int]]:
    if not layer.people:
        return
    zone, epoch, length = ZoneInfo(layer.zone), first_turn(layer), LENGTHS[layer.unit] * layer.length
    since = max(since, instant(datetime.combine(layer.starts_on, layer.handover_at), zone))
    if layer.ends_on is not None:
        until = min(until, instant(datetime.combine(layer.ends_on, layer.handover_at), zone))
    if since >= until:
        return
    number = (since.astimezone(zone).replace(tzinfo=None) - epoch) // length
    while instant(epoch + number * length, zone) > since:
        number -= 1
    while (ends := instant(epoch + (number + 1) * length, zone)) <= since:
        number += 1
    begins = since
    while begins < until:
        if ends > begins:  # two handovers within a skipped hour leave a turn of no length
            yield begins, min(ends, until), layer.people[number % len(layer.people)]
        begins, number = ends, number + 1
        ends = instant(epoch + (number + 1) * length, zone)


def _open_hours(layer: Layer, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The parts of the interval in which the layer is kept, in order, each once."""
    if not layer.windows:
        yield since, until
        return
    zone = ZoneInfo(layer.zone)
    day, last = since.astimezone(zone).date() - _DAY, until.astimezone(zone).date()
    spans = []
    while day <= last:
        for window in layer.windows:
            if day.weekday() in window.weekdays:
                ends_on = day if window.ends > window.begins else day + _DAY
                begins = instant(datetime.combine(day, window.begins), zone)
                ends = instant(datetime.combine(ends_on, window.ends), zone)
                spans.append((max(begins, since), min(ends, until)))
        day += _DAY
    yield from _merged(spans)


def _merged(spans: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    held: tuple[datetime, datetime] | None = None
    for begins, ends in sorted(span for span in spans if span[0] < span[1]):
        if held is None or begins > held[1]:
            if held is not None:
                yield held
            held = (begins, ends)
        else:
            held = (held[0], max(held[1], ends))
    if held is not None:
        yield held


def _without(found: Iterable[Segment], begins: datetime, ends: datetime) -> Iterator[Segment]:
    """The segments with an interval cut out."""
    for one in found:
        if one.starts_at < min(begins, one.ends_at):
            yield replace(one, ends_at=min(begins, one.ends_at))
        if one.ends_at > max(ends, one.starts_at):
            yield replace(one, starts_at=max(ends, one.starts_at))
