"""The promises of a ticket: targets by priority and service, service hours, holds, warnings, escalation."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.actions import organisation as settings_of
from incidents.actions import sla_settings, sla_sweep, tickets
from incidents.errors import Invalid, NotAccountable
from incidents.models import Ticket, TicketClock, TicketEscalation
from incidents.process import EventKind
from incidents.service_hours import WORKING_WEEK
from incidents.sla import Target
from tests import factories
from tests.factories import again, minute
from tests.racing import race

pytestmark = pytest.mark.django_db


def clock(ticket: Ticket, kind: str = "resolution") -> TicketClock:
    return TicketClock.objects.get(ticket=ticket, kind=kind)


@pytest.fixture
def urgent(organisation):
    """P1: answered in 15 minutes, solved in four hours, at any hour."""
    return factories.ticket(impact=1, urgency=1)


def test_a_report_is_promised_an_answer_and_a_solution(urgent):
    assert clock(urgent, "response").due_at == minute(15)
    assert clock(urgent).due_at == minute(240)
    assert (again(urgent).sla_kind, again(urgent).sla_due_at) == ("response", minute(15))


def test_an_ordinary_one_counts_in_the_service_hours_of_the_organisation(organisation):
    ticket = factories.ticket(at=minute(8 * 60))  # Monday 17:00 UTC; P3, 30 hours of ten a day
    assert clock(ticket, "response").due_at == datetime(2024, 3, 5, 11, tzinfo=UTC)
    assert clock(ticket).due_at == datetime(2024, 3, 7, 17, tzinfo=UTC)


def test_a_holiday_and_the_zone_of_the_organisation_move_open_promises(administrator):
    ticket = factories.ticket(at=minute(8 * 60))
    settings_of.add_holiday(day=date(2024, 3, 5), name="Feast", actor=administrator, at=minute(481))
    sla_sweep.renew_clocks(at=minute(481))
    assert clock(ticket, "response").due_at == datetime(2024, 3, 6, 11, tzinfo=UTC)
    changes = {"time_zone": "America/New_York"}
    settings_of.edit_organisation(changes=changes, actor=administrator, at=minute(482))
    assert sla_sweep.renew_clocks(at=minute(482)) == 1
    assert clock(ticket, "response").due_at == datetime(2024, 3, 4, 21, tzinfo=UTC)
    assert sla_sweep.renew_clocks(at=minute(482)) == 0


def test_a_person_who_takes_it_has_answered(urgent, technician):
    tickets.assign(urgent.pk, assignee=technician, actor=technician, at=minute(5))
    assert (clock(urgent, "response").ended_at, clock(urgent, "response").state) == (minute(5), "met")
    assert again(urgent).sla_kind == "resolution"


def test_on_hold_the_promise_pauses_and_goes_on_where_it_stood(urgent, technician):
    tickets.hold(urgent.pk, reason="Supplier", actor=technician, at=minute(60))
    assert (clock(urgent).state, clock(urgent).due_at, again(urgent).sla_due_at) == ("paused", None, None)
    tickets.start_work(urgent.pk, actor=technician, at=minute(1000))
    assert clock(urgent).due_at == minute(1180)
    tickets.resolve(urgent.pk, resolution="Restarted", actor=technician, at=minute(1179))
    assert (clock(urgent).state, clock(urgent).used_seconds) == ("met", 239 * 60)
    assert again(urgent).sla_due_at is None


def test_solved_after_the_promise_is_missed_and_reopening_goes_on_where_it_stood(urgent, technician):
    tickets.resolve(urgent.pk, resolution="Restarted", actor=technician, at=minute(200))
    tickets.reopen(urgent.pk, reason="No", actor=technician, at=minute(900))
    assert clock(urgent).due_at == minute(940)
    tickets.resolve(urgent.pk, resolution="Replaced", actor=technician, at=minute(941))
    assert (clock(urgent).state, clock(urgent).breached_at) == ("missed", minute(940))


def test_another_priority_is_another_promise_from_the_report_on(urgent, technician):
    tickets.edit_ticket(urgent.pk, changes={"priority": "P2"}, actor=technician, at=minute(5))
    assert clock(urgent).target_seconds == 8 * 3600
    tickets.edit_ticket(urgent.pk, changes={"reported_at": minute(-60)}, actor=technician, at=minute(6))
    assert clock(urgent, "response").due_at == minute(-30)


def test_a_service_has_targets_and_hours_of_its_own(administrator, checkout):
    sla_settings.set_targets({"P3": Target(60, 120)}, service=checkout, actor=administrator, at=minute(0))
    week = [[(9 * 60 + 30, 10 * 60)]] + [[]] * 6
    changes = {"name": "Short", "week": week, "time_zone": "UTC", "services": [checkout]}
    hours = sla_settings.save_hours(changes=changes, actor=administrator, at=minute(0))
    own, other = factories.ticket(service=checkout), factories.ticket()
    assert clock(own, "response").due_at == datetime(2024, 3, 11, 10, tzinfo=UTC)
    assert clock(other, "response").due_at == minute(240)
    sla_settings.set_targets({"P3": None}, service=checkout, actor=administrator, at=minute(1))
    sla_settings.remove_hours(hours.pk, actor=administrator, at=minute(1))
    sla_sweep.renew_clocks(at=minute(1))
    assert clock(own, "response").due_at == minute(240)


def test_at_three_quarters_it_is_warned_about_once_and_late_it_goes_up_the_line(urgent, service_desk_manager):
    assert sla_sweep.strike_due_clocks(at=minute(11)) == 0
    assert sla_sweep.strike_due_clocks(at=minute(12)) == 1
    assert sla_sweep.strike_due_clocks(at=minute(13)) == 0
    assert urgent.events.get(kind=EventKind.SLA_WARNED).payload["sla"] == "response"
    assert sla_sweep.strike_due_clocks(at=minute(15)) == 1
    assert sla_sweep.strike_due_clocks(at=minute(16)) == 0
    escalation = urgent.escalations.get()
    assert (escalation.kind, escalation.to_user, escalation.escalated_by) == (
        "hierarchical", service_desk_manager, None
    )  # fmt: skip
    assert clock(urgent, "response").state == "breached"
    assert again(urgent).acknowledged_at is None


def test_a_late_sweep_says_at_once_that_it_is_late(urgent, service_desk_manager):
    sla_sweep.strike_due_clocks(at=minute(500))
    assert urgent.events.filter(kind=EventKind.SLA_BREACHED).count() == 2
    assert not urgent.events.filter(kind=EventKind.SLA_WARNED).exists()


def test_the_assignees_line_manager_hears_first(urgent, technician, manager):
    type(technician).objects.filter(pk=technician.pk).update(line_manager=manager)
    tickets.assign(urgent.pk, assignee=technician, actor=technician, at=minute(2))
    sla_sweep.strike_due_clocks(at=minute(240))
    assert urgent.escalations.get().to_user == manager


def test_where_nobody_is_up_the_line_the_broken_promise_stands_in_the_record(urgent):
    assert sla_sweep.strike_due_clocks(at=minute(15)) == 1
    assert not TicketEscalation.objects.exists()
    assert urgent.events.filter(kind=EventKind.SLA_BREACHED).exists()


def test_nobody_is_woken_about_a_report_of_the_past(service_desk_manager):
    old = factories.ticket(impact=1, urgency=1, at=minute(10_000), reported_at=minute(0))
    assert clock(old).state == "breached"
    assert sla_sweep.strike_due_clocks(at=minute(10_001)) == 0


def test_tickets_from_before_there_were_clocks_get_theirs(urgent):
    TicketClock.objects.all().delete()
    Ticket.objects.update(sla_stamp=None, sla_due_at=None)
    assert sla_sweep.renew_clocks(at=minute(1)) == 1
    assert clock(urgent, "response").due_at == minute(15)


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_escalate_once(urgent, service_desk_manager):
    race(lambda: sla_sweep.strike_due_clocks(at=minute(20)), times=4)
    assert urgent.escalations.count() == 1


def test_only_those_who_run_the_desk_set_targets(technician, administrator):
    with pytest.raises(NotAccountable):
        sla_settings.set_targets({"P1": Target(1, 1)}, actor=technician, at=minute(0))
    with pytest.raises(Invalid) as refusal:
        sla_settings.set_targets({"P1": Target(60, 30)}, actor=administrator, at=minute(0))
    assert "P1_resolution" in refusal.value.errors
    with pytest.raises(Invalid):
        sla_settings.save_hours(changes={"name": "Never", "week": [[]] * 7}, actor=administrator, at=minute(0))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=6), st.integers(0, 14 * 24 * 60))
def test_used_time_is_what_a_minute_by_minute_counter_finds(technician, service_desk_manager, gaps, start):
    """Held and taken up again at any minute, around the change to summer time in Berlin."""
    zone = ZoneInfo("Europe/Berlin")
    factories.organisation(time_zone="Europe/Berlin")
    at = datetime(2024, 3, 21, tzinfo=UTC) + timedelta(minutes=start)
    ticket = factories.ticket(at=at)
    counted, runs = 0, True
    for gap in gaps:
        for _ in range(gap):
            local = at.astimezone(zone)
            is_open = any(a <= local.hour * 60 + local.minute < b for a, b in WORKING_WEEK[local.weekday()])
            counted += is_open and runs
            at += timedelta(minutes=1)
        act = tickets.hold if runs else tickets.start_work
        act(ticket.pk, **({"reason": "Waits"} if runs else {}), actor=technician, at=at)
        runs = not runs
    if runs:
        tickets.hold(ticket.pk, reason="Waits", actor=technician, at=at)
    assert clock(ticket).used_seconds == counted * 60
