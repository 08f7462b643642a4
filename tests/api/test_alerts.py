"""Alerts over the API: one shape to read, and a way to report them."""

import pytest

from incidents.actions import alerts
from incidents.models import Alert, Integration, Payload, Ticket
from tests.api.conftest import Caller
from tests.incidents.monitoring.conftest import minute, sender, signal

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(technician):
    return Caller(technician, scopes=["ingest", "read"])


def told(by, n=1, **fields):
    payload = Payload.objects.create(
        integration=by, received_at=minute(n), body=b'{"alerts": [1]}', sha256="", state="done"
    )
    return alerts.take_in(by, [signal(at=minute(n), **fields)], payload=payload, at=minute(n))[0]


def test_a_reported_alert_is_answered_as_it_stands_in_the_record(program, checkout):
    body = {
        "title": "Disk is full", "dedup_key": "db1/disk", "severity": "critical", "service": "checkout",
        "started_at": "2026-01-05T10:00:00Z", "labels": {"host": "db1"}, "payload": {"used": 99},
    }  # fmt: skip
    answer = program.post("alerts", body, 201)
    assert {name: answer[name] for name in ("status", "outcome", "service", "started_at", "ended_at", "reports")} == {
        "status": "firing",
        "outcome": "ticket",
        "service": "checkout",
        "started_at": "2026-01-05T10:00:00Z",
        "ended_at": None,
        "reports": 1,
    }
    assert answer["payload"] == {"used": 99}
    assert answer["ticket"] == Ticket.objects.get().ref
    assert program.get(f"alerts/{answer['id']}") == answer
    assert Integration.objects.get().kind == "api"


def test_the_same_key_is_the_same_alert_until_it_has_ended(program, checkout):
    body = {"title": "Disk is full", "dedup_key": "disk"}
    first, second = program.post("alerts", body, 201), program.post("alerts", body, 201)
    assert (first["id"], second["reports"]) == (second["id"], 2)
    over = program.post("alerts", {**body, "status": "resolved"}, 201)
    assert (over["id"], over["status"]) == (first["id"], "resolved")
    assert program.post("alerts", body, 201)["id"] != first["id"]
    assert Integration.objects.count() == 1


def test_without_a_key_each_is_an_alert_of_its_own(program, organisation):
    assert program.post("alerts", {"title": "a"}, 201)["id"] != program.post("alerts", {"title": "a"}, 201)["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": "x", "severity": "awful"}, "severity"),
        ({"title": "x", "status": "resolved"}, "status"),
        ({"title": "x", "status": "acknowledged", "dedup_key": "never"}, "status"),
        ({"title": "x", "service": "nobody"}, "service"),
        ({"title": "x", "source": 99}, "source"),
        ({"title": "x", "ended_at": "2026-01-05T10:00:00Z"}, "ended_at"),
        ({"title": "x", "labels": ["a"]}, "labels"),
    ],
)
def test_what_cannot_be_right_names_the_field(program, organisation, body, field):
    assert field in program.post("alerts", body, 400)["errors"]
    assert not Alert.objects.exists()


def test_a_source_may_be_named_when_it_is_of_the_kind_api(program, organisation):
    ours, tool = sender("api"), sender(key="t" * 32)
    assert program.post("alerts", {"title": "x", "source": ours.pk}, 201)["source"] == ours.pk
    program.post("alerts", {"title": "x", "source": tool.pk}, 400)


def test_a_key_needs_the_scope_and_its_person_the_desk(technician, requester, organisation):
    Caller(technician, scopes=["read"]).post("alerts", {"title": "x"}, 403)
    Caller(requester, scopes=["ingest"]).post("alerts", {"title": "x"}, 403)
    Caller(technician, scopes=["write"]).post("alerts", {"title": "x"}, 201)


def test_lists_are_filtered_ordered_and_searched(program, checkout, organisation):
    tool = sender()
    first = told(tool, 1, key="a", title="Disk of db1", service="checkout")
    second = told(tool, 2, key="b", title="CPU of web2")
    told(sender(key="o" * 32), 3, key="c", title="Network")

    def found(query):
        return [row["dedup_key"] for row in program.get(f"alerts?{query}")["results"]]

    assert found("") == ["c", "b", "a"]
    assert found(f"source={tool.pk}&ordering=started_at") == ["a", "b"]
    assert found("dedup_key=b") == ["b"]
    assert found("service=checkout") == ["a"]
    assert found("status=firing,acknowledged&severity=critical&search=of") == ["b", "a"]
    assert found(f"ticket=INC-{first.ticket_id}") == ["a"]
    assert found("started_after=2024-03-04T09:02:00Z") == ["c", "b"]
    program.get("alerts?status=broken", 400)
    row = program.get(f"alerts/{second.pk}")
    assert row["payload"] == {"alerts": [1]}


def test_a_long_body_is_not_shown_with_its_alert(program, organisation):
    alert = told(sender())
    Payload.objects.update(body=b"x" * 20_000)
    assert program.get(f"alerts/{alert.pk}")["payload"] is None
    Payload.objects.update(body=b"x" * 20)
    assert program.get(f"alerts/{alert.pk}")["payload"] == "x" * 20


def test_who_may_not_read_alerts_finds_none(requester, organisation):
    alert = told(sender())
    caller = Caller(requester)
    assert caller.get("alerts")["results"] == []
    caller.get(f"alerts/{alert.pk}", 404)


def test_a_list_of_alerts_costs_the_same_whatever_its_length(program, organisation, django_assert_max_num_queries):
    tool = sender()
    for n in range(30):
        told(tool, n, key=f"k{n}")
    with django_assert_max_num_queries(8):
        program.get("alerts")


def test_a_candidate_names_its_alerts(program, checkout, organisation):
    from incidents.models import AlertRule

    AlertRule.objects.create(name="First", position=1, outcome="candidate")
    alert = told(sender(), service="checkout")
    candidate = program.get("candidates")["results"][0]
    assert candidate["alerts"] == [alert.pk]
