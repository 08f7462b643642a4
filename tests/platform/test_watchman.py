"""The machinery behind the messages is watched from where it is not needed: the web server."""

from datetime import timedelta

import pytest
from celery import states
from django.utils import timezone

from incidents.process import AccountRole
from mim import sweep_marks
from mim.celery import app
from mim.watchman import Watchman, watchman
from notifications import vitals
from notifications.models import Delivery, Heartbeat, QueuedMail
from tests.notifications.conftest import Sink, declare, person, smtp  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db):
    return person("admin", AccountRole.ADMINISTRATOR)


@pytest.fixture
def well(db):
    for name in ("worker", "beat"):
        vitals.beat(name)


@pytest.fixture
def no_broker(settings):
    settings.CELERY_BROKER_URL = settings.REDIS_URL = "redis://127.0.0.1:1/0"


def names(now=None):
    return {sign.name for sign in vitals.signs(now=now or timezone.now()) if not sign.ok}


def test_all_is_well(well):
    assert names() == set()
    look = Watchman()
    look.look()
    assert look.troubles == ()


def test_each_silent_part_is_named(well):
    later = timezone.now() + timedelta(minutes=3)
    assert names(later) == {"worker", "beat"}
    vitals.beat("sweep escalate-pages", allowed_seconds=75, at=timezone.now() - timedelta(seconds=80))
    vitals.beat("sweep forget-old-alerts", allowed_seconds=10_860, at=timezone.now() - timedelta(hours=2))
    found = next(sign for sign in vitals.signs(now=timezone.now()) if sign.name == "sweeps")
    assert not found.ok
    assert found.words == "the sweep “escalate-pages” last ended well 80 s ago"


def test_a_dead_worker_is_alarmed_and_its_messages_leave_without_broker(admin, smtp, no_broker):  # noqa: F811
    declare(person("manager", AccountRole.MAJOR_INCIDENT_MANAGER))
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=4))
    vitals.beat("worker", at=timezone.now() - timedelta(minutes=5))
    vitals.beat("beat", at=timezone.now() - timedelta(minutes=5))
    look = Watchman()
    look.look()
    look.look()
    alarms = [mail for mail in smtp.to(admin.email) if mail["Subject"] == "Alarm: messages may be late"]
    assert len(alarms) == 1, "said once, not at every look"
    said = alarms[0].get_content()
    assert "The worker was last heard 5 min ago." in said
    assert "A message has been due for 4 min." in said
    assert not Delivery.objects.filter(moment="declared", channel="email").exclude(state="delivered").exists()
    assert any("worker was last heard" in trouble for trouble in look.troubles)
    Heartbeat.objects.filter(name__startswith="alarm").update(beaten_at=timezone.now() - timedelta(minutes=11))
    look.look()
    assert QueuedMail.objects.filter(subject__startswith="Alarm").count() == 2, "and again when it lasts"


def test_staff_read_it_on_every_page_and_requesters_do_not(client, monkeypatch):
    monkeypatch.setattr(watchman, "troubles", ("The worker was last heard 5 min ago.",))
    client.force_login(person("tech", AccountRole.SERVICE_DESK_TECHNICIAN))
    assert "Messages may be late" in client.get("/desk/").content.decode()
    client.force_login(person("requester", AccountRole.REQUESTER))
    assert "Messages may be late" not in client.get("/portal/").content.decode()


def test_a_sweep_that_ended_well_leaves_its_mark_and_one_that_failed_does_not(db, monkeypatch):
    monkeypatch.setattr(sweep_marks, "_written", {})
    sweep_marks.mark(sender=app.tasks["notifications.tasks.sweep_pages"], state=states.FAILURE)
    assert not Heartbeat.objects.filter(name="sweep escalate-pages").exists()
    sweep_marks.mark(sender=app.tasks["notifications.tasks.sweep_pages"], state=states.SUCCESS)
    assert Heartbeat.objects.get(name="sweep escalate-pages").allowed_seconds == 75


def test_a_worker_that_starts_begins_to_count(db, monkeypatch):
    monkeypatch.setattr(sweep_marks, "_written", {})
    vitals.beat("sweep escalate-pages", allowed_seconds=75, at=timezone.now() - timedelta(days=2))
    sweep_marks.begin()
    assert "sweeps" not in names()
    assert Heartbeat.objects.filter(name__startswith="sweep ").count() == len(app.conf.beat_schedule)
