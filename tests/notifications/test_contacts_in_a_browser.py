"""My messages in a real browser: by keyboard, on a phone, without a mouse; and the notification a push shows."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from notifications.models import ChannelAccount, ContactPoint
from tests import factories
from tests.looks import check

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(chromium, settings, live_server, client, technician):
    for channel in ("sms", "web_push"):
        ChannelAccount.objects.create(channel=channel, changed_at=timezone.now())
    now = timezone.now()
    points = (
        {"channel": "sms", "address": "+4915112345678", "verified_at": now, "page_after_minutes": 3},
        {"channel": "web_push", "address": f"{'Long name of a browser ' * 8}(ab12)", "code_hash": "x"},
        {"channel": "voice", "address": "+49309018200", "verified_at": now, "failures_in_row": 3,
         "last_failure": "21610 unsubscribed: the owner answered STOP"},
    )  # fmt: skip
    for place, values in enumerate(points, 1):
        ContactPoint.objects.create(user=technician, position=place, created_at=now, **values)
    client.force_login(technician)
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.grant_permissions(["notifications"], origin=live_server.url)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()


@pytest.mark.django_db(transaction=True)
def test_addresses_are_ordered_by_keyboard_and_the_page_fits_everybody(tab, technician):
    tab.goto(reverse("message_settings"))
    tab.get_by_role("button", name="Use +49 30 9018200 (Voice call) earlier").focus()
    tab.keyboard.press("Enter")
    expect(tab.locator("#addresses li").nth(2)).to_contain_text("+49 30 9018200")
    tab.get_by_role("link", name="Change +49 1511 2345678").press("Enter")
    dialog = tab.locator("#dialog")
    dialog.get_by_label("Ring for pages after, minutes").fill("5")
    tab.keyboard.press("Enter")
    expect(tab.locator("#addresses")).to_contain_text("pages after 5 min")
    tab.get_by_role("link", name="SMS", exact=True).click()
    expect(dialog.get_by_label("Mobile number")).to_be_focused()
    tab.keyboard.press("Escape")
    check(tab)
    check(tab, "dark")
    assert tab.complaints == []


@pytest.mark.django_db(transaction=True)
def test_a_push_shows_a_notification_whose_button_only_opens_the_page(tab, live_server, technician):
    factories.organisation()
    tab.goto(reverse("message_settings"))
    expect(tab.get_by_role("button", name="Notify me here")).to_be_visible()
    devtools = tab.context.new_cdp_session(tab)
    found = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda said: found.extend(said["registrations"]))
    devtools.send("ServiceWorker.enable")
    tab.evaluate("navigator.serviceWorker.register('/push-worker.js').then(() => navigator.serviceWorker.ready)")
    registration = next(one for one in found if one["scopeURL"] == f"{live_server.url}/")
    words = {"title": "Page: CAN-1", "text": "Nobody can pay", "url": f"{live_server.url}/inbox/", "is_page": True}
    devtools.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": live_server.url, "registrationId": registration["registrationId"], "data": json.dumps(words)},
    )
    shown = tab.evaluate(
        """async () => {
            const ready = await navigator.serviceWorker.ready;
            for (let tries = 0; tries < 100; tries += 1) {
                const [one] = await ready.getNotifications();
                if (one) return { title: one.title, body: one.body, url: one.data.url, actions: one.actions };
                await new Promise((done) => setTimeout(done, 50));
            }
            return null;
        }"""
    )
    assert (shown["title"], shown["body"], shown["url"]) == (words["title"], words["text"], words["url"])
    assert [one["title"] for one in shown["actions"]] == ["Acknowledge"]
    assert tab.complaints == []
