"""Declaring: one screen, three clicks, nothing lost."""

import pytest
from django.urls import reverse

from incidents.actions import tickets
from incidents.models import MajorIncident
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def reports(checkout, technician):
    return [factories.ticket(f"Checkout 502 #{n}", service=checkout) for n in range(3)]


@pytest.fixture
def candidate(reports, technician, minute):
    return tickets.propose(
        [row.pk for row in reports], reason="Many calls", business_impact="Nobody pays", actor=technician, at=minute(1)
    )


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def given(**fields):
    return {"title": "Checkout down", "impact": 1, "urgency": 1, "affects": "both", **fields}


def test_it_is_a_dialog_and_a_page(client, manager):
    client.force_login(manager)
    assert "<html" not in words(client.get(reverse("declare"), **HTMX))
    assert "<html" in words(client.get(reverse("declare")))


def test_only_a_major_incident_manager_gets_the_dialog(client, technician, management):
    for person in (technician, management):
        client.force_login(person)
        assert client.get(reverse("declare"), **HTMX).status_code == 403


def test_declared_from_nothing_leads_to_its_war_room(client, manager, checkout):
    client.force_login(manager)
    answer = client.post(reverse("declare"), given(services=[checkout.pk]), **HTMX)
    incident = MajorIncident.objects.get()
    assert answer.headers["HX-Redirect"] == reverse("war_room", args=[incident.ref])
    assert list(incident.services.all()) == [checkout]
    assert incident.severity == "SEV1"


def test_a_candidate_fills_in_title_service_and_impact(client, manager, candidate, checkout):
    client.force_login(manager)
    shown = words(client.get(reverse("declare"), {"candidate": candidate.ref}, **HTMX))
    assert candidate.title in shown
    assert "Nobody pays" in shown
    assert f'value="{checkout.pk}" id="declare_services_0" checked' in shown
    client.post(reverse("declare"), given(candidate=candidate.ref), **HTMX)
    incident = MajorIncident.objects.get()
    assert incident.tickets.count() == 3
    assert incident.candidates.get() == candidate


def test_tickets_become_children(client, manager, reports):
    client.force_login(manager)
    refs = f"{reports[0].ref},{reports[2].ref}"
    assert "Checkout 502 #0" in words(client.get(reverse("declare"), {"tickets": refs}, **HTMX))
    client.post(reverse("declare"), given(tickets=refs), **HTMX)
    assert set(MajorIncident.objects.get().tickets.all()) == {reports[0], reports[2]}


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(client, manager, checkout):
    client.force_login(manager)
    sent = given(title="", description="All regions", users_affected="-4", services=[checkout.pk])
    answer = client.post(reverse("declare"), sent, **HTMX)
    assert answer.status_code == 422
    shown = words(answer)
    assert "declare_title_error" in shown
    assert "declare_users_affected_error" in shown
    assert "All regions" in shown
    assert not MajorIncident.objects.exists()


def test_a_start_in_the_future_is_refused_at_its_field(client, manager):
    client.force_login(manager)
    answer = client.post(reverse("declare"), given(started_at="2099-01-01T00:00"), **HTMX)
    assert answer.status_code == 422
    assert "lies in the future" in words(answer)


def test_a_candidate_judged_meanwhile_is_refused_in_words(client, manager, candidate, minute):
    client.force_login(manager)
    client.post(reverse("declare"), given(candidate=candidate.ref), **HTMX)
    answer = client.post(reverse("declare"), given(candidate=candidate.ref), **HTMX)
    assert answer.status_code == 422
    assert "was declared already" in words(answer)


@pytest.mark.parametrize(("impact", "urgency", "severity"), [(1, 1, "SEV1"), (1, 2, "SEV2"), (3, 3, "SEV3")])
def test_the_severity_follows_the_levels_and_writes_nothing(client, manager, impact, urgency, severity):
    client.force_login(manager)
    shown = words(client.post(reverse("declare_severity"), {"impact": impact, "urgency": urgency}, **HTMX))
    assert severity in shown
    assert ("usually no major incident" in shown) == (severity == "SEV3")
    assert not MajorIncident.objects.exists()


def test_services_are_searched_and_chosen_ones_stay(client, manager, checkout):
    payments, mail = factories.service("Payments"), factories.service("Mail relay")
    client.force_login(manager)
    sent = {"service_words": "pay", "services": [checkout.pk]}
    shown = words(client.post(reverse("declare_services"), sent, **HTMX))
    assert payments.name in shown
    assert checkout.name in shown
    assert mail.name not in shown
