"""My reports: what is open, what is unread, one report in plain words, and the answer to “does it work?”."""

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from incidents import answer_links
from incidents.actions import cascades, downtime, major_incidents, observations, tickets
from incidents.models import MajorIncident, Ticket, TimelineEvent
from tests import factories
from tests.factories import again
from tests.incidents.conftest import fix


@pytest.fixture
def at_portal(signed_in, requester):
    return signed_in(requester)


@pytest.fixture
def resolved(ticket, technician):
    tickets.resolve(ticket.pk, resolution="The gateway was restarted.", actor=technician, at=timezone.now())
    return again(ticket)


def listed(client, show="open"):
    return client.get(reverse("my_reports"), {"show": show}).content.decode()


def page_of(client, ticket):
    return client.get(reverse("ticket", args=[ticket.pk])).content.decode()


def test_open_and_closed_reports_are_apart(at_portal, requester, ticket):
    other = factories.ticket("The printer eats paper", channel="portal", actor=requester)
    tickets.resolve(other.pk, resolution="Cleaned", actor=None, at=timezone.now())
    tickets.close(other.pk, actor=None, at=timezone.now())
    assert ticket.title in listed(at_portal) and other.title not in listed(at_portal)
    assert other.title in listed(at_portal, "closed") and ticket.title not in listed(at_portal, "closed")
    assert other.title in listed(at_portal, "all") and ticket.title in listed(at_portal, "all")
    assert ticket.title in listed(at_portal, "nonsense")


def test_a_page_that_does_not_exist_is_said_so(at_portal):
    assert at_portal.get(reverse("my_reports"), {"after": "nonsense"}).status_code == 422


def test_an_answer_is_unread_until_the_report_is_opened(at_portal, technician, ticket):
    assert "New answer" not in listed(at_portal)
    tickets.comment(ticket.pk, text="Inside only", public=False, actor=technician, at=timezone.now())
    assert "New answer" not in listed(at_portal)
    tickets.comment(ticket.pk, text="We look into it", public=True, actor=technician, at=timezone.now())
    assert "New answer" in listed(at_portal)
    page_of(at_portal, ticket)
    assert "New answer" not in listed(at_portal)
    tickets.comment(ticket.pk, text="Which browser?", public=True, actor=technician, at=timezone.now())
    assert "New answer" in listed(at_portal)


def test_ones_own_words_are_not_unread(at_portal, requester, ticket):
    tickets.comment(ticket.pk, text="It is worse now", public=True, actor=requester, at=timezone.now())
    assert "New answer" not in listed(at_portal)


def test_somebody_who_watches_does_not_read_for_the_requester(signed_in, at_portal, technician, ticket):
    friend = factories.person("requester", name="A Friend")
    tickets.watch(ticket.pk, user=friend, actor=technician, at=timezone.now())
    tickets.comment(ticket.pk, text="Done?", public=True, actor=technician, at=timezone.now())
    assert "Done?" in page_of(signed_in(friend), ticket)
    assert "New answer" in listed(at_portal)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (None, "Nobody has picked it up yet"),
        (lambda pk, by: tickets.assign(pk, assignee=by["actor"], **by), "It is with Technician"),
        (lambda pk, by: tickets.start_work(pk, **by), "We are working on it"),
        (lambda pk, by: tickets.hold(pk, reason="the supplier sleeps", **by), "It waits at the moment"),
    ],
)
def test_the_state_is_said_in_plain_words(at_portal, technician, ticket, act, words):
    if act:
        act(ticket.pk, {"actor": technician, "at": timezone.now()})
    page = page_of(at_portal, ticket)
    assert words in page and "the supplier sleeps" not in page


def test_a_report_of_a_known_outage_says_so_in_public_words(at_portal, ticket, declared):
    tickets.link([ticket.pk], incident_id=declared.pk, actor=None, at=timezone.now())
    page = page_of(at_portal, ticket)
    assert "Disruption of Checkout" in page and declared.title not in page


def test_it_works_closes_the_report(at_portal, resolved):
    assert "It works" in page_of(at_portal, resolved) and "The gateway was restarted." in page_of(at_portal, resolved)
    at_portal.post(reverse("ticket_answer", args=[resolved.pk]), {"works": "yes"})
    assert again(resolved).status == "closed"


def test_still_broken_brings_it_back_with_the_persons_words(at_portal, resolved):
    at_portal.post(reverse("ticket_answer", args=[resolved.pk]), {"works": "no", "text": "The same error"})
    assert again(resolved).status == "in_progress"
    assert TimelineEvent.objects.filter(ticket=resolved).last().text == "The same error"


def test_answering_twice_is_told_in_words(at_portal, resolved):
    at_portal.post(reverse("ticket_answer", args=[resolved.pk]), {"works": "yes"})
    answer = at_portal.post(reverse("ticket_answer", args=[resolved.pk]), {"works": "yes"})
    assert answer.status_code == 422 and "cannot be closed" in answer.content.decode()


def test_only_the_requester_and_the_desk_answer(signed_in, technician, resolved):
    friend = factories.person("requester", name="A Friend")
    tickets.watch(resolved.pk, user=friend, actor=technician, at=timezone.now())
    assert signed_in(friend).post(reverse("ticket_answer", args=[resolved.pk]), {"works": "yes"}).status_code == 403
    assert "Still broken" not in page_of(signed_in(friend), resolved)


def test_a_closed_report_can_be_brought_back(at_portal, resolved):
    at_portal.post(reverse("ticket_answer", args=[resolved.pk]), {"works": "yes"})
    assert "It is broken again" in page_of(at_portal, resolved)
    at_portal.post(reverse("ticket_form", args=[resolved.pk, "reopen"]), {"reason": "It is back"})
    assert again(resolved).status == "in_progress"


# --- the link in the mail
def test_looking_at_the_link_changes_nothing(client, resolved):
    page = client.get(answer_links.address(resolved, works=True))
    assert page.status_code == 200 and "Nothing has happened yet" in page.content.decode()
    assert client.head(answer_links.address(resolved, works=False)).status_code == 200
    assert again(resolved).status == "resolved"
    assert page["Referrer-Policy"] == "same-origin" and "no-store" in page["Cache-Control"]


def test_the_link_answers_without_signing_in(client, requester, resolved):
    page = client.post(answer_links.address(resolved, works=True), {"works": "yes"})
    assert "Thank you" in page.content.decode()
    assert again(resolved).status == "closed"
    assert TimelineEvent.objects.filter(ticket=resolved).last().actor == requester


def test_the_link_wants_its_form_to_be_ours(resolved):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(answer_links.address(resolved, works=True), {"works": "yes"}).status_code == 403
    assert again(resolved).status == "resolved"


def test_a_link_is_good_for_one_answer(client, technician, resolved):
    address = answer_links.address(resolved, works=False)
    client.post(address, {"works": "no", "text": "No"})
    tickets.resolve(resolved.pk, resolution="Again", actor=technician, at=timezone.now())
    assert client.post(address, {"works": "yes"}).status_code == 409
    assert again(resolved).status == "resolved"
    assert "answered already" in client.get(address).content.decode()


def test_a_link_ends_after_two_weeks_and_cannot_be_changed(client, resolved):
    address = answer_links.address(resolved, works=True)
    assert client.get(address.replace("/?", "x/?")).status_code == 410
    assert client.get("/answers/nonsense/").status_code == 410
    with time_machine.travel(timezone.now() + answer_links.VALID_FOR * 1.01, tick=False):
        assert client.post(address, {"works": "yes"}).status_code == 410
    assert again(resolved).status == "resolved"


def test_three_people_without_accounts_bring_the_incident_back(client, resolving, engineer, manager):
    now = timezone.now()
    made = [factories.ticket(requester_email=f"caller{n}@example.com", at=now) for n in range(3)]
    tickets.link([one.pk for one in made], incident_id=resolving.pk, actor=None, at=now)
    fix(resolving, engineer, at=now)
    downtime.restore(resolving.pk, actor=manager, at=now)
    major_incidents.confirm_resolution(resolving.pk, actor=manager, at=timezone.now())
    cascades.run_waiting(at=timezone.now())
    for one in made:
        client.post(answer_links.address(Ticket.objects.get(pk=one.pk), works=False), {"works": "no"})
    assert observations.reopen_failed_observations(at=timezone.now()) == 1
    assert MajorIncident.objects.get(pk=resolving.pk).stage == "containment"
