from datetime import timedelta

import pytest
from django.utils import timezone

from incidents import tasks
from incidents.actions import cascades, downtime, major_incidents, observations, tickets
from incidents.models import CascadeResult, IdempotentRequest, Ticket, TimelineEvent
from incidents.process import EventKind
from incidents.queries.observations import answers, still_broken_people
from tests import factories
from tests.factories import again, minute
from tests.incidents.conftest import fix
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def children(declared, technician, checkout):
    people = [factories.person("requester", name=f"Reporter {n}") for n in range(4)]
    reports = [factories.ticket(requester=person, service=checkout, at=minute(2)) for person in people]
    tickets.link([report.pk for report in reports], incident_id=declared.pk, actor=technician, at=minute(11))
    return [again(report) for report in reports]


@pytest.fixture
def resolved(children, resolving, manager, engineer):
    fix(resolving, engineer, at=minute(30))
    downtime.restore(resolving.pk, actor=manager, at=minute(31))
    return major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(40))


def states(children):
    return [again(child).status for child in children]


def test_resolving_the_incident_resolves_its_open_tickets(resolved, children, technician):
    tickets.resolve(children[0].pk, resolution="Worked around", actor=technician, at=minute(35))
    assert cascades.run_waiting(at=minute(41), batch=3) == 4
    assert states(children) == ["resolved"] * 4
    outcomes = list(CascadeResult.objects.order_by("ticket_id").values_list("outcome", flat=True))
    assert outcomes == ["unchanged", "done", "done", "done"]
    event = resolved.events.get(kind=EventKind.TICKETS_CASCADED)
    assert (event.payload["kind"], event.payload["count"], event.payload["unchanged"]) == ("resolve", 3, 1)
    assert again(children[1]).resolved_at == minute(40)
    assert again(children[1]).acknowledged_at is None


def test_running_a_cascade_twice_changes_nothing(resolved, children):
    cascades.run_waiting(at=minute(41))
    assert cascades.run_waiting(at=minute(42)) == 0
    assert CascadeResult.objects.count() == 4
    assert resolved.events.filter(kind=EventKind.TICKETS_CASCADED).count() == 1


def test_reopening_the_incident_reopens_only_what_it_resolved(resolved, children, technician, manager):
    tickets.resolve(children[0].pk, resolution="Worked around", actor=technician, at=minute(35))
    cascades.run_waiting(at=minute(41))
    tickets.close(children[1].pk, actor=children[1].requester, at=minute(42))
    major_incidents.reopen(resolved.pk, reason="It came back", actor=manager, at=minute(50))
    cascades.run_waiting(at=minute(51))
    assert states(children) == ["resolved", "in_progress", "in_progress", "in_progress"]


def test_a_reopening_before_the_cascade_leaves_tickets_open(resolved, children, manager):
    major_incidents.reopen(resolved.pk, reason="It came back", actor=manager, at=minute(41))
    assert cascades.run_waiting(at=minute(42)) == 8
    assert states(children) == ["new"] * 4
    assert set(CascadeResult.objects.values_list("outcome", flat=True)) == {"unchanged"}


def test_three_people_still_broken_reopen_it(resolved, children):
    cascades.run_waiting(at=minute(41))
    for child in children[:2]:
        tickets.answer_whether_it_works(child.pk, works=False, actor=child.requester, at=minute(60))
    assert observations.reopen_failed_observations(at=minute(62)) == 0
    tickets.answer_whether_it_works(children[3].pk, works=True, actor=children[3].requester, at=minute(63))
    tickets.reopen(children[2].pk, reason="Not here", actor=children[2].requester, at=minute(64))
    said = answers(resolved)
    assert (said.works, said.still_broken, said.waiting, said.answered, said.asked) == (1, 3, 0, 4, 4)
    assert observations.reopen_failed_observations(at=minute(65)) == 1
    incident = again(resolved)
    assert (incident.stage, incident.resolved_at) == ("containment", None)
    assert incident.events.get(kind=EventKind.REOPENED).actor is None
    assert observations.reopen_failed_observations(at=minute(66)) == 0


def test_the_same_person_counts_once(resolved, children, technician):
    cascades.run_waiting(at=minute(41))
    child = children[0]
    for n in range(4):
        tickets.reopen(child.pk, reason="Still", actor=child.requester, at=minute(50 + n))
        tickets.resolve(child.pk, resolution="Try now", actor=technician, at=minute(50 + n))
    assert len(still_broken_people(resolved)) == 1


def test_answers_after_the_observation_window_do_not_reopen(resolved, children):
    cascades.run_waiting(at=minute(41))
    for child in children:
        tickets.reopen(child.pk, reason="Again", actor=child.requester, at=minute(41 + 24 * 60))
    assert observations.reopen_failed_observations(at=minute(50 + 24 * 60)) == 0


def test_answers_to_keys_are_forgotten_after_a_day(technician):
    now = timezone.now()
    for key, age in (("old", 25), ("new", 23)):
        IdempotentRequest.objects.create(
            user=technician, key=key, fingerprint="x", created_at=now - timedelta(hours=age)
        )
    tasks.forget_idempotency_keys()
    assert [row.key for row in IdempotentRequest.objects.all()] == ["new"]


def test_the_sweeps_run_on_an_empty_desk(organisation):
    for sweep in (
        tasks.sweep_cascades,
        tasks.sweep_observations,
        tasks.sweep_emergency_approvals,
        tasks.sweep_consults,
    ):
        sweep()
    assert not TimelineEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_cascade_resolve_each_ticket_once(resolved, children):
    race(lambda: cascades.run_waiting(at=minute(41), batch=1), times=3)
    cascades.run_waiting(at=minute(42))
    assert states(children) == ["resolved"] * 4
    assert CascadeResult.objects.count() == 4
    assert Ticket.objects.filter(events__payload__to="resolved").count() == 4
