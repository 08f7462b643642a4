"""Knowledge: what past major incidents taught."""

import pytest
from django.urls import reverse

from incidents.actions import documents, history
from tests import factories
from tests.factories import minute


@pytest.fixture
def written(administrator):
    """Writes the document of a past incident; publishes it unless told otherwise."""

    def write(title: str, service: str, *, publish: bool = True):
        clocks = {"reported_at": minute(0), "resolved_at": minute(60), "closed_at": minute(90)}
        past = history.PastIncident(title, title, 1, 1, "SEV1", (service,), clocks)
        imported = history.import_past([past], actor=administrator, at=minute(100))[0]
        made = documents.generate(imported.incident_id, actor=None, at=minute(110))
        if publish:
            documents.publish_document(imported.incident_id, actor=administrator, at=minute(120))
        return made

    return write


def test_a_document_is_found_by_words_and_service(at_desk, written):
    made = written("Certificates expired", "Checkout")
    reference = f"MI-{made.incident_id}"
    for query in ({}, {"q": "certif expired"}, {"q": reference}, {"service": "checkout"}):
        assert "Certificates expired" in at_desk.get(reverse("document_list"), query).content.decode()
    for query in ({"q": "printer"}, {"service": "nothing"}):
        assert "Certificates expired" not in at_desk.get(reverse("document_list"), query).content.decode()


def test_what_is_not_published_is_not_shown(at_desk, written):
    written("Certificates expired", "Checkout", publish=False)
    page = at_desk.get(reverse("document_list")).content.decode()
    assert "Certificates expired" not in page and "No published documents yet" in page


def test_knowledge_is_for_the_staff(signed_in, requester, outsider, consultant, stakeholder):
    for person in (requester, outsider, consultant, stakeholder):
        assert signed_in(person).get(reverse("document_list")).status_code == 403


def test_the_list_costs_the_same_for_1_10_and_45_documents(at_desk, queries_of, written):
    costs, made = [], 0
    for wanted in (1, 10, 45):
        while made < wanted:
            written(f"Down {made}", factories.service().name)
            made += 1
        costs.append(queries_of(at_desk, reverse("document_list")))
    assert len(set(costs)) == 1 and costs[0] <= 10, costs
