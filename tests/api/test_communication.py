"""Communication plans and the words of messages over the API."""

import pytest

from incidents.communication import shipped
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db


def test_a_plan_is_read_saved_as_a_new_version_and_its_history_kept(manager, engineer, checkout):
    caller = Caller(manager)
    plans = caller.get("communication-plans")["results"]
    assert [(one["key"], one["version"]) for one in plans] == [("sev1", 0), ("sev2", 0), ("sev3", 0)]
    assert caller.get("plans/sev1") == caller.get("communication-plans/sev1")
    content = shipped("SEV1")
    content["users"]["cadence_minutes"] = 60
    saved = caller.put("communication-plans/sev1", {"content": content, "note": "calmer", "version": 0})
    assert (saved["version"], saved["content"]["users"]["cadence_minutes"], saved["note"]) == (2, 60, "calmer")
    changed = caller.patch("communication-plans/sev1", {"content": {"users": {"cadence_minutes": 45}}})
    assert (changed["version"], changed["content"]["management"]) == (3, content["management"])
    assert caller.put("communication-plans/sev1", {"content": content, "version": 2}, 412)["type"] == "stale"
    history = caller.get("communication-plans/sev1/versions")["results"]
    assert [(one["version"], one["created_by"]) for one in history] == [
        (3, manager.email),
        (2, manager.email),
        (1, None),
    ]
    content["users"]["moments"].pop("declared")
    refused = caller.put("communication-plans/sev1", {"content": content}, 400)
    assert "nobody of it would hear" in refused["errors"]["users"][0]
    assert Caller(engineer).put("communication-plans/sev1", {"content": content}, 403)["who_may"] == [manager.email]
    assert caller.get("communication-plans/sev9", 404)


def test_a_service_has_a_plan_of_its_own_until_it_is_withdrawn(manager, checkout):
    caller = Caller(manager)
    made = caller.post("communication-plans", {"severity": "SEV1", "service": "checkout"}, 201)
    assert (made["key"], made["service"], made["version"]) == ("sev1-service-checkout", "checkout", 1)
    assert made["content"] == caller.get("communication-plans/sev1")["content"]
    assert caller.post("communication-plans", {"severity": "SEV1"}, 400)["errors"].keys() == {"service"}
    caller.delete("communication-plans/sev1-service-checkout")
    assert len(caller.get("communication-plans")["results"]) == 3
    assert caller.delete("communication-plans/sev1", 400)["errors"].keys() == {"plan"}


def test_words_are_read_with_their_variables_saved_when_they_pass_and_given_back(manager, engineer):
    caller, path = Caller(manager), "templates/contained/management"
    words = caller.get(path)
    assert words["is_shipped"] and "incident.contained_at" in [one["path"] for one in words["variables"]]
    refused = caller.patch(path, {"text": "Fine.\n{{ incident.secret }}"}, 400)
    assert refused["errors"]["text"][0].startswith("Line 2: There is no {{ incident.secret }}")
    saved = caller.patch(path, {"text": "It does not spread any more."})
    assert (saved["version"], saved["text"], saved["subject"]) == (1, "It does not spread any more.", words["subject"])
    assert len(caller.get("templates")["results"]) > 60
    assert Caller(engineer).patch(path, {"text": "x"}, 403)["type"] == "not_allowed"
    caller.delete(path)
    assert caller.get(path)["text"] == words["text"]
    assert [one["is_shipped"] for one in caller.get(f"{path}/versions")["results"]] == [True, False]
    assert caller.get("templates/contained/everybody", 404)
