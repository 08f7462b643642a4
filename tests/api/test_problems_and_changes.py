"""Problems and changes over the API."""

import pytest

from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(as_manager, checkout):
    body = {"title": "Checkout answers 502", "services": ["checkout"], "impact": 1, "urgency": 1}
    return as_manager.post("major-incidents", body, 201)


@pytest.fixture
def seated(incident, as_manager, engineer, change_manager):
    """An engineer and a change manager who accepted their seats."""
    for role, person in (("technical_staff", engineer), ("change_manager", change_manager)):
        path = f"major-incidents/{incident['ref']}/seats"
        seat = as_manager.post(path, {"role": role, "user": person.email}, 201)
        Caller(person).post(f"{path}/{seat['id']}/accept")
    return incident


def test_a_problem_is_opened_for_an_incident_and_understood(incident, as_manager, as_technician, problem_manager):
    ticket = as_technician.post("tickets", {"title": "x"}, 201)["ref"]
    body = {
        "title": "Regular expression backtracks", "major_incident": incident["ref"], "incidents": [ticket],
        "owner": problem_manager.email, "cause_category": "software", "five_whys": ["Why?", "Because."],
    }  # fmt: skip
    problem = as_manager.post("problems", body, 201)
    assert problem["ref"].startswith("PRB-")
    assert problem["major_incident"] == incident["ref"]
    assert problem["incidents"] == [incident["ref"], ticket]
    assert problem["five_whys"] == ["Why?", "Because."]
    assert as_manager.get(f"major-incidents/{incident['ref']}/steps/problem")["state"] == "done"
    owner, path = Caller(problem_manager), f"problems/{problem['ref']}"
    assert owner.post(f"{path}/investigate")["status"] == "investigating"
    assert "errors" in owner.post(f"{path}/known-error", {}, 400)
    assert owner.patch(path, {"workaround": "Switch the rule off"})["workaround"] == "Switch the rule off"
    assert owner.post(f"{path}/known-error")["status"] == "known_error"
    assert owner.post(f"{path}/resolve")["recurrence_check_at"] is not None
    assert owner.post(f"{path}/close")["status"] == "closed"
    assert owner.post(f"{path}/investigate", {}, 409)["type"] == "wrong_stage"


def test_linking_a_problem_to_an_incident_is_a_guarded_act(incident, as_technician, manager):
    free = as_technician.post("problems", {"title": "Free"}, 201)
    refusal = as_technician.patch(f"problems/{free['ref']}", {"major_incident": incident["ref"]}, 403)
    assert refusal["who_may"] == [manager.email]
    assert as_technician.get("problems?major_incident=" + incident["ref"])["results"] == []


def test_a_normal_change_waits_for_its_approvers(as_engineer, engineer, change_manager, checkout):
    body = {
        "title": "New certificate", "type": "normal", "plan": "Swap it", "backout_plan": "Swap it back", "risk": "low",
        "test_plan": "curl", "services": ["Checkout"], "approvers": [change_manager.email],
        "window_start": "2030-01-01T10:00:00Z", "window_end": "2030-01-01T11:00:00Z",
    }  # fmt: skip
    change = as_engineer.post("changes", body, 201)
    path = f"changes/{change['ref']}"
    assert (change["status"], change["approval_state"], change["services"]) == ("draft", "not_asked", ["checkout"])
    assert change["approvers"] == [change_manager.email]
    assert as_engineer.post(f"{path}/start", {}, 409)["type"] == "wrong_stage"
    assert as_engineer.post(f"{path}/submit")["status"] == "awaiting_approval"
    assert as_engineer.post(f"{path}/approve", {}, 403)["who_may"] == [change_manager.email]
    approved = Caller(change_manager).post(f"{path}/approve", {"comment": "Fine"})
    assert (approved["status"], approved["approval_state"]) == ("approved", "approved")
    assert approved["votes"][0]["comment"] == "Fine"
    assert as_engineer.post(f"{path}/start")["implementer"] == engineer.email
    assert as_engineer.post(f"{path}/implement")["status"] == "implemented"
    assert as_engineer.post(f"{path}/close")["status"] == "closed"


def test_a_window_that_ends_before_it_starts_is_refused(as_engineer):
    body = {"title": "x", "window_start": "2030-01-01T10:00:00Z", "window_end": "2030-01-01T09:00:00Z"}
    assert as_engineer.post("changes", body, 400)["errors"].keys() == {"window_end"}


def test_a_rejected_emergency_change_is_rolled_back_or_accepted(
    seated, as_engineer, change_manager, management, as_manager
):
    body = {
        "title": "Switch the rule off", "type": "emergency", "major_incident": seated["ref"], "relation": "fix",
        "approvers": [change_manager.email],
    }  # fmt: skip
    change = as_engineer.post("changes", body, 201)
    path = f"changes/{change['ref']}"
    assert (change["major_incident"], change["relation"]) == (seated["ref"], "fix")
    assert as_engineer.post(f"{path}/start")["approval_due_at"] is not None
    as_engineer.post(f"{path}/implement")
    assert as_manager.get(f"major-incidents/{seated['ref']}/steps/change")["state"] == "done"
    assert Caller(change_manager).post(f"{path}/reject", {"comment": "Untested"})["approval_state"] == "rejected"
    assert as_engineer.post(f"{path}/close", {}, 409)["type"] == "wrong_stage"
    assert Caller(management).post(f"{path}/accept-rejected")["accepted_by"] == management.email
    rolled = as_engineer.post(f"{path}/roll-back", {"reason": "It broke login"})
    assert rolled["status"] == "rolled_back"
    assert as_manager.get(f"major-incidents/{seated['ref']}/steps/change")["state"] != "done"


def test_a_change_is_linked_later_and_found_by_its_incident(seated, as_engineer):
    change = as_engineer.post("changes", {"title": "x"}, 201)
    assert as_engineer.patch(f"changes/{change['ref']}", {"relation": "fix"}, 400)["errors"].keys() == {
        "major_incident"
    }
    linked = as_engineer.patch(f"changes/{change['ref']}", {"major_incident": seated["ref"], "relation": "cause"})
    assert linked["links"] == [{"major_incident": seated["ref"], "relation": "cause"}]
    found = as_engineer.get(f"changes?major_incident={seated['ref']}")["results"]
    assert [row["ref"] for row in found] == [change["ref"]]
    assert as_engineer.post(f"changes/{change['ref']}/cancel", {"reason": "Not needed"})["status"] == "cancelled"


def test_requesters_know_of_neither(as_requester, as_engineer):
    change = as_engineer.post("changes", {"title": "x"}, 201)["ref"]
    problem = as_engineer.post("problems", {"title": "x"}, 201)["ref"]
    for path in (f"changes/{change}", f"problems/{problem}"):
        as_requester.get(path, 404)
        as_requester.post(f"{path}/close", {}, 404)
    assert as_requester.get("changes")["results"] == as_requester.get("problems")["results"] == []
    as_requester.post("changes", {"title": "x"}, 403)
