"""Review, document, similar incidents and changes before, over the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import changes, major_incidents, seats, steps
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def resolved(manager, engineer, change_manager, checkout):
    """In maintenance since an hour, by real acts; the gates of the middle are waived."""
    begin = timezone.now() - timedelta(hours=3)

    def at(minutes):
        return begin + timedelta(minutes=minutes)

    incident = major_incidents.declare(
        title="Checkout answers 502", services=[checkout], impact=1, urgency=1, actor=manager, at=at(0)
    )
    for key in ("inform", "bridge", "war_room", "problem"):
        steps.waive(incident.pk, key, reason="A test of what follows", actor=manager, at=at(1))
    for role, person in (("technical_staff", engineer), ("change_manager", change_manager)):
        seat = seats.invite(incident.pk, role=role, user=person, actor=manager, at=at(2))
        seats.accept(seat.pk, actor=person, at=at(3))
    major_incidents.begin_containment(incident.pk, actor=manager, at=at(4))
    major_incidents.begin_resolution(incident.pk, actor=manager, at=at(5))
    change = changes.open_change(
        title="Roll back", type="emergency", major_incident=incident, relation="fix", services=[checkout],
        approvers=[change_manager], actor=engineer, at=at(6),
    )  # fmt: skip
    changes.start(change.pk, actor=engineer, at=at(7))
    changes.implement(change.pk, actor=engineer, at=at(8))
    Caller(manager).post(f"major-incidents/{incident.ref}/restore", {"at": at(9).isoformat()})
    major_incidents.confirm_resolution(incident.pk, actor=manager, at=at(10))
    return incident


def test_a_review_is_written_together_and_completed(resolved, as_manager, change_manager, engineer, as_requester):
    path, chair = f"major-incidents/{resolved.ref}/review", Caller(change_manager)
    assert as_manager.get(path)["state"] == "draft"
    problem = chair.post(f"{path}/complete", {}, 400)
    assert {"observation_hours", "cause", "findings", "actions"} <= problem["errors"].keys()
    due = (timezone.now() + timedelta(days=7)).isoformat()
    body = {
        "cause": "A regular expression", "findings": "No limit on CPU", "went_well": "Fast rollback",
        "observation_hours": 0, "actions": [{"title": "Limit CPU", "owner": engineer.email, "due_at": due}],
    }  # fmt: skip
    written = chair.patch(path, body)
    assert written["actions"][0]["owner"] == engineer.email
    nested = chair.patch(path, {"actions": [{"title": "x", "owner": "nobody@example.org", "due_at": "soon"}]}, 400)
    assert nested["errors"].keys() == {"actions.0.owner", "actions.0.due_at"}
    done = chair.post(f"{path}/complete")
    assert (done["state"], done["completed_by"]) == ("completed", change_manager.email)
    acted = Caller(engineer).post(f"{path}/actions/{written['actions'][0]['id']}/complete")
    assert acted["actions"][0]["done_at"] is not None
    assert as_manager.get(f"major-incidents/{resolved.ref}/steps/review")["state"] == "done"
    as_requester.get(path, 404)


def test_a_document_is_generated_edited_published_and_exported(resolved, as_manager):
    path = f"major-incidents/{resolved.ref}/document"
    drafted = as_manager.get(path)
    made = as_manager.post(path, {}, 201)
    assert "Checkout answers 502" in made["markdown"]
    assert made["version"] == drafted["version"] + 1
    edited = as_manager.patch(path, {"markdown": "# What happened\n\nA *rule*.", "version": made["version"]})
    assert "<em>rule</em>" in edited["html"]
    assert as_manager.patch(path, {"markdown": "x", "version": made["version"]}, 412)["type"] == "stale"
    assert as_manager.post(f"{path}/publish")["published_at"] is not None
    for suffix, media, beginning in (
        ("pdf", "application/pdf", b"%PDF"), ("md", "text/markdown", b"# What"), ("html", "text/html", b"<!"),
    ):  # fmt: skip
        file = as_manager.ask("GET", f"{path}.{suffix}")
        assert file.status_code == 200
        assert file["Content-Type"].startswith(media)
        assert file["Content-Disposition"].startswith("attachment")
        assert file.content.lstrip()[: len(beginning)].lower() == beginning.lower()
        assert as_manager.ask("GET", f"{path}.{suffix}", None, Accept=media).status_code == 200


def test_there_is_no_review_before_the_resolution(as_manager, checkout):
    made = as_manager.post("major-incidents", {"title": "x", "impact": 1, "urgency": 1}, 201)
    as_manager.get(f"major-incidents/{made['ref']}/review", 404)
    as_manager.get(f"major-incidents/{made['ref']}/document.pdf", 404)


def test_similar_incidents_come_with_the_fix_that_worked(resolved, as_manager):
    again = as_manager.post(
        "major-incidents", {"title": "Checkout fails again", "services": ["checkout"], "impact": 1, "urgency": 1}, 201
    )
    [found] = as_manager.get(f"major-incidents/{again['ref']}/similar")["results"]
    assert found["ref"] == resolved.ref
    assert len(found["fixed_by"]) == 1
    before = as_manager.get(f"major-incidents/{again['ref']}/changes-before")["results"]
    assert [row["ref"] for row in before] == found["fixed_by"]


def test_an_incident_is_closed_when_everything_is_learnt(resolved, as_manager):
    problem = as_manager.post(f"major-incidents/{resolved.ref}/close", {}, 409)
    assert problem["type"] == "steps_outstanding"
    assert set(problem["steps"]) <= {"review", "document", "measure"}
