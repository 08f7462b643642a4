"""Reports of eighteen months with outages put in, for measuring the influx detector. Every word of them is made up.

The ordinary traffic follows the demo organisation: its services and their shares, its texts, its rhythm of the week
and the day. On top of a smooth rhythm come what smooth models lack: days and hours that are busier than the rhythm
says, campaigns that double the traffic of one service for two hours, holidays, people who report the same thing twice,
reports that name no service or the wrong one. An outage adds reports in its own words, of its own shape.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from incidents.replay import Report
from metrics.demo.organisation import SERVICES, TIME_ZONE
from metrics.demo.reports import DURING_AN_OUTAGE, REPORTS, REQUESTS
from metrics.demo.tickets import BY_HOUR, BY_WEEKDAY

ZONE = ZoneInfo(TIME_ZONE)
BEGINS = datetime(2024, 1, 1, tzinfo=UTC)
SHAPES = ("burst", "slow ramp", "two at once", "cross-service", "weekend")
NUMBER = {entry.key: number for number, entry in enumerate(SERVICES, start=1)}
OPENINGS = ("", "", "", "Again: ", "Urgent: ", "Since this morning: ", "Question: ", "Help – ")
ENDINGS = ("", "", "", "", " since today", " in the office", " on my phone", " at home", " for a customer", " (new)")
VAGUE = ("Nothing works any more", "Help, I cannot work", "Something is broken", "Please call me back", "System down?")
USUAL_ASIDES = ("", "It worked yesterday.", "Please look into it.", "My colleague sees the same.", "Tried it twice.")


@dataclass(frozen=True)
class Outage:
    """One put in. `begins_at` is when people begin to notice; `ends_at` is after the last report of it."""

    number: int
    shape: str
    service: int
    begins_at: datetime
    ends_at: datetime
    reports: int


@dataclass(frozen=True)
class History:
    """Reports in the order they came, the outages among them, and the holidays."""

    reports: list[Report]
    outages: list[Outage]
    holidays: frozenset[date]
    until: datetime


def make(*, seed: int, days: int = 548, per_day: float = 200, outages: int = 30) -> History:
    """The same for the same seed. `per_day` is the mean of ordinary incident reports a day."""
    dice = random.Random(seed)  # noqa: S311 (a story, not a secret)
    holidays = frozenset(
        (BEGINS + timedelta(days=dice.randrange(days))).date() for _ in range(max(1, round(days / 45)))
    )
    rows = list(_ordinary(dice, days, per_day, holidays))
    placed = _placed(dice, days, outages)
    for outage in placed:
        rows += _during(dice, outage)
    rows.sort(key=lambda row: row[0])
    reports = [Report(number, *row) for number, row in enumerate(rows, start=1)]
    return History(reports, placed, holidays, BEGINS + timedelta(days=days))


Row = tuple[datetime, int | None, int, str, str, int | None]


def _ordinary(dice: random.Random, days: int, per_day: float, holidays: frozenset[date]) -> Iterator[Row]:
    total = sum(BY_WEEKDAY) / 7
    for day in range(days):
        at = BEGINS + timedelta(days=day)
        weekday = 6 if at.date() in holidays else at.weekday()
        busy = dice.gammavariate(25, 1 / 25) * (0.85 + 0.3 * day / days)
        campaign = (dice.randrange(8, 20), dice.choice(SERVICES).key) if dice.random() < 0.07 else None
        for hour, weight in enumerate(BY_HOUR):
            hourly = (
                per_day * BY_WEEKDAY[weekday] / total * busy * weight / sum(BY_HOUR) * dice.gammavariate(12, 1 / 12)
            )
            for entry in SERVICES:
                share = entry.share_of_tickets / sum(one.share_of_tickets for one in SERVICES)
                factor = 2.0 if campaign and entry.key == campaign[1] and campaign[0] <= hour < campaign[0] + 2 else 1.0
                for _ in range(_poisson(dice, hourly * share * factor)):
                    yield from _one(dice, _at(at.date(), hour, dice), entry.key)


def _poisson(dice: random.Random, mean: float) -> int:
    """How many come when `mean` are usual."""
    number, left = 0, dice.expovariate(1.0)
    while left < mean:
        number += 1
        left += dice.expovariate(1.0)
    return number


def _at(day: date, hour: int, dice: random.Random) -> datetime:
    local = datetime(day.year, day.month, day.day, hour, dice.randrange(60), dice.randrange(60), tzinfo=ZONE)
    return local.astimezone(UTC)


def _one(dice: random.Random, at: datetime, key: str) -> Iterator[Row]:
    """An ordinary report; every tenth person reports it twice."""
    title, body, _ = dice.choice([one for one in REPORTS[key] if one[0] not in REQUESTS])
    source = dice.randrange(1, 3_000)
    service = NUMBER[key] if dice.random() < 0.85 else dice.choice((None, None, dice.choice(list(NUMBER.values()))))
    said = f"{dice.choice(OPENINGS)}{title}{dice.choice(ENDINGS)}"
    yield at, service, source, said, f"{body} {dice.choice(USUAL_ASIDES)}", None
    if dice.random() < 0.1:
        yield at + timedelta(seconds=dice.randrange(60, 900)), service, source, said, body, None


def _placed(dice: random.Random, days: int, count: int) -> list[Outage]:
    """The shapes in turn, evenly over the time, never two within a day but those that are meant to be."""
    shapes: list[tuple[str, int]] = []
    left = count
    while left > 0:
        shape = SHAPES[len(shapes) % len(SHAPES)]
        together = min(2 if shape == "two at once" else 1, left)
        shapes.append((shape, together))
        left -= together
    first = min(28, days // 5)
    spread = (days - first - 9) / len(shapes)
    found: list[Outage] = []
    for turn, (shape, together) in enumerate(shapes):
        at = BEGINS + timedelta(days=first + int(spread * turn + dice.random() * max(spread - 8, 0)))
        while (at.weekday() >= 5) != (shape == "weekend"):
            at += timedelta(days=1)
        begins = _at(at.date(), dice.choice((7, 8, 9, 10, 11, 13, 14, 15, 16, 19)), dice)
        for key in dice.sample([entry.key for entry in SERVICES], together):
            reports, minutes = _size(dice, shape)
            ends = begins + timedelta(minutes=minutes)
            found.append(Outage(len(found) + 1, shape, NUMBER[key], begins, ends, reports))
    return found


def _size(dice: random.Random, shape: str) -> tuple[int, int]:
    """How many reports in how many minutes."""
    if shape == "burst":
        return dice.randint(8, 40), dice.randint(4, 15)
    if shape == "slow ramp":
        return dice.randint(18, 45), dice.randint(60, 120)
    if shape == "two at once":
        return dice.randint(8, 22), dice.randint(12, 25)
    if shape == "cross-service":
        return dice.randint(12, 32), dice.randint(15, 30)
    return dice.randint(7, 15), dice.randint(10, 25)


KEYS = {number: key for key, number in NUMBER.items()}


def _during(dice: random.Random, outage: Outage) -> Iterator[Row]:
    length = (outage.ends_at - outage.begins_at).total_seconds()
    crosses = outage.shape == "cross-service"
    for _ in range(outage.reports):
        place = dice.random() ** 0.5 if outage.shape == "slow ramp" else dice.random()
        at = outage.begins_at + timedelta(seconds=int(length * place))
        title = dice.choice(VAGUE) if dice.random() < 0.12 else dice.choice(DURING_AN_OUTAGE[KEYS[outage.service]])
        service: int | None = outage.service
        if dice.random() < (0.7 if crosses else 0.22):
            service = dice.choice((None, dice.choice(list(NUMBER.values()))))
        said = f"{dice.choice(OPENINGS)}{title}{dice.choice(ENDINGS)}"
        yield at, service, dice.randrange(1, 3_000), said, dice.choice(USUAL_ASIDES), outage.number
