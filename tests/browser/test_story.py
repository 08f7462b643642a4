"""The main job in real browsers: proposed, declared, told, worked on together, fixed, reviewed, closed."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(600)]

SLOW = 30_000


def step(page, key):
    return page.locator(f"#step-{key}")


def is_done(page, key) -> None:
    """The step shows its evidence without a reload."""
    expect(step(page, key)).to_have_class(re.compile("is-done"), timeout=SLOW)


@pytest.fixture(scope="module")
def declared(product, people) -> str:
    """A technician's proposal appears on the manager's open Command, and is declared in three clicks."""
    manager = people["manager"]
    page = manager.page
    expect(page).to_have_url(re.compile("/command/$"))
    expect(page.locator("main [data-live-chip]")).to_have_text("Live", timeout=SLOW)
    product.do("propose")
    expect(page.get_by_text("Everybody calls about checkout")).to_be_visible(timeout=5_000)
    page.locator(".candidate-card").get_by_role("link", name="Declare").click()
    expect(manager.dialog.get_by_label("What is broken?")).to_have_value(re.compile("Checkout shows 502"))
    expect(manager.dialog.get_by_text("people are told")).to_be_visible(timeout=SLOW)
    manager.dialog.get_by_role("button", name="Declare major incident").click()
    page.wait_for_url("**/major-incidents/MI-*/")
    return page.url.removeprefix(product.url)


@pytest.fixture(scope="module")
def closed(declared, product, people) -> str:
    """The rest of the life of that incident, each act by the person whose it is."""
    manager = people["manager"]
    page = manager.page
    page.goto(declared)
    is_done(page, "inform")
    manager.press("Begin containment")
    manager.send("Begin containment")
    expect(page.locator("#room-header .is-current")).to_contain_text("Containment", timeout=SLOW)
    for role, name in (
        ("technical_staff", "Omar Haddad"),
        ("change_manager", "Carla Nunes"),
        ("problem_manager", "Piotr Zielinski"),
    ):
        page.locator("#people").get_by_role("link", name="Invite").click()
        manager.dialog.get_by_label("As", exact=True).select_option(role)
        option = manager.dialog.get_by_label("Person").locator("option", has_text=name)
        manager.dialog.get_by_label("Person").select_option(option.get_attribute("value"))
        manager.send("Invite")
    for part in ("engineer", "change_manager", "problem_manager"):
        seen = people[part].go(declared)
        seen.get_by_role("button", name="Accept").click()
        expect(seen.get_by_text("You are invited")).not_to_be_visible(timeout=SLOW)
    is_done(page, "assemble")
    step(page, "bridge").get_by_role("link", name="Set bridge").click()
    manager.dialog.get_by_label("Join link").fill("https://meet.example.org/checkout")
    manager.send("Set bridge")
    is_done(page, "bridge")
    step(page, "war_room").get_by_role("link", name="Open war room").click()
    manager.dialog.get_by_label("Place").fill("Room 4")
    manager.send("Open war room")
    is_done(page, "war_room")
    step(page, "problem").get_by_role("link", name="Open or link problem").click()
    manager.send("Link problem")
    is_done(page, "problem")
    manager.press("Begin resolution", within="#process")
    manager.send("Begin resolution")
    people["change_manager"].go(declared)
    step(people["change_manager"].page, "change").get_by_role("link", name="Open or link change").click()
    people["change_manager"].dialog.get_by_label("Or a new one").fill("Roll the rule back")
    people["change_manager"].send("Link change")
    product.do("implement_fix")
    is_done(page, "change")
    page.get_by_role("button", name=re.compile("^More for")).click()
    page.get_by_role("link", name="Mark contained").click()
    manager.send("Mark contained")
    manager.press("Service restored", within="#process")
    manager.send("Service is back")
    page.locator("#process").get_by_role("link", name="Confirm resolution").click(timeout=SLOW)
    manager.send("Confirm resolution")
    expect(page.locator("#room-header .is-current")).to_contain_text("Maintenance", timeout=SLOW)
    reviewing = people["change_manager"]
    reviewing.go(f"{declared}review/")
    reviewing.page.get_by_label("Cause", exact=False).first.fill("A rule that backtracked")
    reviewing.page.get_by_label("Findings").fill("No limit on the CPU of one rule")
    reviewing.page.get_by_label("No actions, because").fill("Covered by the problem")
    reviewing.page.get_by_label(re.compile("Observation window")).fill("0")
    reviewing.page.get_by_role("button", name="Save and complete").click()
    expect(reviewing.page.get_by_text("What it says stands")).to_be_visible(timeout=SLOW)
    page.goto(f"{declared}document/")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".page-header .badge", has_text="Published")).to_be_visible(timeout=SLOW)
    page.goto(declared)
    step(page, "measure").get_by_role("link", name="Clocks").click()
    manager.dialog.get_by_role("row", name=re.compile("^Started")).get_by_role("link", name="Not applicable").click()
    manager.dialog.get_by_label("Why").fill("Nobody saw it begin")
    manager.send("Mark not applicable")
    is_done(page, "measure")
    page.locator("#process").get_by_role("link", name="Close").click(timeout=SLOW)
    manager.send("Close")
    expect(page.locator("#room-header")).to_contain_text("Closed", timeout=SLOW)
    return declared


def test_a_note_appears_on_another_page_and_typed_text_survives(declared, people):
    manager, technician = people["manager"], people["technician"]
    manager.go(declared)
    reading = technician.go(declared)
    expect(reading.locator("#room-header [data-live-chip]")).to_have_text("Live", timeout=SLOW)
    writing = manager.tab()
    writing.goto(declared)
    expect(writing.locator("#room-header [data-live-chip]")).to_have_text("Live", timeout=SLOW)
    writing.locator("#note-text").fill("half a sentence")
    manager.page.locator("#note-text").fill("The WAF is at 100 %")
    manager.page.get_by_role("button", name="Post note").click()
    expect(reading.locator("#timeline").get_by_text("The WAF is at 100 %")).to_be_visible(timeout=5_000)
    expect(writing.locator("#timeline").get_by_text("The WAF is at 100 %")).to_be_visible(timeout=5_000)
    expect(writing.locator("#note-text")).to_have_value("half a sentence")
    expect(manager.page.locator("#note-text")).to_have_value("")
    writing.locator("#note-text").fill("")
    writing.close()


def test_the_whole_life_of_a_major_incident_in_browsers(closed, product, people):
    assert product.do("say_how_it_ended").split()[-4:] == ["ENDED", "closed", "0", "0"]
    for person in people.values():
        assert person.complaints == [], person.part


SCREENS = ["", "review/", "document/", "act/clocks/", "/command/", "/major-incidents/", "/declare/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", SCREENS)
def test_screens_are_accessible_and_fit_a_phone(closed, people, axe, path, scheme):
    manager = people["manager"]
    page = manager.tab()
    try:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.goto(path if path.startswith("/") else f"{closed}{path}")
        page.wait_for_timeout(600)
        found = axe.run(page).response["violations"]
        assert not found, [(v["id"], [node["html"][:160] for node in v["nodes"][:4]]) for v in found]
        page.set_viewport_size({"width": 360, "height": 780})
        page.wait_for_timeout(200)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
    finally:
        page.close()
