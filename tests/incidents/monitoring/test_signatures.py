"""Who signed it: HMACs of Sentry, Grafana and anybody; Amazon's signatures by certificates made here."""

import hmac
import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from incidents import outgoing
from incidents.intake.monitoring import sns_signature
from incidents.intake.monitoring.shape import Malformed
from tests.incidents.monitoring.reading import ARRIVED, adapter, body_of, received

CERTIFICATE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem"


# --- HMAC ---------------------------------------------------------------------------------------
def signed(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, sha256).hexdigest()


def asks(kind: str, body: bytes, headers: dict, secrets=("new", "old"), at=ARRIVED, **settings) -> None:
    given = {"signing_secrets": list(secrets), **settings}
    adapter(kind).verify(received(kind, body, headers=headers, settings=given, received_at=at))


@pytest.mark.parametrize("secret", ["new", "old"])
@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("sentry", "sentry-hook-signature"),
        ("grafana", "x-grafana-alerting-signature"),
        ("generic", "x-hub-signature-256"),
    ],
)
def test_both_live_secrets_sign(kind, header, secret):
    asks(kind, b"{}", {header: signed(secret, b"{}")})
    asks(kind, b"{}", {header: f"sha256={signed(secret, b'{}').upper()}"})
    asks(kind, b"{}", {header: b64encode(hmac.new(secret.encode(), b"{}", sha256).digest()).decode()})
    with pytest.raises(Malformed):
        asks(kind, b"{}", {header: signed("retired", b"{}")})


@pytest.mark.parametrize(
    "given", ["", "no", signed("other", b"{}"), signed("new", b"{ }"), signed("", b"{}"), "é" * 64, "\ud800"]
)
def test_a_forged_or_missing_signature_is_refused(given):
    with pytest.raises(Malformed) as refusal:
        asks("sentry", b"{}", {"sentry-hook-signature": given}, secrets=("new", ""))
    assert refusal.value.status == 401 and refusal.value.field == "Sentry-Hook-Signature"


def test_without_a_secret_nothing_is_asked_and_a_secret_that_broke_still_asks():
    asks("sentry", b"{}", {}, secrets=())
    with pytest.raises(Malformed):
        asks("sentry", b"{}", {}, secrets=("",))


def test_a_signed_time_ends_replays():
    stamp = str(int(ARRIVED.timestamp()))
    headers = {
        "x-grafana-alerting-signature": signed("new", f"{stamp}:{{}}".encode()),
        "x-grafana-alerting-timestamp": stamp,
    }
    named = {"timestamp_header": "X-Grafana-Alerting-Timestamp"}
    asks("grafana", b"{}", headers, **named)
    asks("grafana", b"{}", headers, at=ARRIVED + timedelta(minutes=5), **named)
    for late in (timedelta(minutes=5, seconds=1), -timedelta(minutes=6)):
        with pytest.raises(Malformed):
            asks("grafana", b"{}", headers, at=ARRIVED + late, **named)
    with pytest.raises(Malformed):  # another time than the signed one
        asks("grafana", b"{}", {**headers, "x-grafana-alerting-timestamp": str(int(stamp) + 1)}, **named)


# --- SNS ----------------------------------------------------------------------------------------
class Amazon:
    """Signs as SNS does and hands out its certificate; notes what was asked of it."""

    def __init__(self, *, not_after=ARRIVED + timedelta(days=300), key=None) -> None:
        self.key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
            .not_valid_after(not_after)
            .sign(self.key, SHA256())
            .public_bytes(Encoding.PEM)
        )
        self.asked: list[str] = []
        self.status = 200

    def __call__(self, method, url, **more):
        self.asked.append(url)
        return outgoing.Reply(self.status, {}, self.certificate if url.endswith(".pem") else b"<ok/>")

    def sign(self, message: dict, version: str = "2") -> dict:
        message = {**message, "SignatureVersion": version, "SigningCertURL": CERTIFICATE}
        text = sns_signature.signed_text(message).encode()
        algorithm = SHA256() if version == "2" else SHA1()
        return message | {"Signature": b64encode(self.key.sign(text, PKCS1v15(), algorithm)).decode()}


@pytest.fixture
def amazon(monkeypatch):
    one = Amazon()
    monkeypatch.setattr(outgoing, "request", one)
    sns_signature.forget_certificates()
    yield one
    sns_signature.forget_certificates()


def message(name: str = "firing", **more) -> dict:
    return {**json.loads(body_of(f"sns/{name}.json")), **more}


def ask(given: dict, at=ARRIVED, **settings) -> None:
    adapter("sns").verify(received("sns", json.dumps(given), received_at=at, settings=settings))


def refusal_of(given: dict, at=ARRIVED, **settings) -> Malformed:
    with pytest.raises(Malformed) as refusal:
        ask(given, at, **settings)
    return refusal.value


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_are_verified_and_the_certificate_is_fetched_once(amazon, version):
    without_subject = message(Subject=None)
    del without_subject["Subject"]
    for given in (message(), message("resolved", Timestamp="2026-03-02T09:14:00Z"), without_subject):
        ask(amazon.sign(given, version))
    assert amazon.asked == [CERTIFICATE]


@pytest.mark.parametrize("name", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Signature"])
def test_whatever_was_changed_after_signing_is_noticed(amazon, name):
    given = amazon.sign(message())
    changed = "2026-03-02T09:14:08.456Z" if name == "Timestamp" else given[name].replace("A", "B", 1) + "x"
    assert refusal_of({**given, name: changed}).status == 403


def test_a_version_that_does_not_fit_the_signature_is_refused(amazon):
    assert refusal_of({**amazon.sign(message(), "2"), "SignatureVersion": "1"}).status == 403
    assert refusal_of({**amazon.sign(message(), "1"), "SignatureVersion": "3"}).field == "SignatureVersion"


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/a.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.eu-central-1.amazonaws.com/a.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/a.pem",
        "https://evil.amazonaws.com/a.pem",
        "https://s3.eu-central-1.amazonaws.com/bucket/a.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/a.pem",
        "https://sns.eu-central-1.amazonaws.com/a.txt",
        "",
    ],
)
def test_certificates_come_from_nowhere_but_sns(amazon, url):
    assert refusal_of({**amazon.sign(message()), "SigningCertURL": url}).field == "SigningCertURL"
    assert amazon.asked == []


def test_an_hour_later_it_is_a_replay(amazon):
    given = amazon.sign(message(Timestamp="2026-03-02T09:15:00Z"))
    ask(given, ARRIVED + timedelta(minutes=60))
    assert refusal_of(given, ARRIVED + timedelta(minutes=60, seconds=1)).field == "Timestamp"
    assert refusal_of(given, ARRIVED - timedelta(hours=2)).field == "Timestamp"


def test_another_key_or_an_old_certificate_or_none_is_refused(amazon, monkeypatch):
    ask(amazon.sign(message()))
    assert refusal_of(Amazon().sign(message())).field == "Signature"
    old = Amazon(not_after=ARRIVED - timedelta(days=1))
    monkeypatch.setattr(outgoing, "request", old)
    sns_signature.forget_certificates()
    assert refusal_of(old.sign(message())).field == "SigningCertURL"
    amazon.certificate = b"no certificate"
    monkeypatch.setattr(outgoing, "request", amazon)
    sns_signature.forget_certificates()
    assert refusal_of(amazon.sign(message())).field == "SigningCertURL"
    elliptic = Amazon(key=ec.generate_private_key(ec.SECP256R1()))
    monkeypatch.setattr(outgoing, "request", elliptic)
    sns_signature.forget_certificates()
    assert refusal_of(amazon.sign(message())).field == "SigningCertURL"


def test_a_certificate_that_cannot_be_had_asks_amazon_to_come_again(amazon, monkeypatch):
    amazon.status = 500
    assert refusal_of(amazon.sign(message())).status == 503
    monkeypatch.setattr(outgoing, "request", _nobody)
    assert refusal_of(amazon.sign(message())).status == 503


def _nobody(*args, **more):
    raise outgoing.OutgoingFailed("nobody")


def test_a_subscription_is_confirmed_only_after_it_was_verified(amazon):
    given = message("confirmation", Timestamp="2026-03-02T09:14:00Z")
    assert refusal_of({**amazon.sign(given), "Signature": "Zm9yZ2Vk"}).status == 403
    assert amazon.asked == [CERTIFICATE]
    ask(amazon.sign(given))
    assert amazon.asked == [CERTIFICATE, given["SubscribeURL"]]


def test_a_signed_subscription_that_leads_elsewhere_is_not_followed(amazon):
    given = message("confirmation", Timestamp="2026-03-02T09:14:00Z", SubscribeURL="https://internal.example/")
    assert refusal_of(amazon.sign(given)).field == "SubscribeURL"
    assert amazon.asked == [CERTIFICATE]


def test_only_the_topic_that_was_named_is_heard(amazon):
    ask(amazon.sign(message()), topic_arn=message()["TopicArn"])
    assert refusal_of(amazon.sign(message()), topic_arn="arn:aws:sns:eu-central-1:1:other").field == "TopicArn"


def test_reading_asks_nobody(amazon):
    request = received("sns", json.dumps(amazon.sign(message())))
    assert adapter("sns").read(request) == adapter("sns").read(replace(request, received_at=None))
    assert amazon.asked == []
