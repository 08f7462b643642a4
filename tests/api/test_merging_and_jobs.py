"""Merging, splitting, jobs over many tickets and promises, over the API."""

import pytest

from incidents.actions import cascades, major_incidents, tickets
from incidents.models import Ticket
from tests import factories
from tests.api.conftest import Caller
from tests.factories import minute

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(technician):
    return Caller(technician)


@pytest.fixture
def declared(manager, checkout):
    return major_incidents.declare(
        title="Checkout answers 502", services=[checkout], impact=1, urgency=1, actor=manager, at=minute(10)
    )


def test_a_ticket_shows_its_promises(desk, technician):
    ticket = factories.ticket(impact=1, urgency=1)
    shown = desk.get(f"tickets/{ticket.ref}")["sla"]
    assert shown["due_at"] == shown["response"]["due_at"] == "2024-03-04T09:15:00Z"
    assert (shown["resolution"]["target_seconds"], shown["resolution"]["state"]) == (14_400, "running")
    tickets.hold(ticket.pk, reason="Waits", actor=technician, at=minute(10))
    shown = desk.get(f"tickets/{ticket.ref}")["sla"]
    assert (shown["due_at"], shown["response"]["state"], shown["resolution"]["state"]) == (None, "met", "paused")
    assert shown["resolution"]["used_seconds"] == 600


def test_a_duplicate_is_merged_and_parted_again(desk):
    first, second = factories.ticket("One"), factories.ticket("Two")
    answer = desk.post(f"tickets/{second.ref}/merge", {"into": first.ref})
    assert (answer["merged_into"], answer["status"]) == (first.ref, "closed")
    assert desk.get(f"tickets/{second.ref}")["merged_into"] == first.ref
    assert desk.get(f"tickets?merged_into={first.ref}")["results"][0]["ref"] == second.ref
    assert desk.post(f"tickets/{second.ref}/merge", {"into": first.ref}, 409)["type"] == "duplicate"
    assert list(desk.post(f"tickets/{first.ref}/merge", {"into": first.ref}, 400)["errors"]) == ["into"]
    parted = desk.post(f"tickets/{second.ref}/unmerge", {"reason": "Not the same"})
    assert (parted["merged_into"], parted["status"]) == (None, "new")


def test_a_part_becomes_a_ticket_and_a_comment_says_what_it_became(desk, technician):
    ticket = factories.ticket("One")
    row = tickets.comment(ticket.pk, text="And the phone", public=True, actor=technician, at=minute(1))
    made = desk.post(f"tickets/{ticket.ref}/split", {"title": "Phone", "comment": row.pk})
    assert (made["split_from"], made["description"]) == (ticket.ref, "And the phone")
    assert desk.get(f"tickets/{ticket.ref}/comments")["results"][0]["became"] == made["ref"]


def test_many_are_answered_by_a_job_with_a_row_each(desk, declared, technician, requester):
    made = [factories.ticket(f"T{n}", requester=requester) for n in range(3)]
    tickets.link([one.pk for one in made], incident_id=declared.pk, actor=technician, at=minute(11))
    answer = desk.post("ticket-jobs", {"kind": "reply", "major_incident": declared.ref, "text": "We are on it"}, 201)
    assert answer["waiting"] == 3
    number = answer["id"]
    cascades.run_waiting(at=minute(12))
    shown = desk.get(f"ticket-jobs/{number}")
    assert (shown["done"], shown["unchanged"], shown["waiting"]) == (1, 2, 0)
    rows = desk.get(f"ticket-jobs/{number}/results?outcome=unchanged")["results"]
    assert {row["detail"] for row in rows} == {f"the requester was told in {made[0].ref}"}
    assert desk.get(f"ticket-jobs?major_incident={declared.ref}")["results"][0]["id"] == number
    desk.post(f"ticket-jobs/{number}/retry", {}, 409)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "reply"}, "tickets"),
        ({"kind": "reply", "tickets": ["INC-9"]}, "tickets"),
        ({"kind": "reopen"}, "kind"),
    ],
)
def test_a_job_that_lacks_something_names_the_field(desk, body, field):
    assert list(desk.post("ticket-jobs", body, 400)["errors"]) == [field]


def test_a_ticket_is_kept_open(desk, declared):
    ticket = factories.ticket()
    desk.post(f"tickets/{ticket.ref}/keep-open", {"reason": "x"}, 409)
    desk.post(f"tickets/{ticket.ref}/link", {"major_incident": declared.ref})
    kept = desk.post(f"tickets/{ticket.ref}/keep-open", {"reason": "the printer, too"})
    assert kept["kept_open_reason"] == "the printer, too"
    assert Ticket.objects.get(pk=ticket.pk).kept_open_reason
