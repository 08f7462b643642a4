"""On call over the API: rotas, layers, stand-ins, who is on call now; pages and their policies."""

import pytest
from django.utils import timezone

from incidents.actions import candidates
from tests import factories

pytestmark = pytest.mark.django_db
MIM = "major_incident_manager"


@pytest.fixture
def rota(as_administrator, manager):
    made = as_administrator.post("rotas", {"name": "Managers", "role": MIM, "time_zone": "Europe/Berlin"}, 201)
    layer = {
        "name": "Primary", "people": [manager.email], "starts_on": "2026-01-05", "handover_at": "08:00",
        "handover_weekday": 0, "windows": [{"weekdays": [0, 1, 2, 3, 4, 5, 6], "begins": "00:00", "ends": "00:00"}],
    }  # fmt: skip
    as_administrator.post(f"rotas/{made['id']}/layers", layer, 201)
    return as_administrator.get(f"rotas/{made['id']}")


def test_a_rota_with_a_layer_says_who_is_on_call_now(as_administrator, as_technician, rota, manager):
    assert (rota["role"], rota["team"], rota["time_zone"]) == (MIM, None, "Europe/Berlin")
    [layer] = rota["layers"]
    assert (layer["people"], layer["handover_at"], layer["unit"]) == ([manager.email], "08:00", "week")
    now = {row["role"]: row for row in as_technician.get("on-call/now")["results"]}
    assert [one["person"] for one in now[MIM]["people"]] == [manager.email]
    assert now[MIM]["people"][0]["by"] == "Managers, Primary" and now[MIM]["gaps"] == []
    assert now["service_desk_manager"]["people"] == [] and now["service_desk_manager"]["gaps"]


def test_layers_are_changed_and_removed(as_administrator, rota, deputy):
    path = f"rotas/{rota['id']}/layers/{rota['layers'][0]['id']}"
    assert as_administrator.patch(path, {"people": [deputy.email]})["people"] == [deputy.email]
    wrong = as_administrator.patch(path, {"length": 99}, 400)
    assert wrong["errors"].keys() == {"length"}
    as_administrator.delete(path)
    assert as_administrator.get(f"rotas/{rota['id']}")["layers"] == []
    assert as_administrator.patch(f"rotas/{rota['id']}", {"name": "MIMs"})["name"] == "MIMs"
    as_administrator.delete(f"rotas/{rota['id']}")
    as_administrator.get(f"rotas/{rota['id']}", 404)


def test_a_rota_needs_a_duty_and_a_zone(as_administrator):
    assert as_administrator.post("rotas", {"name": "x", "time_zone": "UTC"}, 400)["errors"].keys() == {"role"}
    body = {"name": "x", "role": MIM, "time_zone": "Mars/Base"}
    assert as_administrator.post("rotas", body, 400)["errors"].keys() == {"time_zone"}


def test_somebody_stands_in(as_administrator, as_technician, rota, manager, deputy):
    layer = rota["layers"][0]["id"]
    times = {"starts_at": "2030-05-01T00:00:00Z", "ends_at": "2030-05-02T00:00:00Z"}
    made = as_administrator.post("overrides", {"layer": layer, "person": deputy.email, **times}, 201)
    assert as_technician.get(f"overrides?person={deputy.email}")["results"] == [made]
    as_technician.post("overrides", {"layer": layer, "person": deputy.email, **times}, 403)
    as_administrator.post("overrides", {"layer": 987654, "person": deputy.email, **times}, 404)
    as_administrator.delete(f"overrides/{made['id']}")
    assert as_technician.get("overrides")["results"] == []


def test_a_single_shift_of_a_team(as_administrator, engineer):
    factories.team("Network")
    body = {"team": "network", "person": engineer.email, "starts_at": "2030-01-01T00:00:00Z",
            "ends_at": "2030-01-02T00:00:00Z"}  # fmt: skip
    made = as_administrator.post("on-call", body, 201)
    assert (made["role"], made["team"]) == (None, "network")
    both = as_administrator.post("on-call", {**body, "role": "technical_staff"}, 400)
    assert both["errors"].keys() == {"team"}


def test_pages_say_who_was_called_and_policies_are_changed(as_administrator, as_technician, rota, manager):
    candidate = candidates.gather(title="x", source="influx", cluster="x", reasons=[], actor=None, at=timezone.now())
    [page] = as_technician.get(f"pages?candidate={candidate.ref}")["results"]
    assert (page["state"], page["occasion"], page["major_incident"]) == ("paging", "candidate", None)
    assert [(call["person"], call["state"]) for call in page["calls"]] == [(manager.email, "called")]
    policies = as_technician.get("escalation-policies")["results"]
    assert [row["occasion"] for row in policies] == ["candidate", "hotline", "command"]
    path = "escalation-policies/candidate"
    steps = [{"who": ["all:administrator"], "wait_seconds": 120}]
    assert as_administrator.patch(path, {"steps": steps})["steps"] == steps
    wrong = as_administrator.patch(path, {"steps": [{"who": ["all:kings"], "wait_seconds": 120}]}, 400)
    assert wrong["errors"].keys() == {"steps"}
    as_technician.patch(path, {"repeat": 1}, 403)
    as_technician.get("escalation-policies/nothing", 404)
