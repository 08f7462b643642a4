"""What a page or a record costs does not grow with the number of rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions import candidates, changes, major_incidents, problems, response, seats, updates
from tests import factories
from tests.api.conftest import Caller
from tests.factories import minute

pytestmark = pytest.mark.django_db
LIST, DETAIL, CREATE = 8, 12, 8


def cost(caller, path):
    caller.get(path)
    with CaptureQueriesContext(
        connection,
    ) as found:
        caller.get(path)
    return len(found)


@pytest.fixture
def everything(manager, technician, engineer, change_manager, checkout):
    """Makes one of each, with related rows; returns the incident."""

    def make(number):
        ticket = factories.ticket(f"Ticket {number}", service=checkout, requester=technician)
        candidates.flag(
            title=f"c{number}", source="proposed", cluster=f"cluster {number}", ticket_ids=[ticket.pk],
            actor=technician, at=minute(0),
        )  # fmt: skip
        incident = major_incidents.declare(
            title=f"Incident {number}", services=[checkout, factories.service()], impact=1, urgency=1, actor=manager,
            at=minute(1),
        )  # fmt: skip
        problems.open_problem(title="p", major_incident=incident, tickets=[ticket], actor=manager, at=minute(2))
        changes.open_change(
            title="c", services=[checkout], approvers=[change_manager], major_incident=incident, relation="fix",
            actor=engineer, at=minute(2),
        )  # fmt: skip
        return incident

    return make


@pytest.mark.parametrize("path", ["tickets", "candidates", "major-incidents", "problems", "changes"])
def test_a_list_costs_the_same_for_1_4_and_12_rows(path, everything, manager):
    caller, costs = Caller(manager), []
    made = 0
    for wanted in (1, 4, 12):
        while made < wanted:
            everything(made)
            made += 1
        costs.append(cost(caller, path))
    assert len(set(costs)) == 1, costs
    assert costs[0] <= LIST


def test_an_incident_costs_the_same_however_much_belongs_to_it(everything, manager):
    caller, incident = Caller(manager), everything(0)
    base = f"major-incidents/{incident.ref}"
    parts = ["", "/steps", "/seats", "/consults", "/timeline", "/tasks", "/updates", "/approvals", "/clocks",
             "/downtime"]  # fmt: skip
    before = {part: cost(caller, base + part) for part in parts}
    for number in range(10):
        person = factories.person("technical_staff", "management")
        seat = seats.invite(incident.pk, role="technical_staff", user=person, actor=manager, at=minute(3))
        seats.accept(seat.pk, actor=person, at=minute(3))
        response.post_note(incident.pk, text=f"note {number}", actor=manager, at=minute(4))
        response.add_task(incident.pk, title=f"task {number}", assignee=person, actor=manager, at=minute(4))
        updates.publish_update(incident.pk, texts={"users": f"u{number}"}, actor=manager, at=minute(5))
        updates.ask_approval(incident.pk, question="?", approver=person, actor=manager, at=minute(6))
    after = {part: cost(caller, base + part) for part in parts}
    assert after == before
    assert max(after.values()) <= DETAIL


def test_filing_a_ticket_takes_few_statements(technician, checkout):
    caller = Caller(technician)
    body = {"title": "Payment fails", "service": "checkout", "impact": 1, "urgency": 1}
    caller.post("tickets", body, 201)
    with CaptureQueriesContext(connection) as found:
        caller.post("tickets", body, 201)
    # A test runs in a transaction of its own: a savepoint here is a beginning elsewhere, which is no round trip.
    asked = [query["sql"][:150] for query in found if not query["sql"].startswith("SAVEPOINT")]
    assert len(asked) <= CREATE, "\n".join(asked)
