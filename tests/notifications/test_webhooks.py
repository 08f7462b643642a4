"""Signed webhooks: what a receiver gets, in which order, how often, and what stops it."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook as Verifier

from incidents import outgoing
from incidents.actions import tickets, updates
from incidents.actions.people import deactivate_person
from incidents.errors import Invalid
from incidents.models import Service, TimelineEvent
from incidents.process import AccountRole
from notifications.models import Delivery, Webhook, WebhookMessage
from notifications.webhooks import actions, outbox, schedule, sender
from tests.notifications.conftest import declare, free_port, person
from tests.notifications.receiving import Receiver, receiving

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).parents[2] / "docs"
TEMPLATES = DOCS.parent / "templates" / "notifications" / "webhooks"


@pytest.fixture(autouse=True)
def open_loopback(settings):
    settings.OUTGOING_HTTP = True
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


@pytest.fixture
def administrator(db):
    return person("administrator", AccountRole.ADMINISTRATOR)


def listen(receiver, administrator, name="Chat bridge", **changes) -> Webhook:
    given = {"name": name, "url": receiver.url, "events": ["ticket.opened"], **changes}
    row, secret = actions.save_webhook(changes=given, actor=administrator, at=timezone.now())
    receiver.secret = receiver.secret or secret
    return row


def report(title="Printer jams", **fields):
    return tickets.open_ticket(title=title, channel="portal", actor=None, at=timezone.now(), **fields)


class Clock:
    """Stands until it is moved, a little ahead: what happens during the test is due."""

    def __init__(self, receiver: Receiver) -> None:
        self.at = timezone.now() + timedelta(seconds=30)
        receiver.minds_age = False

    def __call__(self):
        return self.at


def only() -> WebhookMessage:
    return WebhookMessage.objects.get()


# --- What is sent -------------------------------------------------------------------------------------------
def test_a_receiver_verifies_what_happened_in_the_shape_of_the_api(receiver, administrator, manager, checkout, client):
    listen(receiver, administrator, events=[])
    incident = declare(manager, checkout)
    updates.publish_update(
        incident.pk, texts={"technical": "Rolled back."}, actor=manager, at=timezone.now(), audiences=["technical"]
    )
    sender.send_due()
    assert receiver.types()[0] == "major_incident.declared"
    message_id, told = receiver.got[0]
    assert message_id == WebhookMessage.objects.get(type="major_incident.declared").message_id
    client.force_login(administrator)
    shown = client.get(f"/api/v1/major-incidents/{incident.ref}").json()
    assert told["data"]["major_incident"].keys() == shown.keys()
    assert told["data"]["major_incident"]["services"] == ["checkout"]
    assert (told["data"]["event"]["kind"], told["data"]["event"]["actor"]) == ("declared", manager.email)
    published = next(body for _, body in receiver.got if body["type"] == "major_incident.update_published")
    assert published["data"]["update"]["texts"] == {"technical": "Rolled back."}
    assert {row.state for row in WebhookMessage.objects.all()} == {"delivered"}
    sent = WebhookMessage.objects.get(type="major_incident.declared")
    assert receiver.raw[0][1] == sent.body.encode()


def test_nobody_listens_at_no_cost_and_everybody_for_the_same(
    receiver, administrator, django_assert_num_queries, checkout
):
    ticket = report(service=checkout)
    event = TimelineEvent.objects.select_related("incident", "ticket", "candidate", "change").latest("pk")
    with django_assert_num_queries(0):
        outbox.on_event(None, event)
    for number in range(5):
        listen(receiver, administrator, f"Number {number}", services=[checkout] if number % 2 else [])
    outbox.listeners.know(outbox.read_listeners(), 60)
    with django_assert_num_queries(1):
        outbox.on_event(None, event)
    assert WebhookMessage.objects.filter(event__ticket=ticket).count() == 5


def test_a_webhook_hears_only_what_it_chose(receiver, administrator, manager, checkout):
    other = Service.objects.create(name="Mail", slug="mail")
    severe = listen(receiver, administrator, "Severe", events=["major_incident.declared"], severities=["SEV1"])
    about_mail = listen(receiver, administrator, "Mail", events=[], services=[other])
    drills = listen(receiver, administrator, "Drills", events=["major_incident.declared"], include_drills=True)
    declare(manager, checkout)  # SEV1
    declare(manager, other, impact=2, urgency=2)
    declare(manager, checkout, is_drill=True)
    heard = {row.name: set() for row in (severe, about_mail, drills)}
    for row in WebhookMessage.objects.select_related("webhook", "event"):
        heard[row.webhook.name].add((row.type, row.event.incident_id))
    first, second, third = sorted({pk for _, pk in heard["Drills"]})
    assert {pk for _, pk in heard["Severe"]} == {first}
    assert {pk for _, pk in heard["Mail"]} == {second} and len(heard["Mail"]) > 1
    assert len(heard["Drills"]) == 3


# --- Trying again -------------------------------------------------------------------------------------------
def test_ten_tries_within_three_days_all_under_one_id(receiver, administrator):
    row, clock = listen(receiver, administrator), Clock(receiver)
    receiver.answer = lambda handler: handler.say(500, b"sorry\x00")
    report()
    begun, tried_at = clock.at, []
    for _ in range(schedule.TRIES):
        sender.send_due(clock=clock)
        tried_at.append(clock.at)
        assert sender.send_due(clock=clock) == 0, "not before its time"
        clock.at = max(only().next_attempt_at, clock.at)
    pauses = [(later - earlier).total_seconds() for earlier, later in zip(tried_at, tried_at[1:], strict=False)]
    for pause, planned in zip(pauses, schedule.PAUSES_SECONDS, strict=True):
        assert planned <= pause <= planned * 1.2
    assert timedelta(days=3) <= tried_at[-1] - begun <= timedelta(days=4)
    assert len({message_id for message_id, _ in receiver.got}) == 1 and len(receiver.got) == schedule.TRIES
    message = only()
    assert (message.state, message.status, message.answer) == ("failed", 500, "sorry")
    assert message.reason == "Given up after 10 tries. It answered 500."
    row.refresh_from_db()
    assert row.failures == 10 and row.failing_since == begun


def test_an_endpoint_that_asks_for_rest_gets_it(receiver, administrator):
    row, clock = listen(receiver, administrator), Clock(receiver)
    receiver.answer = lambda handler: handler.say(429, Retry_After="120")
    report()
    sender.send_due(clock=clock)
    report("Another")
    clock.at += timedelta(seconds=119)
    assert sender.send_due(clock=clock) == 0
    receiver.answer = lambda handler: handler.say(204)
    clock.at += timedelta(seconds=1)
    sender.send_due(clock=clock)
    assert set(WebhookMessage.objects.values_list("state", flat=True)) == {"delivered"}
    row.refresh_from_db()
    assert (row.failing_since, row.not_before, row.last_status) == (None, None, 204)


@pytest.mark.parametrize(
    ("status", "given", "seconds"),
    [
        (429, "30", 30), (503, "999999999999", 24 * 3600), (503, "date", 600), (500, "30", None), (429, "soon", None),
        (429, "-3", None), (429, "", None),
    ],
    ids=["seconds", "too long", "a date", "500", "words", "negative", "none"],
)  # fmt: skip
def test_retry_after_is_read_as_http_writes_it(status, given, seconds):
    now = timezone.now().replace(microsecond=0)
    given = format_datetime(now + timedelta(minutes=10), usegmt=True) if given == "date" else given
    found = schedule.rest_until(outgoing.Reply(status, {"retry-after": given}, b""), at=now)
    assert found == (None if seconds is None else now + timedelta(seconds=seconds))


def test_gone_switches_it_off_and_administrators_are_told(receiver, administrator):
    row = listen(receiver, administrator)
    receiver.answer = lambda handler: handler.say(410)
    report()
    report("Another")
    sender.send_due()
    row.refresh_from_db()
    assert not row.is_enabled and "410" in row.off_reason
    assert [one.state for one in WebhookMessage.objects.order_by("pk")] == ["failed", "failed"]
    assert len(receiver.got) == 1
    notice = Delivery.objects.get(moment="webhook_off", channel="email")
    assert notice.address == administrator.email


def test_five_days_without_an_answer_switch_it_off(receiver, administrator):
    row, clock = listen(receiver, administrator), Clock(receiver)
    receiver.answer = lambda handler: handler.say(500)
    report()
    sender.send_due(clock=clock)
    Webhook.objects.update(failures=20)
    for days, is_on in ((4, True), (2, False)):
        clock.at += timedelta(days=days)
        report("Another")
        sender.send_due(clock=clock)
        row.refresh_from_db()
        assert row.is_enabled is is_on


def test_redirects_are_not_followed(receiver, administrator):
    listen(receiver, administrator)
    receiver.answer = lambda handler: handler.say(302, Location=receiver.url)
    report()
    sender.send_due()
    assert len(receiver.raw) == 1
    assert (only().state, only().status) == ("queued", 302) and "not followed" in only().reason


def test_a_name_that_leads_elsewhere_later_is_refused_when_sending(receiver, administrator, monkeypatch):
    real = socket.getaddrinfo
    answers = iter(["127.0.0.1"])

    def rebinding(host, port, *args, **kwargs):
        if host != "hooks.example.org":
            return real(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "10.0.0.7"), port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    listen(receiver, administrator, url=receiver.url.replace("127.0.0.1", "hooks.example.org"))
    report()
    sender.send_due()
    assert receiver.raw == []
    assert only().state == "queued" and "not a public address" in only().reason


def test_an_endless_answer_and_a_dripping_one_are_cut(receiver, administrator, monkeypatch):
    monkeypatch.setattr(outgoing, "TOTAL_SECONDS", 0.4)
    listen(receiver, administrator)

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    receiver.answer = endless
    report()
    sender.send_due()
    assert (only().state, len(only().answer)) == ("delivered", 500)

    def silent(handler):
        threading.Event().wait(2)

    receiver.answer = silent
    report("Another")
    sender.send_due()
    last = WebhookMessage.objects.latest("pk")
    assert (last.state, last.status) == ("queued", None) and "No answer" in last.reason


# --- Order, and who stands in whose way ------------------------------------------------------------------------
def test_messages_come_in_order_until_one_steps_aside(receiver, administrator):
    listen(receiver, administrator)
    clock = Clock(receiver)
    for title in ("First", "Second", "Third"):
        report(title)
    sender.send_due(clock=clock)
    titles = [body["data"]["ticket"]["title"] for _, body in receiver.got]
    assert titles == ["First", "Second", "Third"]

    receiver.got.clear()
    receiver.answer = lambda handler: handler.say(
        400 if receiver.got[-1][1]["data"]["ticket"]["title"] == "Bad" else 204
    )
    for title in ("Bad", "Later"):
        report(title)
    for _ in range(3):
        sender.send_due(clock=clock)
        clock.at += timedelta(minutes=7)
    assert [body["data"]["ticket"]["title"] for _, body in receiver.got] == ["Bad", "Bad", "Bad", "Later"]


def test_a_dead_endpoint_stands_in_nobodys_way(receiver, administrator, monkeypatch):
    monkeypatch.setattr(outgoing, "TOTAL_SECONDS", 1.0)
    freed = threading.Event()
    with receiving() as dead:
        dead.answer = lambda handler: freed.wait(3)
        listen(dead, administrator, "Dead")
        listen(receiver, administrator, "Well")
        reached = []
        receiver.answer = lambda handler: (reached.append(freed.is_set()), handler.say(204))
        for number in range(3):
            report(f"Number {number}")
        sender.send_due()
        freed.set()
    assert len(receiver.got) == 3 and not any(reached)
    assert WebhookMessage.objects.filter(webhook__name="Dead", state="delivered").count() == 0


@pytest.mark.stack
@pytest.mark.django_db(transaction=True)
def test_a_sender_that_is_killed_sends_again_under_the_same_id(receiver, administrator):
    listen(receiver, administrator)
    report()
    arrived, never = threading.Event(), threading.Event()
    receiver.answer = lambda handler: (arrived.set(), never.wait(10))
    database = connection.settings_dict
    code = "import django; django.setup(); from notifications.webhooks import sender; sender.send_due()"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "mim.settings",
        "DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST'] or '127.0.0.1'}:"
        f"{database['PORT'] or 5432}/{database['NAME']}",
        "REDIS_URL": django_settings.REDIS_URL,
        "MIM_OUTGOING_HTTP": "1",
        "MIM_OUTGOING_NETWORKS": "127.0.0.0/8",
        "MIM_SECRET_KEY": django_settings.SECRET_KEY,
    }
    process = subprocess.Popen([sys.executable, "-c", code], cwd=django_settings.BASE_DIR, env=environment)
    assert arrived.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait()
    never.set()
    receiver.answer = lambda handler: handler.say(204)
    assert sender.send_due() == 0, "its lease holds still"
    later = Clock(receiver)
    later.at += sender.LEASE + timedelta(seconds=1)
    assert sender.send_due(clock=later) == 1
    (first, body), (second, again) = receiver.got
    assert first == second and body == again
    assert (only().state, only().attempts) == ("delivered", 2)


# --- Secrets, owners, replay -----------------------------------------------------------------------------------
def test_a_new_secret_signs_beside_the_old_one_for_a_day(receiver, administrator):
    row, clock = listen(receiver, administrator), Clock(receiver)
    old = receiver.secret
    _, new = actions.rotate_secret(row.pk, actor=administrator, at=clock.at)
    report()
    sender.send_due(clock=clock)
    headers, body = receiver.raw[-1]
    assert len(headers["webhook-signature"].split()) == 2
    assert Verifier(old).verify(body, headers) == Verifier(new).verify(body, headers)
    assert old not in str(Webhook.objects.values()) and new not in str(Webhook.objects.values())
    receiver.secret = ""
    clock.at += timedelta(hours=24, seconds=1)
    report("Another")
    sender.send_due(clock=clock)
    assert len(receiver.raw[-1][0]["webhook-signature"].split()) == 1


def test_a_webhook_of_somebody_without_access_stops(receiver, administrator):
    row = listen(receiver, administrator)
    second = person("second", AccountRole.ADMINISTRATOR)
    report()
    deactivate_person(administrator.pk, actor=second, at=timezone.now())
    assert sender.send_due() == 0
    row.refresh_from_db()
    assert receiver.raw == [] and not row.is_enabled and administrator.email in row.off_reason
    assert only().state == "failed"


def test_replay_of_one_of_the_failed_and_of_what_was_missed(receiver, administrator):
    row = listen(receiver, administrator)
    by = {"actor": administrator, "at": timezone.now()}
    before = timezone.now() - timedelta(minutes=1)
    report("Taken")
    sender.send_due()
    actions.save_webhook(row.pk, changes={"is_enabled": False}, **by)
    report("Missed")
    with pytest.raises(Invalid, match="Switch it on first"):
        actions.replay_since(row.pk, since=before, **by)
    actions.save_webhook(row.pk, changes={"is_enabled": True}, **by)
    assert actions.replay_since(row.pk, since=before, which="failed", **by) == 0
    assert actions.replay_since(row.pk, since=before, which="missing", **by) == 1
    sender.send_due()
    assert actions.replay_since(row.pk, since=before, which="all", **by) == 2
    sender.send_due()
    titles = [body["data"]["ticket"]["title"] for _, body in receiver.got]
    assert titles == ["Taken", "Missed", "Taken", "Missed"]
    assert len({message_id for message_id, _ in receiver.got}) == 2
    first = WebhookMessage.objects.earliest("pk")
    actions.replay_message(first.pk, actor=administrator, at=timezone.now())
    sender.send_due()
    assert receiver.got[-1][0] == first.message_id


def test_old_messages_and_those_of_a_deleted_webhook_are_forgotten(receiver, administrator):
    row = listen(receiver, administrator)
    report()
    sender.send_due()
    now = timezone.now()
    assert actions.forget(at=now + timedelta(days=89)) == 0
    assert actions.forget(at=now + timedelta(days=91)) == 1
    report("Another")
    actions.delete_webhook(row.pk, actor=administrator, at=now)
    assert sender.send_due() == 0
    assert actions.forget(at=now) == 1


@pytest.mark.stack
def test_the_receiver_in_the_docs_verifies_what_is_sent(administrator, tmp_path):
    code = re.search(r"```python\n(.*?)```", (DOCS / "integrators.md").read_text(), re.DOTALL)[1]
    assert code == (TEMPLATES / "verify.py.txt").read_text(), "the page shows the same"
    port = free_port()
    row, secret = actions.save_webhook(
        changes={"name": "Docs", "url": f"http://127.0.0.1:{port}/"}, actor=administrator, at=timezone.now()
    )
    environment = {**os.environ, "WEBHOOK_SECRET": secret}
    command = [sys.executable, "-c", code.replace("8090", str(port))]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        until_open(port)
        actions.send_test(row.pk, actor=administrator, at=timezone.now())
        sender.send_due()
        assert (only().state, only().status) == ("delivered", 204)
        assert process.stdout.readline().startswith("webhook.test ")
        actions.rotate_secret(row.pk, keep_old=False, actor=administrator, at=timezone.now())
        actions.send_test(row.pk, actor=administrator, at=timezone.now())
        sender.send_due()
        assert WebhookMessage.objects.latest("pk").status == 401
    finally:
        process.kill()
        process.wait()


def until_open(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the receiver did not start")
