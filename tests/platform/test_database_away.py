"""The database stops under a running web server: everybody is told, and it recovers by itself."""

import http.client
import json
import time

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import RequestFactory

from incidents.intake.monitoring.alertmanager import ADAPTER
from mim.embedded import programs
from mim.embedded.ports import free_port
from mim.embedded.welcome import status
from mim.middleware import away_response, is_database_away
from tests.platform.conftest import until

ADDRESS = "/live-ticket/?topics=desk"
SIGNED_IN = {"Cookie": "sessionid=" + "a" * 32}


@pytest.fixture
def web(installation):
    port = free_port()
    environment = installation.environment | {"MIM_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    child = programs.web(environment, installation.home / "log", "127.0.0.1", port)
    child.start()
    until(lambda: status("127.0.0.1", port, "/healthz", environment) == 200, 30, child.last_words())
    yield port
    child.stop()
    if not installation.server.is_running():
        installation.start_database()


def ask(port: int, path: str = ADDRESS, method: str = "GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    began = time.monotonic()
    connection.request(method, path, headers=SIGNED_IN)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body, time.monotonic() - began


@pytest.mark.stack
def test_a_stopped_database_is_said_on_the_page_and_the_next_request_after_its_start_works(web, installation):
    assert ask(web)[0].status == 401  # the session was looked up: the database works
    installation.stop_database()
    for _ in range(10):  # every kept connection of every thread
        answer, body, seconds = ask(web)
        assert answer.status == 503
        assert answer.getheader("Retry-After") == "5"
        assert seconds <= 3
        assert "The database is away" in body
    assert ask(web, "/healthz")[0].status == 200
    ready, body, _ = ask(web, "/readyz")
    assert ready.status == 503 and json.loads(body)["checks"]["database"]["ok"] is False
    installation.start_database()
    until(lambda: ask(web)[0].status == 401, 10, "recovery")
    assert [ask(web)[0].status for _ in range(10)] == [401] * 10


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_noticed_before_the_first_statement():
    connection.ensure_connection()
    ended = connection.connection.info.backend_pid
    connection.health_check_enabled = True
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
        other.db.close()
    connection.close_if_unusable_or_obsolete()  # as a new request does
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert connection.connection.info.backend_pid != ended


def test_a_machine_gets_a_problem_document_that_says_nothing_was_stored():
    answer = away_response(RequestFactory().post("/api/v1/tickets/"))
    assert answer.status_code == 503 and answer["Retry-After"] == "5"
    assert answer["Content-Type"] == "application/problem+json"
    content = json.loads(answer.content)
    assert content["type"] == "database_away" and content["status"] == 503
    assert "stored" in content["detail"]


def test_a_page_tries_again_by_itself_but_a_sent_form_does_not():
    requests = RequestFactory()
    assert b'http-equiv="refresh"' in away_response(requests.get("/desk/")).content
    sent = away_response(requests.post("/tickets/new/"))
    assert b'http-equiv="refresh"' not in sent.content and b"send it again" in sent.content
    assert "unsafe-inline" not in sent["Content-Security-Policy"]


def test_an_address_in_the_page_cannot_bring_a_script():
    page = away_response(RequestFactory().post("/<script>alert(1)</script>/"))
    assert b"<script>" not in page.content


class _Refused(Exception):
    def __init__(self, pgcode):
        self.pgcode = pgcode


@pytest.mark.parametrize(
    ("state", "away"),
    [(None, True), ("08006", True), ("57P01", True), ("57P03", True), ("40P01", False), ("55P03", False)],
)
def test_a_deadlock_is_no_outage(state, away):
    error = OperationalError("x")
    error.__cause__ = _Refused(state)
    assert is_database_away(error) is away


def test_an_outage_is_recognised_behind_another_error():
    wrapped = ValueError("rendering failed")
    wrapped.__cause__ = InterfaceError("connection already closed")
    assert is_database_away(wrapped)
    assert not is_database_away(ValueError("x")) and not is_database_away(None)


KEY = "k" * 32
_SENDER = f"""
from django.utils import timezone
from incidents.models import Integration
from incidents.models.access import digest
Integration.objects.get_or_create(
    name="Tool", defaults=dict(
        kind="alertmanager", key_sha256=digest("{KEY}"), key_prefix="kkkkkk", created_at=timezone.now()
    )
)
"""
_KEPT = "from incidents.models import Payload; print('kept', Payload.objects.count())"


def send_alert(port: int):
    body, _ = ADAPTER.example()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    began = time.monotonic()
    link.request("POST", f"/in/alertmanager/{KEY}", body, {"Content-Type": "application/json"})
    answer = link.getresponse()
    answer.read()
    link.close()
    return answer, time.monotonic() - began


@pytest.mark.stack
def test_a_tool_is_told_to_come_again_and_nothing_is_half_written(web, installation):
    assert installation.manage("shell", "-c", _SENDER).returncode == 0
    assert send_alert(web)[0].status == 202
    installation.stop_database()
    for _ in range(10):
        answer, seconds = send_alert(web)
        assert (answer.status, answer.getheader("Retry-After")) == (503, "5")
        assert seconds <= 3
    installation.start_database()
    until(lambda: send_alert(web)[0].status == 202, 10, "recovery")
    assert "kept 2" in installation.manage("shell", "-c", _KEPT).stdout
