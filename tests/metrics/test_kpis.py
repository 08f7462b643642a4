"""The figures of process.md, "KPIs": by hand, and against a naive second computation."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from incidents.models import MaintenanceWindow, MajorIncident
from metrics.definitions import DURATIONS, STATISTICS
from metrics.kpis import by_service, figures, incident_rows, summarise
from tests.metrics.histories import (
    CLOCKS_OF,
    naive_between_failures,
    naive_statistics,
    past_incident,
    scope,
    service,
    utc,
)

pytestmark = pytest.mark.django_db
HOUR = 3600.0
MAY = scope(utc(2026, 5, 1), utc(2026, 6, 1))
NOW = utc(2026, 7, 1)


def cloudflare():
    edge = service("edge")
    return past_incident(
        downtime=[(edge, utc(2019, 7, 2, 13, 42), utc(2019, 7, 2, 14, 9))],
        started_at=utc(2019, 7, 2, 13, 42),
        detected_at=utc(2019, 7, 2, 13, 45),
        reported_at=utc(2019, 7, 2, 13, 45),
        contained_at=utc(2019, 7, 2, 14, 7),
        restored_at=utc(2019, 7, 2, 14, 9),
        resolved_at=utc(2019, 7, 2, 14, 52),
    )


def test_the_worked_case_gives_the_published_figures():
    cloudflare()
    found = figures(scope(utc(2019, 7, 1), utc(2019, 8, 1)), at=NOW)
    statistics = found.whole.statistics
    assert statistics["mttd"].mean_seconds == 3 * 60
    assert statistics["time_to_restore"].mean_seconds == 24 * 60
    assert statistics["mttr"].mean_seconds == 67 * 60
    assert statistics["time_to_contain"].mean_seconds == 22 * 60
    assert statistics["average_downtime"].mean_seconds == 27 * 60
    assert (statistics["mtta"].mean_seconds, statistics["mtta"].n) == (None, 0)
    assert (statistics["time_to_declare"].mean_seconds, statistics["time_to_declare"].n) == (None, 0)
    assert found.whole.count == 1
    assert found.mtbf.failures == 1
    assert found.mtbf.mean_seconds == 31 * 24 * HOUR - 27 * 60


def test_overlapping_intervals_count_once_for_downtime_and_each_as_a_failure():
    shop = service("shop", cost_per_hour=100)
    past_incident(
        declared_at=utc(2026, 5, 4, 10),
        downtime=[
            (shop, utc(2026, 5, 4, 10), utc(2026, 5, 4, 12)),
            (shop, utc(2026, 5, 4, 11), utc(2026, 5, 4, 13)),
        ],
    )
    found = figures(MAY, at=NOW)
    assert found.whole.statistics["average_downtime"].mean_seconds == 3 * HOUR
    assert found.whole.cost.value == 300
    assert found.mtbf.failures == 2
    assert found.mtbf.uptime_seconds == 31 * 24 * HOUR - 3 * HOUR
    assert found.mtbf.mean_seconds == (31 * 24 * HOUR - 3 * HOUR) / 2
    assert found.mtbf.start_to_start_seconds == HOUR


def test_two_services_down_at_once_make_one_downtime_but_cost_both():
    shop, pay = service("shop", cost_per_hour=100), service("pay", cost_per_hour=50)
    past_incident(
        declared_at=utc(2026, 5, 4, 10),
        downtime=[
            (shop, utc(2026, 5, 4, 10), utc(2026, 5, 4, 12)),
            (pay, utc(2026, 5, 4, 11), utc(2026, 5, 4, 13)),
        ],
    )
    found = figures(MAY, at=NOW)
    assert found.whole.statistics["average_downtime"].mean_seconds == 3 * HOUR
    assert found.whole.cost.value == 300
    assert found.mtbf.uptime_seconds == 2 * (31 * 24 - 2) * HOUR
    assert figures(scope(MAY.start, MAY.end, services=(pay.pk,)), at=NOW).whole.cost.value == 100


def test_a_reopened_incident_adds_its_second_outage_and_resolves_at_the_last_one():
    shop = service("shop")
    past_incident(
        reported_at=utc(2026, 5, 4, 10),
        declared_at=utc(2026, 5, 4, 10, 5),
        resolved_at=utc(2026, 5, 5, 9),
        downtime=[
            (shop, utc(2026, 5, 4, 10), utc(2026, 5, 4, 11)),
            (shop, utc(2026, 5, 5, 8), utc(2026, 5, 5, 8, 30)),
        ],
    )
    found = figures(MAY, at=NOW)
    assert found.whole.statistics["average_downtime"].mean_seconds == 1.5 * HOUR
    assert found.whole.statistics["mttr"].mean_seconds == 23 * HOUR
    assert found.mtbf.failures == 2
    assert found.mtbf.start_to_start_seconds == 22 * HOUR


def test_an_outage_over_the_end_of_the_month_is_cut_for_uptime_only():
    shop = service("shop")
    past_incident(declared_at=utc(2026, 4, 30, 23), downtime=[(shop, utc(2026, 4, 30, 23), utc(2026, 5, 1, 2))])
    april, may = scope(utc(2026, 4, 1), utc(2026, 5, 1)), MAY
    assert figures(april, at=NOW).whole.statistics["average_downtime"].mean_seconds == 3 * HOUR
    assert figures(april, at=NOW).mtbf.uptime_seconds == (30 * 24 - 1) * HOUR
    assert figures(april, at=NOW).mtbf.failures == 1
    assert figures(may, at=NOW).mtbf.uptime_seconds == (31 * 24 - 2) * HOUR
    assert figures(may, at=NOW).mtbf.failures == 0
    assert figures(may, at=NOW).mtbf.mean_seconds is None
    assert figures(may, at=NOW).whole.count == 0


def test_an_open_outage_counts_up_to_now_and_is_marked():
    shop = service("shop")
    past_incident(stage="containment", declared_at=utc(2026, 5, 4, 10), downtime=[(shop, utc(2026, 5, 4, 10), None)])
    downtime = figures(MAY, at=utc(2026, 5, 4, 12)).whole.statistics["average_downtime"]
    assert (downtime.mean_seconds, downtime.still_open) == (2 * HOUR, 1)
    assert figures(MAY, at=utc(2026, 5, 4, 12)).mtbf.uptime_seconds == (3 * 24 + 10) * HOUR


def test_planned_work_is_not_downtime_and_an_outage_within_it_is_no_failure():
    shop = service("shop")
    window = MaintenanceWindow.objects.create(
        title="Upgrade", starts_at=utc(2026, 5, 4, 10), ends_at=utc(2026, 5, 4, 11)
    )
    window.services.add(shop)
    past_incident(declared_at=utc(2026, 5, 4, 10), downtime=[(shop, utc(2026, 5, 4, 10), utc(2026, 5, 4, 10, 30))])
    found = figures(MAY, at=NOW)
    assert (found.whole.statistics["average_downtime"].n, found.mtbf.failures) == (0, 0)
    past_incident(declared_at=utc(2026, 5, 4, 10), downtime=[(shop, utc(2026, 5, 4, 10), utc(2026, 5, 4, 13))])
    found = figures(MAY, at=NOW)
    assert found.whole.statistics["average_downtime"].mean_seconds == 2 * HOUR
    assert found.mtbf.failures == 1
    assert found.mtbf.uptime_seconds == (31 * 24 - 2) * HOUR


def test_an_outage_of_no_length_is_still_a_failure():
    shop = service("shop")
    past_incident(declared_at=utc(2026, 5, 4, 10), downtime=[(shop, utc(2026, 5, 4, 10), utc(2026, 5, 4, 10))])
    found = figures(MAY, at=NOW)
    assert (found.mtbf.failures, found.whole.statistics["average_downtime"].mean_seconds) == (1, 0)


def test_nothing_in_the_period_gives_none_and_never_zero():
    service("shop")
    found = figures(MAY, at=NOW)
    for statistic in found.whole.statistics.values():
        assert (statistic.mean_seconds, statistic.median_seconds, statistic.p90_seconds, statistic.n) == (
            None, None, None, 0,
        )  # fmt: skip
    assert all((rate.value, rate.n) == (None, 0) for rate in found.whole.rates.values())
    assert (found.whole.cost.value, found.whole.cost.n) == (None, 0)
    assert found.whole.count == 0
    assert found.mtbf.mean_seconds is None
    assert found.months[0].change_percent is None


def test_a_period_that_has_not_begun_has_no_uptime():
    service("shop")
    found = figures(scope(utc(2027, 1, 1), utc(2027, 2, 1)), at=NOW)
    assert (found.mtbf.uptime_seconds, found.mtbf.mean_seconds) == (0, None)


def test_drills_stood_down_and_merged_incidents_are_in_no_figure():
    shop = service("shop")
    down = [(shop, utc(2026, 5, 4, 10), utc(2026, 5, 4, 11))]
    declared = {"declared_at": utc(2026, 5, 4, 10), "downtime": down}
    counted = past_incident(**declared)
    past_incident(**declared, is_drill=True)
    past_incident(**declared, stage="stood_down", stood_down_reason="False alarm")
    past_incident(**declared, merged_into=counted)
    found = figures(MAY, at=NOW)
    assert (found.whole.count, found.mtbf.failures) == (1, 1)
    assert [row["id"] for row in incident_rows(MAY, at=NOW)] == [counted.pk]


def test_an_incident_belongs_to_the_period_it_was_declared_in_else_reported():
    past_incident(reported_at=utc(2026, 4, 30, 23, 59), declared_at=utc(2026, 5, 1))
    past_incident(reported_at=utc(2026, 5, 31, 23, 59))
    past_incident(reported_at=utc(2026, 5, 31, 23, 59), declared_at=utc(2026, 6, 1))
    assert summarise(MAY, at=NOW)[0].count == 2


def test_months_are_compared_with_the_first_month_of_the_range():
    for month, count in ((4, 2), (6, 3)):
        for day in range(count):
            past_incident(declared_at=utc(2026, month, 1 + day))
    _, months = summarise(scope(utc(2026, 4, 1), utc(2026, 7, 1)), at=NOW)
    assert [(one.month, one.count, one.change_percent) for one in months] == [
        ("2026-04", 2, 0.0),
        ("2026-05", 0, -100.0),
        ("2026-06", 3, 50.0),
    ]
    _, months = summarise(scope(utc(2026, 5, 1), utc(2026, 7, 1)), at=NOW)
    assert [(one.count, one.change_percent) for one in months] == [(0, None), (3, None)]


def test_months_follow_the_clock_changes_of_the_organisation():
    past_incident(declared_at=utc(2026, 3, 31, 21, 59))  # 23:59 summer time: still March
    past_incident(declared_at=utc(2026, 3, 31, 22, 0))  # midnight of 1 April in Berlin
    past_incident(declared_at=utc(2026, 10, 31, 22, 59))  # 23:59 winter time: still October
    past_incident(declared_at=utc(2026, 10, 31, 23, 0))  # midnight of 1 November
    _, months = summarise(scope(utc(2026, 2, 28, 23), utc(2026, 11, 30, 23), "Europe/Berlin"), at=utc(2027, 1, 1))
    counts = {one.month: one.count for one in months}
    assert (len(counts), counts["2026-03"], counts["2026-04"], counts["2026-10"], counts["2026-11"]) == (9, 1, 1, 1, 1)


def test_filters_choose_by_service_and_severity():
    shop, pay = service("shop"), service("pay")
    hour = [utc(2026, 5, 4, 10), utc(2026, 5, 4, 11)]
    past_incident(severity="SEV1", declared_at=hour[0], downtime=[(shop, *hour)])
    past_incident(severity="SEV2", declared_at=hour[0], downtime=[(pay, *hour)])
    for_shop = figures(scope(MAY.start, MAY.end, services=(shop.pk,)), at=NOW)
    assert (for_shop.whole.count, for_shop.mtbf.failures, len(for_shop.services)) == (1, 1, 1)
    for_second = figures(scope(MAY.start, MAY.end, severities=("SEV2",)), at=NOW)
    assert (for_second.whole.count, for_second.mtbf.failures) == (1, 1)
    assert {row.slug: row.mtbf.failures for row in for_second.services} == {"shop": 0, "pay": 1}


def test_mtbf_of_all_is_the_sum_of_uptimes_over_the_sum_of_failures():
    shop, pay = service("shop"), service("pay")
    service("quiet")
    past_incident(
        declared_at=utc(2026, 5, 4),
        downtime=[(shop, utc(2026, 5, 4), utc(2026, 5, 5)), (pay, utc(2026, 5, 9), utc(2026, 5, 9, 6))],
    )
    rows, together = by_service(MAY, at=NOW)
    by_name = {row.slug: row.mtbf.mean_seconds for row in rows}
    assert by_name == {"shop": 30 * 24 * HOUR, "pay": (31 * 24 - 6) * HOUR, "quiet": None}
    assert together.mean_seconds == (3 * 31 * 24 - 30) * HOUR / 2


def test_the_figures_need_two_queries_however_much_there_is(django_assert_num_queries):
    for number in range(12):
        one = service(f"service-{number}")
        past_incident(
            declared_at=utc(2026, 5, 1 + number), downtime=[(one, utc(2026, 5, 1 + number), utc(2026, 5, 2 + number))]
        )
    with django_assert_num_queries(2):
        figures(MAY, at=NOW)


def test_every_duration_lies_between_two_clocks_of_an_incident():
    names = {field.name for field in MajorIncident._meta.get_fields()}
    assert {kpi.key: (kpi.start, kpi.end) for kpi in DURATIONS} == CLOCKS_OF
    assert all(kpi.start in names and kpi.end in names for kpi in DURATIONS)


# --- Against the naive computation ---------------------------------------------------------------
START = utc(2026, 5, 1)
minute_offsets = st.integers(min_value=-600, max_value=2400)


@st.composite
def histories(draw):
    """Clocks in their order, some unknown; up to three intervals on two services, some still open."""
    offsets = sorted(draw(st.lists(minute_offsets, min_size=9, max_size=9)))
    names = ("started_at", "detected_at", "reported_at", "acknowledged_at", "declared_at", "contained_at",
             "restored_at", "resolved_at", "closed_at")  # fmt: skip
    known = draw(st.lists(st.booleans(), min_size=9, max_size=9))
    clocks = {
        name: START + timedelta(minutes=offset) if is_known else None
        for name, offset, is_known in zip(names, offsets, known, strict=True)
    }
    downtime, still_open = [], set()
    for which, begin, length in draw(
        st.lists(st.tuples(st.sampled_from([0, 1]), minute_offsets, st.integers(0, 300)), max_size=3)
    ):
        is_open = length == 0 and which not in still_open
        if is_open:
            still_open.add(which)
        begins = START + timedelta(minutes=begin)
        downtime.append((which, begins, None if is_open else begins + timedelta(minutes=max(length, 1))))
    return {**clocks, "downtime": downtime}


class AgainstTheNaiveComputation(TestCase):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(histories(), max_size=5), st.integers(0, 1500), st.booleans())
    def test_every_figure_equals_the_naive_one(self, drawn, length, with_window):
        services = [service("shop", 60), service("pay", 120)]
        start, end, now = START, START + timedelta(minutes=length + 60), START + timedelta(minutes=2500)
        windows = []
        if with_window:
            window = MaintenanceWindow.objects.create(
                title="Work", starts_at=START + timedelta(minutes=100), ends_at=START + timedelta(minutes=220)
            )
            window.services.add(services[0])
            windows = [(services[0].pk, window.starts_at, window.ends_at)]
        plain = []
        for history in drawn:
            downtime = [(services[which], begins, ends) for which, begins, ends in history["downtime"]]
            clocks = {name: value for name, value in history.items() if name != "downtime"}
            past_incident(downtime=downtime, **clocks)
            plain.append({**clocks, "downtime": [(one.pk, begins, ends) for one, begins, ends in downtime]})
        found = figures(scope(start, end), at=now)
        expected = naive_statistics(plain, start, end, now, windows)
        assert found.whole.count == expected["count"]
        for kpi in STATISTICS:
            one = found.whole.statistics[kpi.key]
            assert (one.mean_seconds, one.median_seconds, one.p90_seconds, one.n) == pytest.approx(expected[kpi.key])
        if not windows:
            mean, failures, uptime = naive_between_failures(plain, [one.pk for one in services], start, end, now)
            assert found.mtbf.failures == failures
            assert found.mtbf.uptime_seconds == pytest.approx(uptime)
            assert found.mtbf.mean_seconds == (mean if mean is None else pytest.approx(mean))
