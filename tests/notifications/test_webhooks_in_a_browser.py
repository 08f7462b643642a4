"""Making a webhook, testing it and sending again, in a real browser; every page checked by axe."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from incidents.actions import tickets
from incidents.process import AccountRole
from notifications.models import Webhook, WebhookMessage
from notifications.webhooks import sender
from tests.looks import check
from tests.notifications.conftest import person
from tests.notifications.receiving import receiving

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(chromium, settings, live_server, client):
    settings.OUTGOING_HTTP, settings.OUTGOING_NETWORKS = True, ["127.0.0.0/8"]
    client.force_login(person("administrator", AccountRole.ADMINISTRATOR))
    context = chromium.new_context(base_url=live_server.url, reduced_motion="reduce")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    yield context.new_page()
    context.close()


def test_a_webhook_is_made_tested_and_sends_again_what_failed(tab):
    with receiving() as receiver:
        tab.goto(reverse("webhooks"))
        check(tab)
        tab.get_by_role("main").get_by_role("link", name="New webhook").click()
        dialog = tab.locator("#dialog")
        dialog.get_by_role("textbox", name="Name").fill("Bridge " + "x" * 90)
        dialog.get_by_role("textbox", name="Address").fill("http://10.0.0.7/hook")
        dialog.locator("summary").get_by_text("Tickets", exact=False).first.click()
        dialog.get_by_text("ticket.opened").click()
        dialog.get_by_role("button", name="Make its secret").click()
        expect(dialog.get_by_text("not a public address").first).to_be_visible()
        check(tab)
        dialog.get_by_role("textbox", name="Address").fill(receiver.url)
        dialog.get_by_role("button", name="Make its secret").click()
        tab.wait_for_url("**/secret/")
        receiver.secret = tab.locator(".secret code").first.inner_text()
        check(tab, "dark")
        tab.get_by_role("link", name="Done, I have copied it").click()
        assert Webhook.objects.get().events == ["ticket.opened"]

        tab.get_by_role("button", name="Send a test").click()
        expect(tab.locator("#test-outcome")).to_contain_text("on its way")
        sender.send_due()
        expect(tab.locator("#test-outcome")).to_contain_text("It was taken", timeout=10_000)
        assert receiver.types() == ["webhook.test"]

        receiver.answer = lambda handler: handler.say(500, b"<b>no</b>")
        tickets.open_ticket(title="Printer jams", channel="portal", actor=None, at=timezone.now())
        sender.send_due()
        tab.reload()
        check(tab)
        tab.get_by_role("link", name="ticket.opened").click()
        expect(tab.get_by_label("Answer", exact=True)).to_have_text("<b>no</b>")
        check(tab, "dark")
        receiver.answer = lambda handler: handler.say(204)
        tab.get_by_role("button", name="Send again").click()
        tab.wait_for_load_state()
        sender.send_due()
        assert WebhookMessage.objects.get(type="ticket.opened").state == "delivered"
