"""A job calls in, or its silence becomes an alert; exact to the second, whatever the clocks of the place do."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from incidents.actions.heartbeats import beat, open_alerts_for_late
from incidents.models import Alert, Integration, Payload
from tests.factories import minute
from tests.incidents.monitoring.conftest import KEY, sender
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(organisation):
    return sender("heartbeat", name="Nightly backup", expected_every_seconds=3600, grace_seconds=300)


def states() -> list[str]:
    return list(Alert.objects.order_by("id").values_list("status", flat=True))


def test_silence_becomes_an_alert_when_the_grace_is_over_and_not_a_moment_before(job):
    beat(job.pk, at=minute(0))
    assert open_alerts_for_late(at=minute(65) - timedelta(microseconds=1)) == 0
    assert open_alerts_for_late(at=minute(65)) == 1
    alert = Alert.objects.get()
    assert (alert.status, alert.title, alert.started_at) == ("firing", "Nightly backup has not called in", minute(60))
    assert "Expected every 1:00:00" in alert.body


def test_it_is_said_once_however_often_it_is_looked_for(job):
    beat(job.pk, at=minute(0))
    assert [open_alerts_for_late(at=minute(n)) for n in (65, 66, 500)] == [1, 0, 0]
    assert Alert.objects.get().reports == 1


def test_the_next_beat_ends_it_and_the_next_silence_is_another(job):
    beat(job.pk, at=minute(0))
    open_alerts_for_late(at=minute(70))
    assert beat(job.pk, at=minute(80)) is True
    assert (states(), Alert.objects.get().ended_at) == (["resolved"], minute(80))
    assert beat(job.pk, at=minute(81)) is False
    assert open_alerts_for_late(at=minute(145)) == 0
    assert open_alerts_for_late(at=minute(146)) == 1
    assert states() == ["resolved", "firing"]


def test_one_that_never_called_in_is_not_late(job):
    assert open_alerts_for_late(at=minute(100_000)) == 0


def test_one_that_is_switched_off_is_left_alone(job):
    beat(job.pk, at=minute(0))
    Integration.objects.filter(pk=job.pk).update(is_active=False)
    assert open_alerts_for_late(at=minute(100)) == 0
    with pytest.raises(Integration.DoesNotExist):
        beat(job.pk, at=minute(101))


def test_a_beat_that_arrives_late_moves_nothing_back(job):
    beat(job.pk, at=minute(10))
    beat(job.pk, at=minute(5))
    assert Integration.objects.get(pk=job.pk).beat_due_at == minute(70)


@pytest.mark.parametrize("changes_at", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_clock_change_is_no_reason_for_an_alarm(job, settings, changes_at, zone):
    """Hourly beats over both changes: local time jumps, the interval does not."""
    settings.TIME_ZONE = zone
    start = changes_at - timedelta(hours=3)
    for hour in range(7):
        at = start + timedelta(hours=hour)
        assert open_alerts_for_late(at=at - timedelta(seconds=1)) == 0
        beat(job.pk, at=at)
        assert Integration.objects.get(pk=job.pk).beat_due_at == at + timedelta(hours=1)
    assert open_alerts_for_late(at=start + timedelta(hours=7, minutes=5)) == 1


@pytest.mark.parametrize("method", ["get", "post", "head", "put"])
def test_any_request_is_a_beat(job, method):
    answer = getattr(Client(), method)(f"/in/heartbeat/{KEY}")
    assert answer.status_code == 200
    assert Integration.objects.get(pk=job.pk).last_beat_at is not None
    assert not Payload.objects.exists()


def test_an_unknown_heartbeat_is_not_found(job):
    answer = Client().get("/in/heartbeat/wrong")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert Client().delete(f"/in/heartbeat/{KEY}").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_and_a_beat_at_once_make_one_alert_at_most(job):
    beat(job.pk, at=minute(0))
    race(
        lambda: open_alerts_for_late(at=minute(65)),
        lambda: open_alerts_for_late(at=minute(65)),
        lambda: beat(job.pk, at=minute(65)),
    )
    assert states() in ([], ["resolved"])


def test_the_alert_is_as_grave_as_its_owner_says(job):
    Integration.objects.filter(pk=job.pk).update(settings={"severity": "critical"})
    beat(job.pk, at=minute(0))
    open_alerts_for_late(at=minute(65))
    assert Alert.objects.get().severity == "critical"
