"""Web push against a push service on loopback that checks the signature and decrypts as the device would."""

import base64
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from py_vapid import Vapid02

from incidents.actions import candidates
from incidents.models import OnCallShift
from incidents.process import AccountRole
from notifications import contact_messages, contacts, delivery
from notifications.channels import web_push
from notifications.models import ChannelAccount, ContactPoint, Delivery, PageCall
from tests.notifications.conftest import declare, person

pytestmark = pytest.mark.django_db
DESK = "https://desk.example.org"


def text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Browser:
    """A subscription with its keys, and the push service that carries to it. `status` is what it answers."""

    def __init__(self) -> None:
        self.key, self.secret = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
        self.got: list[dict] = []
        self.status, self.headers = 201, {"Location": "https://push.example/message/7"}
        device = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                device.take(dict(self.headers), body)
                self.send_response(device.status)
                for name, value in device.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, headers: dict[str, str], body: bytes) -> None:
        assert headers["Content-Encoding"] == "aes128gcm"
        assert Vapid02.verify(headers["Authorization"]), "signed by the key that is named"
        parts = dict(part.split("=", 1) for part in headers["Authorization"].removeprefix("vapid ").split(","))
        claims = json.loads(web_push.decoded(parts["t"].split(".")[1]))
        words = http_ece.decrypt(body, private_key=self.key, auth_secret=self.secret, version="aes128gcm")
        self.got.append({"headers": headers, "claims": claims, "key": parts["k"], **json.loads(words)})

    @property
    def subscription(self) -> dict:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": f"{self.origin}/send/1", "keys": {"p256dh": text_of(point), "auth": text_of(self.secret)}}


@pytest.fixture
def device(settings, db):
    settings.OUTGOING_HTTP, settings.OUTGOING_NETWORKS = True, ["127.0.0.0/8"]
    settings.PUBLIC_URL = DESK
    ChannelAccount.objects.create(
        channel="web_push", settings={"contact": "desk@shop.example"}, changed_at=timezone.now()
    )
    running = Browser()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def dana(device):
    """On call, with her device verified by the code that it showed her."""
    found = person("dana", AccountRole.MAJOR_INCIDENT_MANAGER)
    now = timezone.now()
    OnCallShift.objects.create(
        role=AccountRole.MAJOR_INCIDENT_MANAGER, person=found, starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=9),
    )  # fmt: skip
    signed_in = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140"})
    signed_in.force_login(found, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = signed_in.post(reverse("push_subscribe"), json.dumps(device.subscription), content_type="application/json")
    assert answer.status_code == 201, answer.content
    contact_messages.send_due(at=timezone.now())
    code = device.got.pop()["title"].rpartition(" ")[2]
    assert signed_in.post(answer.json()["url"], {"code": code}).status_code == 302
    return found


def test_the_browser_at_hand_is_verified_and_its_keys_stay_sealed(dana, device):
    point = ContactPoint.objects.get(user=dana)
    assert point.address.startswith("Chrome on Linux (") and point.verified_at
    assert device.origin not in point.sealed and device.origin not in point.address
    again = contacts.add_browser(dana, device.subscription, "Chrome on Linux", at=timezone.now())
    assert again == point, "the same device is no second line"


def test_a_page_arrives_encrypted_and_signed_with_the_link_that_answers_it(dana, device):
    raised = candidates.gather(
        title="Nobody can pay", source="influx", cluster="pay", reasons=[], actor=None, at=timezone.now()
    )
    delivery.deliver_due(seconds=10, only=["web_push"])
    got = device.got[0]
    assert raised.title in got["title"] and got["is_page"]
    assert got["claims"]["aud"] == device.origin and got["claims"]["sub"] == "mailto:desk@shop.example"
    assert got["headers"]["Urgency"] == "high" and 60 <= int(got["headers"]["TTL"]) <= 3600
    assert got["key"] == web_push.public_key(), "the key browsers subscribe to"
    path = got["url"].removeprefix(DESK)
    assert Client().get(path).status_code == 200
    assert PageCall.objects.get().state == "called", "looking answers nothing"
    Client().post(path, {"act": "acknowledge"})
    assert PageCall.objects.get().state == "answered"


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_unsubscribed_is_removed_and_the_message_goes_by_mail(people, checkout, dana, device, status):
    ContactPoint.objects.update(takes_messages=True, position=0)
    contacts.move(dana, ContactPoint.objects.get().pk, by=-1)
    device.status = status
    declare(people["manager"], checkout)
    delivery.deliver_due(seconds=10, only=["web_push"])
    assert not ContactPoint.objects.exists()
    row = Delivery.objects.get(channel="web_push", moment="declared")
    assert row.state == "failed" and "unsubscribed" in row.reason
    assert Delivery.objects.filter(instead_of=row, channel="email").exists()
    assert ChannelAccount.objects.get(channel="web_push").failures_in_row == 0


def test_a_busy_push_service_is_left_alone_as_long_as_it_asks(dana, device):
    device.status, device.headers = 429, {"Retry-After": "120"}
    candidates.gather(title="x", source="influx", cluster="pay", reasons=[], actor=None, at=timezone.now())
    delivery.deliver_due(seconds=10, only=["web_push"])
    row = Delivery.objects.get(channel="web_push")
    assert row.state == "queued" and row.next_attempt_at > timezone.now() + timedelta(seconds=110)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"endpoint": "https://push.example/1", "keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"endpoint": "ftp://push.example/1", "keys": {"p256dh": "x", "auth": "x"}},
        [],
    ],
    ids=["nothing", "short-keys", "other-scheme", "no-object"],
)
def test_what_is_no_subscription_is_refused_in_words(dana, given):
    signed_in = Client()
    signed_in.force_login(dana, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = signed_in.post(reverse("push_subscribe"), json.dumps(given), content_type="application/json")
    assert answer.status_code == 422 and len(answer.json()["detail"]) > 10


def test_the_service_worker_may_act_for_the_whole_site(client, db):
    answer = client.get("/push-worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "notificationclick" in answer.content.decode()
    assert "unsafe" not in answer["Content-Security-Policy"]


def test_the_key_is_made_once_and_a_second_one_never(device):
    account = ChannelAccount.objects.get(channel="web_push")
    first = web_push.Signer.of(account).public_key
    stale = ChannelAccount(pk=account.pk, channel="web_push", settings={})
    assert web_push.Signer.of(stale).public_key == first
    assert ChannelAccount.objects.get(channel="web_push").secrets["vapid_private_key"]
