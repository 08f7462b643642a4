"""What looks like a ticket, and what a reporter is shown while typing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions import major_incidents, problems, tickets, updates, usual
from incidents.models import Ticket
from incidents.queries.look_alike import looks_like, suggest
from tests import factories
from tests.factories import minute


@pytest.fixture
def filler(checkout):
    """Two hundred ordinary tickets, half of them solved, so that words have a weight."""
    things = ("Printer", "Scanner", "Mouse", "Payslip", "Invoice", "Badge", "Monitor", "Licence")
    Ticket.objects.bulk_create(
        Ticket(
            title=f"{things[n % 8]} {('is slow', 'does not work', 'is missing')[n % 3]}", channel="portal",
            reported_at=minute(-n), status="closed" if n % 2 else "new", resolved_at=minute(0) if n % 2 else None,
            closed_at=minute(0) if n % 2 else None, resolution=f"Exchanged number {n}" if n % 2 else "",
        )
        for n in range(200)
    )  # fmt: skip
    usual.renew(at=minute(0))


def found(panel_list):
    return [one.record.title for one in panel_list]


def test_open_tickets_solutions_outages_and_known_errors_are_shown_with_the_reason(
    filler, checkout, technician, manager, declared
):
    solved = factories.ticket("VPN client does not connect", service=None)
    tickets.resolve(solved.pk, resolution="Renewed the VPN certificate", actor=technician, at=minute(1))
    waiting = factories.ticket("Cannot connect with VPN", service=None)
    known = problems.open_problem(title="VPN certificate expires", actor=manager, at=minute(1))
    problems.edit_problem(known.pk, changes={"workaround": "Restart the VPN client"}, actor=manager, at=minute(1))
    problems.investigate(known.pk, actor=manager, at=minute(1))
    problems.known_error(known.pk, actor=manager, at=minute(2))
    mine = factories.ticket("VPN does not connect from home", service=checkout)
    panel = looks_like(mine, for_user=technician)
    assert found(panel.open_tickets)[0] == waiting.title
    assert "vpn" in panel.open_tickets[0].why
    assert found(panel.solutions)[0] == solved.title
    assert found(panel.known_errors) == ["VPN certificate expires"]
    assert found(panel.outages) == [declared.title] and panel.outages[0].why == "same service"


def test_the_same_answer_is_shown_once(filler, technician):
    for _ in range(4):
        solved = factories.ticket("Espresso machine leaks")
        tickets.resolve(solved.pk, resolution="New  seal.", actor=technician, at=minute(1))
    panel = looks_like(factories.ticket("Espresso machine leaks again"), for_user=technician)
    assert len(panel.solutions) == 1


def test_a_requester_is_offered_nothing_of_others(filler, requester):
    factories.ticket("Espresso machine leaks")
    mine = factories.ticket("Espresso machine leaks again", actor=requester, channel="portal")
    assert looks_like(mine, for_user=requester).is_empty


def test_a_text_without_words_looks_like_nothing(technician):
    assert looks_like(factories.ticket("!!"), for_user=technician).is_empty
    assert suggest("…", for_user=technician) == []


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", "a:* & !b | (c)", "\\ <-> :", "ǘß𝒳 ☃ مرحبا", "x" * 5000, "the the the"]
)
def test_hostile_text_is_only_text(filler, technician, text):
    known = set(Ticket.objects.values_list("pk", flat=True))
    assert all(one.title for one in suggest(text, for_user=technician))
    asked = factories.ticket(text[:200])
    alike = {one.record.pk for one in looks_like(asked, for_user=technician).open_tickets}
    assert alike <= known
    assert set(Ticket.objects.values_list("pk", flat=True)) == {*known, asked.pk}


def test_while_typing_outages_come_first_in_public_words(filler, declared, requester, manager, checkout):
    child = factories.ticket("Basket opens, ordering does not", service=checkout)
    tickets.link([child.pk], incident_id=declared.pk, actor=manager, at=minute(11))
    updates.publish_update(declared.pk, texts={"users": "Orders fail. We are on it."}, actor=manager, at=minute(12))
    for typed in ("checkout is broken", "ordering does not work", "orders fail"):
        first = suggest(typed, for_user=requester)[0]
        assert (first.kind, first.ref, first.title) == ("outage", declared.ref, "Disruption of Checkout"), typed
        assert "502" not in first.title + first.text
    assert suggest("payslip missing", for_user=requester) == []


def test_own_open_reports_and_workarounds_come_up(filler, requester, outsider, manager, technician):
    mine = factories.ticket("Espresso machine leaks", actor=requester, channel="portal")
    known = problems.open_problem(title="Espresso machines leak", actor=manager, at=minute(1))
    problems.edit_problem(known.pk, changes={"workaround": "Use the one upstairs"}, actor=manager, at=minute(1))
    problems.investigate(known.pk, actor=manager, at=minute(1))
    problems.known_error(known.pk, actor=manager, at=minute(2))
    kinds = [(one.kind, one.ref) for one in suggest("espresso machine leaking", for_user=requester)]
    assert kinds == [("own_report", mine.ref), ("known_error", known.ref)]
    assert [one.kind for one in suggest("espresso machine leaking", for_user=technician)] == ["known_error"]


def test_a_drill_is_no_outage_to_requesters(filler, manager, checkout, requester):
    major_incidents.declare(
        title="Checkout drill", services=[checkout], impact=1, urgency=1, is_drill=True, actor=manager, at=minute(1)
    )
    assert suggest("checkout broken", for_user=requester) == []


def test_the_cost_does_not_grow_with_what_is_found(filler, technician, checkout):
    costs = []
    for count in (1, 40):
        for number in range(count):
            solved = factories.ticket(f"Espresso machine number {number} leaks", service=checkout)
            tickets.resolve(solved.pk, resolution=f"Seal {number}", actor=technician, at=minute(1))
            factories.ticket(f"Espresso machine number {number} leaks", service=checkout)
        mine = factories.ticket("Espresso machine leaks", service=checkout)
        looks_like(mine, for_user=technician)  # the words are kept by the process from now on
        with CaptureQueriesContext(connection) as asked:
            looks_like(mine, for_user=technician)
        costs.append(len(asked))
    assert costs[0] == costs[1] <= 16  # with the savepoint around the word index
