"""While a report is typed: what is known of it, what others report, and counting without a second ticket."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.actions import candidates, major_incidents
from incidents.models import AffectedPerson
from incidents.queries.look_alike import Suggestion
from incidents.views import suggestions
from tests import factories


@pytest.fixture
def at_portal(signed_in, requester):
    return signed_in(requester)


@pytest.fixture
def suspected(technician, checkout):
    return candidates.flag(
        title="Checkout shows an error page", source="proposed", service=checkout, reasons=["calls"],
        actor=technician, at=timezone.now(),
    )  # fmt: skip


@pytest.fixture
def knows(monkeypatch):
    """What the look-alike search answers."""

    def say(*found):
        monkeypatch.setattr(suggestions, "suggest", lambda text, *, for_user, most: list(found)[:most])

    return say


def typed(client, title="Checkout shows an error", **given):
    return client.get(reverse("portal_suggestions"), {"title": title} | given).content.decode()


def subject_in(part):
    return re.search(r'"subject": "([^"]+)"', part.replace("&quot;", '"'))[1]


def click(client, subject, **given):
    return client.post(reverse("suggestion_affected"), {"subject": subject} | given)


def test_nothing_known_is_nothing_at_all(at_portal, organisation):
    assert typed(at_portal) == ""
    assert typed(at_portal, "", service="nonsense") == ""
    assert typed(at_portal, "\x00" * 9, description="\x00") == ""
    assert typed(at_portal, "x" * 100_000) == ""


def test_each_kind_says_what_it_is_and_leads_on(at_portal, knows, declared, ticket):
    knows(
        Suggestion("outage", declared.ref, declared.pk, "Disruption of Checkout", "Paying <fails>", "both say paying"),
        Suggestion("own_report", ticket.ref, ticket.pk, ticket.title, "New", "you reported this"),
        Suggestion("known_error", "PRB-1", 1, "Printer jams", "Open the back", "same words"),
        Suggestion("document", "MI-2", 2, "How to pay", "", ""),
    )
    part = typed(at_portal)
    for words in ("Known disruption", "You reported this", "Known error", "From the knowledge base", "Open the back"):
        assert words in part
    assert "Paying &lt;fails&gt;" in part and reverse("ticket", args=[ticket.pk]) in part


def test_an_outage_is_joined_from_the_suggestion(at_portal, knows, declared, requester):
    knows(Suggestion("outage", declared.ref, declared.pk, "Disruption of Checkout", "", ""))
    subject = subject_in(typed(at_portal))
    assert "You are counted" in click(at_portal, subject).content.decode()
    assert AffectedPerson.objects.get(taken_back_at=None).incident == declared
    assert "Taken back" in click(at_portal, subject, undo="1").content.decode()
    assert not AffectedPerson.objects.filter(taken_back_at=None).exists()


@pytest.mark.parametrize("by", ["words", "service"])
def test_what_is_only_suspected_says_that_others_report_it_and_no_more(at_portal, suspected, checkout, by):
    part = typed(at_portal) if by == "words" else typed(at_portal, "It is broken", service=checkout.pk)
    assert "Others report something similar" in part
    assert suspected.ref not in part and suspected.title not in part and "Checkout" not in part


def test_alike_words_in_the_tickets_of_a_candidate_count_too(at_portal, technician):
    ticket = factories.ticket("The lift is stuck on the third floor")
    candidates.flag(
        title="Building trouble", source="proposed", reasons=["calls"], ticket_ids=[ticket.pk], actor=technician,
        at=timezone.now(),
    )  # fmt: skip
    assert "Others report" in typed(at_portal, "Lift stuck on the third floor")


def test_a_person_counts_once_for_what_is_suspected_and_can_take_it_back(at_portal, suspected, requester):
    subject = subject_in(typed(at_portal))
    click(at_portal, subject)
    click(at_portal, subject)
    assert suspected.affected_people.filter(taken_back_at=None).count() == 1
    click(at_portal, subject, undo="1")
    assert not suspected.affected_people.filter(taken_back_at=None).exists()


def test_a_click_after_the_declaration_counts_for_the_incident(at_portal, suspected, manager, checkout):
    subject = subject_in(typed(at_portal))
    incident = major_incidents.declare(
        title="Checkout", services=[checkout], impact=1, urgency=1, candidate=suspected, actor=manager,
        at=timezone.now(),
    )  # fmt: skip
    click(at_portal, subject)
    assert AffectedPerson.objects.get().incident == incident
    click(at_portal, subject, undo="1")
    assert not AffectedPerson.objects.filter(taken_back_at=None).exists()


def test_a_click_on_what_was_dismissed_meanwhile_is_told_so(at_portal, suspected, manager):
    subject = subject_in(typed(at_portal))
    candidates.dismiss(suspected.pk, reason="Nothing", actor=manager, at=timezone.now())
    answer = click(at_portal, subject)
    assert answer.status_code == 422 and "send your report" in answer.content.decode()


def test_what_was_offered_to_one_person_is_no_use_to_another(at_portal, signed_in, suspected):
    subject = subject_in(typed(at_portal))
    other = signed_in(factories.person("requester"))
    for given in (subject, subject + "x", "", "CAN-1"):
        assert click(other, given).status_code == 422
    assert not AffectedPerson.objects.exists()


def test_the_desk_sees_how_many_are_affected_by_a_candidate(at_portal, signed_in, manager, suspected):
    click(at_portal, subject_in(typed(at_portal)))
    page = signed_in(manager).get(reverse("candidate", args=[suspected.ref])).content.decode()
    assert "1 person says in the portal that they are affected" in page
