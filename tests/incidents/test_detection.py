"""The pure part: tables and properties of the verdict, of what is usual, and of hours when clocks change."""

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.detection import (
    HOURS,
    UNKNOWN_PER_HOUR,
    Calendar,
    InForce,
    Minute,
    Repeated,
    Thresholds,
    Usual,
    Window,
    assess,
    combined,
    hours_between,
    poisson_tail,
    repeated_in,
    said,
    usual_of,
    window_of,
)

AT = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)
settings.register_profile("patient", deadline=None)  # eight people share two processors
settings.load_profile("patient")
BERLIN = Calendar(ZoneInfo("Europe/Berlin"))


def minutes(n):
    return AT + timedelta(minutes=n)


def window(tickets, requesters, alerts=0):
    return Window(AT, minutes(14), tickets, alerts, frozenset(range(requesters)), 12)


# --- The tail ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("count", "expected", "tail"),
    [(0, 1.0, 1.0), (1, 0.0, 0.0), (5, 0.25, 6.611710561e-06), (9, 1.0, 1.125202597e-06), (14, 1.1, 1.5641e-11),
     (1, 0.5, 1 - math.exp(-0.5)), (200, 100, 9.343150073e-19)],
)  # fmt: skip
def test_the_tail_is_that_of_the_poisson_distribution(count, expected, tail):
    assert poisson_tail(count, expected) == pytest.approx(tail, rel=0.001, abs=1e-30)


@given(st.integers(0, 500), st.floats(0.001, 300))
def test_more_arrivals_are_never_more_probable(count, expected):
    assert poisson_tail(count + 1, expected) <= poisson_tail(count, expected) * (1 + 1e-9)


@given(st.integers(1, 200), st.floats(0.001, 100), st.floats(0.001, 50))
def test_where_more_is_usual_the_same_count_is_never_more_remarkable(count, expected, more):
    assert poisson_tail(count, expected + more) >= poisson_tail(count, expected) * (1 - 1e-9)


@given(st.floats(1e-300, 1), st.floats(1e-300, 1))
def test_two_findings_together_stay_a_probability(one, other):
    assert 0 <= combined(one, other) <= 1 + 1e-9


# --- The verdict -----------------------------------------------------------------------------------
@given(
    st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.floats(0.0, 50), st.integers(2, 30),
    st.integers(1, 20), st.floats(1e-12, 0.5),
)  # fmt: skip
def test_nothing_is_proposed_below_a_floor(tickets, alerts, requesters, expected, floor, people, tail):
    thresholds = Thresholds(least_arrivals=floor, least_requesters=people, tail=tail)
    verdict = assess(window(tickets, requesters, alerts), expected, thresholds)
    if verdict.proposes:
        assert tickets + alerts >= floor and requesters >= people and verdict.tail <= tail


@given(st.integers(0, 60), st.integers(0, 30), st.floats(0.0, 20), st.integers(0, 30), st.integers(0, 10))
def test_what_is_proposed_stays_so_with_more_of_it(tickets, requesters, expected, more, others):
    if assess(window(tickets, requesters), expected, Thresholds()).proposes:
        assert assess(window(tickets + more, requesters + others), expected, Thresholds()).proposes


@given(st.integers(5, 40), st.floats(0.01, 10), st.integers(0, 30), st.floats(0.05, 5))
def test_reports_that_say_the_same_never_make_it_less_remarkable(tickets, expected, beyond, usual):
    alone = assess(window(tickets, tickets), expected, Thresholds())
    alike = assess(window(tickets, tickets), expected, Thresholds(), repeated=Repeated(beyond + 1, beyond, usual))
    assert alike.tail <= alone.tail


def test_the_first_of_each_group_does_not_count_as_a_repetition():
    found = repeated_in([(4, 0.2), (1, 9.0), (2, 0.0)])
    assert (found.reports, found.beyond) == (6, 4)
    assert found.expected == pytest.approx(0.05 + 0.2 + 0.005)


def test_the_reasons_are_plain_words():
    verdict = assess(window(14, 9), 1.1, Thresholds())
    assert said(verdict, [("checkout", 11)]) == [
        "14 tickets in 12 minutes, normally 1.1; 11 mention checkout",
        "From 9 different requesters or sources",
        "By chance this happens less than once in a thousand million such windows",
    ]
    mixed = assess(Window(AT, AT, 1, 1, frozenset([1]), 1), 0.01, Thresholds(), repeated=Repeated(2, 1, 0.05))
    assert said(mixed)[:2] == [
        "1 ticket and 1 alert in 1 minute, normally less than 0.1",
        "2 of them say the same as another",
    ]


def test_a_service_may_have_thresholds_of_its_own():
    force = InForce(Thresholds(), {7: Thresholds(least_arrivals=50)})
    assert (force.of(7).least_arrivals, force.of(8).least_arrivals, force.of(None).least_arrivals) == (50, 5, 5)


# --- The window ------------------------------------------------------------------------------------
def test_a_window_slides_by_the_minute():
    held = [Minute(minutes(n), 1, 0, frozenset([n])) for n in range(30)]
    found = window_of(held, minutes(20.9), 15)
    assert (found.begins_at, found.ends_at, found.tickets, found.requesters, found.lasted) == (
        minutes(6), minutes(20), 15, 15, 15,
    )  # fmt: skip


def test_what_was_judged_does_not_count_again():
    held = [Minute(minutes(n), 2, 1, frozenset([n])) for n in range(10)]
    found = window_of(held, minutes(9), 15, after=minutes(6.5))
    assert (found.tickets, found.alerts, found.requesters, found.lasted) == (6, 3, 3, 3)
    assert window_of(held, minutes(9), 15, after=minutes(9)).arrived == 0


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 5)), max_size=40), st.integers(0, 90), st.integers(1, 60))
def test_a_longer_window_never_holds_less(rows, end, length):
    held = [Minute(minutes(at), count) for at, count in rows]
    assert window_of(held, minutes(end), length + 1).tickets >= window_of(held, minutes(end), length).tickets


# --- Hours of the week -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("at", "hour"),
    [
        (datetime(2024, 3, 3, 23, 0, tzinfo=UTC), 0),  # Monday 00:00 in winter
        (datetime(2024, 7, 7, 22, 0, tzinfo=UTC), 0),  # Monday 00:00 in summer
        (datetime(2024, 3, 31, 0, 30, tzinfo=UTC), 6 * 24 + 1),  # the last hour before clocks go forward
        (datetime(2024, 3, 31, 1, 30, tzinfo=UTC), 6 * 24 + 3),  # there is no 02:00
        (datetime(2024, 10, 27, 0, 30, tzinfo=UTC), 6 * 24 + 2),  # 02:00 in summer time
        (datetime(2024, 10, 27, 1, 30, tzinfo=UTC), 6 * 24 + 2),  # and once more in winter time
        (datetime(2024, 10, 27, 2, 30, tzinfo=UTC), 6 * 24 + 3),
    ],
)
def test_hours_follow_the_clocks_of_the_organisation(at, hour):
    assert BERLIN.hour(at) == hour


def test_a_holiday_counts_as_a_sunday_and_teaches_nothing():
    calendar = Calendar(ZoneInfo("Europe/Berlin"), frozenset([date(2024, 5, 1)]))
    assert calendar.hour(datetime(2024, 5, 1, 8, 0, tzinfo=UTC)) == 6 * 24 + 10
    week = hours_between(datetime(2024, 4, 28, 22, 0, tzinfo=UTC), datetime(2024, 5, 5, 22, 0, tzinfo=UTC), calendar)
    assert len(week) == HOURS - 24


@given(st.integers(0, 3 * 525_600), st.integers(1, 300))
def test_what_a_window_normally_brings_is_the_sum_of_its_minutes(start, length):
    begin = minutes(start)
    usual = Usual(tuple(float(hour) for hour in range(HOURS)))
    each = [begin + timedelta(minutes=n) for n in range(length)]
    expected = sum(usual.per_hour[BERLIN.hour(at)] / 60 for at in each)
    assert usual.expected(begin, each[-1], BERLIN) == pytest.approx(expected)


# --- What is usual ---------------------------------------------------------------------------------
def weeks(number, count):
    """So many weeks in which every hour brought `count(at)`."""
    hours = hours_between(AT - timedelta(weeks=number), AT, Calendar(ZoneInfo("UTC")))
    return {at: count(at) for at, _ in hours}, hours


def test_without_history_the_unknown_is_assumed():
    assert usual_of({}, []) == Usual()
    assert Usual().per_hour[0] == UNKNOWN_PER_HOUR


def test_a_long_history_is_its_mean():
    counts, hours = weeks(12, lambda at: 6 if at.weekday() == 0 and at.hour == 9 else 1)
    usual = usual_of(counts, hours)
    assert usual.observed == 12
    assert usual.per_hour[9] == pytest.approx(5.1, abs=0.3)
    assert usual.per_hour[5 * 24 + 9] == pytest.approx(1, abs=0.1)


def test_one_outage_does_not_become_usual():
    counts, hours = weeks(12, lambda at: 1)
    outage = AT - timedelta(weeks=3) + timedelta(hours=1)
    with_outage = usual_of(counts | {outage: 200}, hours)
    assert with_outage.per_hour[10] < usual_of(counts, hours).per_hour[10] + 0.5


def test_an_import_that_puts_everything_at_midnight_stays_in_its_hour():
    counts, hours = weeks(12, lambda at: 0)
    usual = usual_of(counts | {AT - timedelta(days=7, hours=9): 5_000}, hours)
    assert max(usual.per_hour) < 1


def test_a_thin_history_leans_on_similar_hours():
    counts, hours = weeks(1, lambda at: 8 if at.weekday() < 5 and 8 <= at.hour < 18 else 0)
    counts[AT - timedelta(weeks=1) + timedelta(hours=1)] = 0  # one quiet Monday hour
    usual = usual_of(counts, hours)
    assert 3 < usual.per_hour[10] < 8
    assert usual.per_hour[6 * 24 + 3] < 1


@given(st.integers(1, 14), st.integers(0, 30))
def test_usual_is_never_nothing_and_never_above_what_came(number, count):
    counts, hours = weeks(number, lambda at: count)
    assert all(0 < one <= max(count, 1) + 1 for one in usual_of(counts, hours).per_hour)
