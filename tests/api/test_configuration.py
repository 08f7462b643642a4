"""Services, dependencies, planned work, people, teams, audiences, on call, the matrix, search."""

import pytest

from tests import factories
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db


def test_a_name_is_enough_for_a_service(as_administrator, as_technician):
    made = as_administrator.post("services", {"name": "Card gateway"}, 201)
    assert (made["slug"], made["tier"], made["is_active"]) == ("card-gateway", 3, True)
    assert as_technician.get("services/card-gateway") == made
    assert as_administrator.post("services", {"name": "Card gateway"}, 409)["type"] == "duplicate"
    assert as_technician.post("services", {"name": "x"}, 403)["type"] == "not_allowed"
    changed = as_administrator.patch("services/card-gateway", {"tier": 1, "cost_per_hour": 12_000.5})
    assert (changed["tier"], changed["cost_per_hour"]) == (1, 12000.5)
    bad = {"name": "x", "tier": 9, "cost_per_hour": -1, "slug": "A b", "owner": "x"}
    assert as_administrator.post("services", bad, 400)["errors"].keys() == {"tier", "cost_per_hour", "slug", "owner"}
    as_administrator.delete("services/card-gateway")
    assert as_technician.get("services/card-gateway")["is_active"] is False


def test_dependencies_never_form_a_circle(as_administrator, checkout):
    factories.service("Database")
    made = as_administrator.post("dependencies", {"service": "checkout", "needs": "Database"}, 201)
    assert as_administrator.get("services/checkout")["needs"] == ["database"]
    circle = as_administrator.post("dependencies", {"service": "database", "needs": "checkout"}, 400)
    assert circle["errors"].keys() == {"needs"}
    as_administrator.delete(f"dependencies/{made['id']}")
    assert as_administrator.get("dependencies")["results"] == []


def test_planned_work_is_kept_changed_and_dropped(as_administrator, checkout):
    body = {"title": "Upgrade", "services": ["checkout"], "starts_at": "2030-01-01T10:00:00Z",
            "ends_at": "2030-01-01T12:00:00Z"}  # fmt: skip
    made = as_administrator.post("maintenance-windows", body, 201)
    path = f"maintenance-windows/{made['id']}"
    assert as_administrator.patch(path, {"title": "Bigger upgrade"})["title"] == "Bigger upgrade"
    assert as_administrator.patch(path, {"ends_at": "2030-01-01T09:00:00Z"}, 400)["errors"].keys() == {"ends_at"}
    as_administrator.delete(path)
    as_administrator.get(path, 404)


def test_people_are_invited_corrected_and_deactivated(as_administrator, as_technician, as_requester, requester):
    body = {"email": "Ada@example.org", "name": "Ada", "roles": ["technical_staff"]}
    made = as_administrator.post("people", body, 201)
    assert (made["email"], made["roles"]) == ("ada@example.org", ["technical_staff"])
    assert as_administrator.post("people", body, 409)["type"] == "duplicate"
    assert as_technician.get("people?role=technical_staff")["results"] == [made]
    assert as_technician.patch("people/ada@example.org", {"roles": ["administrator"]}, 403)["who_may"]
    assert as_administrator.patch("people/ada@example.org", {"job_title": "SRE"})["job_title"] == "SRE"
    as_administrator.delete("people/ada@example.org")
    assert as_administrator.get("people/ada@example.org")["is_active"] is False
    assert [row["email"] for row in as_requester.get("people")["results"]] == [requester.email]
    as_requester.get("people/ada@example.org", 404)


def test_teams_and_shifts(as_administrator, manager):
    assert as_administrator.post("teams", {"name": "Network"}, 201)["slug"] == "network"
    assert as_administrator.patch("teams/network", {"support_tier": 3})["support_tier"] == 3
    body = {"role": "major_incident_manager", "person": manager.email, "starts_at": "2030-01-01T00:00:00Z",
            "ends_at": "2030-01-02T00:00:00Z"}  # fmt: skip
    shift = as_administrator.post("on-call", body, 201)
    assert shift["rank"] == 1
    wrong = as_administrator.post("on-call", {**body, "role": "change_manager"}, 400)
    assert wrong["errors"].keys() == {"person"}
    as_administrator.delete(f"on-call/{shift['id']}")
    assert as_administrator.get("on-call")["results"] == []


def test_audiences_are_read_and_set(as_administrator, management):
    shown = as_administrator.get("audiences")["results"]
    assert [row["audience"] for row in shown] == ["technical", "management", "key_stakeholders", "users"]
    changed = as_administrator.patch("audiences/management", {"roles": [], "people": [management.email]})
    assert changed["people"] == [management.email]
    nobody = as_administrator.patch("audiences/management", {"people": []}, 400)
    assert nobody["errors"].keys() == {"empty_reason"}
    as_administrator.get("audiences/press", 404)


def test_the_matrix_is_versioned_and_refuses_a_row_without_its_a(as_administrator, as_technician):
    shown = as_technician.get("raci")
    assert shown["cells"]["assemble"]["major_incident_manager"] == "R/A"
    as_technician.put("raci", {"cells": shown["cells"]}, 403)
    cells = {**shown["cells"], "bridge": {**shown["cells"]["bridge"], "major_incident_manager": "I"}}
    assert as_administrator.put("raci", {"cells": cells}, 400)["errors"].keys() == {"bridge"}
    cells["bridge"] = {**shown["cells"]["bridge"], "technical_staff": "R"}
    saved = as_administrator.put("raci", {"cells": cells, "note": "Engineers help", "version": shown["version"]})
    assert saved["version"] == shown["version"] + 1
    stale = as_administrator.put("raci", {"cells": cells, "version": shown["version"]}, 412)
    assert stale["type"] == "stale"
    lacking = {key: row for key, row in cells.items() if key != "review"}
    assert "cells.review" in as_administrator.put("raci", {"cells": lacking}, 400)["errors"]


def test_configuration_needs_the_admin_scope(administrator):
    caller = Caller(administrator, scopes=["read", "write"])
    refusal = caller.post("people", {"email": "x@example.org", "name": "x"}, 403)
    assert refusal["scope"] == "admin"
    caller.post("services", {"name": "Mail"}, 201)


def test_search_finds_by_word_and_reference_what_one_may_see(as_technician, as_requester, as_manager, checkout):
    ref = as_technician.post("tickets", {"title": "Payment fails at the till"}, 201)["ref"]
    major = as_manager.post("major-incidents", {"title": "Payment is down", "impact": 1, "urgency": 1}, 201)["ref"]
    found = {(row["kind"], row["ref"]) for row in as_technician.get("search?q=paym")["results"]}
    assert {("ticket", ref), ("major_incident", major)} <= found
    assert as_technician.get(f"search?q={ref.lower()}")["results"][0]["ref"] == ref
    assert as_technician.get("search?q=checkout")["results"][-1] == {
        "kind": "service", "ref": "checkout", "title": "Checkout", "state": "",
    }  # fmt: skip
    assert as_requester.get("search?q=payment")["results"] == []
    for wrong in ("search", "search?q=", "search?q=%00", "search?q=" + "x" * 201):
        assert as_technician.get(wrong, 400)["errors"].keys() == {"q"}
