"""Works, or still broken: three different people in the observation window reopen the incident."""

import pytest

from incidents.actions import cascades, downtime, major_incidents, observations, tickets
from incidents.actions import organisation as settings_of
from incidents.models import Review
from incidents.queries.observations import answer_about, answers
from tests import factories
from tests.factories import again, minute
from tests.incidents.conftest import fix

pytestmark = pytest.mark.django_db


@pytest.fixture
def children(declared, technician, checkout):
    people = [factories.person("requester", name=f"Reporter {n}") for n in range(4)]
    reports = [factories.ticket(requester=person, service=checkout, at=minute(2)) for person in people]
    reports.append(factories.ticket(requester=people[0], service=checkout, at=minute(3)))
    tickets.link([report.pk for report in reports], incident_id=declared.pk, actor=technician, at=minute(11))
    return [again(report) for report in reports]


@pytest.fixture
def resolved(children, resolving, manager, engineer):
    fix(resolving, engineer, at=minute(30))
    downtime.restore(resolving.pk, actor=manager, at=minute(31))
    incident = major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(40))
    cascades.run_waiting(at=minute(41))
    return incident


def still_broken(child, at):
    tickets.answer_whether_it_works(child.pk, works=False, actor=child.requester, at=minute(at))


def test_two_tickets_of_one_person_are_one_voice(resolved, children):
    for child in (children[0], children[4], children[1]):
        still_broken(child, 50)
    assert observations.reopen_failed_observations(at=minute(51)) == 0
    assert answers(resolved).still_broken == 2
    still_broken(children[2], 52)
    assert observations.reopen_failed_observations(at=minute(53)) == 1


def test_how_many_is_a_setting_of_the_organisation(resolved, children, administrator):
    settings_of.edit_organisation(changes={"still_broken_to_reopen": 2}, actor=administrator, at=minute(45))
    still_broken(children[0], 50)
    assert observations.reopen_failed_observations(at=minute(51)) == 0
    still_broken(children[1], 52)
    assert answers(resolved).threshold == 2
    assert observations.reopen_failed_observations(at=minute(53)) == 1


@pytest.mark.parametrize(("at", "reopened"), [(40 + 60, 1), (40 + 61, 0)])
def test_the_window_of_the_review_counts_to_its_last_minute(resolved, children, at, reopened):
    Review.objects.filter(incident=resolved).update(observation_hours=1)
    for child in children[:3]:
        still_broken(child, at)
    assert observations.reopen_failed_observations(at=minute(at + 1)) == reopened


def test_after_reopening_it_counts_anew(resolved, children, manager, engineer):
    for child in children[:3]:
        still_broken(child, 50)
    observations.reopen_failed_observations(at=minute(51))
    cascades.run_waiting(at=minute(52))
    incident = again(resolved)
    assert answers(incident) is None
    major_incidents.begin_resolution(incident.pk, actor=manager, at=minute(55))
    fix(incident, engineer, at=minute(60))
    downtime.restore(incident.pk, actor=manager, at=minute(61))
    incident = major_incidents.confirm_resolution(incident.pk, actor=manager, at=minute(62))
    cascades.run_waiting(at=minute(63))
    said = answers(incident)
    assert (said.asked, said.answered, said.still_broken) == (5, 0, 0)
    assert observations.reopen_failed_observations(at=minute(64)) == 0
    still_broken(children[3], 65)
    assert answers(incident).still_broken == 1


def test_only_what_the_cascade_resolved_was_asked_and_is_reopened(declared, children, technician, request):
    tickets.resolve(children[3].pk, resolution="By hand", actor=technician, at=minute(20))
    incident = request.getfixturevalue("resolved")
    assert answers(incident).asked == 4
    for child in children[:3]:
        still_broken(child, 50)
    observations.reopen_failed_observations(at=minute(51))
    cascades.run_waiting(at=minute(52))
    assert [again(child).status for child in children] == [*["in_progress"] * 3, "resolved", "in_progress"]


def test_each_ticket_says_what_its_requester_answered(resolved, children):
    still_broken(children[0], 50)
    tickets.answer_whether_it_works(children[1].pk, works=True, actor=children[1].requester, at=minute(51))
    assert [answer_about(again(child)) for child in children[:3]] == ["still_broken", "works", "waiting"]
