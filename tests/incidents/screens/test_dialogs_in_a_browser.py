"""Dialogs open over the page and lead on, in a real browser."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from incidents.models import Ticket
from tests import factories

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
