"""An update written, adapted, published and taken back in a real browser, by keyboard, readable for everybody."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from incidents.models import Organisation, StatusUpdate
from notifications import delivery
from notifications.models import Delivery
from tests.looks import violations
from tests.notifications.conftest import declare

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(chromium, settings, live_server, client, people):
    client.force_login(people["manager"])
    context = chromium.new_context(base_url=live_server.url, reduced_motion="reduce")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    yield context.new_page()
    context.close()


def test_written_adapted_published_and_taken_back_by_keyboard(tab, people, checkout, smtp):
    Organisation.objects.create(pk=1, name="Shop", update_hold_seconds=120)
    incident = declare(people["manager"], checkout)
    tab.goto(reverse("war_room", args=[incident.pk]))
    tab.locator("#room-header").get_by_role("link", name="Post update").press("Enter")
    dialog = tab.locator("#dialog")
    common = dialog.get_by_label("What everybody may read")
    expect(common).to_be_focused()
    tab.keyboard.type("Orders fail, db-03 is being replaced.")
    expect(dialog.get_by_text("“db-03” (host name)").first).to_be_visible()
    dialog.get_by_role("button", name="Own words for Users").press("Enter")
    users = dialog.get_by_label("What users read")
    expect(users).to_be_focused()
    expect(users).to_have_value("Orders fail, db-03 is being replaced.")
    users.fill("Orders fail, we are on it.")
    expect(dialog.locator("ins").first).to_contain_text("we are on it.")
    expect(dialog.locator("del").first).to_contain_text("db-03 is being replaced.")
    expect(dialog.get_by_text("by e-mail").first).to_be_attached()
    assert violations(tab) == []
    tab.keyboard.press("Escape")  # the draft is kept, nobody is asked
    expect(dialog).to_be_hidden()
    tab.locator("#room-header").get_by_role("link", name="Post update").press("Enter")
    expect(users).to_have_value("Orders fail, we are on it.")
    users.press("Control+Enter")
    expect(dialog).to_be_hidden()
    delivery.deliver_due(seconds=5)
    waiting = tab.get_by_role("region", name="An update is leaving")
    expect(waiting).to_be_visible()
    assert Delivery.objects.filter(moment="update", state="queued").exists()
    waiting.get_by_role("button", name="Undo").press("Enter")
    expect(tab.get_by_text("2 got it before: Engineer, Manager.")).to_be_visible()
    expect(tab.get_by_text("3 did not: Director, Requester, Stakeholder.")).to_be_visible()
    assert StatusUpdate.objects.get().undone_at < timezone.now() + timedelta(seconds=1)
    assert violations(tab) == []
    tab.set_viewport_size({"width": 360, "height": 780})
    for path in ("", "told/people/", "update/"):
        tab.goto(f"{reverse('war_room', args=[incident.pk])}{path}")
        tab.wait_for_timeout(300)
        assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, path
    assert violations(tab) == []
    tab.goto("/deliveries/")
    assert violations(tab) == []
