"""The next update is a promise with a time: reminded of, overdue, escalated."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import major_incidents, updates
from incidents.process import AccountRole
from notifications import tasks
from notifications.models import Delivery, Heartbeat
from notifications.promises import watch
from tests.notifications.conftest import declare, deliver, person

pytestmark = pytest.mark.django_db


def promised(incident):
    return incident.promises.get(state="open")


def test_the_owner_is_reminded_once_five_minutes_before_it_is_due(people, checkout):
    incident = declare(people["manager"], checkout)
    due = promised(incident).due_at
    assert watch(at=due - timedelta(minutes=6)) == 0
    assert watch(at=due - timedelta(minutes=4)) == 1
    assert watch(at=due - timedelta(minutes=3)) == 0
    rows = Delivery.objects.filter(moment="promise_due_soon", channel="email")
    assert [row.address for row in rows] == ["manager@shop.example"]


def test_a_broken_promise_is_recorded_and_escalated_to_the_service_desk_manager(people, checkout):
    person("desk", AccountRole.SERVICE_DESK_MANAGER)
    incident = declare(people["manager"], checkout)
    due = promised(incident).due_at
    assert watch(at=due + timedelta(seconds=1)) == 1
    assert watch(at=due + timedelta(seconds=2)) == 0
    assert incident.promises.get().state == "broken"
    assert incident.events.filter(kind="promise_overdue").count() == 1
    rows = Delivery.objects.filter(moment="promise_overdue", channel="email")
    assert {row.address for row in rows} == {"manager@shop.example", "desk@shop.example"}


def test_a_promise_that_was_kept_is_left_alone(people, checkout):
    incident = declare(people["manager"], checkout)
    due = promised(incident).due_at
    updates.publish_update(incident.pk, texts={"technical": "On it."}, actor=people["manager"], at=timezone.now())
    assert watch(at=due + timedelta(hours=1)) == 0
    assert incident.promises.get().state == "kept"


def test_a_reminder_is_held_back_when_the_update_went_out_meanwhile(people, checkout, smtp):
    incident = declare(people["manager"], checkout)
    watch(at=promised(incident).due_at - timedelta(minutes=1))
    updates.publish_update(incident.pk, texts={"technical": "On it."}, actor=people["manager"], at=timezone.now())
    deliver()
    row = Delivery.objects.get(moment="promise_due_soon", channel="email")
    assert (row.state, row.reason) == ("suppressed", "The update went out in time.")


def test_nothing_is_owed_for_an_incident_that_was_stood_down(people, checkout):
    incident = declare(people["manager"], checkout)
    due = promised(incident).due_at
    major_incidents.stand_down(incident.pk, reason="False alarm", actor=people["manager"], at=timezone.now())
    watch(at=due + timedelta(minutes=1))
    assert not incident.events.filter(kind="promise_overdue").exists()


def test_the_heartbeat_proves_beat_and_worker(db):
    tasks.heartbeat()
    tasks.heartbeat()
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"beat", "worker"}


def test_the_sweeps_do_nothing_and_harm_nothing_when_nothing_is_due(db):
    assert tasks.sweep_deliveries() == 0
    assert tasks.sweep_promises() == 0
