"""The ways in, in a real browser: reported, joined, solved, still broken; and a call taken without a mouse."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from incidents.actions import candidates, major_incidents, tickets
from incidents.models import AffectedPerson, AudienceMembership, Candidate, Ticket
from tests import factories
from tests.factories import again
from tests.looks import check, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture
def open_tab(chromium, settings, live_server):
    """A tab of a browser of its own, signed in as a person."""
    contexts = []

    def open_one(person, **options):
        client = Client()
        client.force_login(person)
        context = chromium.new_context(base_url=live_server.url, **options)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        contexts.append(context)
        tab = context.new_page()
        tab.complaints = []
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        return tab

    yield open_one
    for context in contexts:
        context.close()


def test_reported_with_a_suggestion_joined_solved_and_still_broken(open_tab, requester, technician, manager, checkout):
    # The desk suspects something; nothing is public yet.
    candidate = candidates.flag(
        title="Checkout shows an error page", source="proposed", service=checkout, reasons=["calls"],
        actor=technician, at=timezone.now(),
    )  # fmt: skip
    rita = open_tab(requester)
    rita.goto(reverse("portal"))
    rita.get_by_label("What does not work?").fill("Checkout shows an error")
    expect(rita.get_by_text("Others report something similar")).to_be_visible()
    expect(rita.locator("#suggestions")).not_to_contain_text("CAN-")
    assert not violations(rita)
    # She reports all the same, with a picture; the first try lacks nothing but a good file.
    rita.get_by_label("What happened?").fill("After the card number")
    picture = {"name": "shot.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(40)}
    program = {"name": "run.exe", "mimeType": "image/png", "buffer": b"MZ\x00\x01"}
    rita.get_by_label("Pictures or files").set_input_files([picture, program])
    rita.get_by_role("button", name="Send report").click()
    expect(rita.get_by_role("alert")).to_contain_text("run.exe: Programs")
    expect(rita.get_by_label("shot.png")).to_be_checked()
    expect(rita.get_by_label("What happened?")).to_have_value("After the card number")
    assert not violations(rita)
    rita.get_by_role("button", name="Send report").click()
    expect(rita.get_by_role("heading", name="We have your report")).to_be_visible()
    report = Ticket.objects.get()
    assert report.attachments.get().filename == "shot.png"
    # Another person presses "I'm affected too" while typing: no second ticket.
    other = factories.person("requester", name="Otto Other")
    otto = open_tab(other, viewport={"width": 360, "height": 780})
    otto.goto(reverse("portal"))
    otto.get_by_label("What does not work?").fill("error page in the checkout")
    otto.locator("#suggestions").get_by_role("button", name="I’m affected too").click()
    expect(otto.get_by_text("You are counted.")).to_be_visible()
    assert Ticket.objects.count() == 1 and AffectedPerson.objects.get().candidate == candidate
    # It is declared: the count goes along, and the portal names it in public words.
    incident = major_incidents.declare(
        title="INTERNAL pool exhausted", services=[checkout], impact=1, urgency=1, actor=manager,
        candidate=Candidate.objects.get(), at=timezone.now(),
    )  # fmt: skip
    otto.goto(reverse("portal"))
    expect(otto.get_by_role("heading", name="Disruption of Checkout")).to_be_visible()
    expect(otto.get_by_text("1 person says they are affected")).to_be_visible()
    expect(otto.get_by_text("You are told of every update")).to_be_visible()
    check(otto)
    otto.get_by_role("button", name="Undo").click()
    expect(otto.get_by_role("button", name="I’m affected too")).to_be_visible()
    assert "INTERNAL" not in otto.content()
    # The technician resolves the report; she says that it is still broken.
    tickets.link([report.pk], incident_id=incident.pk, actor=technician, at=timezone.now())
    tickets.resolve(report.pk, resolution="The pool is larger now.", actor=technician, at=timezone.now())
    rita.goto(reverse("ticket", args=[report.pk]))
    expect(rita.get_by_role("heading", name="We think it works again")).to_be_visible()
    assert not violations(rita)
    rita.get_by_label("what still happens?").fill("The same page")
    rita.get_by_role("button", name="Still broken").click()
    expect(rita.get_by_text("It is back with us")).to_be_visible()
    check(rita, axe=False)
    assert again(report).status == "in_progress"
    assert rita.complaints == otto.complaints == []


def test_updates_are_asked_for_and_taken_back_by_somebody_nobody_tells(open_tab, requester, declared):
    """A person whose role is in no audience."""
    AudienceMembership.objects.update_or_create(audience="users", defaults={"roles": []})
    tab = open_tab(requester)
    tab.goto(reverse("portal"))
    tab.get_by_role("button", name="Send me updates").click()
    expect(tab.get_by_text("You get updates")).to_be_visible()
    tab.reload()
    tab.get_by_role("button", name="Stop").click()
    expect(tab.get_by_role("button", name="Send me updates")).to_be_visible()


def test_a_call_is_taken_without_a_mouse(open_tab, technician, checkout, declared):
    rita = factories.person("requester", name="Rita Quist", email="rita@example.org", phone="+49 30 5550 123")
    factories.ticket("The printer eats paper", channel="portal", actor=rita)
    tab = open_tab(technician)
    tab.goto(reverse("hotline"))
    keys = tab.keyboard
    expect(tab.get_by_label("Who is calling?")).to_be_focused()
    keys.type("555 0123")
    expect(tab.get_by_role("option", name="Rita Quist")).to_be_visible()
    assert not violations(tab)
    keys.press("ArrowDown")
    expect(tab.get_by_label("Who is calling?")).to_have_attribute("aria-activedescendant", f"caller-{rita.pk}")
    keys.press("Enter")
    expect(tab.get_by_label("Call back at")).to_have_value("+49 30 5550 123")
    expect(tab.get_by_text("The printer eats paper")).to_be_visible()
    expect(tab.locator("#call-clock")).not_to_have_text("00:00:00", timeout=5000)
    keys.press("Tab")
    keys.type("Nobody can pay")
    keys.press("Tab")
    keys.type("Checkout")
    keys.press("Tab")
    keys.type("20 min")
    keys.press("Tab")
    keys.type("2")
    keys.press("Tab")
    keys.type("1")
    keys.press("Tab")
    keys.type("Restarted")
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Space")
    expect(tab.get_by_label("Suspected major")).to_be_checked()
    keys.press("Enter")
    expect(tab.get_by_text("Ready for the next call")).to_be_visible()
    ticket = Ticket.objects.first()
    assert (ticket.requester, ticket.title, ticket.service) == (rita, "Nobody can pay", checkout)
    assert (ticket.impact, ticket.urgency, ticket.callback_number) == (2, 1, "+49 30 5550 123")
    assert ticket.major_incident is None, "Enter never presses the button of an outage"
    assert Candidate.objects.get().source == "hotline"
    expect(tab.get_by_label("Who is calling?")).to_be_focused()
    check(tab)
    assert tab.complaints == []


def test_escape_closes_the_list_and_strangers_are_kept(open_tab, technician, organisation):
    factories.person("requester", name="Rita Quist")
    tab = open_tab(technician)
    tab.goto(reverse("hotline"))
    tab.keyboard.type("Rita")
    expect(tab.get_by_role("option", name="Rita Quist")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("option", name="Rita Quist")).to_be_hidden()
    tab.keyboard.press("Enter")
    expect(tab.get_by_label("Call back at")).to_be_focused()
    tab.get_by_label("What is wrong?").fill("Broken")
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("Ready for the next call")).to_be_visible()
    assert Ticket.objects.get().requester is None and "Rita" in Ticket.objects.get().description
