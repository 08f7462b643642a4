"""Major incidents over the API: declared, worked on by a team, moved through their stages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import steps
from incidents.models import MajorIncident
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
CLOCKS = (
    "started_at", "detected_at", "reported_at", "acknowledged_at", "declared_at", "contained_at", "restored_at",
    "resolved_at", "closed_at",
)  # fmt: skip


def number(ref):
    return int(ref.removeprefix("MI-"))


def past(minutes):
    return (timezone.now() - timedelta(minutes=minutes)).isoformat()


@pytest.fixture
def incident(as_manager, checkout):
    body = {"title": "Checkout answers 502", "services": ["Checkout"], "impact": 1, "urgency": 1}
    return as_manager.post("major-incidents", body, 201)


@pytest.fixture
def path(incident):
    return f"major-incidents/{incident['ref']}"


@pytest.fixture
def told(incident):
    """What the delivery of the first messages reports."""
    facts = {"audiences": {"users": "3 of 3"}}
    steps.record_evidence(number(incident["ref"]), "inform", facts, [], is_complete=True, at=timezone.now())


def test_a_declared_incident_shows_everything(incident, manager):
    assert incident["ref"].startswith("MI-")
    assert (incident["stage"], incident["severity"], incident["priority"]) == ("identification", "SEV1", "P1")
    assert incident["services"] == ["checkout"]
    assert incident["manager"] == incident["declared_by"] == manager.email
    assert set(CLOCKS) <= incident.keys()
    assert incident["declared_at"] == incident["detected_at"] == incident["reported_at"]
    assert incident["started_at"] is None
    assert [entry["transition"] for entry in incident["stage_history"]] == ["declare"]
    assert incident["stage_history"][0].keys() == {"transition", "from", "to", "at", "by", "reason"}
    assert [step["key"] for step in incident["steps"]] == [
        "declare", "inform", "assemble", "bridge", "war_room", "problem", "change", "review", "document", "measure",
    ]  # fmt: skip
    assert incident["steps"][0]["state"] == "done"
    assert [interval["service"] for interval in incident["downtime"]] == ["checkout"]
    assert incident["downtime_seconds"] is not None
    assert incident["counts"]["tickets"] == 0
    assert incident["next_update_at"] is not None


def test_a_clock_that_is_null_is_unknown_and_one_left_out_follows_the_rules(as_manager, checkout):
    body = {
        "title": "x", "impact": 1, "urgency": 2, "services": ["checkout"], "started_at": "2019-07-02T13:42:00Z",
        "detected_at": "2019-07-02T13:45:00Z", "reported_at": "2019-07-02T15:45:00+02:00", "acknowledged_at": None,
        "declared_at": "2019-07-02T13:45:00Z",
    }  # fmt: skip
    made = as_manager.post("major-incidents", body, 201)
    assert made["acknowledged_at"] is None
    assert made["reported_at"] == "2019-07-02T13:45:00Z"
    assert made["severity"] == "SEV2"
    absent = as_manager.post("major-incidents", {"title": "y", "impact": 1, "urgency": 1}, 201)
    assert absent["acknowledged_at"] == absent["declared_at"]
    assert as_manager.post("major-incidents", {**body, "declared_at": None}, 400)["errors"].keys() == {"declared_at"}
    late = as_manager.post("major-incidents", {**body, "detected_at": "2019-07-02T13:40:00Z"}, 409)
    assert late["type"] == "clock_order"


def test_what_is_wrong_with_a_declaration_is_named(as_manager):
    body = {
        "title": " ",
        "impact": 0,
        "services": ["nope"],
        "tickets": ["INC-1"],
        "users_affected": -1,
        "affects": "me",
    }
    problem = as_manager.post("major-incidents", body, 400)
    assert problem["errors"].keys() == {
        "title", "impact", "urgency", "services", "tickets", "users_affected", "affects",
    }  # fmt: skip


def test_only_a_major_incident_manager_declares(as_technician, manager):
    refusal = as_technician.post("major-incidents", {"title": "x", "impact": 1, "urgency": 1}, 403)
    assert refusal["type"] == "not_allowed"
    assert refusal["who_may"] == [manager.email]


def test_outsiders_do_not_learn_that_it_exists(path, caller, outsider, requester, consultant):
    for person in (outsider, requester, consultant):
        someone = caller(person)
        assert someone.get("major-incidents")["results"] == []
        for below in ("", "/steps", "/seats", "/timeline", "/tasks", "/updates", "/clocks", "/downtime", "/approvals"):
            someone.get(path + below, 404)
        someone.post(f"{path}/contain", {}, 404)
        someone.patch(path, {"title": "x", "reason": "y"}, 404)


def test_stakeholders_read_and_do_not_command(path, as_stakeholder, manager):
    as_stakeholder.get(path)
    refusal = as_stakeholder.post(f"{path}/contain", {}, 403)
    assert refusal["who_may"] == [manager.email]


def test_a_gate_names_what_is_outstanding(path, as_manager, told):
    assert as_manager.post(f"{path}/begin-resolution", {}, 409)["type"] == "wrong_stage"
    assert as_manager.post(f"{path}/begin-containment")["stage"] == "containment"
    problem = as_manager.post(f"{path}/begin-resolution", {}, 409)
    assert problem["type"] == "steps_outstanding"
    assert problem["steps"] == ["assemble", "bridge", "war_room", "problem"]
    assert as_manager.post(f"{path}/begin-containment", {}, 409)["type"] == "wrong_stage"


def test_an_uninformed_audience_holds_containment(path, as_manager):
    problem = as_manager.post(f"{path}/begin-containment", {}, 409)
    assert (problem["type"], problem["steps"]) == ("steps_outstanding", ["inform"])


def test_steps_say_who_holds_which_letter(path, as_manager, manager, engineer):
    shown = as_manager.get(f"{path}/steps")["results"]
    assert len(shown) == 10
    inform = shown[1]
    assert inform.keys() >= {
        "key", "stage", "title", "state", "evidence", "missing", "responsible", "accountable", "consulted", "informed",
        "fallback",
    }  # fmt: skip
    assert inform["accountable"] == [{"role": "major_incident_manager", "people": [manager.email]}]
    assert inform["responsible"] == [{"role": "mit", "people": []}]
    assert inform["fallback"]
    as_manager.post(f"{path}/seats", {"role": "technical_staff", "user": engineer.email}, 201)
    Caller(engineer).post(f"{path}/seats/{as_manager.get(f'{path}/seats')['results'][1]['id']}/accept")
    change = as_manager.get(f"{path}/steps/change")
    assert change["responsible"] == [{"role": "technical_staff", "people": [engineer.email]}]
    as_manager.get(f"{path}/steps/dance", 404)


def test_a_step_is_waived_by_its_a_with_a_reason(path, as_manager, as_technician, manager):
    refusal = as_technician.post(f"{path}/steps/bridge/waive", {"reason": "x"}, 403)
    assert refusal["who_may"] == [manager.email]
    assert as_manager.post(f"{path}/steps/bridge/waive", {}, 400)["errors"].keys() == {"reason"}
    waived = as_manager.post(f"{path}/steps/bridge/waive", {"reason": "We sit in one room"})
    assert (waived["state"], waived["waiver_reason"], waived["waived_by"]) == (
        "waived", "We sit in one room", manager.email,
    )  # fmt: skip
    assert as_manager.post(f"{path}/steps/bridge/waive", {"reason": "again"}, 409)["type"] == "duplicate"


def test_a_step_is_handed_to_another_seat(path, as_manager, engineer):
    seat = as_manager.post(f"{path}/seats", {"role": "technical_staff", "user": engineer.email}, 201)
    assert as_manager.post(f"{path}/steps/bridge/reassign", {"seat": seat["id"]}, 400)["errors"].keys() == {"seat"}
    Caller(engineer).post(f"{path}/seats/{seat['id']}/accept")
    handed = as_manager.post(f"{path}/steps/bridge/reassign", {"user": engineer.email})
    assert handed["accountable"] == [{"role": "technical_staff", "people": [engineer.email]}]


def test_seats_are_offered_taken_declined_and_released(path, as_manager, engineer, technician, caller):
    assert as_manager.post(f"{path}/seats", {"role": "mit"}, 400)["errors"].keys() == {"user"}
    seat = as_manager.post(f"{path}/seats", {"role": "technical_staff", "user": engineer.email, "message": "Come"}, 201)
    assert (seat["state"], seat["user"]) == ("invited", engineer.email)
    assert (
        as_manager.post(f"{path}/seats", {"role": "technical_staff", "user": engineer.email}, 409)["type"]
        == "duplicate"
    )
    assert caller(technician).post(f"{path}/seats/{seat['id']}/accept", {}, 403)["who_may"] == [engineer.email]
    assert caller(engineer).post(f"{path}/seats/{seat['id']}/accept")["state"] == "accepted"
    assert as_manager.post(f"{path}/seats/{seat['id']}/release")["state"] == "released"
    other = as_manager.post(f"{path}/seats", {"role": "mit", "user": technician.email}, 201)
    assert caller(technician).post(f"{path}/seats/{other['id']}/decline", {"reason": "On leave"})["state"] == "declined"
    guest = as_manager.post(f"{path}/seats", {"role": "external_consultant", "guest_email": "Ada@vendor.example"}, 201)
    assert guest["is_guest"] is True


def test_a_guest_sees_only_the_incident_of_the_seat(path, as_manager, consultant, caller):
    as_manager.post("major-incidents", {"title": "Another", "impact": 1, "urgency": 1}, 201)
    as_manager.post(f"{path}/seats", {"role": "external_consultant", "user": consultant.email}, 201)
    guest = caller(consultant)
    assert [row["ref"] for row in guest.get("major-incidents")["results"]] == [path.split("/")[1]]
    guest.get(path)
    guest.get("tickets", 200)
    assert guest.get("tickets")["results"] == []


def test_the_bridge_is_set_and_read(path, as_manager, manager):
    as_manager.get(f"{path}/bridge", 404)
    assert as_manager.put(f"{path}/bridge", {"join_url": "javascript:alert(1)"}, 400)["errors"].keys() == {"join_url"}
    body = {"provider": "jitsi", "join_url": "https://meet.example.org/mi", "dial_in": "+49 30 1234"}
    bridge = as_manager.put(f"{path}/bridge", body)
    assert {name: bridge[name] for name in body} == body
    assert as_manager.get(f"{path}/bridge") == bridge
    as_manager.post(f"{path}/bridge/join")
    kinds = [entry["kind"] for entry in as_manager.get(f"{path}/timeline")["results"]]
    assert {"bridge_set", "bridge_joined"} <= set(kinds)


def test_the_war_room_is_opened_entered_and_left(path, as_manager, manager):
    as_manager.get(f"{path}/war-room", 404)
    assert as_manager.post(f"{path}/war-room/enter", {}, 409)["type"] == "wrong_stage"
    assert as_manager.post(f"{path}/war-room/open", {"location": "Room 4"})["present"] == []
    assert as_manager.post(f"{path}/war-room/enter")["present"] == [manager.email]
    assert as_manager.get(f"{path}/steps/war_room")["state"] == "done"
    assert as_manager.post(f"{path}/war-room/leave")["present"] == []


def test_the_timeline_is_read_from_where_one_left_off(path, as_manager, manager):
    entries = as_manager.get(f"{path}/timeline")["results"]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    note = as_manager.post(f"{path}/timeline", {"text": "Looks like *DNS*"}, 201)
    assert (note["kind"], note["actor"], note["text"]) == ("note", manager.email, "Looks like *DNS*")
    decision = {"kind": "decision", "text": "Fail over", "rationale": "Faster than repair"}
    assert as_manager.post(f"{path}/timeline", decision, 201)["rationale"] == "Faster than repair"
    new = as_manager.get(f"{path}/timeline?after={entries[-1]['seq']}")["results"]
    assert [entry["kind"] for entry in new] == ["note", "decision"]
    reworded = as_manager.patch(f"{path}/timeline/{note['id']}", {"text": "It was DNS"})
    assert reworded["text"] == "It was DNS"
    assert [wording["text"] for wording in reworded["history"]] == ["Looks like *DNS*"]
    assert as_manager.patch(f"{path}/timeline/{entries[0]['id']}", {"text": "x"}, 400)["errors"].keys() == {"text"}
    assert as_manager.post(f"{path}/timeline", {"text": "  "}, 400)["errors"].keys() == {"text"}


def test_tasks_are_added_and_worked_off(path, as_manager, engineer):
    task = as_manager.post(f"{path}/tasks", {"title": "Restart pods", "assignee": engineer.email}, 201)
    assert (task["status"], task["assignee"]) == ("open", engineer.email)
    assert as_manager.post(f"{path}/tasks", {"title": "restart PODS"}, 409)["type"] == "duplicate"
    done = as_manager.patch(f"{path}/tasks/{task['id']}", {"status": "done"})
    assert done["done_at"] is not None
    assert as_manager.get(f"{path}/tasks?status=open")["results"] == []


def test_updates_carry_a_text_per_audience_and_a_promise(path, as_manager):
    assert as_manager.post(f"{path}/updates", {}, 400)["errors"].keys() == {"text"}
    unknown = as_manager.post(f"{path}/updates", {"texts": {"press": "x"}}, 400)
    assert unknown["errors"].keys() == {"texts"}
    promised = (timezone.now() + timedelta(minutes=30)).isoformat()
    body = {"texts": {"technical": "Failing over", "users": "We work on it"}, "next_update_at": promised}
    update = as_manager.post(f"{path}/updates", body, 201)
    assert update["texts"] == body["texts"]
    assert sorted(update["audiences"]) == ["technical", "users"]
    assert as_manager.get(path)["next_update_at"] == update["next_update_at"]
    common = as_manager.post(f"{path}/updates", {"text": "Back soon", "audiences": ["users"]}, 201)
    assert common["texts"] == {"users": "Back soon"}
    assert [row["id"] for row in as_manager.get(f"{path}/updates")["results"]] == [common["id"], update["id"]]


def test_management_is_asked_and_decides_once(path, as_manager, management, caller):
    body = {"question": "Fail over?", "options": ["yes", "no"], "approver": management.email}
    asked = as_manager.post(f"{path}/approvals", body, 201)
    assert asked["state"] == "pending"
    assert as_manager.post(f"{path}/approvals/{asked['id']}/approve", {}, 403)["who_may"] == [management.email]
    decided = caller(management).post(f"{path}/approvals/{asked['id']}/approve", {"chosen": "yes"})
    assert (decided["state"], decided["chosen"], decided["decided_by"]) == ("approved", "yes", management.email)
    assert caller(management).post(f"{path}/approvals/{asked['id']}/refuse", {}, 409)["type"] == "duplicate"


def test_clocks_are_corrected_with_a_reason_and_keep_their_history(path, incident, as_manager, manager):
    assert as_manager.patch(path, {"started_at": past(30)}, 400)["errors"].keys() == {"reason"}
    changed = as_manager.patch(path, {"started_at": past(30), "title": "Shop is down", "reason": "Seen in the logs"})
    assert changed["title"] == "Shop is down"
    assert changed["downtime"][0]["started_at"] == changed["started_at"]
    wrong = as_manager.patch(path, {"detected_at": past(60), "reason": "x"}, 409)
    assert wrong["type"] == "clock_order"
    clock = as_manager.get(f"{path}/clocks/started_at")
    assert (clock["value"], clock["is_corrected"], clock["set_by"]) == (changed["started_at"], True, manager.email)
    assert clock["corrections"][-1]["reason"] == "Seen in the logs"
    assert [row["name"] for row in as_manager.get(f"{path}/clocks")["results"]] == list(CLOCKS)
    as_manager.get(f"{path}/clocks/lunch_at", 404)
    ahead = (timezone.now() + timedelta(minutes=10)).isoformat()
    assert as_manager.patch(path, {"started_at": ahead, "reason": "x"}, 400)["errors"].keys() == {"started_at"}


def test_an_unknown_clock_is_marked_not_applicable(path, as_manager):
    marked = as_manager.post(f"{path}/clocks/started_at/not-applicable", {"reason": "Nobody knows"})
    assert marked["not_applicable"] == "Nobody knows"
    assert as_manager.post(f"{path}/clocks/declared_at/not-applicable", {"reason": "x"}, 400)["errors"]


def test_downtime_ends_begins_again_and_is_corrected(path, as_manager, checkout):
    restored = as_manager.post(f"{path}/restore", {"services": ["checkout"]})
    assert restored["restored_at"] is not None
    assert as_manager.post(f"{path}/restore", {}, 409)["type"] == "duplicate"
    again = as_manager.post(f"{path}/downtime", {"service": "checkout", "started_at": timezone.now().isoformat()}, 201)
    assert again["ended_at"] is None
    assert as_manager.get(path)["restored_at"] is None
    early = as_manager.patch(f"{path}/downtime/{again['id']}", {"ended_at": past(120)}, 400)
    assert early["errors"].keys() == {"ended_at"}
    ended = as_manager.patch(f"{path}/downtime/{again['id']}", {"ended_at": timezone.now().isoformat()})
    assert ended["ended_at"] is not None
    assert len(as_manager.get(f"{path}/downtime")["results"]) == 2


def test_a_mistaken_declaration_is_stood_down_and_taken_back(path, as_manager):
    assert as_manager.post(f"{path}/stand-down", {}, 400)["errors"].keys() == {"reason"}
    assert as_manager.post(f"{path}/stand-down", {"reason": "A drill of the supplier"})["stage"] == "stood_down"
    assert as_manager.post(f"{path}/contain", {}, 409)["type"] == "wrong_stage"
    back = as_manager.post(f"{path}/reinstate", {"reason": "It was real"})
    assert back["stage"] == "identification"
    assert [entry["transition"] for entry in back["stage_history"]] == ["declare", "stand_down", "reinstate"]


def test_two_incidents_of_one_outage_become_one(path, as_manager, as_technician, checkout):
    other = as_manager.post("major-incidents", {"title": "Payment too", "impact": 1, "urgency": 1}, 201)
    ticket = as_technician.post("tickets", {"title": "x", "major_incident": other["ref"]}, 201)
    assert as_manager.post(f"major-incidents/{other['ref']}/merge-into", {"target": other["ref"]}, 400)["errors"]
    merged = as_manager.post(f"major-incidents/{other['ref']}/merge-into", {"target": path.split("/")[1]})
    assert (merged["stage"], merged["merged_into"]) == ("closed", path.split("/")[1])
    assert as_technician.get(f"tickets/{ticket['ref']}")["major_incident"] == path.split("/")[1]


def test_a_candidate_is_judged(as_technician, as_manager, checkout, manager):
    def propose(title):
        ref = as_technician.post("tickets", {"title": title, "service": "checkout"}, 201)["ref"]
        return as_technician.post(f"tickets/{ref}/propose", {"reason": f"{title} for everybody"})["ref"]

    first = propose("Payment fails")
    assert as_technician.post(f"candidates/{first}/dismiss", {"reason": "x"}, 403)["who_may"] == [manager.email]
    assert as_manager.post(f"candidates/{first}/acknowledge")["status"] == "acknowledged"
    assert as_manager.post(f"candidates/{first}/dismiss", {"reason": "One customer"})["status"] == "dismissed"
    assert as_manager.post(f"candidates/{first}/declare", {"title": "x", "impact": 1, "urgency": 1}, 409)
    second = propose("Basket is empty")
    body = {"title": "Shop is down", "impact": 1, "urgency": 1, "services": ["checkout"]}
    response = as_manager.ask("POST", f"candidates/{second}/declare", body)
    assert response.status_code == 201
    made = response.json()
    assert response["Location"].endswith(f"/api/v1/major-incidents/{made['ref']}")
    assert made["candidate"] == second
    assert made["counts"]["tickets"] == 1
    third = as_technician.post("tickets", {"title": "And login"}, 201)["ref"]
    third = as_technician.post(f"tickets/{third}/propose", {"reason": "Same thing"})["ref"]
    linked = as_manager.post(f"candidates/{third}/link", {"major_incident": made["ref"]})
    assert (linked["status"], linked["major_incident"]) == ("linked", made["ref"])


def test_command_is_taken_over(path, as_manager, deputy, caller):
    seat = caller(deputy).post(f"{path}/take-command")
    assert (seat["user"], seat["state"]) == (deputy.email, "accepted")
    assert as_manager.get(path)["manager"] == deputy.email


def test_the_situation_is_pinned(path, as_manager):
    body = {"conditions": "Half of the pods are down", "actions": "Failing over", "needs": "A DBA"}
    kept = as_manager.put(f"{path}/situation", body)
    assert {name: kept[name] for name in body} == body
    assert as_manager.get(path)["situation"] == body


def test_the_stream_leads_to_the_stream_server(path, as_manager, caller, outsider):
    response = as_manager.ask("GET", f"{path}/stream")
    assert response.status_code == 307
    assert "/live/?ticket=" in response["Location"]
    caller(outsider).get(f"{path}/stream", 404)


def test_a_reference_is_found_in_either_case(path, as_manager):
    as_manager.get(path.replace("MI-", "mi-"))


def test_lists_filter_by_stage_severity_and_service(incident, as_manager):
    as_manager.post("major-incidents", {"title": "Mail is slow", "impact": 2, "urgency": 2}, 201)

    def titles(query):
        return [row["title"] for row in as_manager.get(f"major-incidents?{query}")["results"]]

    assert titles("severity=SEV1") == ["Checkout answers 502"]
    assert titles("service=checkout") == ["Checkout answers 502"]
    assert titles("stage=closed") == []
    assert titles("search=mail") == ["Mail is slow"]
    assert titles("ordering=title") == ["Checkout answers 502", "Mail is slow"]
    assert MajorIncident.objects.count() == 2


def test_a_record_of_an_incident_answers_at_its_short_address_too(path, as_manager, engineer, outsider):
    seat = as_manager.post(f"{path}/seats", {"role": "technical_staff", "user": engineer.email}, 201)
    assert Caller(engineer).post(f"seats/{seat['id']}/accept")["state"] == "accepted"
    task = as_manager.post(f"{path}/tasks", {"title": "Restart"}, 201)
    assert as_manager.patch(f"tasks/{task['id']}", {"status": "done"})["status"] == "done"
    Caller(outsider).get(f"tasks/{task['id']}", 404)
    as_manager.get("tasks/999999", 404)
