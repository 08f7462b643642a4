"""A sender, and what it says, taken in the way the worker does."""

from datetime import timedelta

import pytest

from incidents.actions import alert_recovery, alert_rules, alerts
from incidents.alert_signals import Grade, Says, Signal
from incidents.models import Alert, Integration, Payload
from incidents.models.access import digest
from tests.factories import minute

KEY = "k" * 32


def sender(kind="alertmanager", name="", key=KEY, **fields) -> Integration:
    return Integration.objects.create(
        name=name or f"{kind} {Integration.objects.count()}", kind=kind, key_sha256=digest(key), key_prefix=key[:6],
        created_at=minute(0), **fields,
    )  # fmt: skip


def signal(key="disk", says=Says.FIRING, at=None, **fields) -> Signal:
    fields = {"title": "Disk is full", "severity": Grade.CRITICAL, "occurred_at": at, **fields}
    return Signal(key=key, says=says, **fields)


@pytest.fixture
def tool(organisation):
    alert_rules.defaults_if_none()  # a test that emptied the tables took the shipped rules along
    return sender()


@pytest.fixture
def say(tool):
    """`say(n, signal, …)`: the sender says it at minute n, and the worker works on it at once."""

    def act(n, *signals, sender=None, is_drill=False):
        source, at = sender or tool, minute(n)
        payload = Payload.objects.create(
            integration=source, received_at=at, body=b"{}", sha256="", state="done", is_drill=is_drill
        )
        told = alerts.take_in(source, signals, payload=payload, at=at)
        alert_recovery.review(told, at=at)
        return told

    return act


def only() -> Alert:
    return Alert.objects.get()


def after(n, seconds):
    return minute(n) + timedelta(seconds=seconds)
