"""The hotline: who calls, what is wrong, since when; attached to an outage in one click, or the manager is paged."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.urls import reverse
from django.utils import timezone

from incidents.actions import candidates, tickets
from incidents.forms.hotline import moment_in_words
from incidents.models import Candidate, Ticket, User
from notifications.models import Delivery
from tests import factories
from tests.factories import again


def call(client, **given):
    whole = {"caller": "Rita", "title": "Cannot pay", "impact": "3", "urgency": "3"} | given
    return client.post(reverse("hotline"), whole)


def find(client, text):
    return client.get(reverse("hotline_callers"), {"caller": text}).content.decode()


@pytest.fixture
def rita(organisation):
    return factories.person("requester", name="Rita Quist", email="rita@example.org", phone="+49 (30) 1234-567")


# --- who is calling
@pytest.mark.parametrize("typed", ["Rita", "quist rita", "rita@example", "1234567", "030 1234-567", "+49 30 1234567"])
def test_a_caller_is_found_by_name_number_or_address(at_desk, rita, typed):
    assert "Rita Quist" in find(at_desk, typed)


@pytest.mark.parametrize("typed", ["", "R", "Nobody Here", "999999", "%", "\x00\x00", "x" * 5000])
def test_what_fits_nobody_finds_nobody(at_desk, rita, typed):
    assert "Rita Quist" not in find(at_desk, typed)


def test_guests_and_people_without_access_are_not_callers(at_desk, rita, consultant):
    User.objects.filter(pk=rita.pk).update(is_active=False)
    assert "Rita" not in find(at_desk, "Rita") and "Consultant" not in find(at_desk, "Consultant")
    assert at_desk.get(reverse("hotline_caller", args=[rita.pk])).status_code == 404


def test_the_callers_open_reports_are_shown_at_once(at_desk, rita):
    mine = factories.ticket("The printer eats paper", channel="portal", actor=rita)
    done = factories.ticket("Old trouble", channel="portal", actor=rita)
    tickets.resolve(done.pk, resolution="Done", actor=None, at=timezone.now())
    assert "1 open" in find(at_desk, "Rita")
    card = at_desk.get(reverse("hotline_caller", args=[rita.pk])).content.decode()
    assert mine.title in card and done.title not in card


def test_finding_callers_costs_the_same_for_one_and_for_many(at_desk, queries_of, rita):
    address = reverse("hotline_callers") + "?caller=rita"
    factories.ticket(channel="portal", actor=rita)
    one = queries_of(at_desk, address)
    for number in range(5):
        other = factories.person("requester", name=f"Rita {number}")
        factories.ticket(channel="portal", actor=other)
    assert queries_of(at_desk, address) == one


# --- the call
def test_a_call_becomes_a_ticket_with_all_that_was_said(at_desk, technician, rita, checkout):
    started = timezone.now() - timedelta(minutes=4)
    answer = call(
        at_desk, requester=rita.pk, callback_number="+49 30 99", service=checkout.pk, since="20 min", impact="2",
        urgency="1", tried="Restarted twice", notes="Friendly", call_started_at=started.isoformat(),
    )  # fmt: skip
    ticket = Ticket.objects.get()
    assert answer.url == f"{reverse('hotline')}?done={ticket.pk}"
    assert (ticket.requester, ticket.service, ticket.channel) == (rita, checkout, "hotline")
    assert (ticket.impact, ticket.urgency, ticket.callback_number) == (2, 1, "+49 30 99")
    assert ticket.reported_at == started, "when it reached the desk: the beginning of the call"
    assert ticket.began_at and abs((timezone.now() - ticket.began_at) - timedelta(minutes=20)) < timedelta(minutes=1)
    assert ticket.description == "Tried already: Restarted twice\n\nFriendly"
    assert "+49 30 99" not in ticket.callback_sealed and ticket.acknowledged_at is None
    page = at_desk.get(answer.url).content.decode()
    assert ticket.ref in page and "Ready for the next call" in page


def test_since_when_does_not_move_the_desks_clocks(at_desk, rita):
    call(at_desk, requester=rita.pk, since="3 days")
    ticket = Ticket.objects.get()
    assert timezone.now() - ticket.reported_at < timedelta(minutes=1)
    page = at_desk.get(reverse("ticket", args=[ticket.pk])).content.decode()
    assert "Broken since" in page and "as the requester says" in page


def test_the_ticket_shows_where_to_call_back_to_the_desk_only(at_desk, signed_in, rita):
    call(at_desk, requester=rita.pk, callback_number="+49 30 99")
    address = reverse("ticket", args=[Ticket.objects.get().pk])
    assert "+49 30 99" in at_desk.get(address).content.decode()
    assert "Call back" not in signed_in(rita).get(address).content.decode()


def test_somebody_unknown_is_kept_in_words_and_an_address_as_one(at_desk, rita):
    call(at_desk, caller="Somebody from the second floor")
    assert Ticket.objects.get().description == "Caller, not in the directory: Somebody from the second floor"
    call(at_desk, caller="stranger@example.com")
    assert Ticket.objects.first().requester_email == "stranger@example.com"
    call(at_desk, caller="RITA@example.org")
    assert Ticket.objects.first().requester == rita


def test_a_clock_that_was_forgotten_or_makes_no_sense_is_no_reason_to_refuse(at_desk):
    for odd in ("nonsense", "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2024-01-01T00:00:00"):
        call(at_desk, call_started_at=odd)
    assert all(timezone.now() - row.reported_at < timedelta(minutes=1) for row in Ticket.objects.all())
    assert Ticket.objects.count() == 4


def test_what_is_missing_is_named_and_the_rest_stays(at_desk, rita):
    answer = call(at_desk, title="", requester=rita.pk, tried="Restarted twice", since="the other day")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Restarted twice" in page and "the other day" in page and "20 min, 2 h, 9:15" in page
    assert 'id="caller-title"' in page, "the caller's card stays"
    assert not Ticket.objects.exists()


# --- known outages
def test_a_caller_is_attached_to_a_known_outage_in_one_click_and_told(at_desk, declared):
    rita = factories.person("requester", name="Rita Quist")  # nobody told her when it was declared
    assert f"Attach this caller to {declared.ref}" in at_desk.get(reverse("hotline")).content.decode()
    call(at_desk, requester=rita.pk, title="", incident=str(declared.pk))
    ticket = Ticket.objects.get()
    assert (ticket.major_incident, ticket.requester) == (declared, rita)
    assert ticket.service == declared.services.first()
    assert Delivery.objects.filter(moment="ticket_linked", recipient=rita).exists()


def test_attaching_still_needs_to_know_who_calls(at_desk, declared):
    answer = call(at_desk, caller="", title="", incident=str(declared.pk))
    assert answer.status_code == 422 and not Ticket.objects.exists()


def test_an_outage_that_is_over_meanwhile_is_not_attached_to(at_desk, declared, rita):
    answer = call(at_desk, requester=rita.pk, title="", incident="99999")
    assert answer.status_code == 422
    assert call(at_desk, requester=rita.pk, incident="nonsense").status_code == 302
    assert Ticket.objects.get().major_incident is None


# --- suspected major
def test_a_suspected_major_pages_the_manager_at_once(at_desk, technician, manager, checkout):
    call(at_desk, service=checkout.pk, is_suspected_major="on")
    candidate = Candidate.objects.get()
    assert (candidate.source, candidate.service) == ("hotline", checkout)
    assert "Technician on the phone" in candidate.reasons[0]
    assert Delivery.objects.filter(moment="page", recipient=manager).exists()


def test_more_calls_join_the_candidate_of_the_service(at_desk, technician, checkout):
    first = candidates.flag(
        title="Checkout", source="proposed", service=checkout, reasons=["many"], actor=technician, at=timezone.now()
    )
    call(at_desk, service=checkout.pk, is_suspected_major="on")
    assert Ticket.objects.get().candidate == first and len(Candidate.objects.get().reasons) == 2


def test_without_a_service_alike_words_join_and_others_do_not(at_desk):
    call(at_desk, title="Nobody can pay at the checkout", is_suspected_major="on")
    call(at_desk, title="Nobody can pay in the checkout", is_suspected_major="on")
    call(at_desk, title="All telephones are dead", is_suspected_major="on")
    assert Candidate.objects.count() == 2


def test_a_known_outage_is_not_suspected_again(at_desk, declared):
    call(at_desk, incident=str(declared.pk), is_suspected_major="on")
    assert Ticket.objects.get().major_incident == declared and not Candidate.objects.exists()


def test_requesters_have_no_hotline(signed_in, requester, rita):
    for name, args in (
        ("hotline", []),
        ("hotline_callers", []),
        ("hotline_caller", [rita.pk]),
        ("hotline_outages", []),
    ):
        assert signed_in(requester).get(reverse(name, args=args)).status_code == 403


def test_the_page_keeps_its_budget(at_desk, queries_of, declared, rita):
    few = queries_of(at_desk, reverse("hotline"))
    for number in range(10):
        factories.ticket(f"Trouble {number}", requester=rita, major_incident=again(declared))
    assert queries_of(at_desk, reverse("hotline")) == few <= 10


# --- since when
NOW = datetime(2026, 3, 2, 10, 30, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("now", "2026-03-02 10:30"),
        ("20 min", "2026-03-02 10:10"),
        ("since 20 minutes", "2026-03-02 10:10"),
        ("2h", "2026-03-02 08:30"),
        ("3 days ago", "2026-02-27 10:30"),
        ("9:15", "2026-03-02 09:15"),
        ("09.15", "2026-03-02 09:15"),
        ("22:00", "2026-03-01 22:00"),
        ("yesterday 17:00", "2026-03-01 17:00"),
        ("2026-03-02 09:15", "2026-03-02 09:15"),
        ("2026-03-02T09:15:30", "2026-03-02 09:15"),
    ],
)
def test_since_when_is_read_as_people_say_it(said, expected):
    assert f"{moment_in_words(said, NOW):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize("said", ["the other day", "99:99", "20 parsecs", "2026-13-45 09:15", "-5 min", "0x10 min"])
def test_what_is_no_time_is_refused_with_what_is_understood(said):
    with pytest.raises(forms.ValidationError, match="20 min"):
        moment_in_words(said, NOW)
