"""Service hours against a counter that looks at every minute: summer time, leap days, holidays, odd zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.service_hours import (
    ALL_DAY,
    FARTHEST,
    WORKING_WEEK,
    Hours,
    around_the_clock,
    read_day,
    tidy,
    written_day,
)

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana",
         "Asia/Beirut", "Africa/Casablanca", "Pacific/Apia"]  # fmt: skip


def naive_seconds(hours: Hours, start: datetime, end: datetime) -> int:
    """Looks at the wall clock of every minute."""
    counted, at = 0, start
    while at < end:
        local = at.astimezone(hours.zone)
        spans = () if local.date() in hours.holidays else hours.week[local.weekday()]
        counted += 60 * any(a <= local.hour * 60 + local.minute < b for a, b in spans)
        at += MINUTE
    return counted


spans = st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda s: s[0] < s[1]), max_size=3)
weeks = st.lists(spans.map(tidy), min_size=7, max_size=7).map(tuple)
TURNS = [
    datetime.fromisoformat(f"{day}T00:00+00:00")
    for day in (
        *("2024-03-31", "2024-10-27", "2024-03-10", "2024-11-03", "2024-04-07", "2024-10-06"),
        *("2024-02-29", "2023-12-31", "2011-12-30", "2024-04-14", "2021-03-28"),
    )
]
starts = st.builds(
    lambda turn, minutes: turn + timedelta(minutes=minutes),
    st.sampled_from(TURNS), st.integers(-3000, 2000),
)  # fmt: skip
free_days = st.frozensets(
    st.sampled_from([t.date() + timedelta(days=n) for t in TURNS for n in (-1, 0, 1)]), max_size=4
)
all_hours = st.builds(Hours, st.sampled_from(ZONES).map(ZoneInfo), weeks, free_days)


@settings(max_examples=60, deadline=None)
@given(all_hours, starts, st.integers(0, 3000))
def test_what_counts_is_what_a_minute_by_minute_counter_counts(hours, start, minutes):
    end = start + minutes * MINUTE
    assert hours.seconds_between(start, end) == naive_seconds(hours, start, end)


@settings(max_examples=60, deadline=None)
@given(all_hours, starts, st.integers(1, 3000))
def test_a_deadline_is_the_first_minute_at_which_enough_has_been_counted(hours, start, minutes):
    due = hours.after(start, minutes * 60)
    if due is None:
        assert hours.seconds_between(start, start + FARTHEST) < minutes * 60
        return
    assert hours.seconds_between(start, due) == minutes * 60
    assert hours.seconds_between(start, due - MINUTE) == (minutes - 1) * 60


@settings(max_examples=50, deadline=None)
@given(all_hours, starts, st.integers(0, 4000), st.integers(0, 4000))
def test_two_halves_are_the_whole(hours, start, first, second):
    middle, end = start + first * MINUTE, start + (first + second) * MINUTE
    halves = hours.seconds_between(start, middle) + hours.seconds_between(middle, end)
    assert halves == hours.seconds_between(start, end)


@settings(max_examples=50, deadline=None)
@given(all_hours, starts)
def test_open_is_where_a_minute_counts(hours, start):
    assert hours.is_open(start) == (hours.seconds_between(start, start + MINUTE) == 60)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2024-03-28T16:30+01:00", 120, "2024-03-29T08:30+01:00"),  # over night
        ("2024-03-29T17:00+01:00", 120, "2024-04-01T09:00+02:00"),  # over a weekend that loses an hour
        ("2024-10-25T17:00+02:00", 120, "2024-10-28T09:00+01:00"),  # over one that repeats an hour
        ("2024-02-28T17:30+01:00", 60, "2024-02-29T08:30+01:00"),  # into a leap day
        ("2024-12-24T17:00+01:00", 120, "2024-12-27T09:00+01:00"),  # over two holidays
        ("2024-03-30T03:00+01:00", 1, "2024-04-01T08:01+02:00"),  # reported outside the hours
    ],
)
def test_deadlines_of_a_working_week_in_berlin(start, minutes, due):
    hours = Hours(BERLIN, WORKING_WEEK, frozenset({date(2024, 12, 25), date(2024, 12, 26)}))
    assert hours.after(datetime.fromisoformat(start), minutes * 60) == datetime.fromisoformat(due)


def test_a_night_that_repeats_an_hour_has_one_more_and_a_shorter_one_has_one_less():
    night = Hours(BERLIN, ((ALL_DAY,),) * 7, frozenset({date(1999, 1, 1)}))
    for day, hours_long in ((date(2024, 10, 27), 25), (date(2024, 3, 31), 23), (date(2024, 2, 29), 24)):
        start = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
        assert night.seconds_between(start, start + timedelta(days=1)) == hours_long * 3600


def test_seconds_count_exactly_around_the_clock():
    always = around_the_clock(BERLIN)
    start = datetime(2024, 3, 31, 0, 30, 15, 500_000, tzinfo=UTC)
    assert always.is_always
    assert always.after(start, 7200.25) == start + timedelta(seconds=7200.25)
    assert always.seconds_between(start, start - MINUTE) == 0


def test_hours_that_never_come_have_no_deadline():
    assert Hours(BERLIN, ((),) * 7).after(datetime(2024, 1, 1, tzinfo=UTC), 60) is None


def test_a_ten_year_walk_is_no_walk_of_minutes():
    once_a_week = Hours(BERLIN, (((540, 541),), *((),) * 6))
    assert once_a_week.after(datetime(2024, 1, 1, tzinfo=UTC), 60 * 400) is not None


@pytest.mark.parametrize(
    ("text", "spans"),
    [("", ()), ("8-17", ((480, 1020),)), ("08:00–12:00, 13:00-17:30", ((480, 720), (780, 1050))),
     ("0:00-24:00", (ALL_DAY,)), ("9-12,11-13", ((540, 780),))],
)  # fmt: skip
def test_a_day_is_typed_as_people_write_it(text, spans):
    assert read_day(text) == spans
    assert read_day(written_day(spans)) == spans


@pytest.mark.parametrize("text", ["9", "9-8", "25:00-26:00", "08:61-09:00", "-", "a-b", "８-９"])
def test_what_is_no_time_of_day_is_refused_with_its_words(text):
    with pytest.raises(ValueError, match=r".+"):
        read_day(text)
