"""Major incidents brought to a state by real acts."""

import pytest

from incidents.actions import changes, major_incidents, problems, response, seats, steps
from incidents.models import MajorIncident
from tests.factories import minute


def again(incident: MajorIncident) -> MajorIncident:
    return MajorIncident.objects.get(pk=incident.pk)


def tell_everybody(incident, at) -> None:
    """What the delivery of the first messages reports."""
    told = {"audiences": {"users": "3 of 3"}}
    steps.record_evidence(incident.pk, "inform", told, [], is_complete=True, at=at)


@pytest.fixture
def declared(manager, checkout):
    """Declared at minute 10; impact began at minute 0."""
    return major_incidents.declare(
        title="Checkout answers 502",
        services=[checkout],
        impact=1,
        urgency=1,
        actor=manager,
        at=minute(10),
        clocks_given={"started_at": minute(0)},
    )


@pytest.fixture
def informed(declared):
    tell_everybody(declared, minute(11))
    return again(declared)


@pytest.fixture
def containing(informed, manager):
    return major_incidents.begin_containment(informed.pk, actor=manager, at=minute(12))


@pytest.fixture
def assembled(containing, manager, engineer, change_manager, problem_manager):
    for role, person in (
        ("technical_staff", engineer),
        ("change_manager", change_manager),
        ("problem_manager", problem_manager),
    ):
        seat = seats.invite(containing.pk, role=role, user=person, actor=manager, at=minute(13))
        seats.accept(seat.pk, actor=person, at=minute(14))
    return again(containing)


@pytest.fixture
def resolving(assembled, manager, engineer):
    response.set_bridge(assembled.pk, join_url="https://meet.example.org/mi", actor=manager, at=minute(15))
    reached = {"invitation_delivered_to": [engineer.email]}
    steps.record_evidence(assembled.pk, "bridge", reached, [], is_complete=True, at=minute(15))
    response.open_war_room(assembled.pk, location="Room 4", actor=manager, at=minute(16))
    response.enter_war_room(assembled.pk, actor=manager, at=minute(17))
    problems.open_problem(title="502 after deploy", major_incident=assembled, actor=manager, at=minute(18))
    return major_incidents.begin_resolution(assembled.pk, actor=manager, at=minute(20))


def fix(incident, engineer, *, at):
    """An emergency change, implemented as fix."""
    change = changes.open_change(
        title="Roll back the deploy", type="emergency", major_incident=incident, relation="fix", actor=engineer, at=at
    )
    changes.start(change.pk, actor=engineer, at=at)
    return changes.implement(change.pk, actor=engineer, at=at)
