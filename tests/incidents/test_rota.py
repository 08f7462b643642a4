"""Who is on call when, against a simulation that walks minute by minute; where clocks change, and on leap days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.rota import Cover, Gap, Layer, Window, gaps, instant, midnight, on_duty, segments, until

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
MINUTE = timedelta(minutes=1)
EVERY_DAY = frozenset(range(7))
CHANGES = {
    BERLIN: (date(2026, 3, 29), date(2026, 10, 25)),
    NEW_YORK: (date(2026, 3, 8), date(2026, 11, 1)),
    LORD_HOWE: (date(2026, 4, 5), date(2026, 10, 4)),
}
"""The days of 2026 on which clocks change there; Lord Howe moves by half an hour."""


def layer(**fields) -> Layer:
    plain = {"key": 1, "rank": 1, "people": (1, 2, 3), "zone": BERLIN, "starts_on": date(2026, 3, 2),
             "handover_at": time(9), "weekday": 0}  # fmt: skip
    return Layer(**{**plain, **fields})


def local(zone: str, *when: int) -> datetime:
    return instant(datetime(*when), ZoneInfo(zone))  # noqa: DTZ001 – a wall time


def whom(one: Layer, at: datetime, covers=()) -> int | None:
    found = on_duty([one], list(covers), at)
    return found[0].person if found else None


# --- Clocks that change -----------------------------------------------------------------------
@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize("change", [0, 1])
def test_the_handover_at_nine_stays_at_nine_when_clocks_change(zone, change):
    day = CHANGES[zone][change]
    one = layer(zone=zone, unit="day", starts_on=day - timedelta(days=3))
    for number in range(-2, 4):
        at = local(zone, *(day + timedelta(days=number)).timetuple()[:3], 9, 0)
        assert at.astimezone(ZoneInfo(zone)).time() == time(9)
        assert whom(one, at - MINUTE) != whom(one, at) == (number + 3) % 3 + 1


def test_a_handover_in_the_skipped_hour_is_the_moment_of_the_jump():
    one = layer(unit="day", handover_at=time(2, 30), starts_on=date(2026, 3, 28))
    jump = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert (whom(one, jump - MINUTE), whom(one, jump)) == (1, 2)


def test_a_handover_in_the_repeated_hour_happens_once_the_first_time():
    one = layer(unit="day", handover_at=time(2, 30), starts_on=date(2026, 10, 24))
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    walked = [whom(one, first + MINUTE * number) for number in range(-60, 180)]
    assert walked == [1] * 60 + [2] * 180


def test_half_an_hour_is_moved_on_lord_howe():
    assert midnight(date(2026, 10, 5), ZoneInfo(LORD_HOWE)) - midnight(date(2026, 10, 4), ZoneInfo(LORD_HOWE)) == (
        timedelta(hours=23, minutes=30)
    )
    assert local(LORD_HOWE, 2026, 10, 4, 2, 15) == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)


def test_later_wall_times_are_never_earlier_moments():
    for zone, days in CHANGES.items():
        for day in days:
            walls = [datetime.combine(day, time.min) + MINUTE * number for number in range(0, 300, 5)]
            moments = [instant(wall, ZoneInfo(zone)) for wall in walls]
            assert moments == sorted(moments)


def test_the_leap_day_is_a_day_like_any_other():
    one = layer(unit="day", starts_on=date(2028, 2, 27), zone=NEW_YORK, people=(1, 2, 3, 4))
    people = [whom(one, local(NEW_YORK, 2028, month, day, 12, 0)) for month, day in ((2, 27), (2, 28), (2, 29), (3, 1))]
    assert people == [1, 2, 3, 4]


def test_a_year_of_weeks_from_a_leap_day_on():
    one = layer(starts_on=date(2028, 2, 29), weekday=1)
    handovers = [
        found.starts_at for found in segments(one, (), local(BERLIN, 2028, 2, 29, 9), local(BERLIN, 2029, 3, 1))
    ]
    assert {at.astimezone(ZoneInfo(BERLIN)).strftime("%a %H:%M") for at in handovers} == {"Tue 09:00"}
    assert len(handovers) == 53


# --- Rules ------------------------------------------------------------------------------------
def test_nobody_is_on_call_before_the_first_and_after_the_last_handover():
    one = layer(starts_on=date(2026, 3, 4), ends_on=date(2026, 3, 11))
    assert whom(one, local(BERLIN, 2026, 3, 4, 8, 59)) is None
    assert whom(one, local(BERLIN, 2026, 3, 4, 9)) == 1
    assert whom(one, local(BERLIN, 2026, 3, 9, 9)) == 2  # the weekly handover is Monday; the first turn was short
    assert whom(one, local(BERLIN, 2026, 3, 11, 8, 59)) == 2
    assert whom(one, local(BERLIN, 2026, 3, 11, 9)) is None


def test_an_override_until_midnight_ends_at_local_midnight_also_in_the_night_of_the_change():
    one = layer(people=(1,))
    for day in CHANGES[BERLIN]:
        begins, ends = midnight(day, ZoneInfo(BERLIN)), midnight(day + timedelta(days=1), ZoneInfo(BERLIN))
        cover = Cover(7, 1, 9, begins, ends)
        around = [begins - MINUTE, begins, ends - MINUTE, ends]
        assert [whom(one, at, [cover]) for at in around] == [1, 9, 9, 1]


def test_of_two_overrides_at_once_the_later_made_counts():
    one, at = layer(people=(1,)), local(BERLIN, 2026, 3, 10, 12)
    wide = Cover(1, 1, 8, at - timedelta(days=1), at + timedelta(days=1))
    narrow = Cover(2, 1, 9, at, at + timedelta(hours=1))
    assert [whom(one, at + timedelta(hours=number), [narrow, wide]) for number in (-1, 0, 1)] == [8, 9, 8]


def test_windows_restrict_a_layer_and_may_reach_over_midnight():
    nights = (Window(frozenset({0, 1, 2, 3, 4}), time(18), time(8)),)
    one = layer(people=(1,), windows=nights)
    friday = local(BERLIN, 2026, 3, 13, 18)
    assert [whom(one, friday + timedelta(hours=number)) for number in (-1, 0, 13, 14)] == [None, 1, 1, None]
    assert whom(one, local(BERLIN, 2026, 3, 14, 20)) is None  # Saturday evening is nobody's


def test_a_window_of_the_same_begin_and_end_is_a_whole_day():
    one = layer(people=(1,), windows=(Window(frozenset({5, 6}), time(0), time(0)),))
    found = segments(one, (), local(BERLIN, 2026, 3, 9), local(BERLIN, 2026, 3, 18))
    assert [(s.starts_at, s.ends_at) for s in found] == [
        (local(BERLIN, 2026, 3, 14), local(BERLIN, 2026, 3, 16) - timedelta(days=0))
    ] or sum((s.ends_at - s.starts_at for s in found), timedelta()) == timedelta(days=2)


def test_gaps_are_what_nobody_holds():
    begins, ends = local(BERLIN, 2026, 3, 9), local(BERLIN, 2026, 3, 10)
    one = layer(people=(1,), windows=(Window(EVERY_DAY, time(8), time(20)),))
    found = gaps(segments(one, (), begins, ends), begins, ends, least=MINUTE)
    assert found == [
        Gap(begins, begins + timedelta(hours=8)), Gap(begins + timedelta(hours=20), ends),
    ]  # fmt: skip


def test_until_says_when_the_person_goes_even_over_several_turns():
    assert until(layer(), (), local(BERLIN, 2026, 3, 3, 12)) == local(BERLIN, 2026, 3, 9, 9)
    assert until(layer(people=()), (), local(BERLIN, 2026, 3, 3, 12)) is None


# --- Against a simulation ---------------------------------------------------------------------
class Walk:
    """Walks a layer minute by minute as somebody with a wall clock would: what has happened does not happen again
    when the clock is put back, and what the clock jumps over has happened."""

    def __init__(self, one: Layer, covers: list[Cover], since: datetime) -> None:
        self.one, self.covers, self.zone = one, sorted(covers, key=lambda cover: cover.key), ZoneInfo(one.zone)
        self.reached = (since - timedelta(days=2)).astimezone(self.zone).replace(tzinfo=None)
        self.at = since - timedelta(days=2)

    def whom(self, at: datetime) -> int | None:
        while self.at <= at:
            self.reached = max(self.reached, self.at.astimezone(self.zone).replace(tzinfo=None))
            self.at += MINUTE
        covering = [cover.person for cover in self.covers if cover.starts_at <= at < cover.ends_at]
        return covering[-1] if covering else self._turn(self.reached)

    def _turn(self, wall: datetime) -> int | None:
        one = self.one
        first = datetime.combine(one.starts_on, one.handover_at)
        if wall < first or (one.ends_on and wall >= datetime.combine(one.ends_on, one.handover_at)):
            return None
        if one.windows and not any(self._is_open(window, wall) for window in one.windows):
            return None
        number, handover = -1, first
        if one.unit == "week" and one.weekday is not None:
            while handover.weekday() != one.weekday:
                handover -= timedelta(days=1)
        while handover <= wall:
            handover += {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}[one.unit] * (
                one.length
            )
            number += 1
        return one.people[number % len(one.people)]

    def _is_open(self, window: Window, wall: datetime) -> bool:
        for day in (wall.date(), wall.date() - timedelta(days=1)):
            begins, ends = datetime.combine(day, window.begins), datetime.combine(day, window.ends)
            ends += timedelta(days=0 if window.ends > window.begins else 1)
            if day.weekday() in window.weekdays and begins <= wall < ends:
                return True
        return False


clock = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
window = st.builds(Window, st.frozensets(st.integers(0, 6), min_size=1), clock, clock)


@st.composite
def stories(draw):
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = draw(st.sampled_from([*CHANGES[zone], date(2028, 2, 29)]))
    starts_on = change - timedelta(days=draw(st.integers(0, 9)))
    one = layer(
        zone=zone, starts_on=starts_on, handover_at=draw(clock), unit=draw(st.sampled_from(["hour", "day", "week"])),
        length=draw(st.integers(1, 14)), weekday=draw(st.none() | st.integers(0, 6)),
        people=tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))),
        windows=tuple(draw(st.lists(window, max_size=2))),
        ends_on=draw(st.none() | st.integers(1, 12).map(lambda days: starts_on + timedelta(days=days))),
    )  # fmt: skip
    since = midnight(change - timedelta(days=1), ZoneInfo(zone))
    minutes = st.integers(-600, 3600)
    covers = [
        Cover(key, 1, 9 + key, since + MINUTE * begins, since + MINUTE * (begins + lasts))
        for key, (begins, lasts) in enumerate(draw(st.lists(st.tuples(minutes, st.integers(1, 2000)), max_size=3)))
    ]
    return one, covers, since


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(stories())
def test_the_right_person_every_minute_of_three_days(story):
    one, covers, since = story
    walk = Walk(one, covers, since)
    ends = since + timedelta(days=3)
    found = segments(one, covers, since, ends)
    assert all(first.ends_at <= second.starts_at for first, second in zip(found, found[1:], strict=False))
    assert all(since <= part.starts_at < part.ends_at <= ends for part in found)
    number, at = 0, since
    while at < ends:
        while number < len(found) and found[number].ends_at <= at:
            number += 1
        held = found[number] if number < len(found) and found[number].starts_at <= at else None
        expected = walk.whom(at)
        assert (held.person if held else None) == expected, at
        if at.minute == 0:
            assert whom(one, at, covers) == expected
        at += MINUTE
