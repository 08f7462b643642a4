"""The labelled replay in small: one seed, five months, ten outages. The whole of it is `manage.py measure_influx`."""

from io import StringIO

import pytest
from django.core.management import call_command

from incidents.detection import Thresholds
from metrics.demo import influx_history, influx_measure


@pytest.fixture(scope="module")
def history():
    return influx_history.make(seed=21, days=150, per_day=120, outages=10)


@pytest.fixture(scope="module")
def measured(history):
    return influx_measure.measure(history, Thresholds())


def test_nine_of_ten_outages_are_caught_and_at_most_one_a_week_is_nothing(measured):
    assert measured.recall >= 0.9, measured.missed
    assert measured.false_a_week <= 1.0


def test_a_caught_outage_is_proposed_within_minutes_of_reaching_the_floors(measured):
    lags = sorted(one.lag_seconds for one in measured.caught)
    assert lags[len(lags) // 2] <= 300


def test_thresholds_that_can_hardly_be_reached_catch_hardly_anything(history):
    strict = influx_measure.measure(history, Thresholds(least_arrivals=40, least_requesters=40))
    assert strict.recall < 0.3 and strict.false_a_week == 0


def test_the_history_is_labelled_and_the_same_for_the_same_seed(history):
    again = influx_history.make(seed=21, days=150, per_day=120, outages=10)
    assert again.reports == history.reports
    assert sorted({one.shape for one in history.outages}) == sorted(influx_history.SHAPES)
    labelled = [one for one in history.reports if one.incident]
    assert len(labelled) == sum(one.reports for one in history.outages)
    assert [one.at for one in history.reports] == sorted(one.at for one in history.reports)


def test_the_command_says_how_the_data_were_made():
    out = StringIO()
    call_command("measure_influx", seed=[31], days=40, per_day=30, outages=3, stdout=out)
    assert "by a program, not by a desk" in out.getvalue() and "All seeds: recall" in out.getvalue()
