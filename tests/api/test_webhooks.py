"""Webhooks through the API: who may, what is shown once, what is refused and why."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import tickets
from incidents.models import IdempotentRequest
from notifications.models import Webhook
from notifications.webhooks import sender
from tests.api.conftest import Caller
from tests.notifications.receiving import receiving

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def open_loopback(settings):
    settings.OUTGOING_HTTP = True
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


@pytest.fixture
def made(as_administrator, receiver):
    found = as_administrator.post(
        "webhooks", {"name": "Chat", "url": receiver.url, "events": ["ticket.opened"]}, 201, Idempotency_Key="one"
    )
    receiver.secret = found["secret"]
    return found


def test_the_secret_is_in_the_first_answer_and_nowhere_else(made, as_administrator, receiver, client, administrator):
    assert made["secret"].startswith("whsec_") and made["health"]["state"] == "silent"
    body = {"name": "Chat", "url": receiver.url, "events": ["ticket.opened"]}
    again = as_administrator.post("webhooks", body, 201, Idempotency_Key="one")
    assert again["secret"] == made["secret"]
    assert made["secret"].encode() not in bytes(IdempotentRequest.objects.get().body)
    assert made["secret"] not in str(Webhook.objects.values())
    assert as_administrator.get(f"webhooks/{made['id']}")["secret"] is None
    turned = as_administrator.post(f"webhooks/{made['id']}/rotate", {})
    assert turned["secret"] not in (None, made["secret"]) and turned["old_secret_until"]
    client.force_login(administrator)
    for path in ("/webhooks/", f"/webhooks/{made['id']}/", f"/webhooks/{made['id']}/edit/"):
        page = client.get(path).content.decode()
        assert made["secret"] not in page and turned["secret"] not in page


def test_a_test_and_a_replay_are_messages_that_can_be_read(made, as_administrator, receiver, caplog):
    sent = as_administrator.post(f"webhooks/{made['id']}/test", {})
    tickets.open_ticket(title="Printer jams", channel="portal", actor=None, at=timezone.now())
    sender.send_due()
    assert receiver.types() == ["webhook.test", "ticket.opened"]
    read = as_administrator.get(f"webhooks/{made['id']}/messages/{sent['id']}")
    assert (read["state"], read["status"], read["next_attempt_at"]) == ("delivered", 204, None)
    assert read["body"].encode() == receiver.raw[0][1]
    page = as_administrator.get(f"webhooks/{made['id']}/messages?page_size=1")
    assert [row["type"] for row in page["results"]] == ["ticket.opened"] and page["next"]
    told = page["results"][0]
    assert as_administrator.post(f"webhooks/{made['id']}/replay", {"message": told["id"]}) == {"queued": 1}
    since = (timezone.now() - timedelta(hours=1)).isoformat()
    assert as_administrator.post(f"webhooks/{made['id']}/replay", {"since": since, "which": "all"}) == {"queued": 0}
    sender.send_due()
    assert receiver.got[-1][0] == told["message_id"] == receiver.got[1][0]
    assert made["secret"] not in caplog.text


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"url": "http://10.0.0.7/x"}, "url", "not a public address"),
        ({"url": "ftp://example.org"}, "url", "must begin with"),
        ({"url": "https://u:p@example.org/"}, "url", "Leave user name"),
        ({"url": "http://no-such-name.invalid/"}, "url", "cannot be resolved"),
        ({"events": ["ticket.exploded"]}, "events.0", "ticket.exploded"),
        ({"services": ["nowhere"]}, "services", "There is no service"),
        ({"owner": "technician"}, "owner", "must be an administrator"),
        ({"name": ""}, "name", "blank"),
    ],
    ids=["private", "scheme", "credentials", "unknown name", "event", "service", "owner", "no name"],
)
def test_what_cannot_be_is_refused_by_its_field(as_administrator, technician, receiver, body, field, said):
    body = {"owner": technician.email} if "owner" in body else body
    answer = as_administrator.post("webhooks", {"name": "New", "url": receiver.url, **body}, 400)
    assert said in str(answer["errors"][field])
    assert not Webhook.objects.exists()


def test_changes_are_kept_and_replay_says_what_it_needs(made, as_administrator, receiver, checkout):
    path = f"webhooks/{made['id']}"
    changed = as_administrator.patch(path, {"services": [checkout.slug], "is_enabled": False})
    assert (changed["services"], changed["is_enabled"], changed["health"]["state"]) == ([checkout.slug], False, "off")
    assert "Switch it on" in str(as_administrator.post(f"{path}/replay", {"since": timezone.now().isoformat()}, 400))
    assert "either" in str(as_administrator.post(f"{path}/replay", {}, 400)["errors"])
    assert as_administrator.post("webhooks", {"name": "Chat", "url": receiver.url}, 409)["type"] == "duplicate"
    as_administrator.delete(path)
    as_administrator.get(path, 404)


def test_a_key_needs_the_scope_and_its_person_the_role(made, administrator, as_manager, receiver):
    writes = Caller(administrator, scopes=["read", "write"])
    assert writes.post(f"webhooks/{made['id']}/test", {}, 403)["scope"] == "admin"
    as_manager.get("webhooks", 403)
