"""Twenty people press the same button at the same moment: one wins, the others get a clean refusal."""

import pytest

from incidents.actions import major_incidents, response, seats, steps
from incidents.errors import Duplicate, ProcessError, WrongStage
from incidents.models import MajorIncident
from tests import factories
from tests.factories import minute
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told(manager, checkout):
    incident = major_incidents.declare(
        title="Race", services=[checkout], impact=1, urgency=1, actor=manager, at=minute(0)
    )
    steps.record_evidence(incident.pk, "inform", {"n": 1}, [], is_complete=True, at=minute(1))
    return incident


def test_one_of_twenty_moves_the_stage_and_the_others_are_told(told, manager):
    results = race(lambda: major_incidents.begin_containment(told.pk, actor=manager, at=minute(2)), times=20)
    winners = [result for result in results if isinstance(result, MajorIncident)]
    assert len(winners) == 1
    assert all(isinstance(result, WrongStage) for result in results if result not in winners)
    assert told.stage_entries.filter(transition="begin_containment").count() == 1


def test_the_timeline_of_twenty_writers_has_no_gap_and_no_twin(told, manager):
    race(lambda: response.post_note(told.pk, text="Seen", actor=manager, at=minute(3)), times=20)
    numbers = list(told.events.order_by("seq").values_list("seq", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert told.events.filter(kind="note").count() == 20


def test_two_managers_taking_command_leave_one_in_command(told, deputy):
    third = factories.person("major_incident_manager", name="Third")
    race(*[lambda who=who: seats.take_command(told.pk, actor=who, at=minute(4)) for who in (deputy, third)] * 5)
    assert told.seats.filter(role="major_incident_manager", state="accepted").count() == 1


def test_two_change_managers_accepting_at_once_fill_one_seat(told, manager):
    invited = [factories.person("change_manager", name=f"Change {n}") for n in range(6)]
    offers = [
        seats.invite(told.pk, role="change_manager", user=person, actor=manager, at=minute(4)) for person in invited
    ]
    results = race(*[lambda s=s: seats.accept(s.pk, actor=s.user, at=minute(5)) for s in offers])
    assert sum(isinstance(result, Duplicate) for result in results) == 5
    assert told.seats.filter(role="change_manager", state="accepted").count() == 1


def test_closing_against_standing_down_ends_in_one_of_both(told, manager):
    results = race(
        lambda: major_incidents.stand_down(told.pk, reason="False alarm", actor=manager, at=minute(5)),
        lambda: major_incidents.begin_containment(told.pk, actor=manager, at=minute(5)),
        times=8,
    )
    assert all(isinstance(result, (MajorIncident, ProcessError)) for result in results)
    path = list(told.stage_entries.order_by("id").values_list("from_stage", "to_stage"))
    assert all(before[1] == after[0] for before, after in zip(path, path[1:], strict=False))
