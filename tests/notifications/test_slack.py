"""Slack, against a server that speaks its Web API: a head message that follows the incident, its thread, its button."""

import hashlib
import hmac
import json
import time
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from incidents import outgoing
from incidents.actions import candidates, downtime, major_incidents
from incidents.models import Candidate
from notifications import delivery, slack_replies, tasks
from notifications.channels import slack
from notifications.models import (
    ChannelAccount,
    ContactPoint,
    ContactSettings,
    Delivery,
    Destination,
    PageCall,
    PlaceAnswer,
    PlaceThread,
)
from tests.notifications.conftest import declare, deliver, person
from tests.notifications.loopback import FakeSlack, serving

pytestmark = pytest.mark.django_db
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105
ROOM = "C0123456789"


@pytest.fixture
def outgoing_open(settings):
    settings.OUTGOING_HTTP, settings.OUTGOING_NETWORKS = True, ["127.0.0.0/8"]


@pytest.fixture
def workspace(outgoing_open):
    fake = FakeSlack()
    with serving(fake) as (url, asked):
        fake.url, fake.asked = url, asked
        account(url)
        yield fake


def account(url):
    row = ChannelAccount(channel="slack", settings={"base_url": f"{url}/api"}, changed_at=timezone.now())
    row.keep_secrets({"bot_token": FakeSlack.token, "signing_secret": SECRET})
    row.save()


def place(name="#outages", audiences=("technical", "management"), **fields):
    values = {"channel": "slack", "address": ROOM, "changed_at": timezone.now(), **fields}
    return Destination.objects.create(name=name, audiences=list(audiences), **values)


def send(channel="slack"):
    Delivery.objects.filter(state="queued").update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    return delivery.deliver_due(seconds=10, only=[channel])


def said(message):
    return json.dumps(message["blocks"], ensure_ascii=False)


def linked(user, member):
    now = timezone.now()
    return ContactPoint.objects.create(
        user=user, channel="slack", address=member, verified_at=now, created_at=now, takes_messages=True
    )


# --- Sending ----------------------------------------------------------------------------------
def test_declared_is_a_head_message_and_what_follows_stands_in_its_thread_and_edits_the_head(
    people, checkout, workspace
):
    place()
    incident = declare(people["manager"], checkout, title="Checkout <b>502</b> & <!channel>")
    send()
    head = workspace.heads()[0]
    assert head["channel"] == ROOM
    assert workspace.replies() == []
    assert f"{incident.ref} SEV1" in head["text"]
    assert "&lt;!channel&gt;" in head["text"], "nobody is called by a title"
    assert (
        "Checkout" in said(head)
        and '"action_id": "acknowledge"' in said(head)
        and f"/major-incidents/{incident.ref}/" in said(head)
    )
    downtime.restore(incident.pk, actor=people["manager"], at=timezone.now())
    send()
    assert len(workspace.heads()) == 1
    reply = workspace.replies()[-1]
    assert reply["thread_ts"] == head["ts"] and "restored" in reply["text"]
    assert "Working again since" in said(workspace.heads()[0]), "the head shows how it stands now"
    row = Delivery.objects.filter(destination__isnull=False).order_by("-id")[0]
    assert (row.state, row.provider_id) == ("delivered", f"{ROOM}:{reply['ts']}")


def test_a_place_of_users_reads_what_the_status_page_says_and_nothing_internal(people, checkout, workspace):
    place(audiences=["users"])
    incident = declare(people["manager"], checkout, title="Database of Checkout lost a disk")
    send()
    head = json.dumps(workspace.heads()[0])
    assert "Disruption: Checkout" in head
    assert not [word for word in (incident.ref, "SEV1", "disk", "acknowledge", people["manager"].name) if word in head]


def test_a_worker_that_died_after_slack_took_the_head_posts_nothing_twice(people, checkout, workspace):
    place()
    declare(people["manager"], checkout)
    workspace.lose = 1  # Slack has it, and nobody here knows
    send()
    row = Delivery.objects.get(destination__isnull=False)
    assert (row.state, len(workspace.messages), PlaceThread.objects.count()) == ("queued", 1, 0)
    workspace.refuse = ["internal_error"]  # nor can it be looked for: then nothing is posted on a guess
    send()
    assert len(workspace.messages) == 1
    send()
    row.refresh_from_db()
    assert (row.state, len(workspace.messages), PlaceThread.objects.count()) == ("delivered", 1, 1)


def test_a_worker_that_died_before_it_settled_repeats_neither_head_nor_reply(people, checkout, workspace):
    place()
    incident = declare(people["manager"], checkout)
    send()
    downtime.restore(incident.pk, actor=people["manager"], at=timezone.now())
    send()
    before = len(workspace.messages)
    expired = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(channel="slack").update(state="sending", lease_until=expired, delivered_at=None)
    delivery.deliver_due(seconds=10, only=["slack"])
    assert set(Delivery.objects.filter(channel="slack").values_list("state", flat=True)) == {"delivered"}
    assert len(workspace.messages) == before


def test_a_head_somebody_deleted_is_begun_again_with_the_next_moment(people, checkout, workspace):
    place()
    incident = declare(people["manager"], checkout)
    send()
    gone = workspace.messages[0]["ts"]
    workspace.messages[0]["ts"] = "deleted"
    workspace.chat_postMessage = lambda given, room: FakeSlack.chat_postMessage(
        workspace, {**given, "thread_ts": "deleted"} if given.get("thread_ts") == gone else given, room
    )
    major_incidents.contain(incident.pk, actor=people["manager"], at=timezone.now())
    send()
    assert not PlaceThread.objects.exists()
    assert (
        "could not be edited: message_not_found" in Delivery.objects.filter(channel="slack").order_by("-id")[0].answer
    )


@pytest.mark.parametrize(
    ("refusal", "state", "words", "blamed"),
    [
        ("channel_not_found", "failed", "no such channel", "place"),
        ("is_archived", "failed", "archived", "place"),
        ("not_in_channel", "queued", "/invite", "place"),
        ("invalid_auth", "queued", "bot token", "account"),
        ("internal_error", "queued", "did not take it", "account"),
        ((429, b"", {"Retry-After": "120"}), "queued", "429", "account"),
        ((503, b"maintenance", {}), "queued", "503 maintenance", "account"),
        ((200, b"<html>sign in", {}), "queued", "no answer of Slack", "account"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str | tuple) else None,
)
def test_a_refusal_is_in_words_and_says_whether_it_is_tried_again(
    people, checkout, workspace, refusal, state, words, blamed
):
    room = place()
    declare(people["manager"], checkout)
    workspace.refuse = [refusal]
    before = timezone.now()
    send()
    row = Delivery.objects.get(destination=room)
    assert row.state == state
    assert words in row.reason
    assert FakeSlack.token not in row.reason
    room.refresh_from_db()
    failed = {"place": room.failures_in_row, "account": ChannelAccount.objects.get(channel="slack").failures_in_row}
    assert failed == {"place": 1, "account": int(blamed == "account")}
    if isinstance(refusal, tuple) and refusal[0] == 429:
        assert row.next_attempt_at >= before + timedelta(seconds=120)


def test_a_slack_that_hangs_costs_a_batch_one_time_out(people, checkout, outgoing_open, monkeypatch):
    monkeypatch.setitem(outgoing.request.__kwdefaults__, "seconds", 0.8)

    def hang(asked):
        time.sleep(1.2)
        return 200, {}, {}

    with serving(hang) as (url, asked):
        account(url)
        place()
        place("#other", address="C0123456780")
        declare(people["manager"], checkout)
        send()
    assert len(asked) == 1
    assert set(Delivery.objects.filter(channel="slack").values_list("state", flat=True)) == {"queued"}


def test_long_and_hostile_words_fit_what_slack_takes():
    assert len(slack._mrkdwn("<&>" * 2000, 2900)["text"]) <= 2900
    assert slack._mrkdwn("a & b", 2900)["text"] == "a &amp; b"


def test_a_person_reads_in_a_direct_message(people, checkout, workspace):
    director = people["director"]
    ContactSettings.objects.create(user=director, email_position=9)
    linked(director, "U0123456789")
    declare(people["manager"], checkout)
    send()
    opened = [one.json for one in workspace.asked if one.path.endswith("conversations.open")]
    assert opened == [{"users": "U0123456789"}]
    message = workspace.heads()[0]
    row = Delivery.objects.get(channel="slack")
    assert (row.state, message["channel"]) == ("delivered", "D0123456789")
    assert f'"value": "delivery-{row.pk}"' in said(message)


# --- Presses ----------------------------------------------------------------------------------
@pytest.fixture
def shown(monkeypatch):
    """What a worker would do after the press, kept instead of queued."""
    kept = []
    monkeypatch.setattr(tasks.answer_slack_press, "apply_async", lambda args, **_: kept.append(args))
    return kept


def press(value, member="U0123456789", *, secret=SECRET, age=0, url="https://hooks.slack.example/answer", **headers):
    payload = {
        "type": "block_actions",
        "user": {"id": member},
        "response_url": url,
        "actions": [{"action_id": "acknowledge", "value": value}],
    }
    body = urlencode({"payload": json.dumps(payload)})
    stamp = str(int(time.time()) - age)
    right = "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    sent = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": right, **headers}
    kind = "application/x-www-form-urlencoded"
    return Client(enforce_csrf_checks=True).post("/in/slack/interactions", body, content_type=kind, headers=sent)


def test_acknowledged_in_slack_is_kept_and_shown_in_the_head(
    people, checkout, workspace, shown, django_capture_on_commit_callbacks
):
    room = place()
    incident = declare(people["manager"], checkout)
    send()
    linked(people["engineer"], "U0123456789")
    value = f"place-{room.pk}-{incident.pk}"
    for _ in range(2):  # pressed twice, or the request repeated
        with django_capture_on_commit_callbacks(execute=True):
            assert press(value, url=f"{workspace.url}/answer").status_code == 200
    assert PlaceAnswer.objects.get().person == people["engineer"]
    noted = Delivery.objects.filter(incident=incident, acknowledged_at__isnull=False)
    assert {(row.recipient, row.acknowledged_by, row.acknowledged_how) for row in noted} == {
        (people["engineer"], people["engineer"], "button in Slack")
    }
    thread = PlaceThread.objects.get()
    slack_replies.show(thread.pk)
    assert "Acknowledged by Engineer" in said(workspace.heads()[0])


def test_a_page_is_answered_by_the_button_of_its_direct_message(manager, checkout, workspace, shown):
    linked(manager, "U0123456789")
    tech = person("tech", "service_desk_technician")
    raised = candidates.flag(title="Checkout?", source="proposed", service=checkout, actor=tech, at=timezone.now())
    send()
    row = Delivery.objects.get(channel="slack", moment="page")
    assert "/page/" in said(workspace.heads()[0])
    assert press(f"delivery-{row.pk}").status_code == 200
    assert Candidate.objects.get(pk=raised.pk).status == "acknowledged"
    assert PageCall.objects.get(person=manager).state == "answered"


def test_a_press_counts_for_nobody_who_is_not_linked_or_may_not_know(people, checkout, workspace, shown):
    room = place()
    incident = declare(people["manager"], checkout)
    send()
    value = f"place-{room.pk}-{incident.pk}"
    told = []
    for member in ("U0000000000", "U0123456789"):
        if member == "U0123456789":
            linked(people["requester"], member)
        answer = press(value, member)
        told.append(answer.status_code)
    own = Delivery.objects.filter(recipient=people["engineer"]).order_by("-id")[0]
    assert press(f"delivery-{own.pk}").status_code == 200
    assert told == [200, 200]
    assert not PlaceAnswer.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "another"},
        {"age": 301},
        {"age": -301},
        {"X-Slack-Signature": "v0="},
        {"X-Slack-Signature": "v0=é"},
        {"X-Slack-Request-Timestamp": "soon"},
    ],
    ids=["other-secret", "old", "from-the-future", "empty", "not-ascii", "no-time"],
)
def test_what_slack_did_not_sign_just_now_changes_nothing(people, checkout, workspace, shown, wrong):
    room = place()
    incident = declare(people["manager"], checkout)
    send()
    linked(people["engineer"], "U0123456789")
    assert press(f"place-{room.pk}-{incident.pk}", **wrong).status_code == 403
    assert not PlaceAnswer.objects.exists()


def test_without_an_account_there_is_no_such_address():
    assert press("delivery-1").status_code == 404


def test_the_answer_to_a_press_goes_only_where_requests_may_go(settings):
    settings.OUTGOING_HTTP = True
    with serving(lambda asked: (200, {}, {})) as (url, asked):
        slack_replies.say("Thank you", f"{url}/answer")
        assert asked == []
        settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
        slack_replies.say("Thank <you>", f"{url}/answer")
    assert asked[0].json == {"response_type": "ephemeral", "replace_original": False, "text": "Thank &lt;you&gt;"}


# --- Others are not held up -------------------------------------------------------------------
def test_a_dead_webhook_holds_up_neither_slack_nor_mail(people, checkout, workspace, smtp):
    place()
    dead = Destination(name="Teams", channel="teams", audiences=["technical"], changed_at=timezone.now())
    dead.keep_secrets({"url": "http://127.0.0.1:9/hook"})
    dead.save()
    declare(people["manager"], checkout)
    send("teams")
    send()
    deliver()
    assert set(Delivery.objects.filter(destination=dead).values_list("state", flat=True)) == {"queued"}
    assert workspace.heads() and "engineer@shop.example" in smtp.addresses()
