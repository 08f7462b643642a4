import pytest

from incidents.actions import candidates, tickets
from incidents.errors import Duplicate, Invalid, NotAccountable, WrongStage
from incidents.models import Candidate, MajorIncident, RaciMatrix, default_cells
from incidents.process import EventKind
from tests import factories
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(organisation, checkout):
    return factories.ticket("Checkout is down", service=checkout)


@pytest.fixture
def candidate(report, technician, minute):
    return tickets.propose([report.pk], reason="Many calls", actor=technician, at=minute(1))


def open_incident(minute, **fields):
    """A bare incident in the record: declaring has its own tests."""
    matrix = RaciMatrix.objects.first() or RaciMatrix.objects.create(version=1, cells=default_cells())
    fields = {"declared_at": minute(0), **fields}
    return MajorIncident.objects.create(
        title="Outage", impact=1, urgency=1, priority="P1", severity="SEV1", matrix=matrix, **fields
    )


def test_a_proposal_makes_a_candidate_that_says_why(candidate, report, technician, checkout, minute):
    assert candidate.status == "open"
    assert candidate.source == "proposed"
    assert candidate.service == checkout
    assert candidate.reasons == ["Technician: Many calls"]
    assert list(candidate.tickets.all()) == [report]
    event = candidate.events.get()
    assert event.kind == EventKind.CANDIDATE_FLAGGED
    assert event.payload["tickets"] == [report.ref]


def test_a_second_proposal_for_the_service_joins_the_open_candidate(candidate, engineer, checkout, minute):
    other = factories.ticket("Cannot pay", service=checkout)
    joined = tickets.propose([other.pk], reason="Payment too", business_impact="No sales", actor=engineer, at=minute(2))
    assert joined == candidate
    assert joined.reasons == ["Technician: Many calls", "Engineer: Payment too"]
    assert joined.business_impact == "No sales"
    assert joined.tickets.count() == 2
    assert joined.events.last().kind == EventKind.CANDIDATE_EVIDENCE_ADDED


def test_a_proposal_without_a_service_is_a_candidate_of_its_own(candidate, technician, minute):
    first, second = factories.ticket("Odd"), factories.ticket("Odder")
    odd = tickets.propose([first.pk], reason="?", actor=technician, at=minute(2))
    assert odd != candidate
    assert tickets.propose([second.pk], reason="?", actor=technician, at=minute(2)) != odd
    assert tickets.propose([first.pk, second.pk], reason="!", actor=technician, at=minute(3)) == odd


def test_proposing_needs_a_reason_and_a_technician(report, technician, requester, minute):
    with pytest.raises(Invalid) as refusal:
        tickets.propose([report.pk], reason="", actor=technician, at=minute(1))
    assert list(refusal.value.errors) == ["reason"]
    with pytest.raises(NotAccountable):
        tickets.propose([report.pk], reason="Please", actor=requester, at=minute(1))


def test_acknowledging_is_a_managers_and_happens_once(candidate, manager, deputy, technician, minute):
    with pytest.raises(NotAccountable):
        candidates.acknowledge(candidate.pk, actor=technician, at=minute(2))
    candidates.acknowledge(candidate.pk, actor=manager, at=minute(2))
    again = candidates.acknowledge(candidate.pk, actor=deputy, at=minute(3))
    assert (again.acknowledged_by, again.acknowledged_at) == (manager, minute(2))


def test_dismissing_needs_a_reason_and_leaves_room_for_a_new_candidate(
    candidate, manager, technician, checkout, minute
):
    with pytest.raises(Invalid):
        candidates.dismiss(candidate.pk, reason="", actor=manager, at=minute(2))
    dismissed = candidates.dismiss(candidate.pk, reason="One user only", actor=manager, at=minute(2))
    assert (dismissed.status, dismissed.dismiss_reason) == ("dismissed", "One user only")
    with pytest.raises(WrongStage):
        candidates.dismiss(candidate.pk, reason="Again", actor=manager, at=minute(3))
    other = factories.ticket("Down again", service=checkout)
    assert tickets.propose([other.pk], reason="Now really", actor=technician, at=minute(4)) != candidate


def test_linking_a_candidate_gives_its_tickets_to_the_incident(candidate, report, manager, minute):
    incident = open_incident(minute)
    linked = candidates.link(candidate.pk, incident_id=incident.pk, actor=manager, at=minute(3))
    report.refresh_from_db(fields=["major_incident"])
    assert (linked.status, linked.major_incident) == ("linked", incident)
    assert report.major_incident == incident
    kinds = set(incident.events.values_list("kind", flat=True))
    assert {EventKind.CANDIDATE_LINKED, EventKind.TICKET_LINKED} <= kinds


def test_a_closed_incident_takes_no_tickets(report, technician, minute):
    closed = open_incident(minute, stage="closed", resolved_at=minute(1), closed_at=minute(2))
    with pytest.raises(WrongStage) as refusal:
        tickets.link([report.pk], incident_id=closed.pk, actor=technician, at=minute(3))
    assert closed.ref in refusal.value.message


def test_a_ticket_has_one_parent(report, technician, minute):
    first, second = open_incident(minute), open_incident(minute)
    tickets.link([report.pk], incident_id=first.pk, actor=technician, at=minute(1))
    tickets.link([report.pk], incident_id=first.pk, actor=technician, at=minute(2))
    assert report.events.filter(kind=EventKind.TICKET_LINKED).count() == 1
    with pytest.raises(Duplicate):
        tickets.link([report.pk], incident_id=second.pk, actor=technician, at=minute(2))
    with pytest.raises(Duplicate):
        tickets.propose([report.pk], reason="Major", actor=technician, at=minute(2))
    tickets.unlink(report.pk, reason="Other cause", actor=technician, at=minute(3))
    tickets.link([report.pk], incident_id=second.pk, actor=technician, at=minute(4))
    with pytest.raises(Invalid):
        tickets.link([report.pk, 999_999], incident_id=second.pk, actor=technician, at=minute(4))


@pytest.mark.django_db(transaction=True)
def test_proposals_at_the_same_moment_end_in_one_candidate(technician, checkout, minute):
    reports = [factories.ticket(f"Checkout down {n}", service=checkout) for n in range(5)]
    results = race(
        *[
            lambda ticket=ticket: tickets.propose([ticket.pk], reason=ticket.title, actor=technician, at=minute(1))
            for ticket in reports
        ]
    )
    assert {result.pk for result in results} == {Candidate.objects.get().pk}
    assert Candidate.objects.get().tickets.count() == 5
    assert len(Candidate.objects.get().reasons) == 5
