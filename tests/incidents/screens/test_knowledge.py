"""Knowledge: what past major incidents taught."""

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.actions import documents, major_incidents
from incidents.models import Document
from tests import factories


@pytest.fixture
def written(manager, checkout):
    """A document about Checkout, not published."""
    incident = major_incidents.declare(
        title="Certificates expired", services=[checkout], impact=1, urgency=1, actor=manager, at=timezone.now()
    )
    return documents.generate(incident.pk)


def published(document, manager):
    """As the record has it after publishing; what publishing asks for is tested with the documents."""
    Document.objects.filter(pk=document.pk).update(published_at=timezone.now(), published_by=manager)


def test_a_document_is_found_by_words_and_service(at_desk, written, manager):
    published(written, manager)
    for query in (
        {},
        {"q": "certif expired"},
        {"q": "MI-1".replace("1", str(written.incident_id))},
        {"service": "checkout"},
    ):
        assert "Certificates expired" in at_desk.get(reverse("document_list"), query).content.decode()
    for query in ({"q": "printer"}, {"service": "nothing"}):
        assert "Certificates expired" not in at_desk.get(reverse("document_list"), query).content.decode()


def test_what_is_not_published_is_not_shown(at_desk, written):
    page = at_desk.get(reverse("document_list")).content.decode()
    assert "Certificates expired" not in page and "No published documents yet" in page


def test_knowledge_is_for_the_staff(signed_in, requester, outsider, consultant, stakeholder):
    for person in (requester, outsider, consultant, stakeholder):
        assert signed_in(person).get(reverse("document_list")).status_code == 403


def test_the_list_costs_the_same_for_1_10_and_45_documents(at_desk, queries_of, manager):
    costs, made = [], 0
    for wanted in (1, 10, 45):
        while made < wanted:
            incident = major_incidents.declare(
                title=f"Down {made}", services=[factories.service()], impact=1, urgency=1, actor=manager,
                at=timezone.now(),
            )  # fmt: skip
            published(documents.generate(incident.pk), manager)
            made += 1
        costs.append(queries_of(at_desk, reverse("document_list")))
    assert len(set(costs)) == 1 and costs[0] <= 10, costs
