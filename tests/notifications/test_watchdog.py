"""Paging that does not go on raises an alarm of its own: proved by breaking the sweep."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from incidents.actions import candidates
from incidents.models import OnCallShift
from incidents.process import AccountRole, EventKind
from notifications import delivery, escalation, tasks, watchdog
from notifications.models import Delivery, Heartbeat, Notice, Page, PageCall
from tests.notifications.conftest import person

pytestmark = pytest.mark.django_db
MIM = AccountRole.MAJOR_INCIDENT_MANAGER


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def admin(db):
    return person("admin", AccountRole.ADMINISTRATOR)


@pytest.fixture
def paging(db, clock, admin):
    now = timezone.now()
    for rank, name in enumerate(("dana", "lee"), 1):
        OnCallShift.objects.create(
            role=MIM, person=person(name, MIM), rank=rank, starts_at=now, ends_at=now + timedelta(days=1)
        )
    for number in range(3):
        candidates.gather(
            title=f"Outage {number}", source="influx", cluster=str(number), reasons=[], actor=None, at=now
        )


@pytest.fixture
def broken_sweep(monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("the sweep is broken")

    monkeypatch.setattr(escalation, "_advance", fails)


def ready(client) -> dict:
    for name in ("worker", "beat"):
        Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": timezone.now()})
    return client.get("/readyz").json()["checks"]["paging"]


def test_a_broken_sweep_is_alarmed_by_mail_in_the_product_and_on_readyz(
    paging, clock, broken_sweep, smtp, client, admin, monkeypatch
):
    monkeypatch.setattr(watchdog, "rescue_soon", lambda: None)
    clock.shift(301)
    assert tasks.sweep_pages() == 0  # it goes on to the next page, and on
    assert tasks.watch_pages() == 0 and ready(client)["ok"]  # a step may be a little late
    clock.shift(62)
    tasks.sweep_pages()
    assert tasks.watch_pages() == 1
    [mail] = [mail for mail in smtp.to(admin.email) if mail["Subject"].startswith("Paging is late")]
    assert "3 pages wait" in mail.get_body(("plain",)).get_content()
    assert Notice.objects.filter(user=admin, title__startswith="Paging is late").exists()
    found = ready(client)
    assert (found["ok"], found["late_pages"]) == (False, 3) and found["late_seconds"] > 60
    assert client.get("/readyz").status_code == 503


def test_one_alarm_speaks_for_all_and_is_repeated_every_ten_minutes(paging, clock, broken_sweep, admin):
    clock.shift(400)
    assert [tasks.watch_pages() for _ in range(4)] == [1, 0, 0, 0]
    clock.shift(601)
    assert tasks.watch_pages() == 1
    assert Delivery.objects.filter(moment="page_late", channel="email").count() == 2


def test_paging_in_time_is_no_alarm(paging, clock, client):
    for _ in range(70):
        clock.shift(5)
        tasks.sweep_pages()
        assert tasks.watch_pages() == 0
    assert ready(client) | {"milliseconds": 0} == {
        "ok": True, "late_pages": 0, "late_seconds": 0.0, "milliseconds": 0,
    }  # fmt: skip


def test_whoever_asks_readyz_makes_late_pages_go_on_without_worker_or_broker(paging, clock, smtp, client, monkeypatch):
    asked = []
    monkeypatch.setattr(watchdog, "rescue_soon", lambda: asked.append(1))
    monkeypatch.setattr(watchdog.connection, "close", lambda: None)
    clock.shift(400)
    ready(client)
    assert asked
    watchdog.rescue()
    assert {call.person.email for call in PageCall.objects.filter(step=1)} == {"lee@shop.example"}
    assert [mail for mail in smtp.to("lee@shop.example") if mail["Subject"].startswith("Page:")]
    assert not watchdog.lateness(now=timezone.now()).pages


def test_one_page_that_cannot_go_on_does_not_hold_up_the_others(paging, clock, monkeypatch):
    first, real = Page.objects.order_by("id")[0].pk, escalation._take_step

    def fails_for_the_first(page, *others):
        if page.pk == first:
            raise RuntimeError
        real(page, *others)

    monkeypatch.setattr(escalation, "_take_step", fails_for_the_first)
    clock.shift(301)
    assert escalation.sweep(now=timezone.now()) == 2


def test_the_alarm_stands_in_the_record(paging, clock, broken_sweep):
    clock.shift(400)
    watchdog.alarm(now=timezone.now())
    event = candidates.Candidate.objects.order_by("id")[0].events.get(kind=EventKind.PAGE_LATE)
    assert event.payload == {"late_seconds": 100, "waiting": 3}
    delivery.deliver_due(seconds=5)
