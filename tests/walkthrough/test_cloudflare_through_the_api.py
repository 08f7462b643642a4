"""The Cloudflare outage of 2019-07-02, brought through all four stages over the API with backdated clocks.

Times are those of the public record. When it was acknowledged is not in it, so that clock is unknown. Mails go
over real SMTP to a server of the test; "inform" and "bridge" get their evidence from what it accepted.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.models import AudienceMembership
from incidents.process import Audience
from metrics import tasks as metrics_tasks
from notifications import tasks as notification_tasks
from tests import factories
from tests.api.conftest import Caller
from tests.notifications.conftest import smtp

__all__ = ["smtp"]

pytestmark = pytest.mark.django_db


def on_the_day(clock):
    return f"2019-07-02T{clock}:00Z"


@pytest.fixture
def people(manager, technician, engineer, change_manager, problem_manager, management, stakeholder, requester):
    for audience, roles in (
        (Audience.MANAGEMENT, ["management"]),
        (Audience.KEY_STAKEHOLDERS, ["key_stakeholder"]),
        (Audience.USERS, ["requester"]),
        (Audience.TECHNICAL, ["technical_staff"]),
    ):
        AudienceMembership.objects.update_or_create(audience=audience, defaults={"roles": roles})
    return {
        "manager": Caller(manager), "technician": Caller(technician), "engineer": Caller(engineer),
        "change_manager": Caller(change_manager), "problem_manager": Caller(problem_manager),
        "management": Caller(management),
    }  # fmt: skip


@pytest.fixture
def path(people):
    """Declared from a candidate that a technician proposed."""
    factories.service("Edge proxy", tier=1, cost_per_hour=100_000)
    ticket = people["technician"].post(
        "tickets",
        {"title": "502 on every site", "service": "Edge proxy", "impact": 1, "urgency": 1, "channel": "hotline",
         "reported_at": on_the_day("13:45")},
        201,
    )  # fmt: skip
    candidate = people["technician"].post(
        f"tickets/{ticket['ref']}/propose",
        {"reason": "CPU is at 100 % everywhere", "business_impact": "Every customer is offline"},
    )
    body = {
        "title": "Edge answers 502 worldwide", "services": ["edge-proxy"], "impact": 1, "urgency": 1,
        "affects": "customers", "revenue_impact": "All traffic", "started_at": on_the_day("13:42"),
        "detected_at": on_the_day("13:45"), "reported_at": on_the_day("13:45"), "acknowledged_at": None,
        "declared_at": on_the_day("13:45"),
    }  # fmt: skip
    declared = people["manager"].post(f"candidates/{candidate['ref']}/declare", body, 201)
    assert declared["counts"]["tickets"] == 1
    assert people["manager"].get(f"candidates/{candidate['ref']}")["status"] == "declared"
    return f"major-incidents/{declared['ref']}"


def tell(path, people):
    """What the worker does every five seconds."""
    notification_tasks.sweep_deliveries()
    return {step["key"]: step["state"] for step in people["manager"].get(f"{path}/steps")["results"]}


def contain(path, people):
    manager = people["manager"]
    assert manager.post(f"{path}/begin-containment", {}, 409)["steps"] == ["inform"]
    assert tell(path, people)["inform"] == "done"
    assert manager.post(f"{path}/begin-containment", {"at": on_the_day("13:50")})["stage"] == "containment"


def work_together(path, people):
    manager = people["manager"]
    for role in ("technical_staff", "change_manager", "problem_manager"):
        name = "engineer" if role == "technical_staff" else role
        seat = manager.post(
            f"{path}/seats", {"role": role, "user": people[name].user.email, "at": on_the_day("13:50")}, 201
        )
        accepted = people[name].post(f"{path}/seats/{seat['id']}/accept", {"at": on_the_day("13:52")})
        assert accepted["state"] == "accepted"
    manager.put(f"{path}/bridge", {"provider": "meet", "join_url": "https://meet.example.org/edge"})
    manager.post(f"{path}/war-room/open", {"location": "London, room 4", "at": on_the_day("13:53")})
    manager.post(f"{path}/war-room/enter", {"at": on_the_day("13:54")})
    assert tell(path, people)["bridge"] == "done"
    problem = manager.post("problems", {"title": "Regular expression backtracks", "major_incident": path[16:]}, 201)
    assert problem["owner"] == people["problem_manager"].user.email
    decision = {"kind": "decision", "text": "Global kill of the WAF", "rationale": "Every other way is slower",
                "at": on_the_day("14:00")}  # fmt: skip
    people["engineer"].post(f"{path}/timeline", decision, 201)
    assert manager.post(f"{path}/contain", {"at": on_the_day("14:07")})["contained_at"] == on_the_day("14:07")
    restored = manager.post(f"{path}/restore", {"at": on_the_day("14:09")})
    assert restored["restored_at"] == on_the_day("14:09")
    assert restored["downtime_seconds"] == 27 * 60
    manager.post(f"{path}/updates", {"text": "Traffic is back; the WAF is off.", "at": on_the_day("14:10")}, 201)
    assert manager.post(f"{path}/begin-resolution", {"at": on_the_day("14:10")})["stage"] == "resolution"


def fix(path, people):
    manager, engineer = people["manager"], people["engineer"]
    assert manager.post(f"{path}/confirm-resolution", {}, 409)["steps"] == ["change"]
    change = engineer.post(
        "changes",
        {"title": "Rule without backtracking, WAF on again", "type": "emergency", "major_incident": path[16:],
         "relation": "fix", "plan": "One city, then all", "backout_plan": "Kill switch",
         "services": ["edge-proxy"], "approvers": [people["change_manager"].user.email]},
        201,
    )  # fmt: skip
    engineer.post(f"changes/{change['ref']}/start", {"at": on_the_day("14:20")})
    engineer.post(f"changes/{change['ref']}/implement", {"at": on_the_day("14:50")})
    voted = people["change_manager"].post(f"changes/{change['ref']}/approve", {"comment": "Seen and tested"})
    assert voted["approval_state"] == "approved"
    resolved = manager.post(f"{path}/confirm-resolution", {"at": on_the_day("14:52")})
    assert (resolved["stage"], resolved["resolved_at"]) == ("maintenance", on_the_day("14:52"))


def learn(path, people):
    chair, manager = people["change_manager"], people["manager"]
    due = (timezone.now() + timedelta(days=14)).isoformat()
    action = {"title": "Engine without backtracking", "owner": people["engineer"].user.email, "due_at": due}
    chair.patch(
        f"{path}/review",
        {"cause": "Catastrophic backtracking in a WAF rule", "findings": "No CPU limit; rules went out worldwide",
         "went_well": "The kill switch", "actions": [action], "observation_hours": 0},
    )  # fmt: skip
    assert chair.post(f"{path}/review/complete")["state"] == "completed"
    assert manager.post(f"{path}/document/publish")["published_at"] is not None
    metrics_tasks.sweep_kpi_rows()
    assert manager.post(f"{path}/close", {}, 409)["steps"] == ["measure"]
    reason = {"reason": "Not in the public record"}
    assert manager.post(f"{path}/clocks/acknowledged_at/not-applicable", reason)["not_applicable"] == reason["reason"]
    metrics_tasks.sweep_kpi_rows()
    closed = manager.post(f"{path}/close")
    assert closed["stage"] == "closed"
    assert {step["state"] for step in closed["steps"]} == {"done"}


def test_the_outage_is_brought_through_all_stages_and_its_figures_come_out(path, people, smtp):
    contain(path, people)
    work_together(path, people)
    fix(path, people)
    learn(path, people)
    incident = people["manager"].get(path)
    assert [entry["transition"] for entry in incident["stage_history"]] == [
        "declare", "begin_containment", "begin_resolution", "confirm_resolution", "close",
    ]  # fmt: skip
    figures = people["management"].get("metrics/kpis?from=2019-07-01&to=2019-08-01")
    assert figures["major_incidents"]["count"] == 1
    assert figures["average_downtime"]["mean_seconds"] == 27 * 60
    assert figures["mttd"] == {"mean_seconds": 180, "median_seconds": 180, "p90_seconds": 180, "n": 1}
    assert figures["time_to_restore"]["mean_seconds"] == 24 * 60
    assert figures["mttr"]["mean_seconds"] == 67 * 60
    assert figures["time_to_declare"]["mean_seconds"] == 0
    assert (figures["mtta"]["n"], figures["mtta"]["mean_seconds"]) == (0, None)
    assert incident["downtime_seconds"] == 27 * 60


def test_every_audience_was_told_over_smtp_and_nobody_twice(path, people, smtp, management, stakeholder, requester):
    tell(path, people)
    tell(path, people)
    sent = [(address, mail["Message-ID"]) for address, mail in smtp.mails]
    assert len(sent) == len(set(sent))
    assert {management.email, stakeholder.email, requester.email, people["engineer"].user.email} <= {
        address for address, _ in sent
    }
