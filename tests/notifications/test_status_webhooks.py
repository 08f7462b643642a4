"""Programs that follow the status page: only with their owner's yes, only what is public, and out again."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import major_incidents, updates
from incidents.models import Service
from notifications.models import PublicWord, StatusEndpoint, Webhook, WebhookMessage
from notifications.status import endpoints, files
from notifications.webhooks import sender
from tests.notifications.conftest import declare
from tests.notifications.receiving import receiving

pytestmark = pytest.mark.django_db
SECRET = "SECRET-WORD"


@pytest.fixture(autouse=True)
def open_loopback(settings, tmp_path):
    settings.OUTGOING_HTTP = True
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    settings.STATUS_DIR = tmp_path / "status"


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


def question(receiver) -> str:
    """The path of the link in the last message."""
    sender.send_due()
    return json.loads(receiver.raw[-1][1])["data"]["confirm_url"].replace("http://127.0.0.1:8000", "")


def follow(client, receiver, **given) -> dict[str, str]:
    """As a program would: asks, reads its endpoint, confirms."""
    assert client.post("/status/webhooks/subscribe/", {"url": receiver.url, **given}).status_code == 200
    told = client.post(question(receiver), headers={"Accept": "application/json"}).json()
    receiver.secret = told["secret"]
    return told


def tell_users(incident, manager, text="We are working on it."):
    updates.publish_update(
        incident.pk, texts={"users": text, "technical": SECRET}, audiences=["users", "technical"],
        actor=manager, at=timezone.now(),
    )  # fmt: skip
    return endpoints.tell(at=timezone.now())


def test_who_reads_the_endpoint_confirms_and_gets_the_secret_once(client, receiver):
    assert client.post("/status/webhooks/subscribe/", {"url": receiver.url}).status_code == 200
    link = question(receiver)
    assert client.get(link).status_code == 200  # a look confirms nothing
    assert not Webhook.objects.get().is_enabled
    page = client.post(link, headers={"Accept": "text/html"})
    assert "whsec_" in page.content.decode() and "no-store" in page["Cache-Control"]
    assert client.post(link).status_code == 410
    assert client.get(f"{link[:-2]}/").status_code == 410
    # Asked again: the same words, and a new secret only for who reads the endpoint.
    StatusEndpoint.objects.update(asked_at=timezone.now() - timedelta(minutes=11))
    first = Webhook.objects.get().sealed_secret
    follow(client, receiver)
    assert Webhook.objects.get().sealed_secret != first
    assert len(receiver.raw) == 2


def test_a_follower_is_told_public_words_only_and_only_what_is_new(client, receiver, manager, checkout):
    old = declare(manager, checkout)
    assert tell_users(old, manager, "Of the past.") == 0
    told = follow(client, receiver, services=["checkout"])
    assert endpoints.tell(at=timezone.now()) == 0, "nothing of the past"
    hidden = Service.objects.create(name=f"{SECRET} ledger", slug="ledger", is_public=False)
    other = Service.objects.create(name="Mail", slug="mail")
    assert tell_users(declare(manager, other), manager) == 0, "a service it did not choose"
    incident = major_incidents.declare(
        title=SECRET, description=SECRET, services=[checkout, hidden], impact=1, urgency=1, actor=manager,
        at=timezone.now(),
    )  # fmt: skip
    assert endpoints.tell(at=timezone.now()) == 0, "nothing was said to users yet"
    assert tell_users(incident, manager) == 1
    assert endpoints.tell(at=timezone.now()) == 0
    assert tell_users(incident, manager, "It is the database.") == 1
    major_incidents.stand_down(incident.pk, reason=SECRET, actor=manager, at=timezone.now())
    assert endpoints.tell(at=timezone.now()) == 1
    assert endpoints.tell(at=timezone.now()) == 0
    sender.send_due()
    assert receiver.types() == ["status.incident.created", "status.incident.updated", "status.incident.withdrawn"]
    assert SECRET not in str(receiver.raw)
    data = receiver.got[1][1]["data"]
    assert "Checkout" in data["incident"]["title"]
    assert [one["text"] for one in data["incident"]["updates"]] == ["It is the database.", "We are working on it."]
    assert data["unsubscribe_url"] == told["unsubscribe_url"]
    public = json.loads(files.render(timezone.now())["status.json"])
    assert data["incident"].keys() == public["open"][0].keys()


def test_the_link_in_each_message_ends_it_and_forgets_the_endpoint(client, receiver, manager, checkout):
    told = follow(client, receiver)
    incident = declare(manager, checkout)
    tell_users(incident, manager)
    path = told["unsubscribe_url"].replace("http://127.0.0.1:8000", "")
    assert client.get(path).status_code == 200 and Webhook.objects.exists()
    assert client.post(path).status_code == 200
    assert (Webhook.objects.count(), WebhookMessage.objects.count()) == (0, 0)
    assert client.post(path).status_code == 410
    assert tell_users(incident, manager, "More.") == 0 and PublicWord.objects.count() == 1


def test_strangers_can_neither_reach_the_inside_nor_flood_an_endpoint(client, receiver):
    inside = client.post("/status/webhooks/subscribe/", {"url": "http://10.0.0.7/x"})
    assert inside.status_code == 422 and "No public address" in inside.content.decode()
    unknown = client.post("/status/webhooks/subscribe/", {"url": "http://no-such-name.invalid/x"})
    assert unknown.content == inside.content, "nobody learns which names there are inside"
    odd = {"services": ["\x00"], "url": receiver.url, "email": "somebody@example.org"}
    for path in ("/status/webhooks/subscribe/", "/status/subscribe/"):
        assert client.post(path, odd).status_code == 422
    for _ in range(3):
        client.post("/status/webhooks/subscribe/", {"url": receiver.url})
    sender.send_due()
    assert len(receiver.raw) == 1
    for number in range(endpoints.ASKED_FROM_ONE_PLACE):
        answer = client.post("/status/webhooks/subscribe/", {"url": f"{receiver.url}/{number}"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
    assert "127.0.0.1" not in str(StatusEndpoint.objects.values())
    later = timezone.now() + timedelta(days=4)
    assert endpoints.forget_unconfirmed(at=later) == endpoints.ASKED_FROM_ONE_PLACE
    assert not StatusEndpoint.objects.exists()


def test_an_endpoint_that_is_gone_is_forgotten_without_a_word(client, receiver, manager, checkout):
    follow(client, receiver)
    receiver.answer = lambda handler: handler.say(410)
    tell_users(declare(manager, checkout), manager)
    sender.send_due()
    assert not Webhook.objects.get().is_enabled
    assert endpoints.forget_unconfirmed(at=timezone.now()) == 1
