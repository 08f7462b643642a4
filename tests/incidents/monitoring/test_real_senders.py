"""Real senders on loopback, unmodified: client libraries by TLS or plain, apprise, and Monit as a program."""

import json
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import trustme

from incidents.intake.monitoring import processing
from incidents.models import Alert, Integration, Payload
from tests.incidents.monitoring.conftest import KEY, sender

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 30


def worked() -> None:
    for one in Integration.objects.all():
        processing.process(one.pk)


def told() -> list[tuple[str, str, int]]:
    """Key, state and how often it was reported, of every alert."""
    worked()
    return list(Alert.objects.order_by("id").values_list("dedup_key", "status", "reports"))


class _Passes(BaseHTTPRequestHandler):
    """Passes a request on to the test server, as a TLS proxy in front of it would."""

    target = ""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        request = Request(self.target + self.path, body or None, headers, method=self.command)
        try:
            answer = urlopen(request, timeout=20)
        except HTTPError as error:
            answer = error
        said = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def https(live_server, tmp_path, monkeypatch) -> Iterator[str]:
    """The address of a TLS proxy in front of the product, whose authority the environment trusts."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "authority.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Passes", (_Passes,), {"target": live_server.url}))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_pagerduty_client_triggers_acknowledges_and_resolves(https, organisation):
    pagerduty = pytest.importorskip("pagerduty")
    sender("pagerduty")
    client = pagerduty.EventsApiV2Client(KEY, base_url=https)
    key = client.trigger("Disk full", "db-1", severity="critical", custom_details={"free": "1 %"})
    assert told() == [(key, "firing", 1)]
    assert client.acknowledge(key) == key
    assert told() == [(key, "acknowledged", 2)]
    assert client.resolve(key) == key
    assert told() == [(key, "resolved", 3)]
    client.send_change_event(payload={"summary": "Deployed 812", "source": "pipeline"})
    assert told() == [(key, "resolved", 3)]
    assert Payload.objects.filter(state="done").count() == 4


def test_the_pagerduty_client_understands_a_refusal(https, organisation):
    pagerduty = pytest.importorskip("pagerduty")
    sender("pagerduty")
    with pytest.raises(pagerduty.HttpError) as refusal:
        pagerduty.EventsApiV2Client("x" * 32, base_url=https).trigger("Disk full", "db-1")
    assert refusal.value.response.status_code == 400
    with pytest.raises(pagerduty.HttpError):
        pagerduty.EventsApiV2Client(KEY, base_url=https).trigger("Disk full", "db-1", severity="dreadful")
    assert Payload.objects.get().state == "refused"


@pytest.mark.parametrize("base", ["", "/in/opsgenie"])
def test_the_opsgenie_client_creates_and_closes(live_server, organisation, base):
    opsgenie_sdk = pytest.importorskip("opsgenie_sdk")
    sender("opsgenie")
    configuration = opsgenie_sdk.Configuration()
    configuration.api_key["Authorization"] = KEY
    configuration.host = live_server.url + base
    client = opsgenie_sdk.AlertApi(api_client=opsgenie_sdk.ApiClient(configuration=configuration))
    wanted = opsgenie_sdk.CreateAlertPayload(
        message="Disk full", alias="db-1/disk", priority="P1", details={"free": "1 %"}
    )
    created = client.create_alert(create_alert_payload=wanted)
    assert created.request_id and told() == [("db-1/disk", "firing", 1)]
    status = client.get_request_status(created.request_id)
    assert (status.data.is_success, status.data.alias) == (True, "db-1/disk")
    closing = opsgenie_sdk.CloseAlertPayload(user="me", note="over")
    client.close_alert(identifier="db-1/disk", identifier_type="alias", close_alert_payload=closing)
    assert told() == [("db-1/disk", "resolved", 2)]


def test_the_cloudevents_client_sends_binary_and_structured_events(live_server, organisation):
    http = pytest.importorskip("cloudevents.v1.http")
    settings = {
        "key": ["source", "subject"],
        "state": {"path": "type", "resolved": ["com.example.ok"]},
        "title": "data.t",
    }
    sender("cloudevents", settings=settings)
    event = http.CloudEvent
    about = {"source": "/pumps", "subject": "4"}
    for write, kind in ((http.to_binary, "com.example.hot"), (http.to_structured, "com.example.ok")):
        headers, body = write(event({"type": kind, **about}, {"t": "Pump 4 is too hot"}))
        request = Request(f"{live_server.url}/in/cloudevents/{KEY}", body, headers)
        assert urlopen(request, timeout=20).status == 202
    assert told() == [("/pumps/4", "resolved", 2)]


@pytest.mark.parametrize("scheme", ["json", "xml", "form"])
def test_apprise_speaks_json_xml_and_forms(live_server, organisation, scheme):
    apprise = pytest.importorskip("apprise")
    sender("generic")
    host = live_server.url.removeprefix("http://")
    told_by = apprise.Apprise()
    assert told_by.add(f"{scheme}://{host}/in/generic/{KEY}")
    assert told_by.notify(title="Disk full", body="1 % left", notify_type=apprise.NotifyType.FAILURE)
    assert told() == [("Disk full", "firing", 1)]
    assert told_by.notify(title="Disk full", body="41 % left", notify_type=apprise.NotifyType.SUCCESS)
    assert told() == [("Disk full", "resolved", 2)]


def wait_for(condition) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, (told(), [bytes(payload.body) for payload in Payload.objects.all()])
        time.sleep(0.1)


@pytest.mark.skipif(not (shutil.which("monit") and shutil.which("curl")), reason="needs apt packages monit and curl")
def test_monit_fires_and_resolves_by_exec_curl(live_server, organisation, tmp_path):
    """As the guide says: one line a check, a form, nothing that needs quoting."""
    sender("generic")
    url, watched = f"{live_server.url}/in/generic/{KEY}", tmp_path / "watched"
    call = f"{shutil.which('curl')} -sS -m 10 {url} -d key=watched -d title=watched-is-gone"
    watched.write_text("here")
    with monit(
        tmp_path,
        f'check file watched with path {watched}\n  if does not exist then exec "{call} -d state=firing"\n'
        f'    else if succeeded then exec "{call} -d state=resolved"\n',
    ):
        watched.unlink()
        wait_for(lambda: ("watched", "firing", 1) in told())
        watched.write_text("back")
        wait_for(lambda: ("watched", "resolved", 2) in told())
    assert told() == [("watched", "resolved", 2)]


@pytest.mark.skipif(not (shutil.which("monit") and shutil.which("curl")), reason="needs apt packages monit and curl")
def test_what_monits_quoting_breaks_is_kept_with_the_reason(live_server, organisation, tmp_path):
    sender("generic")
    url = f"{live_server.url}/in/generic/{KEY}"
    broken = json.dumps({"key": "gone", "state": "firing"}).replace('"', '\\"')
    with monit(
        tmp_path,
        f"check file gone with path {tmp_path / 'gone'}\n"
        f"  if does not exist then exec \"{shutil.which('curl')} -sS -m 10 {url} -d '{broken}'\"\n",
    ):
        wait_for(lambda: Payload.objects.exists())
    payload = Payload.objects.order_by("id").first()
    assert payload.state == "refused" and "JSON" in payload.reason and b"gone" in bytes(payload.body)


class monit:
    """A Monit of our own that looks every second, ended with the block."""

    def __init__(self, place, checks: str) -> None:
        self.rc = place / "monitrc"
        self.rc.write_text(
            f"set daemon 1\nset log {place / 'log'}\nset pidfile {place / 'pid'}\nset idfile {place / 'id'}\n"
            f"set statefile {place / 'state'}\n{checks}"
        )
        self.rc.chmod(0o600)

    def __enter__(self) -> None:
        self.process = subprocess.Popen(
            ["monit", "-I", "-c", str(self.rc)],
            env={**os.environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __exit__(self, *failure: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
