"""Clients that fix the path: PagerDuty, Opsgenie, ServiceNow, heartbeats; and signatures asked at the door."""

import base64
import hmac
import json
from hashlib import sha256
from urllib.parse import quote

import pytest
from django.test import Client

from incidents import sealed
from incidents.actions import tickets
from incidents.intake.monitoring import processing
from incidents.intake.monitoring.shape import Says
from incidents.models import Alert, Integration, Payload, Ticket, TicketComment
from tests.incidents.monitoring.conftest import KEY, sender
from tests.incidents.monitoring.reading import adapter, body_of

pytestmark = pytest.mark.django_db
GENIE = {"Authorization": f"GenieKey {KEY}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"zabbix:{KEY}".encode()).decode()}
TABLE = "/api/now/table/incident"


@pytest.fixture
def http(organisation):
    return Client(raise_request_exception=True)


@pytest.fixture
def send(http):
    def act(path, body=None, *, method="post", headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        return http.generic(method.upper(), path, data, content_type="application/json", headers=headers or {})

    return act


def worked() -> None:
    for one in Integration.objects.all():
        processing.process(one.pk)


# --- PagerDuty ----------------------------------------------------------------------------------
@pytest.fixture
def pager(organisation):
    return sender("pagerduty")


def event(action="trigger", **more):
    payload = {"summary": "Disk full", "source": "db-1", "severity": "critical"}
    return {"routing_key": KEY, "event_action": action, "payload": payload, **more}


@pytest.mark.parametrize("base", ["", "/in/pagerduty"])
def test_pagerduty_triggers_acknowledges_and_resolves(send, pager, base):
    for action, status in (("trigger", "firing"), ("acknowledge", "acknowledged"), ("resolve", "resolved")):
        answer = send(f"{base}/v2/enqueue", event(action, dedup_key="d"))
        expected = {"status": "success", "message": "Event processed", "dedup_key": "d"}
        assert (answer.status_code, answer.json()) == (202, expected)
        worked()
        assert Alert.objects.get().status == status


def test_pagerduty_gets_a_key_it_can_resolve_by(send, pager):
    key = send("/v2/enqueue/", event()).json()["dedup_key"]
    other = send("/v2/enqueue", event()).json()["dedup_key"]
    send("/v2/enqueue", event("resolve", dedup_key=key))
    worked()
    assert {one.dedup_key: one.status for one in Alert.objects.all()} == {key: "resolved", other: "firing"}


def test_the_routing_key_is_not_kept(send, pager):
    send("/v2/enqueue", event())
    assert KEY not in bytes(Payload.objects.get().body).decode()


def test_a_resolve_of_nothing_is_dropped_politely(send, pager):
    assert send("/v2/enqueue", event("resolve", dedup_key="never")).status_code == 202
    worked()
    assert not Alert.objects.exists() and Payload.objects.get().state == "done"


def test_change_events_are_kept_and_make_no_alert(send, pager):
    body = {"routing_key": KEY, "payload": {"summary": "Deployed"}}
    assert send("/v2/change/enqueue", body).status_code == 202
    worked()
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        ({"event_action": "trigger"}, 400),
        ({**event(), "routing_key": "wrong"}, 400),
        ({**event(), "routing_key": {"a": 1}}, 400),
        ({**event(), "routing_key": "\ud800"}, 400),
        ({**event(), "event_action": "poke"}, 400),
        (b"x" * (1024 * 1024 + 1), 413),
    ],
)
def test_pagerduty_errors_are_its_own(send, pager, body, status):
    answer = send("/v2/enqueue", body)
    assert answer.status_code == status
    assert answer.json()["status"] == "invalid event" and answer.json()["errors"]
    assert send("/v2/enqueue", method="get").status_code == 405


def test_one_key_does_not_open_another_kind(send, pager):
    assert send("/v2/alerts", {"message": "m"}, headers=GENIE).status_code == 401
    assert send(TABLE, {"short_description": "s"}, headers=BASIC).status_code == 401


# --- Opsgenie -----------------------------------------------------------------------------------
@pytest.fixture
def genie(organisation):
    return sender("opsgenie")


def test_opsgenie_as_zabbix_speaks_it(send, genie):
    """The address with a slash, the poll until it is done, then close by alias."""
    created = send("/in/opsgenie/v2/alerts/", body_of("opsgenie/firing.json"), headers=GENIE)
    assert created.status_code == 202 and created.json()["result"]
    poll = send(f"/in/opsgenie/v2/alerts/requests/{created.json()['requestId']}", method="get", headers=GENIE)
    data = poll.json()["data"]
    assert (data["isSuccess"], data["success"], data["alias"], data["status"]) == (True, True, "8341", "Created alert")
    worked()
    assert Alert.objects.get().status == "firing"
    note = {"user": "", "note": "over"}
    closed = send("/in/opsgenie/v2/alerts/8341/close?identifierType=alias", note, headers=GENIE)
    poll = send(f"/in/opsgenie/v2/alerts/requests/{closed.json()['requestId']}", method="get", headers=GENIE)
    assert poll.json()["data"]["status"] == "Closed alert"
    worked()
    assert Alert.objects.get().status == "resolved"


def test_an_alert_is_known_by_the_id_that_was_given_out(send, genie):
    request = send("/v2/alerts", {"message": "No alias"}, headers=GENIE).json()["requestId"]
    alert_id = send(f"/v2/alerts/requests/{request}", method="get", headers=GENIE).json()["data"]["alertId"]
    send(f"/v2/alerts/{alert_id}/acknowledge", {}, headers=GENIE)
    worked()
    assert Alert.objects.get().status == "acknowledged"
    shown = send(f"/v2/alerts/{alert_id}", method="get", headers=GENIE).json()["data"]
    assert (shown["message"], shown["acknowledged"], shown["status"]) == ("No alias", True, "open")
    send(f"/v2/alerts/{alert_id}", method="delete", headers=GENIE)
    worked()
    assert Alert.objects.get().status == "resolved"


def test_an_alias_may_hold_slashes_and_signs(send, genie):
    alias = "host/db 1/disk%25?"
    send("/v2/alerts", {"message": "m", "alias": alias}, headers=GENIE)
    send(f"/v2/alerts/{quote(alias, safe='')}/close?identifierType=alias", {}, headers=GENIE)
    worked()
    assert Alert.objects.get().status == "resolved"


def test_notes_and_the_like_are_answered_and_change_nothing(send, genie):
    send("/v2/alerts", {"message": "m", "alias": "a"}, headers=GENIE)
    for act in ("notes", "snooze", "tags", "assign"):
        answer = send(f"/v2/alerts/a/{act}?identifierType=alias", {"note": "n"}, headers=GENIE)
        assert answer.status_code == 202
    worked()
    assert (Alert.objects.get().status, Payload.objects.filter(state="done").count()) == ("firing", 5)


def test_opsgenie_errors_are_its_own(send, genie):
    assert send("/v2/alerts", {"message": "m"}).status_code == 401
    assert send("/v2/alerts", {"message": ""}, headers=GENIE).json()["errors"] == {
        "message": "message can not be empty."
    }
    assert send("/v2/alerts", b"{", headers=GENIE).status_code == 400
    for unknown in ("requests/00000000-0000-0000-0000-0000000fffff", "requests/x", "nothing", "requests/" + "f" * 32):
        assert send(f"/v2/alerts/{unknown}", method="get", headers=GENIE).status_code == 404


def test_what_others_sent_is_not_shown(send, genie):
    request = send("/v2/alerts", {"message": "m"}, headers=GENIE).json()["requestId"]
    sender("opsgenie", key="o" * 32)
    other = {"Authorization": f"GenieKey {'o' * 32}"}
    assert send(f"/v2/alerts/requests/{request}", method="get", headers=other).status_code == 404


# --- ServiceNow ---------------------------------------------------------------------------------
@pytest.fixture
def table(checkout):
    return sender("servicenow", service=checkout)


def test_servicenow_as_zabbix_speaks_it(send, table, checkout):
    """Opens, comments, and what was opened is found by its sys_id."""
    answer = send(TABLE, body_of("servicenow/firing.json"), headers=BASIC)
    record, ticket = answer.json()["result"], Ticket.objects.get()
    assert (answer.status_code, record["number"], len(record["sys_id"])) == (201, ticket.ref, 32)
    assert (ticket.title, ticket.channel, ticket.urgency, ticket.service) == (
        "[PROBLEM] High CPU utilization", "monitoring", 2, checkout,
    )  # fmt: skip
    assert ticket.description.count("Host: web-1") == 1
    changed = send(f"{TABLE}/{record['sys_id']}", {"comments": "Still there"}, method="put", headers=BASIC)
    assert (changed.status_code, changed.json()["result"]["state"]) == (200, "1")
    assert [(one.text, one.public) for one in TicketComment.objects.all()] == [("Still there", False)]
    alert, payload = Alert.objects.get(), Payload.objects.order_by("id").first()
    assert (alert.ticket, alert.outcome, alert.status, payload.state) == (ticket, "ticket", "firing", "done")


def test_its_word_that_it_is_over_resolves_a_ticket_nobody_has_taken(send, table):
    url = send(TABLE, body_of("servicenow/firing.json"), headers=BASIC).headers["Location"]
    result = send(url, body_of("servicenow/resolved.json"), method="patch", headers=BASIC).json()["result"]
    assert (result["state"], result["active"], result["close_notes"]) == ("6", "false", "Recovered")
    assert (Ticket.objects.get().status, Alert.objects.get().status) == ("resolved", "resolved")
    again = send(url, {"state": "1"}, method="put", headers=BASIC).json()["result"]
    assert (again["state"] in ("1", "2"), Alert.objects.get().status) == (True, "firing")


def test_somebodys_work_is_not_taken_out_of_their_hands(send, table, technician, minute):
    url = send(TABLE, body_of("servicenow/firing.json"), headers=BASIC).headers["Location"]
    ticket = Ticket.objects.get()
    tickets.assign(ticket.pk, assignee=technician, actor=technician, at=ticket.reported_at)
    send(url, {"state": "Resolved", "close_notes": "Load is normal"}, method="put", headers=BASIC)
    ticket = Ticket.objects.get()
    assert (ticket.is_open, ticket.alerts_resolved_at is not None) == (True, True)
    assert TicketComment.objects.get().text == "Load is normal"


def test_the_same_correlation_id_is_one_record_while_it_is_open(send, table):
    body = {"short_description": "Disk", "correlation_id": "z-7"}
    first, second = (send(TABLE, body, headers=BASIC).json()["result"] for _ in range(2))
    assert first["sys_id"] == second["sys_id"] and Alert.objects.get().reports == 2
    send(f"{TABLE}/{first['sys_id']}", {"state": "7"}, method="put", headers=BASIC)
    third = send(TABLE, body, headers=BASIC).json()["result"]
    assert third["sys_id"] != first["sys_id"] and Ticket.objects.count() == 2


def test_records_are_found_as_senders_look_for_them(send, table):
    one = send(TABLE, {"short_description": "A", "correlation_id": "a"}, headers=BASIC).json()["result"]
    send(TABLE, {"short_description": "B", "correlation_id": "b"}, headers=BASIC)

    def found(query):
        answer = send(f"{TABLE}?{query}", method="get", headers=BASIC)
        assert answer.status_code == 200
        return [record["short_description"] for record in answer.json()["result"]]

    assert found("") == ["B", "A"]
    assert found("sysparm_limit=1") == ["B"]
    assert found("sysparm_query=correlation_id=a^active=true") == ["A"]
    assert found("correlation_id=b") == ["B"]
    assert found(f"sysparm_query=number={one['number']}^ORDERBYDESCnumber") == ["A"]
    assert found(f"sys_id={one['sys_id']}") == ["A"]
    assert found("sysparm_query=stateNOT IN6,7^short_descriptionLIKEb") == ["B"]
    assert found("sysparm_query=state!=1") == []
    assert found("sysparm_query=caller_id=me") == []
    assert found("sysparm_query=%00^^=") == []
    shown = send(f"{TABLE}/{one['sys_id']}?sysparm_fields=number", method="get", headers=BASIC).json()["result"]
    assert shown["number"] == one["number"]


def test_servicenow_errors_are_its_own_and_nothing_is_lost(send, table):
    nobody = send(TABLE, {"short_description": "x"})
    assert nobody.status_code == 401 and nobody.headers["WWW-Authenticate"].startswith("Basic")
    assert send(TABLE, {"x": 1}, headers={"Authorization": "Basic %%%"}).status_code == 401
    refused = send(TABLE, {"description": "no title"}, headers=BASIC)
    assert (refused.status_code, refused.json()["error"]["detail"]) == (400, "short_description")
    assert send(f"{TABLE}/{'0' * 32}", {"state": "6"}, method="put", headers=BASIC).status_code == 404
    assert send(f"{TABLE}/nonsense", method="get", headers=BASIC).status_code == 404
    assert send(TABLE, {}, method="delete", headers=BASIC).status_code == 405
    assert Payload.objects.filter(state="refused").count() == 2
    assert not Ticket.objects.exists()


def test_records_of_others_are_not_there(send, table):
    url = send(TABLE, {"short_description": "A"}, headers=BASIC).headers["Location"]
    sender("servicenow", key="o" * 32)
    other = {"Authorization": f"Bearer {'o' * 32}"}
    assert send(url, method="get", headers=other).status_code == 404
    assert send(url, {"state": "6"}, method="put", headers=other).status_code == 404
    assert Ticket.objects.get().is_open


def test_the_key_may_be_the_user_and_the_rest_of_the_api_stays_closed(send, table):
    as_user = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
    assert send(f"/in/servicenow{TABLE}", {"short_description": "A"}, headers=as_user).status_code == 201
    assert send("/api/now/table/problem", {}, headers=BASIC).status_code == 404


# --- at the door --------------------------------------------------------------------------------
def test_a_signature_is_asked_before_anything_is_stored(send, organisation):
    sender("sentry", signing_secrets=[sealed.seal("s3cret")])
    body, headers = adapter("sentry").example()
    refused = send(f"/in/sentry/{KEY}", body, headers=headers)
    assert (refused.status_code, Payload.objects.get().state) == (401, "refused")
    headers["Sentry-Hook-Signature"] = hmac.new(b"s3cret", body, sha256).hexdigest()
    assert send(f"/in/sentry/{KEY}", body, headers=headers).status_code == 202


@pytest.mark.parametrize(
    "name", ["grafana", "zabbix", "nagios", "icinga", "datadog", "victorops", "uptime-kuma", "cloudevents", "generic"]
)
def test_every_kind_fires_and_resolves_through_its_address(http, name):
    sender(name)
    for says in (Says.FIRING, Says.RESOLVED):
        body, headers = adapter(name).example(says=says)
        answer = http.post(f"/in/{name}/{KEY}", body, content_type=headers["content-type"])
        assert answer.status_code in (200, 202)
        worked()
        assert [one.status for one in Alert.objects.all()] == [says]
