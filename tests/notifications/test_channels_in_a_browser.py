"""Setting a channel up and adding a place by keyboard alone, in a real browser; every view checked by axe."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from notifications.models import ChannelAccount, Destination
from tests.looks import check
from tests.notifications.conftest import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(chromium, settings, live_server, client):
    client.force_login(person("admin", "administrator"))
    context = chromium.new_context(base_url=live_server.url, reduced_motion="reduce")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    yield context.new_page()
    context.close()


def test_a_channel_is_set_up_and_a_place_is_added_without_a_mouse(tab):
    tab.goto(reverse("channels"))
    check(tab)
    tab.get_by_role("link", name="Slack", exact=True).press("Enter")
    tab.wait_for_url("**/channels/slack/")
    check(tab, "dark")
    tab.get_by_role("link", name="Set up").press("Enter")
    dialog = tab.locator("#dialog")
    dialog.get_by_label("Bot token", exact=True).fill("xoxp-wrong")
    dialog.get_by_label("Signing secret", exact=True).fill("abcdefgh")
    tab.keyboard.press("Enter")
    expect(dialog.locator(".error").filter(has_text="begins with xoxb-").first).to_be_visible()
    dialog.get_by_label("Bot token", exact=True).fill("xoxb-1-right")
    dialog.get_by_label("Signing secret", exact=True).fill("abcdefgh")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("main").get_by_text("2 stored")).to_be_visible()
    tab.get_by_role("link", name="Add a place").press("Enter")
    dialog.get_by_label("Name").fill("#outages of everything that is ever out " + "x" * 60)
    dialog.get_by_label("Channel").fill("C0123456789")
    dialog.get_by_role("checkbox", name="Technical team").press("Space")
    dialog.get_by_label("Name").press("Enter")
    tab.wait_for_url("**/channels/")
    row = Destination.objects.get()
    Destination.objects.update(failures_in_row=3, last_failure="not_in_channel", last_failed_at=timezone.now())
    ChannelAccount.objects.update(failures_in_row=3, last_failure="x" * 300, last_failed_at=timezone.now())
    tab.reload()
    assert (row.address, row.audiences) == ("C0123456789", ["technical"])
    expect(tab.get_by_text("Failing").first).to_be_visible()
    check(tab)
    check(tab, "dark")
