"""Search finds what the person may see, and nothing else."""

import html
import re

import pytest
from django.urls import reverse

from tests import factories


@pytest.fixture
def found(client):
    def ask(person, words):
        client.force_login(person)
        page = client.get(reverse("palette"), {"q": words}).content.decode()
        options = re.findall(r'<span class="truncate">([^<]*)</span><small>([^<]*)</small>', page)
        return [html.unescape(f"{ref} {title}") for title, ref in options]

    return ask


def test_a_reference_comes_before_words(found, technician):
    ticket = factories.ticket("Broken label printer")
    factories.ticket(f"See {ticket.ref} about the printer")
    assert found(technician, ticket.ref)[0] == f"{ticket.ref} Broken label printer"


def test_words_may_be_begun(found, technician):
    factories.ticket("Invoices arrive twice")
    assert len(found(technician, "invoic twi")) == 1


def test_a_requester_finds_only_own_tickets(found, requester):
    factories.ticket("Invoices of somebody else")
    own = factories.ticket("Invoices of mine", requester=requester)
    assert found(requester, "invoices") == [f"{own.ref} Invoices of mine"]


def test_somebody_without_a_role_finds_nothing(found, outsider, checkout):
    factories.ticket("Invoices arrive twice")
    assert found(outsider, "invoices") == []
    assert found(outsider, "checkout") == []


@pytest.mark.parametrize("words", ["", "   ", "\x00", "'", "&|!():*", "x" * 5000])
def test_odd_words_are_no_error(found, technician, words):
    assert found(technician, words) == []


def test_a_mistyped_word_is_found_by_its_likeness(found, technician):
    ticket = factories.ticket("Invoices arrive twice")
    assert found(technician, "invioces") == [f"{ticket.ref} Invoices arrive twice"]


def test_a_reference_opens_its_record_at_once(client, technician):
    ticket = factories.ticket("Broken label printer")
    client.force_login(technician)
    answer = client.get(reverse("search"), {"q": ticket.ref.lower()})
    assert answer.url == reverse("ticket", args=[ticket.pk])


def test_the_palette_offers_only_what_one_may_do(client, technician, requester):
    client.force_login(technician)
    assert "New ticket" in client.get(reverse("palette"), {"q": "new"}).content.decode()
    client.force_login(requester)
    assert "New ticket" not in client.get(reverse("palette"), {"q": "new"}).content.decode()


def test_the_page_keeps_what_was_asked(client, technician):
    client.force_login(technician)
    page = client.get(reverse("search"), {"q": "<b>nothing"})
    assert page.status_code == 200
    assert "&lt;b&gt;nothing" in page.content.decode()


def test_the_number_of_queries_does_not_grow(client, technician, django_assert_max_num_queries):
    for number in range(30):
        factories.ticket(f"Invoices {number}")
    client.force_login(technician)
    with django_assert_max_num_queries(15):
        client.get(reverse("palette"), {"q": "invoices"})
