"""The door: what is accepted is stored before the answer; what is not is a clear 4xx and kept with the reason."""

import gzip
import json
import logging
import zlib

import pytest
from django.test import Client

from incidents.intake.monitoring import door, processing, registry
from incidents.models import Alert, Integration, Payload
from mim.logs import JsonLines
from tests.incidents.monitoring.conftest import KEY, sender

pytestmark = pytest.mark.django_db
URL = f"/in/alertmanager/{KEY}"


@pytest.fixture
def http():
    return Client(raise_request_exception=True)


@pytest.fixture
def post(http, tool):
    def send(body=None, *, to=URL, content_type="application/json", **headers):
        data = body if isinstance(body, bytes) else json.dumps(group() if body is None else body).encode()
        return http.post(to, data, content_type=content_type, headers=headers)

    return send


def group(count=1, **fields):
    body = json.loads(registry.adapter_for("alertmanager").example()[0])
    one = body["alerts"][0]
    body["alerts"] = [{**one, "fingerprint": f"{n:016x}", **fields} for n in range(count)]
    return body


def test_accepted_means_stored_and_the_worker_makes_the_alert(post, tool):
    answer = post()
    payload = Payload.objects.get()
    assert (answer.status_code, answer.json()["payload"]) == (202, payload.pk)
    assert (payload.state, payload.alerts, json.loads(bytes(payload.body))) == ("waiting", 1, group())
    assert not Alert.objects.exists()
    assert processing.process(tool.pk) == 1
    assert (Payload.objects.get().state, Alert.objects.get().dedup_key) == ("done", "0" * 16)


def test_an_accepted_body_costs_at_most_three_statements(post, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        assert post().status_code == 202


@pytest.mark.parametrize("rest", ["", "/", "/api/v2/alerts", "/x/"])
def test_whatever_the_sender_appends_belongs_to_its_address(post, rest):
    assert post(to=URL + rest).status_code == 202
    assert Payload.objects.get().path == rest.strip("/")


@pytest.mark.parametrize(
    "address", ["/in/alertmanager/wrong", f"/in/grafana/{KEY}", f"/in/nothing/{KEY}", f"/in/voice/{KEY}", "/in/api/x/y"]
)
def test_an_unknown_key_or_kind_is_not_found_and_nothing_is_stored(post, address):
    answer = post(to=address)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert not Payload.objects.exists()


def test_a_key_that_was_switched_off_ends_at_once(post, tool):
    assert post().status_code == 202
    Integration.objects.filter(pk=tool.pk).update(is_active=False)
    assert post().status_code == 404


def test_without_a_key_in_the_path_the_dialect_says_no(rf, tool):
    request = rf.post("/v2/enqueue", b"{}", content_type="application/json")
    for key in (None, "wrong", "\ud800"):
        answer = door.receive(request, kind="alertmanager", key=key)
        assert (answer.status_code, json.loads(answer.content)["field"]) == (401, "key")


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_another_method_is_answered_and_not_stored(http, tool, method):
    assert getattr(http, method)(URL).status_code == 405
    assert not Payload.objects.exists()


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/png", "nonsense"])
def test_the_route_says_what_a_body_is_not_its_content_type(post, content_type):
    assert post(content_type=content_type).status_code == 202


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("identity", bytes),
    ],
)
def test_compressed_bodies_are_inflated_and_stored_so(post, encoding, pack):
    headers = {"content-encoding": encoding} if encoding else {}
    assert post(pack(json.dumps(group()).encode()), **headers).status_code == 202
    assert json.loads(bytes(Payload.objects.get().body)) == group()


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"{" * 5_000_000, "", 413),
        (b"x" * (1024 * 1024 + 1), "", 413),
        (gzip.compress(b"a" * 50_000_000), "gzip", 413),
        (gzip.compress(b"{}", mtime=0)[:-6], "gzip", 400),
        (b"not gzip", "gzip", 400),
        (b"{}", "br", 415),
        (b"", "", 400),
        (b"\xff\xfe\x00", "", 400),
        (b'{"alerts": [', "", 400),
        (b"[" * 100_000, "", 400),
        (b'{"alerts":' * 1000 + b"1" + b"}" * 1000, "", 400),
        (b'{"alerts": [{"status": "\\ud800"}]}', "", 400),
        (b'{"alerts": {}}', "", 400),
        (b'{"alerts": [1]}', "", 400),
        (b'{"alerts": [{"status": "firing"}]}', "", 400),
    ],
)
def test_what_cannot_be_read_is_a_clear_4xx_and_kept_with_the_reason(post, body, encoding, status):
    answer = post(body, **({"content-encoding": encoding} if encoding else {}))
    assert answer.status_code == status and answer.json()["error"]
    payload = Payload.objects.get()
    assert (payload.state, payload.reason) == ("refused", answer.json()["error"])
    assert len(payload.body) <= 1024 * 1024


def test_a_body_of_the_largest_size_is_accepted(post):
    body = json.dumps(group()).encode()
    assert post(body + b" " * (1024 * 1024 - len(body))).status_code == 202


def test_a_nul_character_is_replaced_not_refused(post, tool):
    assert post(group(annotations={"summary": "a\x00b"})).status_code == 202
    processing.process(tool.pk)
    assert Alert.objects.get().title == "a\ufffdb"


def test_only_headers_that_adapters_read_are_kept_and_no_secret(post):
    post(to=f"{URL}?token=geheim&team=db&key=geheim", authorization="Bearer geheim", cookie="a=b", **{"x-odd": "1"})
    payload = Payload.objects.get()
    assert payload.headers == {"content-type": "application/json"}
    assert payload.query == "team=db"


def test_a_key_in_the_body_is_not_stored(rf, tool):
    body = json.dumps({**group(), "routing_key": KEY}).encode()
    answer = door.receive(rf.post("/v2/enqueue", body, content_type="application/json"), kind="alertmanager", key=KEY)
    assert answer.status_code == 202
    assert KEY.encode() not in bytes(Payload.objects.get().body)


def test_no_log_line_shows_a_key_of_a_path(post, http, caplog):
    with caplog.at_level(logging.DEBUG):
        post(b"broken")
        post(to=f"/in/alertmanager/{KEY}x/api?token={KEY}")
        logging.getLogger("gunicorn.error").warning("Invalid request from /in/alertmanager/%s/x HTTP/1.1", KEY)
    lines = "".join(JsonLines().format(record) for record in caplog.records)
    assert lines and KEY not in lines


def test_no_session_and_no_csrf_token_is_asked_for(tool):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(URL, json.dumps(group()), content_type="application/json", headers={"origin": "https://evil"})
    assert answer.status_code == 202 and not answer.cookies


def test_an_adapter_that_fails_loses_nothing(post, monkeypatch, tool):
    monkeypatch.setattr(type(registry.adapter_for("alertmanager")), "read", lambda *_: {}["oops"])
    answer = post()
    assert answer.status_code == 400 and "kept" in answer.json()["error"]
    monkeypatch.undo()
    payload = Payload.objects.get()
    assert payload.state == "failed"


def test_three_identical_deliveries_are_one_alert(post, tool):
    for _ in range(3):
        assert post().status_code == 202
    processing.process(tool.pk)
    assert (Alert.objects.count(), Alert.objects.get().reports, Payload.objects.count()) == (1, 3, 3)


def test_a_firing_group_may_hold_resolved_alerts(post, tool):
    post(group(2))
    body = group(2)
    body["alerts"][1] |= {"status": "resolved", "endsAt": "2026-03-02T09:40:00Z"}
    post(body)
    processing.process(tool.pk)
    assert dict(Alert.objects.values_list("dedup_key", "status")) == {
        f"{0:016x}": "firing",
        f"{1:016x}": "resolved",
    }


def test_a_thousand_alerts_in_one_body(post, tool):
    assert post(group(1000)).status_code == 202
    processing.process(tool.pk)
    assert Alert.objects.count() == 1000


def test_two_kinds_may_not_share_an_address(post):
    sender("grafana", key="g" * 32)
    assert post(to=f"/in/alertmanager/{'g' * 32}").status_code == 404
