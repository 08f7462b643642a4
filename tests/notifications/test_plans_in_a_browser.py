"""A plan is changed and seen before it counts, and words are written, refused, tried and saved, in a real browser."""

import pytest
from django.core import mail
from django.urls import reverse
from playwright.sync_api import expect

from incidents.models import PlanVersion
from notifications.models import TemplateVersion
from tests.looks import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(chromium, settings, live_server, client, manager, management, engineer, checkout):
    client.force_login(manager)
    context = chromium.new_context(base_url=live_server.url, reduced_motion="reduce")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    yield context.new_page()
    context.close()


def test_a_plan_is_changed_where_one_sees_what_it_does(tab, management):
    tab.goto(reverse("plan_list"))
    check(tab)
    tab.get_by_role("link", name="SEV2").click()
    expect(tab.locator("#look")).to_contain_text("Everybody in “Technical team”", timeout=15_000)
    check(tab, "dark")
    tab.get_by_role("link", name="Edit the plan").click()
    look = tab.locator("#look")
    tab.get_by_role("combobox", name="Audience", exact=True).select_option("management")
    expect(look).to_contain_text("within 60 min", timeout=15_000)
    tab.get_by_role("combobox", name="Management: Declared").select_option("acknowledge")
    tab.get_by_role("spinbutton", name="Management: Updates every, minutes").fill("45")
    expect(look).to_contain_text("within 45 min", timeout=15_000)
    expect(look).to_contain_text("On call: Service desk manager, first in line")
    tab.get_by_role("textbox", name="Or one person").fill(management.email)
    tab.get_by_role("textbox", name="Or one person").blur()
    expect(look).to_contain_text(management.display_name, timeout=15_000)
    tab.get_by_role("combobox", name="Users: Declared").select_option("")
    check(tab)
    tab.get_by_role("button", name="Save as a new version").click()
    expect(tab.get_by_role("alert")).to_contain_text("Users: nobody of it would hear")
    check(tab)
    tab.get_by_role("textbox", name="Users: Not told of a declaration, because").fill("The shops tell them.")
    tab.get_by_role("button", name="Save as a new version").click()
    expect(tab.get_by_role("heading", name="SEV2 version 2")).to_be_visible()
    newest = PlanVersion.objects.get(number=2)
    assert newest.content["management"]["moments"]["declared"] == "acknowledge"
    assert newest.content["users"]["silent_because"] == "The shops tell them."
    expect(tab.get_by_text("Management: updates every 60 min → 45 min")).to_be_visible()
    check(tab)


def test_words_are_refused_with_line_and_name_tried_and_saved(tab, manager):
    tab.goto(reverse("template_list"))
    check(tab)
    tab.get_by_role("link", name="Contained, Management").click()
    expect(tab.locator("#said")).to_contain_text("MI-12 contained", timeout=15_000)
    check(tab)
    text = tab.get_by_role("textbox", name="Text", exact=True)
    text.fill("Good news.\n\n{{ incident.secret }} holds.")
    expect(tab.locator("#said")).to_contain_text("Line 3: There is no {{ incident.secret }}", timeout=15_000)
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator(".form-errors")).to_contain_text("Line 3: There is no {{ incident.secret }}")
    assert not TemplateVersion.objects.exists()
    text.fill("Good news.\n\n{{ incident.services_in_words }}: it does not spread any more.")
    expect(tab.locator("#said")).to_contain_text("Checkout and Payments: it does not spread any more.", timeout=15_000)
    tab.get_by_role("button", name="Send me a test").click()
    expect(tab.get_by_text(f"The test is on its way to {manager.email}.")).to_be_visible(timeout=15_000)
    assert mail.outbox[0].subject == "TEST: MI-12 contained: Checkout answers 502"
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_text("Own words, version 1")).to_be_visible()
    tab.get_by_text("What changed").click()
    check(tab, "dark")
    tab.get_by_role("button", name="Restore the shipped words").click()
    tab.get_by_role("button", name="Restore", exact=True).click()
    expect(tab.get_by_text("The shipped words are in use.")).to_be_visible()
