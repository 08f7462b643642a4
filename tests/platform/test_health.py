"""What load balancers and watchers are told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Heartbeat


@pytest.fixture
def beating(db):
    for name in ("worker", "beat"):
        Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": timezone.now()})


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/health"])
def test_alive_asks_nothing_of_the_database(client, path, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert client.get(path).json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/readyz", "/api/v1/ready"])
def test_ready_names_every_part(client, beating, path):
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    checks = answer.json()["checks"]
    assert set(checks) == {"database", "broker", "worker", "beat", "sweeps", "outbox", "intake", "paging"}
    assert all(check["ok"] for check in checks.values())
    assert checks["outbox"]["oldest_unsent_seconds"] == 0


def test_a_silent_worker_is_named(client, beating):
    Heartbeat.objects.filter(name="worker").update(beaten_at=timezone.now() - timedelta(minutes=5))
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer["Retry-After"]
    checks = answer.json()["checks"]
    assert not checks["worker"]["ok"] and "5 min ago" in checks["worker"]["reason"]
    assert checks["beat"]["ok"]


def test_a_broker_that_is_away_is_named_within_two_seconds(client, beating, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    broker = answer.json()["checks"]["broker"]
    assert not broker["ok"] and broker["milliseconds"] < 2000


def test_nobody_needs_a_key_and_only_reading_is_allowed(client, beating):
    assert client.post("/readyz").status_code == 405
    assert client.get("/readyz", headers={"Authorization": "Bearer wrong"}).status_code == 200
