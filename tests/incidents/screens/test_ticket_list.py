"""The ticket list: filters in the address, pages by key, export."""

import pytest
from django.urls import reverse

from incidents.actions import tickets
from incidents.models import Ticket
from tests import factories
from tests.factories import minute

LIST = "ticket_list"


@pytest.fixture
def titles(at_desk):
    """What the list shows, in its order."""

    def ask(**query):
        return [row.title for row in at_desk.get(reverse(LIST), query).context["page"].rows]

    return ask


def test_open_tickets_are_shown_newest_first(titles, technician):
    for number in range(3):
        factories.ticket(f"Ticket {number}", at=minute(number))
    done = factories.ticket("Done already")
    tickets.resolve(done.pk, resolution="Restarted", actor=technician, at=minute(9))
    assert titles() == ["Ticket 2", "Ticket 1", "Ticket 0"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "on_hold"}, ["Held"]),
        ({"assignee": "me"}, ["Mine"]),
        ({"assignee": "nobody", "q": "plain"}, ["Plain"]),
        ({"priority": "P1"}, ["Burning"]),
        ({"service": "checkout"}, ["Burning"]),
        ({"channel": "email"}, ["Held"]),
        ({"kind": "service_request"}, ["Wish"]),
        ({"q": "burn"}, ["Burning"]),
        ({"q": "nowhere"}, []),
    ],
)
def test_each_filter_of_the_address_works(titles, technician, checkout, query, expected):
    factories.ticket("Plain")
    factories.ticket("Burning", service=checkout, impact=1, urgency=1)
    factories.ticket("Wish", kind="service_request")
    held = factories.ticket("Held", channel="email")
    tickets.hold(held.pk, reason="Supplier", actor=technician, at=minute(1))
    mine = factories.ticket("Mine")
    tickets.assign(mine.pk, assignee=technician, actor=technician, at=minute(1))
    assert titles(**query) == expected


def test_a_reference_finds_its_ticket_whatever_its_state(titles, technician):
    found = factories.ticket("Done already")
    tickets.resolve(found.pk, resolution="Restarted", actor=technician, at=minute(9))
    assert titles(q=found.ref) == ["Done already"]


@pytest.mark.parametrize("query", [{"status": "x"}, {"sort": "-id"}, {"priority": "P9"}, {"assignee": "9" * 30}])
def test_an_unknown_value_counts_as_not_given(titles, query):
    factories.ticket("Plain")
    assert titles(**query) == ["Plain"]


@pytest.mark.parametrize("sort", ["newest", "oldest", "priority", "touched"])
def test_pages_neither_skip_nor_repeat(at_desk, sort):
    for number in range(120):
        factories.ticket(f"Ticket {number}", at=minute(number % 7), impact=number % 4 + 1)
    seen, after = [], ""
    for _ in range(3):
        page = at_desk.get(reverse(LIST), {"sort": sort, "after": after}).context["page"]
        seen += [row.pk for row in page.rows]
        after = page.next_cursor
    assert after is None
    assert sorted(seen) == sorted(Ticket.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("after", ["x", "e30", "WzFd", "////"])
def test_a_cursor_that_is_none_is_told_in_words(at_desk, after):
    answer = at_desk.get(reverse(LIST), {"after": after})
    assert answer.status_code == 422
    assert "Begin at the first one" in answer.content.decode()


def test_the_pager_keeps_the_filters(at_desk):
    for number in range(60):
        factories.ticket(f"Ticket {number}")
    page = at_desk.get(reverse(LIST), {"channel": "hotline"}).content.decode()
    assert "?channel=hotline&amp;after=" in page


def test_the_export_says_what_the_filter_says_and_holds_no_formula(at_desk):
    factories.ticket("=cmd|' /C calc'!A0", channel="email")
    factories.ticket("Other")
    answer = at_desk.get(reverse("ticket_export"), {"channel": "email"})
    text = b"".join(answer.streaming_content).decode()
    assert "'=cmd" in text and "Other" not in text
    assert answer["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize("first", "=+-@\t\r")
def test_cells_that_begin_a_formula_are_text(first):
    from incidents.queries.export import safe_cell

    assert safe_cell(f"{first}1+1") == f"'{first}1+1"
    assert safe_cell(-5) == -5


def test_chosen_tickets_are_assigned_together(at_desk, engineer):
    chosen = [factories.ticket(), factories.ticket()]
    address = f"{reverse('tickets_assign')}?tickets={chosen[0].pk},{chosen[1].pk}"
    assert at_desk.post(address, {"assignee": engineer.pk}).status_code == 302
    assert set(Ticket.objects.values_list("assignee", flat=True)) == {engineer.pk}


def test_chosen_tickets_are_linked_to_an_open_incident(at_desk, declared):
    one = factories.ticket()
    answer = at_desk.post(f"{reverse('tickets_link')}?tickets={one.pk}", {"incident": declared.pk})
    assert answer.url == reverse("ticket", args=[one.pk])
    assert Ticket.objects.get(pk=one.pk).major_incident == declared


def test_linking_without_an_incident_says_what_is_missing(at_desk):
    one = factories.ticket()
    assert at_desk.post(f"{reverse('tickets_link')}?tickets={one.pk}", {}).status_code == 422


def test_an_empty_list_says_what_to_do(at_desk):
    assert "Note a call" in at_desk.get(reverse(LIST)).content.decode()
    assert "Clear the filters" in at_desk.get(reverse(LIST), {"q": "nothing"}).content.decode()


@pytest.mark.parametrize("name", ["ticket_list", "ticket_export", "ticket_new", "tickets_assign", "tickets_link"])
def test_a_requester_has_no_ticket_list(signed_in, requester, name):
    assert signed_in(requester).get(reverse(name)).status_code == 403
