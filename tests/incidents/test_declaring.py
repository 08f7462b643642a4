"""Declaring: who may, what is derived, what is refused."""

import pytest

from incidents.actions import candidates, major_incidents, tickets
from incidents.errors import ClockOrder, Invalid, NotAccountable, WrongStage
from incidents.models import OnCallShift, StageEntry
from tests.factories import minute, ticket
from tests.incidents.conftest import again


def declare(actor, **fields):
    given = {"title": "Everything is down", "impact": 1, "urgency": 1, "at": minute(10), **fields}
    return major_incidents.declare(actor=actor, **given)


def test_declaring_seats_the_declarer_and_proves_the_first_step(declared, manager):
    assert declared.stage == "identification"
    assert [(seat.role, seat.user, seat.state) for seat in declared.seats.all()] == [
        ("major_incident_manager", manager, "accepted")
    ]
    states = {step.key: step.state for step in declared.steps.all()}
    assert states.pop("declare") == "done"
    assert states.pop("inform") == "open"
    assert set(states.values()) == {"pending"}


@pytest.mark.parametrize(("impact", "urgency", "severity", "priority"), [
    (1, 1, "SEV1", "P1"), (1, 2, "SEV2", "P1"), (2, 1, "SEV2", "P1"), (2, 2, "SEV3", "P2"), (4, 4, "SEV3", "P4"),
])  # fmt: skip
def test_severity_and_priority_follow_impact_and_urgency(manager, impact, urgency, severity, priority):
    incident = declare(manager, impact=impact, urgency=urgency)
    assert (incident.severity, incident.priority) == (severity, priority)


def test_a_person_may_override_the_severity(manager):
    assert declare(manager, severity="SEV3").severity == "SEV3"


def test_only_a_major_incident_manager_declares(technician, deputy, organisation):
    with pytest.raises(NotAccountable) as refusal:
        declare(technician)
    assert refusal.value.details["who_may"] == [deputy.email]


def test_every_wrong_field_is_named_at_once(manager):
    with pytest.raises(Invalid) as refusal:
        declare(manager, title="  ", impact=0, urgency=9, affects="nobody", users_affected=-1, severity="SEV9")
    assert set(refusal.value.errors) == {"title", "impact", "urgency", "affects", "users_affected", "severity"}


def test_declared_from_nothing_detection_and_report_are_the_declaration(manager):
    incident = declare(manager)
    assert incident.detected_at == incident.reported_at == incident.declared_at == minute(10)
    assert incident.acknowledged_at == minute(10)
    assert incident.started_at is None


def test_tickets_become_children_and_set_the_first_clocks(manager, technician, checkout):
    first = ticket(service=checkout, at=minute(2))
    second = ticket(service=checkout, at=minute(4))
    tickets.acknowledge(second.pk, actor=technician, at=minute(6))
    incident = declare(manager, services=[checkout], tickets=[first, second])
    assert (incident.detected_at, incident.reported_at, incident.acknowledged_at) == (minute(2), minute(2), minute(6))
    assert incident.tickets.count() == 2
    assert incident.downtime.get().started_at == minute(2)


def test_a_candidate_becomes_the_incident_and_its_verdict_is_given_once(manager, technician, checkout):
    reported = ticket(service=checkout, at=minute(2))
    candidate = tickets.propose([reported.pk], reason="Many calls", business_impact="", actor=technician, at=minute(5))
    incident = declare(manager, services=[checkout], candidate=candidate)
    candidate.refresh_from_db(fields=["major_incident"])
    assert candidate.major_incident == incident
    assert incident.tickets.get() == reported
    with pytest.raises(WrongStage):
        declare(manager, candidate=candidate)
    with pytest.raises(WrongStage):
        candidates.dismiss(candidate.pk, reason="late", actor=manager, at=minute(20))


def test_a_ticket_belongs_to_one_incident_only(declared, manager, checkout):
    child = ticket(service=checkout)
    tickets.link([child.pk], incident_id=declared.pk, actor=manager, at=minute(11))
    with pytest.raises(Invalid) as refusal:
        declare(manager, tickets=[child])
    assert declared.ref in refusal.value.errors["tickets"][0]


def test_a_clock_given_as_none_is_unknown_and_stays_so(manager, checkout):
    incident = declare(manager, services=[checkout], clocks_given={"acknowledged_at": None, "started_at": None})
    assert incident.acknowledged_at is None
    child = ticket(service=checkout, at=minute(1))
    tickets.acknowledge(child.pk, actor=manager, at=minute(2))
    tickets.link([child.pk], incident_id=incident.pk, actor=manager, at=minute(11))
    assert again(incident).acknowledged_at is None
    assert again(incident).detected_at == minute(1)


def test_an_acknowledgement_before_the_report_counts_as_the_report(manager):
    given = {"reported_at": minute(5), "acknowledged_at": minute(3), "detected_at": minute(2)}
    assert declare(manager, clocks_given=given).acknowledged_at == minute(5)


def test_clocks_out_of_order_are_refused_by_name(manager):
    with pytest.raises(ClockOrder) as refusal:
        declare(manager, clocks_given={"started_at": minute(9), "detected_at": minute(3)})
    assert refusal.value.details == {"earlier": "started_at", "later": "detected_at"}


def test_declaring_again_with_a_backdated_time_keeps_the_order(manager):
    incident = declare(manager, clocks_given={"declared_at": minute(3), "started_at": minute(0)})
    assert incident.declared_at == minute(3)
    assert StageEntry.objects.get(incident=incident).at == minute(3)


def test_an_automatic_declaration_seats_the_manager_on_call(manager, deputy):
    OnCallShift.objects.create(role="major_incident_manager", person=deputy, starts_at=minute(0), ends_at=minute(600))
    incident = declare(None)
    assert incident.seats.get().user == deputy


def test_an_open_promise_of_the_next_update_is_made(declared):
    assert declared.promises.get().state == "open"
    assert declared.next_update_at is not None


def test_the_timeline_is_numbered_without_a_gap(declared):
    numbers = list(declared.events.order_by("seq").values_list("seq", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
