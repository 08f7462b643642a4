import pytest

from incidents.actions import major_incidents, problems, seats
from incidents.errors import Invalid, NotAccountable, WrongStage
from incidents.process import EventKind
from tests.factories import again, minute

pytestmark = pytest.mark.django_db


@pytest.fixture
def problem(organisation, problem_manager):
    return problems.open_problem(title="Connection pool too small", actor=problem_manager, at=minute(20))


def step(incident, key="problem"):
    return incident.steps.get(key=key)


def test_whoever_opens_a_problem_owns_it_when_a_problem_manager(problem, problem_manager):
    assert (problem.status, problem.owner) == ("open", problem_manager)
    assert problem.events.get().kind == EventKind.PROBLEM_OPENED


def test_the_owner_must_be_a_problem_manager(organisation, engineer, technician):
    with pytest.raises(Invalid) as refusal:
        problems.open_problem(title="?", owner=technician, actor=engineer, at=minute(20))
    assert list(refusal.value.errors) == ["owner"]


def test_opening_a_problem_for_an_incident_proves_the_step(declared, manager, problem_manager):
    problems.open_problem(title="Pool", major_incident=declared, owner=problem_manager, actor=manager, at=minute(20))
    assert step(declared).state == "done"
    assert declared.events.filter(kind=EventKind.PROBLEM_LINKED).exists()


def test_without_an_owner_the_step_stays_open_until_one_is_named(declared, manager, problem_manager):
    problem = problems.open_problem(title="Pool", major_incident=declared, actor=manager, at=minute(20))
    assert problem.owner is None
    assert step(declared).state != "done"
    problems.edit_problem(problem.pk, changes={"owner": problem_manager}, actor=manager, at=minute(21))
    assert step(declared).state == "done"


def test_linking_is_held_by_the_letters_of_the_step(declared, problem, problem_manager, engineer):
    for somebody in (engineer, problem_manager):
        with pytest.raises(NotAccountable) as refusal:
            problems.link_incident(problem.pk, incident_id=declared.pk, actor=somebody, at=minute(21))
        assert refusal.value.details["step"] == "problem"


def test_linking_twice_changes_nothing(declared, problem, manager):
    for _ in range(2):
        problems.link_incident(problem.pk, incident_id=declared.pk, actor=manager, at=minute(21))
    assert declared.events.filter(kind=EventKind.PROBLEM_LINKED).count() == 1


def test_an_incident_that_was_stood_down_gets_no_problem(declared, problem, manager):
    major_incidents.stand_down(declared.pk, reason="False alarm", actor=manager, at=minute(21))
    with pytest.raises(WrongStage):
        problems.link_incident(problem.pk, incident_id=declared.pk, actor=manager, at=minute(22))


def test_a_known_error_says_what_is_known(problem, problem_manager):
    problems.investigate(problem.pk, actor=problem_manager, at=minute(22))
    with pytest.raises(Invalid) as refusal:
        problems.known_error(problem.pk, actor=problem_manager, at=minute(23))
    assert set(refusal.value.errors) == {"root_cause", "workaround"}
    changes = {"workaround": "Restart at night", "five_whys": ["Why?", " ", "Because"]}
    problems.edit_problem(problem.pk, changes=changes, actor=problem_manager, at=minute(23))
    known = problems.known_error(problem.pk, actor=problem_manager, at=minute(24))
    assert (known.status, known.five_whys) == ("known_error", ["Why?", "Because"])
    with pytest.raises(Invalid):
        problems.edit_problem(problem.pk, changes={"workaround": ""}, actor=problem_manager, at=minute(25))


def test_recurrence_is_checked_ninety_days_after_resolving(problem, problem_manager):
    problems.investigate(problem.pk, actor=problem_manager, at=minute(22))
    problems.edit_problem(problem.pk, changes={"root_cause": "Leak"}, actor=problem_manager, at=minute(23))
    resolved = problems.resolve(problem.pk, actor=problem_manager, at=minute(30))
    assert (resolved.recurrence_check_at - minute(30)).days == 90
    assert problems.close(problem.pk, actor=problem_manager, at=minute(31)).closed_at == minute(31)


def test_a_refused_transition_names_what_is_possible(problem, problem_manager, outsider):
    with pytest.raises(WrongStage) as refusal:
        problems.close(problem.pk, actor=problem_manager, at=minute(22))
    assert refusal.value.details["possible"] == ["investigate"]
    with pytest.raises(NotAccountable):
        problems.investigate(problem.pk, actor=outsider, at=minute(22))


def test_editing_the_state_is_the_act_it_stands_for(problem, problem_manager):
    edited = problems.edit_problem(
        problem.pk, changes={"status": "investigating", "title": "Leak"}, actor=problem_manager, at=minute(22)
    )
    assert (edited.status, edited.title) == ("investigating", "Leak")
    with pytest.raises(Invalid):
        problems.edit_problem(problem.pk, changes={"status": "open"}, actor=problem_manager, at=minute(23))
    assert again(problem).status == "investigating"


def test_whoever_is_responsible_by_seat_opens_the_problem_whatever_their_roles(containing, manager, management):
    seat = seats.invite(containing.pk, role="mit", user=management, actor=manager, at=minute(13))
    seats.accept(seat.pk, actor=management, at=minute(14))
    made = problems.open_problem(title="Cause", major_incident=containing, actor=management, at=minute(15))
    assert list(made.major_incidents.all()) == [containing]
    with pytest.raises(NotAccountable):
        problems.open_problem(title="Another", actor=management, at=minute(16))
