"""Command, candidates, and the list of major incidents."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.actions import candidates, major_incidents, tickets
from incidents.models import Candidate, SavedView
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
    for name, most in (("command", 14), ("major_incident_list", 10)):
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse(name))
        assert len(seen) <= most + 3, [row["sql"][:90] for row in seen]


@pytest.fixture
def several(checkout, technician, minute):
    """Three open candidates, each of a service of its own."""
    made = []
    for n in range(3):
        about = factories.service(f"Mail {n}")
        ticket = factories.ticket(f"Mail {n} does not leave", service=about)
        made.append(tickets.propose([ticket.pk], reason="Many calls", actor=technician, at=minute(n)))
    return made


def judge_many(client, person, verdict, chosen, **given):
    client.force_login(person)
    address = reverse("candidates_act", args=[verdict])
    query = "&".join(f"candidates={one.pk}" for one in chosen)
    return client.post(f"{address}?{query}", given, **HTMX)


def test_several_are_dismissed_with_one_reason_and_each_says_what_became_of_it(client, manager, minute, several):
    first, second, third = several
    candidates.dismiss(third.pk, reason="Planned", actor=manager, at=minute(5))
    assert judge_many(client, manager, "dismiss", several, reason=" ").status_code == 422
    answer = judge_many(client, manager, "dismiss", several, reason="A test alarm")
    shown = words(answer)
    assert "2 of 3 done" in shown
    assert "its verdict stands" in shown
    assert answer.headers["HX-Trigger"] == "acted"
    kept = dict(Candidate.objects.values_list("pk", "dismiss_reason"))
    assert kept == {first.pk: "A test alarm", second.pk: "A test alarm", third.pk: "Planned"}


def test_without_scripts_the_rows_are_a_page(client, manager, several):
    client.force_login(manager)
    address = f"{reverse('candidates_act', args=['dismiss'])}?candidates={several[0].pk}"
    assert "Dismiss several" in words(client.get(address))
    shown = words(client.post(address, {"reason": "A test alarm"}))
    assert "1 of 1 done" in shown and "Back to Command" in shown


def test_several_are_acknowledged_and_what_was_seen_already_stays(client, manager, minute, several):
    candidates.acknowledge(several[0].pk, actor=manager, at=minute(5))
    shown = words(judge_many(client, manager, "acknowledge", several))
    assert "2 of 3 done" in shown
    assert "had acknowledged it already" in shown
    assert set(Candidate.objects.values_list("status", flat=True)) == {"acknowledged"}


def test_each_verdict_on_several_is_allowed_on_its_own(manager, technician, minute, several):
    """Whatever page it came from: the rule is asked with every candidate, and one that is not there stops none."""
    by = {"at": minute(9)}
    refused = candidates.judge_many([one.pk for one in several], "dismiss", reason="No", actor=technician, **by)
    assert [row.outcome for row in refused] == ["refused"] * 3
    assert Candidate.objects.filter(status="open").count() == 3
    rows = candidates.judge_many([10**9, several[0].pk, several[0].pk], "acknowledge", actor=manager, **by)
    assert [(row.ref, row.outcome) for row in rows] == [("CAN-1000000000", "refused"), (several[0].ref, "done")]


def test_one_verdict_on_several_is_for_those_who_judge(client, manager, technician, requester, several):
    assert judge_many(client, technician, "acknowledge", several).status_code == 403
    assert judge_many(client, requester, "dismiss", several, reason="No").status_code == 403
    assert judge_many(client, manager, "link", several).status_code == 404
    assert 'name="candidates"' in words(shown_to(client, manager))
    shown = words(shown_to(client, technician))
    assert several[0].title in shown
    assert 'name="candidates"' not in shown


def test_a_view_narrows_the_open_incidents_and_never_what_waits(client, manager, declared, candidate, minute):
    other = major_incidents.declare(title="Mail is late", impact=2, urgency=1, actor=manager, at=minute(20))
    SavedView.objects.create(
        owner=manager, name="Checkout", screen="incidents", query="service=checkout", created_at=minute(0)
    )
    shown = words(shown_to(client, manager, "command", service="checkout"))
    assert declared.title in shown
    assert other.title not in shown
    assert "Many calls" in shown
    assert 'href="/command/?service=checkout" aria-current="page"' in shown
    assert "/command/board/?service=checkout" in shown
    assert "like that" in words(shown_to(client, manager, "command_board", q="nothing"))
