"""Months that are kept: always equal to the direct and to the naive computation, whatever moves; and nobody waits."""

from contextlib import closing
from dataclasses import asdict, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from incidents.models import (
    DowntimeInterval,
    Holiday,
    IncidentStep,
    MaintenanceWindow,
    MajorIncident,
    Problem,
    Review,
    Service,
    ServiceHours,
    Ticket,
    UpdatePromise,
)
from incidents.process import CLOCKS
from metrics import kept_months, month_blocks, rows, tasks
from metrics.kpis import figures
from metrics.models import IncidentFigures, MonthFigures, Moved
from metrics.periods import Grain, month_start
from tests.metrics.histories import past_incident, scope, service, set_zone, utc
from tests.metrics.naive import Naive
from tests.metrics.test_against_naive import ZONES, check, histories, hours_zone, spans_of, written

STARTS = (utc(2026, 3, 3), utc(2026, 10, 9), utc(2027, 12, 20))
"""Ninety days over both changes of the clock, and over a leap day."""
HOURS, DAYS = 60, 24 * 60


def stretched(drawn):
    """The same history over three months instead of a day and a half; how long an outage lasts stays."""
    clocks = {name: None if offset is None else offset * HOURS for name, offset in drawn["clocks"].items()}
    return drawn | {
        "clocks": clocks,
        "downtime": [(which, at * HOURS, length) for which, at, length in drawn["downtime"]],
    }


def same(one, other) -> bool:
    """To nine digits: the same numbers added in another order differ in the last one."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == pytest.approx(other, rel=1e-9, abs=1e-6) if isinstance(one, float) else one == other


def without_targets(found):
    whole = asdict(replace(found, scope=None))
    for month in whole["months"]:
        month["summary"].pop("targets")
    return whole


def check_kept_against_direct(asked, now):
    kept, direct = figures(asked, at=now), figures(replace(asked, use_kept=False), at=now)
    assert same(without_targets(kept), without_targets(direct))
    return kept, direct


# --- What may happen to the past; each returns nothing and keeps the naive history in step ---------
def corrects_downtime(incident, one, start, services):
    spans = spans_of([(0, 40 * DAYS, 90), (1, 41 * DAYS, 1)], start, services, may_be_open=False)
    DowntimeInterval.objects.filter(incident=incident).delete()
    DowntimeInterval.objects.bulk_create(
        DowntimeInterval(incident=incident, service=known, started_at=a, ended_at=b) for known, a, b in spans
    )
    one["downtime"] = [(known.pk, a, b) for known, a, b in spans]


def loses_an_outage(incident, one, start, services):
    last = DowntimeInterval.objects.filter(incident=incident).order_by("pk").last()
    if last is not None:
        last.delete()
        one["downtime"] = one["downtime"][:-1]


def moves_an_outage_to_another_month(incident, one, start, services):
    for row, (known, a, b) in zip(
        DowntimeInterval.objects.filter(incident=incident).order_by("pk"), list(one["downtime"]), strict=True
    ):
        if b is not None:
            DowntimeInterval.objects.filter(pk=row.pk).update(
                started_at=a + timedelta(days=30), ended_at=b + timedelta(days=30)
            )
            one["downtime"][one["downtime"].index((known, a, b))] = (
                known, a + timedelta(days=30), b + timedelta(days=30)
            )  # fmt: skip


def moves_to_another_month(incident, one, start, services):
    later = {"declared_at": start + timedelta(days=33), "detected_at": None, "started_at": None}
    MajorIncident.objects.filter(pk=incident.pk).update(**later)
    one.update(later)


def is_deleted(incident, one, start, services):
    Ticket.objects.filter(major_incident=incident).update(major_incident=None)
    MajorIncident.objects.filter(pk=incident.pk).delete()
    one["is_drill"] = True  # in no figure, as good as gone


def becomes_a_drill(incident, one, start, services):
    MajorIncident.objects.filter(pk=incident.pk).update(is_drill=True)
    one["is_drill"] = True


def is_reopened(incident, one, start, services):
    MajorIncident.objects.filter(pk=incident.pk).update(stage="resolution")
    one["stage"] = "resolution"


def gets_a_problem(incident, one, start, services):
    if one["cause"] is None:
        Problem.objects.create(title="Late", cause_category="change", created_at=start).major_incidents.add(incident)
        one["cause"] = "change"
    else:
        problem = Problem.objects.get(major_incidents=incident)
        problem.cause_category = one["cause"] = "vendor" if one["cause"] == "change" else "change"
        problem.save()


def gets_an_earlier_ticket(incident, one, start, services):
    Ticket.objects.create(title="Earlier", channel="hotline", reported_at=start - timedelta(5), major_incident=incident)
    one["channel"] = "hotline"


def is_told_of(incident, one, start, services):
    UpdatePromise.objects.create(incident=incident, due_at=start, made_at=start, state="broken")
    one["promises"] = [*one["promises"], "broken"]


def is_reviewed(incident, one, start, services):
    if not one["is_reviewed"]:
        Review.objects.create(incident=incident, state="completed", opened_at=start, completed_at=start)
        one["is_reviewed"] = True


def gets_a_step(incident, one, start, services):
    if incident.steps.filter(key="measure").exists():
        return
    IncidentStep.objects.create(
        incident=incident, key="measure", position=9, state="done", opened_at=start, done_at=start
    )
    one["steps"] = [*one["steps"], (True, "done", False)]


ACTS = (
    corrects_downtime, loses_an_outage, moves_an_outage_to_another_month, moves_to_another_month, is_deleted,
    becomes_a_drill, is_reopened, gets_a_problem, gets_an_earlier_ticket, is_told_of, is_reviewed, gets_a_step,
)  # fmt: skip


class MonthsAreNeverOutOfDate(TestCase):
    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(histories().map(stretched), min_size=1, max_size=4), st.sampled_from(STARTS), st.sampled_from(ZONES),
        st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 4)), max_size=3), st.booleans(),
    )  # fmt: skip
    def test_whatever_moves_the_next_read_is_right(self, drawn, start, zone_name, acts, with_window):
        set_zone(zone_name)
        zone, now = ZoneInfo(zone_name), start + timedelta(days=86)
        services = [service("shop", 60), service("pay", 120)]
        services[1].off_hours_percent = 25
        services[1].hours = ServiceHours.objects.create(name="Office", time_zone="Europe/Berlin")
        services[1].save()
        prices = {services[0].pk: [60, 1, zone, (8, 18)], services[1].pk: [120, 0.25, hours_zone, (8, 18)]}
        into, windows = past_incident(is_drill=True), []
        made = [written(one, start, services, into) for one in drawn]
        plain = [one for _, one in made]
        whole = scope(month_start(start, zone), now, zone_name)
        part = scope(start + timedelta(days=2, minutes=17), now - timedelta(days=8), zone_name)

        def right():
            for asked in (whole, part):
                naive = Naive(plain, start=asked.start, end=asked.end, now=now, zone=zone, windows=windows,
                              prices={key: tuple(price) for key, price in prices.items()})  # fmt: skip
                for found in check_kept_against_direct(asked, now):
                    check(found, naive, services)
            check_kept_against_direct(replace(whole, services=(services[0].pk,), grain=Grain.WEEK), now)

        def swept():
            rows.compute_many(rows.waiting_in_bulk(100), at=now)
            kept_months.keep(at=now)

        swept()
        rows.compute_many([incident.pk for incident, _ in made], at=now)
        swept()
        right()
        gone = set()
        for act, which in acts:
            incident, one = made[which % len(made)]
            if incident.pk not in gone:
                act(incident, one, start, services)
                gone |= {incident.pk} if act is is_deleted else set()
                right()
        swept()
        right()
        if with_window:
            window = MaintenanceWindow.objects.create(
                title="Work", starts_at=start + timedelta(days=10), ends_at=start + timedelta(days=50)
            )
            window.services.add(services[0])
            windows += [(services[0].pk, window.starts_at, window.ends_at)]
            right()
            MaintenanceWindow.objects.filter(pk=window.pk).update(ends_at=start + timedelta(days=20))
            windows[0] = (services[0].pk, window.starts_at, start + timedelta(days=20))
            right()
            Service.objects.filter(pk=services[0].pk).update(cost_per_hour=600)
            prices[services[0].pk][0] = 600
            right()
            swept()
            right()


def over(day: int):
    """An outage of two services on that day, closed, with everything that figures are made of."""
    clocks = {name: day * DAYS + 10 * at for at, name in enumerate(CLOCKS)}
    return {
        "clocks": clocks, "stage": "closed", "is_drill": False, "is_merged": False,
        "downtime": [(0, day * DAYS, 50), (1, day * DAYS + 20, 90), (0, (day + 45) * DAYS, 9)],
        "steps": [(True, "done", False)], "promises": ["kept"], "is_reviewed": False, "cause": None,
        "channel": "portal",
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_each_thing_that_may_happen_moves_what_is_kept(act):
    """Alone, with every month kept: what moves a figure without leaving a note is found here."""
    set_zone("UTC")
    start, now = utc(2026, 3, 3), utc(2026, 6, 20)
    services = [service("shop", 60), service("pay", 120)]
    prices = {one.pk: (one.cost_per_hour, 1, ZoneInfo("UTC"), (8, 18)) for one in services}
    made = [written(over(day), start, services, None) for day in (5, 12, 35)]
    rows.compute_many([incident.pk for incident, _ in made], at=now)
    assert kept_months.keep(at=now) == 3
    asked = scope(utc(2026, 3, 1), now)
    before, _ = check_kept_against_direct(asked, now)
    act(*made[0], start, services)
    after, direct = check_kept_against_direct(asked, now)
    assert without_targets(before) != without_targets(after)
    naive = Naive([one for _, one in made], start=asked.start, end=now, now=now, zone=asked.zone, prices=prices)
    check(direct, naive, services)


values = st.lists(st.floats(0, 1e6), max_size=12).map(sorted)


@given(values, values, st.floats(0, 1))
def test_a_percentile_of_two_rows_is_that_of_both_together(one, other, share):
    both = sorted(one + other)
    assert [month_blocks.nth(one, other, n) for n in range(len(both))] == both
    if both:
        place = (len(both) - 1) * share
        below = int(place)
        above = min(below + 1, len(both) - 1)
        expected = both[below] + (both[above] - both[below]) * (place - below)
        assert month_blocks.percentile(one, other, share) == pytest.approx(expected)


def closed(start, **fields):
    clocks = {"reported_at": start, "declared_at": start, "resolved_at": start + timedelta(hours=2)}
    return past_incident(**clocks, downtime=[(service("shop"), start, start + timedelta(hours=1))], **fields)


@pytest.mark.django_db
def test_a_month_is_kept_when_it_is_over_and_each_incident_is_kept():
    set_zone("Europe/Berlin")
    now = utc(2026, 5, 20)
    closed(utc(2026, 2, 10)), closed(utc(2026, 4, 10), stage="containment"), closed(utc(2026, 5, 2))
    assert kept_months.keep(at=now) == 1, "only March, which has no incident: nothing is computed yet"
    rows.compute_many(MajorIncident.objects.values_list("pk", flat=True), at=now)
    assert kept_months.keep(at=now, most=1) == 1, "the month that cannot be kept takes nobody's place"
    starts = MonthFigures.objects.order_by("starts_at").values_list("starts_at", flat=True)
    assert list(starts) == [utc(2026, 1, 31, 23), utc(2026, 2, 28, 23)]
    assert kept_months.keep(at=now) == 0


@pytest.mark.django_db
def test_an_old_month_that_moves_is_made_anew_and_the_others_stay():
    set_zone("UTC")
    now = utc(2026, 5, 20)
    old, _ = closed(utc(2026, 1, 10)), closed(utc(2026, 3, 10))
    rows.compute_many(MajorIncident.objects.values_list("pk", flat=True), at=now)
    kept_months.keep(at=now)
    before = set(MonthFigures.objects.values_list("starts_at", "version"))
    MajorIncident.objects.filter(pk=old.pk).update(resolved_at=old.resolved_at + timedelta(hours=3))
    assert Moved.objects.exists()
    tasks.sweep_kpi_rows()
    after = set(MonthFigures.objects.values_list("starts_at", "version"))
    assert not Moved.objects.exists()
    assert {starts for starts, _ in before - after} == {utc(2026, 1, 1)}


@pytest.mark.django_db
def test_an_incident_of_which_nothing_else_is_known_leaves_its_month_when_it_is_deleted():
    set_zone("UTC")
    now = utc(2026, 5, 20)
    bare = past_incident(reported_at=utc(2026, 2, 3))
    rows.compute_many([bare.pk], at=now)
    assert kept_months.keep(at=now) == 3
    asked = scope(utc(2026, 1, 1), now)
    assert figures(asked, at=now).whole.count == 1
    bare.delete()
    assert figures(asked, at=now).whole.count == 0
    past_incident(reported_at=utc(2026, 2, 4))
    kept_months.keep(at=now)
    assert figures(asked, at=now).whole.count == 1


@pytest.mark.django_db
def test_what_was_read_once_is_not_read_again(monkeypatch):
    set_zone("UTC")
    now = utc(2026, 5, 20)
    closed(utc(2026, 1, 10)), closed(utc(2026, 3, 10))
    rows.compute_many(MajorIncident.objects.values_list("pk", flat=True), at=now)
    kept_months.keep(at=now)
    kept_months.forget_what_was_read()
    read, original = [], month_blocks.read
    monkeypatch.setattr(month_blocks, "read", lambda content: read.append(content) or original(content))
    asked = scope(utc(2026, 1, 1), now)
    assert figures(asked, at=now).whole.count == 2
    assert len(read) == 4
    figures(asked, at=now)
    assert len(read) == 4


@pytest.mark.django_db
def test_a_holiday_another_zone_and_a_rebuild_leave_no_month_standing():
    set_zone("UTC")
    now = utc(2026, 5, 20)
    closed(utc(2026, 1, 10))
    rows.compute_many(MajorIncident.objects.values_list("pk", flat=True), at=now)
    for moves in (
        lambda: Holiday.objects.create(day=now.date(), name="Founding day"),
        lambda: rows.mark_all_stale(at=now),
        lambda: set_zone("Asia/Tokyo"),
    ):
        rows.compute_many(MajorIncident.objects.values_list("pk", flat=True), at=now)
        kept_months.keep(at=now)
        assert MonthFigures.objects.count() == 4
        moves()
        check_kept_against_direct(scope(utc(2026, 1, 1), now), now)
        assert kept_months.keep(at=now) == 3, "January waits for its incident"


def test_writers_wait_for_nobody_and_leave_what_a_sweep_cannot_see(transactional_db):
    """A change that is not committed while the sweep makes the month: its note comes with it and outlives the sweep."""
    set_zone("UTC")
    now = utc(2026, 5, 20)
    incident = closed(utc(2026, 1, 10))
    other = closed(utc(2026, 1, 11))
    rows.compute_many([incident.pk, other.pk], at=now)
    asked = scope(utc(2026, 1, 1), now)
    update = "UPDATE incidents_majorincident SET contained_at = reported_at + interval '5 minutes' WHERE id = %s"
    with closing(connection.copy()) as second, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
        MajorIncident.objects.filter(pk=other.pk).update(contained_at=utc(2026, 1, 11, 1))
        second.ensure_connection()
        second.set_autocommit(False)
        with second.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute(update, [incident.pk])  # the same month as the first writer's: neither waits
            assert kept_months.keep(at=now) == 4
            assert figures(asked, at=now).whole.statistics["time_to_contain"].n == 0
        second.commit()
    assert Moved.objects.count() == 1
    assert not IncidentFigures.objects.filter(is_kept=False).exists()
    check_kept_against_direct(asked, now)
    kept_months.keep(at=now)
    check_kept_against_direct(asked, now)
