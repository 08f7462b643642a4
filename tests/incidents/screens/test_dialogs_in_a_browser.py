"""Dialogs open over the page and lead on, in a real browser."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from incidents.actions import tickets
from incidents.models import Ticket
from tests import factories
from tests.looks import check

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(chromium, settings, live_server, client, technician):
    client.force_login(technician)
    context = chromium.new_context(base_url=live_server.url)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    yield context.new_page()
    context.close()


@pytest.mark.django_db(transaction=True)
def test_chosen_tickets_of_the_live_queue_are_proposed_in_a_dialog(tab, technician, checkout):
    first, second = factories.ticket("Cannot pay", service=checkout), factories.ticket("Basket is empty")
    tab.goto(reverse("desk"))
    for one in (first, second):
        tab.get_by_label(f"Select {one.ref}", exact=True).check()
    tab.get_by_role("group", name="With the selected tickets").get_by_text("Propose as major").click()
    dialog = tab.locator("#dialog")
    expect(dialog.get_by_label("Tickets")).to_have_value(f"{first.ref}, {second.ref}")
    dialog.get_by_role("button", name="Propose as major").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Why may this be major?").fill("Everybody calls")
    dialog.get_by_role("button", name="Propose as major").click()
    expect(dialog).to_be_hidden()
    tab.wait_for_url(f"**/CAN-{Ticket.objects.get(pk=first.pk).candidate_id}/")


@pytest.mark.django_db(transaction=True)
def test_what_is_being_written_survives_a_dialog_and_esc(tab, technician):
    ticket = factories.ticket("Cannot pay")
    tab.goto(reverse("ticket", args=[ticket.pk]))
    tab.get_by_label("Message").fill("Half a sentence")
    tab.get_by_role("link", name="Edit").click()
    expect(tab.locator("#dialog")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator("#dialog")).to_be_hidden()
    expect(tab.get_by_label("Message")).to_have_value("Half a sentence")
    tab.get_by_role("link", name="Edit").click()
    expect(tab.locator("#dialog").get_by_label("Title")).to_have_value("Cannot pay")


@pytest.mark.django_db(transaction=True)
def test_the_queue_by_keyboard_keeps_selection_and_place_when_it_changes(tab, technician, checkout):
    first, second = factories.ticket("Cannot pay", service=checkout), factories.ticket("Basket is empty")
    tab.goto(reverse("desk"))
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    tab.keyboard.press("x")
    box = tab.get_by_label(f"Select {first.ref}", exact=True)
    expect(box).to_be_checked()
    factories.ticket("A third one")
    tab.locator("#desk-now").evaluate("(part) => part.dispatchEvent(new CustomEvent('live', {bubbles: false}))")
    expect(tab.get_by_text("A third one")).to_be_visible()
    expect(box).to_be_checked()
    expect(tab.get_by_label(f"Select {second.ref}", exact=True)).not_to_be_checked()
    expect(tab.get_by_role("link", name="Cannot pay")).to_be_focused()
    tab.keyboard.press("b")
    expect(tab.locator(".bulk-bar").get_by_role("button", name="Take")).to_be_focused()
    tab.get_by_role("button", name="Set service").press("Enter")
    expect(tab.locator("#dialog").get_by_text(first.ref)).to_be_visible()
    tab.keyboard.press("Escape")
    tab.locator(f"a.row-link[href='{reverse('ticket', args=[second.pk])}']").press("Enter")
    tab.wait_for_url(f"**/{second.ref}/")


@pytest.mark.django_db(transaction=True)
def test_several_candidates_are_judged_without_a_mouse(chromium, settings, live_server, client, manager, technician):
    for name in ("Mail", "Search"):
        ticket = factories.ticket(f"{name} is slow", service=factories.service(name))
        tickets.propose([ticket.pk], reason="Many calls", actor=technician, at=timezone.now())
    client.force_login(manager)
    context = chromium.new_context(base_url=live_server.url)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(reverse("command"))
    expect(page.locator("#judge-many")).to_be_hidden()
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator("#judge-many")).to_be_visible()
    check(page, name="command-several")
    page.get_by_role("button", name="Dismiss the selected").press("Enter")
    expect(page.locator("#dialog").get_by_label("Why")).to_be_focused()
    page.keyboard.type("A test alarm")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#dialog").get_by_text("2 of 2 done.")).to_be_visible()
    expect(page.locator("#dialog .judged li")).to_have_count(2)
    expect(page.get_by_text("Nothing waits for a verdict")).to_be_visible()  # the board behind follows at once
    check(page, name="command-judged")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_hidden()
    context.close()
