"""Command, candidates, and the list of major incidents."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.actions import major_incidents, tickets
from incidents.models import Candidate
from tests import factories
from tests.incidents.conftest import *  # noqa: F403 - the stories' stages

pytestmark = pytest.mark.django_db
HTMX = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def candidate(checkout, technician, minute):
    report = factories.ticket("Checkout is down", service=checkout)
    return tickets.propose([report.pk], reason="Many calls", actor=technician, at=minute(1))


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def shown_to(client, person, name="command", *args, **query):
    client.force_login(person)
    return client.get(reverse(name, args=args), query)


def judge(client, person, candidate, verdict, **given):
    client.force_login(person)
    return client.post(reverse("candidate_act", args=[candidate.ref, verdict]), given, **HTMX)


def test_nothing_open_says_so_and_what_to_do(client, manager):
    shown = words(shown_to(client, manager))
    assert "Nothing waits for a verdict" in shown
    assert "No major incident is open" in shown
    assert reverse("declare") in shown


def test_a_candidate_shows_its_evidence_and_whom_it_waits_for(client, manager, candidate):
    shown = words(shown_to(client, manager))
    assert "Many calls" in shown
    assert "1 ticket" in shown
    assert "any major incident manager" in shown
    judge(client, manager, candidate, "acknowledge")
    assert f"waits for <strong>{manager.display_name}" in words(shown_to(client, manager))


def test_an_open_incident_shows_what_it_waits_for(client, manager, declared):
    shown = words(shown_to(client, manager))
    assert declared.title in shown
    assert "Waits for:" in shown
    assert "inform stakeholders" in shown


def test_requesters_have_no_command(client, requester):
    assert shown_to(client, requester).status_code == 403


def test_the_board_is_fetched_by_itself(client, manager, candidate):
    shown = words(shown_to(client, manager, "command_board"))
    assert 'data-live="command"' in shown
    assert "<html" not in shown


def test_the_verdicts(client, manager, technician, candidate, declared):
    assert judge(client, technician, candidate, "dismiss", reason="No").status_code == 403
    assert judge(client, manager, candidate, "dismiss", reason="").status_code == 422
    answer = judge(client, manager, candidate, "link", incident=declared.pk)
    assert json.loads(answer.headers["HX-Trigger"])["acted"] is True
    assert Candidate.objects.get().status == "linked"
    answer = judge(client, manager, candidate, "dismiss", reason="Late")
    assert answer.status_code == 422
    assert "its verdict stands" in words(answer)


def test_a_candidate_is_read_by_staff_alone(client, candidate, technician, requester):
    assert "Many calls" in words(shown_to(client, technician, "candidate", candidate.ref))
    assert shown_to(client, requester, "candidate", candidate.ref).status_code == 404
    assert shown_to(client, technician, "candidate", "CAN-999999").status_code == 404


def test_the_list_is_filtered_by_its_address(client, manager, declared, minute):
    other = major_incidents.declare(title="Mail is late", impact=2, urgency=1, actor=manager, at=minute(20))
    assert other.title in words(shown_to(client, manager, "major_incident_list"))
    for query in ({"severity": "SEV1"}, {"service": "checkout"}, {"q": "502"}, {"q": declared.ref}):
        shown = words(shown_to(client, manager, "major_incident_list", **query))
        assert declared.title in shown, query
        assert other.title not in shown, query
    assert "Nothing matches" in words(shown_to(client, manager, "major_incident_list", state="closed"))
    for query in ({"state": "x"}, {"before": "9" * 40}, {"q": "\x00"}):
        assert shown_to(client, manager, "major_incident_list", **query).status_code == 200


@pytest.mark.parametrize("number", [1, 10, 50])
def test_command_costs_the_same_however_much_is_open(client, manager, checkout, minute, number):
    for n in range(number):
        major_incidents.declare(title=f"Outage {n}", impact=1, urgency=1, actor=manager, at=minute(n))
    client.force_login(manager)
    for name, most in (("command", 13), ("major_incident_list", 10)):
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse(name))
        assert len(seen) <= most + 3, [row["sql"][:90] for row in seen]
