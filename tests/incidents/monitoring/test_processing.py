"""From the stored body to the alert: in order, again after a failure, never twice, never lost."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from incidents.actions import alerts, payloads
from incidents.errors import NotAccountable, WrongStage
from incidents.intake.monitoring import processing, registry
from incidents.models import Alert, Organisation, Payload, Ticket
from incidents.tasks import forget_old_alerts, process_payloads, sweep_alerts, sweep_payloads
from tests.incidents.monitoring.conftest import sender
from tests.racing import race

pytestmark = pytest.mark.django_db


def body(key="a" * 16, status="firing", **fields) -> bytes:
    found = json.loads(registry.adapter_for("alertmanager").example()[0])
    found["alerts"][0] |= {"fingerprint": key, "status": status, **fields}
    return json.dumps(found).encode()


def stored(tool, raw=None, *, state="waiting", ago=0, **fields) -> Payload:
    return Payload.objects.create(
        integration=tool, received_at=timezone.now() - timedelta(seconds=ago), body=body() if raw is None else raw,
        sha256="", state=state, **fields,
    )  # fmt: skip


def test_bodies_are_worked_on_in_the_order_they_came(tool):
    stored(tool, body())
    stored(tool, body(status="resolved", endsAt="2026-03-02T09:40:00Z"))
    stored(tool, body(startsAt="2026-03-02T10:00:00Z"))
    process_payloads(tool.pk)
    assert list(Alert.objects.order_by("id").values_list("status", flat=True)) == ["resolved", "firing"]
    assert set(Payload.objects.values_list("state", flat=True)) == {"done"}


def test_bodies_that_are_read_ahead_keep_their_order_and_one_that_cannot_be_read_is_refused(tool, monkeypatch):
    monkeypatch.setattr(processing, "BYTES_OF_A_PART", 1)
    for number in range(4):
        stored(tool, body(str(number) * 16))
    bad = stored(tool, b"[]")
    stored(tool, body("0" * 16, status="resolved", endsAt="2026-03-02T09:40:00Z"))
    stored(tool, body("0" * 16, startsAt="2026-03-02T10:00:00Z", annotations={"summary": 'said "no" \\ {twice}, NULL'}))
    process_payloads(tool.pk)
    again = Alert.objects.filter(dedup_key="0" * 16).order_by("id")
    assert [(one.status, one.title) for one in again][1] == ("firing", 'said "no" \\ {twice}, NULL')
    assert [one.status for one in again] == ["resolved", "firing"]
    assert Alert.objects.count() == 5
    assert list(Payload.objects.exclude(state="done").values_list("id", "state")) == [(bad.pk, "refused")]


def test_the_sweep_finds_every_sender_with_something_waiting(tool):
    other = sender(key="b" * 32)
    stored(tool)
    stored(other)
    sweep_payloads()
    sweep_alerts()
    assert Alert.objects.count() == 2


def test_one_poisoned_body_holds_up_nobody_and_is_failed_after_five_attempts(tool, monkeypatch):
    good, bad, later = stored(tool, body("1" * 16)), stored(tool, body("bad")), stored(tool, body("2" * 16))
    written = alerts.alert_rows.write

    def refuse(integration, told):
        if any(one.key == "bad" for one in told):
            raise ZeroDivisionError("kaputt")
        return written(integration, told)

    monkeypatch.setattr(alerts.alert_rows, "write", refuse)
    process_payloads(tool.pk)
    assert [Payload.objects.get(pk=one.pk).state for one in (good, bad, later)] == ["done", "waiting", "done"]
    for _ in range(4):
        Payload.objects.filter(pk=bad.pk).update(next_attempt_at=timezone.now())
        sweep_payloads()
    row = Payload.objects.get(pk=bad.pk)
    assert (row.state, row.attempts, row.reason) == ("failed", 5, "ZeroDivisionError: kaputt")


def test_between_attempts_it_waits_longer_each_time(tool, monkeypatch):
    row = stored(tool)
    now = timezone.now()
    pauses = []
    for _ in range(4):
        payloads.put_off(row.pk, "because", at=now)
        pauses.append((Payload.objects.get().next_attempt_at - now).total_seconds())
    assert pauses == [10, 30, 90, 270]
    process_payloads(tool.pk)
    assert Payload.objects.get().state == "waiting"


def test_what_failed_is_replayed_one_by_one_or_all(tool, administrator, technician):
    rows = [stored(tool, body(str(n) * 16), state="failed", attempts=5, reason="x") for n in range(3)]
    now = timezone.now()
    with pytest.raises(NotAccountable):
        payloads.replay(rows[0].pk, actor=technician, at=now)
    payloads.replay(rows[0].pk, actor=administrator, at=now)
    with pytest.raises(WrongStage):
        payloads.replay(rows[0].pk, actor=administrator, at=now)
    assert payloads.replay_failed(tool.pk, actor=administrator, at=now) == 2
    process_payloads(tool.pk)
    assert Alert.objects.count() == 3
    assert set(Payload.objects.values_list("state", "reason")) == {("done", "")}


def test_replaying_what_is_done_makes_nothing_twice(tool, administrator):
    row = stored(tool)
    process_payloads(tool.pk)
    payloads.replay(row.pk, actor=administrator, at=timezone.now())
    process_payloads(tool.pk)
    assert (Alert.objects.count(), Alert.objects.get().changes, Ticket.objects.count()) == (1, 1, 1)


def test_a_replayed_body_nobody_can_read_is_refused_with_the_reason(tool, administrator):
    row = stored(tool, b"{", state="refused")
    payloads.replay(row.pk, actor=administrator, at=timezone.now())
    process_payloads(tool.pk)
    row = Payload.objects.get()
    assert row.state == "refused" and "JSON" in row.reason


def test_a_database_that_goes_away_counts_no_attempt(tool, monkeypatch):
    row = stored(tool)

    def away(*_):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(alerts.alert_rows, "write", away)
    with pytest.raises(OperationalError):
        process_payloads(tool.pk)
    row = Payload.objects.get(pk=row.pk)
    assert (row.state, row.attempts) == ("waiting", 0)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_nothing_twice(organisation):
    tool = sender()
    for n in range(40):
        stored(tool, body(f"{n % 4:016x}"))
    race(lambda: processing.process(tool.pk), times=4)
    processing.process(tool.pk)
    assert (Alert.objects.count(), sum(Alert.objects.values_list("reports", flat=True))) == (4, 40)
    assert not Payload.objects.exclude(state="done").exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_in_the_middle_leaves_nothing_half_done(organisation, monkeypatch):
    tool = sender()
    stored(tool)
    settled = payloads.settle

    def die(*_, **__):
        connection.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(payloads, "settle", die)
    with pytest.raises(KeyboardInterrupt):
        processing.process(tool.pk)
    assert (Alert.objects.count(), Ticket.objects.count(), Payload.objects.get().state) == (0, 0, "waiting")
    monkeypatch.setattr(payloads, "settle", settled)
    sweep_payloads()
    assert (Alert.objects.count(), Ticket.objects.count(), Payload.objects.get().state) == (1, 1, "done")


def test_old_bodies_are_forgotten_but_not_those_that_wait_or_failed(tool):
    Organisation.objects.update(payload_days=30)
    for state in ("done", "refused", "waiting", "failed"):
        stored(tool, state=state, ago=31 * 86_400)
        stored(tool, state=state)
    forget_old_alerts()
    assert sorted(Payload.objects.values_list("state", flat=True)) == [
        "done", "failed", "failed", "refused", "waiting", "waiting",
    ]  # fmt: skip


def test_a_burst_of_single_alerts_costs_few_transactions(tool, django_assert_max_num_queries):
    for n in range(100):
        stored(tool, body(f"{n:016x}", labels={"severity": "warning", "service": "x"}))
    with django_assert_max_num_queries(24):
        process_payloads(tool.pk)
    assert Alert.objects.count() == 100
