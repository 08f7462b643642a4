"""Six people in one room at once: everybody ends with the same timeline, nothing lost, nothing doubled."""

import json
import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(600)]

SLOW = 30_000
PARTS = ("manager", "engineer", "change_manager", "problem_manager", "technician", "guest")


@pytest.fixture(scope="module")
def room(product, people) -> str:
    """Everybody has the same page open; the problem manager reads it on a telephone."""
    address = f"/major-incidents/{product.do('gather').split('GATHERED ')[1].split()[0]}/"
    people["problem_manager"].page.set_viewport_size({"width": 360, "height": 780})
    for part in PARTS:
        people[part].go(address)
    for part in PARTS:
        expect(people[part].page.locator("#room-header [data-live-chip]")).to_have_text("Live", timeout=SLOW)
    return address


def say(person, words: str) -> None:
    person.page.get_by_label("Note", exact=True).fill(words)
    person.page.keyboard.press("Control+Enter")
    expect(person.page.get_by_label("Note", exact=True)).to_have_value("", timeout=SLOW)


def test_six_people_end_with_the_same_timeline(room, product, people):
    engineer = people["engineer"]
    say(people["manager"], "Who sees what?")
    for part in PARTS:
        expect(people[part].page.get_by_text("Who sees what?").first).to_be_visible(timeout=SLOW)

    # One of them loses the network while the others go on; the page says so and keeps what is typed.
    engineer.context.set_offline(True)
    expect(engineer.page.locator("#room-header [data-live-chip]")).to_have_text("Reconnecting", timeout=SLOW)
    written = engineer.page.get_by_label("Note", exact=True)
    written.fill("Seen from the data centre: link is flapping")
    engineer.page.keyboard.press("Control+Enter")
    expect(engineer.page.get_by_text("What you typed is still here").first).to_be_visible(timeout=SLOW)
    for part in ("change_manager", "problem_manager", "technician", "guest", "manager"):
        say(people[part], f"{part} is here")
    expect(written).to_have_value("Seen from the data centre: link is flapping")
    engineer.context.set_offline(False)
    engineer.page.keyboard.press("Control+Enter")
    expect(written).to_have_value("", timeout=SLOW)
    expect(engineer.page.locator("#room-header [data-live-chip]")).to_have_text("Live", timeout=SLOW)

    said = json.loads(product.do("what_was_said").split("SAID ")[1])
    assert len(said) == len(set(said)) == 7
    for part in PARTS:
        entries = people[part].page.locator("#timeline .entry-note .entry-body")
        expect(entries, part).to_have_text([re.compile(re.escape(words)) for words in said], timeout=SLOW)
        assert people[part].page.locator("#timeline .entry-note").count() == len(said)


def test_nobody_does_it_twice_and_a_decision_waits_for_an_objection(room, people, axe):
    changing, engineer, guest, manager = (people[part] for part in ("change_manager", "engineer", "guest", "manager"))
    page = changing.page
    page.get_by_role("tab", name="Note").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.locator("#task-title").fill("Restart the node")
    page.locator("#task-target").fill("web-3")
    page.keyboard.press("Enter")
    expect(engineer.page.locator("#work .task")).to_contain_text("Restart the node", timeout=SLOW)
    engineer.page.get_by_role("tab", name="Task").click()
    engineer.page.locator("#task-title").fill("Reboot it")
    engineer.page.locator("#task-target").fill("WEB 3")
    warning = engineer.page.locator("#task-twin")
    expect(warning).to_contain_text(
        re.compile(r"Carla Nunes is at “Restart the node” on web-3 already, 1[45] min left")
    )
    engineer.page.locator("#task-form").get_by_role("button", name="Add task").click()
    expect(engineer.dialog).to_contain_text("Carla Nunes is at")
    engineer.dialog.get_by_role("button", name="Cancel").click()

    manager.page.get_by_role("tab", name="Decision").click()
    manager.page.locator("#decision-text").fill("Fail over to the second region")
    manager.page.locator("#decision-round").select_option("5")
    manager.page.get_by_role("button", name="Record decision").click()
    asked = guest.page.locator("#work .round")
    expect(asked).to_contain_text("Fail over to the second region", timeout=SLOW)
    asked.get_by_role("link", name="Object").click()
    guest.dialog.get_by_label("Why it must not be done").fill("The replica lags by an hour")
    guest.send("Object")
    waiting = manager.page.locator("#work .round")
    expect(waiting).to_contain_text("The replica lags by an hour", timeout=SLOW)
    waiting.get_by_role("link", name="Withdraw").click()
    manager.dialog.get_by_label("Why").fill("We would lose an hour of orders")
    manager.send("Withdraw")
    expect(guest.page.locator("#work .round")).to_have_count(0, timeout=SLOW)
    for part in ("manager", "problem_manager"):
        violations = axe.run(people[part].page).response["violations"]
        assert not violations, [(one["id"], one["nodes"][0]["html"]) for one in violations]
    for part in PARTS:
        # Of the one without a network the browser and htmx say so; anything else is a complaint.
        lost = [said for said in people[part].complaints if not re.search("INTERNET_DISCONNECTED|^htmx:", said)]
        assert not lost, f"{part}: {lost}"
