"""An outage understood, fixed at the second attempt, reviewed and written down; the next one is handed what worked."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from incidents.actions import downtime, major_incidents
from incidents.models import Change, PlanUse, Review
from tests.factories import again
from tests.looks import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tabs(chromium, settings, live_server, client):
    """A tab of a person, signed in."""
    contexts = []

    def open_tab(person):
        client.force_login(person)
        context = chromium.new_context(base_url=live_server.url, reduced_motion="reduce")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        contexts.append(context)
        return context.new_page()

    yield open_tab
    for context in contexts:
        context.close()


def change(page, incident, title, plan):
    """Drafted as the fix, begun and put in place."""
    page.goto(f"{reverse('change_new')}?incident={incident.ref}&relation=fix")
    page.get_by_label("What changes?").fill(title)
    page.locator("#form_plan").fill(plan)
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url("**/changes/CHG-*/")
    page.get_by_role("link", name="Add steps").click()
    page.locator("#dialog").get_by_label("Steps").fill(f"{plan} (5 min)")
    page.locator("#dialog").get_by_role("button", name="Add steps").click()
    expect(page.locator("#steps")).to_contain_text(plan)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name=f"Done: {plan}").press("Enter")
    page.locator(".page-header").get_by_role("button", name="Implemented").click()
    expect(page.locator(".page-header").get_by_role("button", name="Close")).to_be_visible()


def test_what_one_outage_taught_is_handed_to_the_next(
    tabs, resolving, engineer, manager, change_manager, problem_manager, checkout
):
    page = tabs(engineer)
    problem = resolving.problems.get()
    page.goto(reverse("problem", args=[problem.pk]))
    for number, why in enumerate(("A rule backtracked", "It had no limit", "Nobody owned the rules"), start=1):
        page.locator(f"#whys_why_{number}").fill(why)
    page.get_by_role("button", name="Save the whys").click()
    page.locator("#factors").get_by_role("link", name="Add").click()
    page.locator("#dialog").get_by_label("What contributed?").fill("Rules go live everywhere at once")
    page.locator("#dialog").get_by_role("button", name="Add").click()
    expect(page.locator("#factors")).to_contain_text("Rules go live everywhere at once")
    check(page, name="problem")
    change(page, resolving, "Restart everything", "Restart the nodes")
    page.get_by_role("link", name="Roll back").click()
    page.locator("#dialog").get_by_label("Reason").fill("It made it worse")
    page.locator("#dialog").get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("It made it worse").first).to_be_visible()
    change(page, resolving, "Roll back the release", "Deploy the former version")
    check(page, name="change")
    check(page, "dark", name="change")
    assert list(Change.objects.order_by("pk").values_list("status", flat=True)) == ["rolled_back", "implemented"]
    now = timezone.now()
    downtime.restore(resolving.pk, actor=manager, at=now)
    major_incidents.confirm_resolution(resolving.pk, actor=manager, at=now)

    page.goto(reverse("review", args=[resolving.ref]))
    page.locator("#review_cause").fill("A rule without a limit")
    page.locator("#review_findings").fill("He should have known: no limit on one rule")
    expect(page.locator("#review-wording")).to_contain_text("judges with what is known today")
    page.locator("#review_findings").fill("No limit on one rule")
    expect(page.locator("#review-wording")).to_be_empty()
    page.locator("#review_observation_hours").fill("0")
    for number, title in enumerate(("Limit each rule", "Roll out in steps", "Name an owner")):
        if number == 2:
            page.get_by_role("button", name="Save", exact=True).click()
        page.locator(f"#id_actions-{number}-title").fill(title)
        page.locator(f"#id_actions-{number}-owner").select_option(str(engineer.pk))
        page.locator(f"#id_actions-{number}-due_on").fill(f"{now + timedelta(days=7):%Y-%m-%d}")
    check(page, name="review")
    page.get_by_role("button", name="Save and complete").click()
    expect(page.get_by_text("What it says stands")).to_be_visible()
    assert Review.objects.get().actions.count() == 3

    commanding = tabs(manager)
    commanding.goto(reverse("document", args=[resolving.ref]))
    commanding.get_by_role("button", name="Publish", exact=True).click()
    expect(commanding.locator(".page-header .badge", has_text="Published")).to_be_visible()
    commanding.goto(f"{reverse('document_list')}?q=cart+cannot+pay+gateway+error")
    expect(commanding.locator("main h2", has_text=resolving.title)).to_be_visible()
    check(commanding, name="knowledge")

    commanding.goto(reverse("learning"))
    expect(commanding.locator(".tile", has_text="Plans used again")).to_contain_text("0 of")
    new = major_incidents.declare(
        title="Checkout gives 502 to everybody", services=[checkout], impact=1, urgency=1, actor=manager, at=now
    )
    commanding.goto(reverse("war_room", args=[new.ref]))
    first = commanding.locator("#helped").locator(".list-item").first
    expect(first).to_contain_text("Roll back the release")
    first.get_by_role("button", name="Use this plan").click()
    expect(first).to_contain_text("Did it help?")
    assert again(PlanUse.objects.get()).change.plan == "Deploy the former version"
    first.get_by_role("button", name="Worked").click()
    expect(first).to_contain_text("Used, worked")
    commanding.goto(reverse("learning"))
    expect(commanding.locator(".tile", has_text="Plans used again")).to_contain_text("1 worked")
    check(commanding, name="learning")
    check(commanding, "dark", name="learning")
    commanding.goto(reverse("change_calendar"))
    expect(commanding.get_by_role("heading", name="Calendar")).to_be_visible()
    check(commanding, name="calendar")
