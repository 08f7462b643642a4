"""Connecting a tool, mapping its fields and walking through alerts, in a real browser; every page checked by axe."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from incidents.models import AlertRule, Integration
from tests.incidents.screens.monitoring import alert, payload, sender
from tests.looks import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(chromium, settings, live_server, client, service_desk_manager):
    client.force_login(service_desk_manager)
    context = chromium.new_context(base_url=live_server.url, reduced_motion="reduce")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    yield context.new_page()
    context.close()


def test_a_tool_is_connected_in_dialogs_and_its_key_is_on_the_page_that_follows(tab):
    tab.goto(reverse("integrations"))
    tab.get_by_role("main").get_by_role("link", name="Connect", exact=True).click()
    dialog = tab.locator("#dialog")
    dialog.get_by_text("Prometheus Alertmanager").click()
    dialog.get_by_role("textbox", name="Name").fill("Prometheus Berlin")
    dialog.get_by_role("button", name="Make its address").click()
    tab.wait_for_url("**/key/")
    row = Integration.objects.get()
    shown = tab.locator(".secret code").first.inner_text()
    assert f"/in/alertmanager/{row.key_prefix}" in shown and "…" not in shown
    check(tab)
    tab.reload()
    expect(tab.get_by_role("heading", name="Last payloads")).to_be_visible()


def test_the_preview_follows_what_is_typed_into_the_mapping(tab, service_desk_manager):
    row = sender("generic", actor=service_desk_manager)
    payload(row, b'{"what": "Disk", "host": "db-3"}')
    tab.goto(reverse("integration_mapping", args=[row.pk]))
    tab.get_by_role("textbox", name="Title").fill("host")
    expect(tab.locator("#preview h2").first).to_have_text("db-3", timeout=15_000)
    tab.get_by_role("textbox", name="Key").fill("nowhere")
    expect(tab.locator("#preview").get_by_text("There is nothing at “nowhere”")).to_be_visible(timeout=15_000)
    check(tab)


def test_alerts_are_walked_by_keyboard(tab, service_desk_manager, checkout):
    row = sender(actor=service_desk_manager)
    first, second = alert(row, "First", service=checkout), alert(row, "Second " + "x" * 400, is_flapping=True)
    tab.goto(reverse("alert_list"))
    check(tab)
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    tab.keyboard.press("k")
    tab.keyboard.press("j")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**{reverse('alert', args=[first.pk])}")
    check(tab)
    tab.goto(reverse("alert", args=[second.pk]))
    check(tab, "dark")
    assert tab.url.endswith(reverse("alert", args=[second.pk]))


def test_a_rule_is_tried_on_the_past_and_moved_without_a_mouse(tab, service_desk_manager):
    AlertRule.objects.all().delete()
    row = sender(actor=service_desk_manager)
    alert(row, severity="critical")
    tab.goto(reverse("rule_new"))
    tab.get_by_label("Critical").check()
    tab.get_by_label("Over the last").select_option("90")
    tab.get_by_role("button", name="Try it on the past").click()
    expect(tab.locator("#dry-result .figure")).to_be_visible(timeout=15_000)
    check(tab)
    for name in ("One", "Two"):
        tab.goto(reverse("rule_new"))
        tab.get_by_label("Name of the rule").fill(name)
        tab.get_by_role("button", name="Make the rule").click()
        tab.wait_for_url("**/alert-rules/#rule-*")
    tab.get_by_role("button", name="Ask “One” earlier").press("Enter")
    expect(tab.locator(".rules .list-title").first).to_contain_text("One")
    check(tab)
    check(tab, "dark")


@pytest.mark.parametrize("name", ["planned_work", "integrations", "integration", "payload", "integration_new"])
def test_other_pages_pass_as_well(tab, service_desk_manager, name):
    row = sender("grafana", actor=service_desk_manager)
    kept = payload(row, b"<script>x</script>" * 40, state="refused", reason="It is no JSON.")
    arguments = {"integration": [row.pk], "payload": [kept.pk]}.get(name, [])
    tab.goto(reverse(name, args=arguments))
    expect(tab.get_by_role("heading", level=1)).to_be_visible()
    if name == "payload":
        expect(tab.get_by_text("<script>x</script>").first).to_be_visible()
    check(tab)
    check(tab, "dark")
