"""From sign-in to the third stage with nothing but a keyboard: every act is reached by Tab or a key, never clicked."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.organisation import PASSWORD
from tests.looks import check

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(600)]

SLOW = 30_000
MOST_TABS = 260


@pytest.fixture
def page(chromium, product) -> Iterator[Page]:
    """A browser whose mouse is unplugged: a press of a button by pointer fails the story."""
    context = chromium.new_context(
        base_url=product.url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.add_init_script("addEventListener('pointerdown', () => { window.mouseUsed = true; }, true)")
    yield page
    context.close()


def reach(page: Page, wanted: Locator) -> None:
    """Tab until it is in focus, as somebody without a mouse gets there; it has to be seen that it is."""
    expect(wanted).to_be_visible(timeout=SLOW)
    for _ in range(MOST_TABS):
        if wanted.evaluate("(element) => element === document.activeElement"):
            shown = wanted.evaluate("(element) => element.matches(':focus-visible')")
            assert shown, "the focus is not shown"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not reached in {MOST_TABS} steps")


def press(page: Page, wanted: Locator) -> None:
    reach(page, wanted)
    page.keyboard.press("Enter")


def choose(page: Page, wanted: Locator, begins: str) -> None:
    """Types the beginning of an option into a list."""
    reach(page, wanted)
    page.keyboard.type(begins)
    chosen = wanted.evaluate("(list) => list.selectedOptions[0].textContent")
    assert chosen.strip().startswith(begins), chosen


def send(page: Page, name: str) -> None:
    dialog = page.locator("#dialog")
    press(page, dialog.locator(".dialog-footer").get_by_role("button", name=name, exact=True))
    expect(dialog).not_to_be_visible(timeout=SLOW)


def in_process(page: Page, name: str) -> Locator:
    within = page.locator("#process")
    return (
        within.get_by_role("link", name=name, exact=True).or_(within.get_by_role("button", name=name, exact=True)).first
    )


def is_done(page: Page, key: str) -> None:
    expect(page.locator(f"#step-{key}")).to_have_class(re.compile("is-done"), timeout=SLOW)


def test_a_major_incident_is_declared_and_led_on_by_keyboard_alone(product, page):
    page.goto("/accounts/login/")
    reach(page, page.get_by_label("E-mail").first)
    page.keyboard.type("manager@example.org")
    reach(page, page.locator("input[type=password]"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/command/")
    expect(page.locator("main [data-live-chip]")).to_have_text("Live", timeout=SLOW)

    product.do("propose")
    card = page.locator(".candidate-card", has_text="Everybody calls about checkout").first
    expect(card).to_be_visible(timeout=SLOW)
    page.keyboard.press("j")
    expect(card.locator("[data-row-link]")).to_be_focused()
    press(page, card.get_by_role("link", name="Declare"))
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("What is broken?")).to_be_focused(timeout=SLOW)
    press(page, dialog.get_by_role("button", name="Declare major incident"))
    page.wait_for_url("**/major-incidents/MI-*/")

    is_done(page, "inform")
    press(page, in_process(page, "Begin containment"))
    send(page, "Begin containment")
    expect(page.locator("#room-header .is-current")).to_contain_text("Containment", timeout=SLOW)

    for role, name in (("Technical", "Omar"), ("Change", "Carla"), ("Problem", "Piotr")):
        press(page, page.locator("#people").get_by_role("link", name="Invite", exact=True))
        choose(page, dialog.get_by_label("As", exact=True), role)
        choose(page, dialog.get_by_label("Person"), name)
        send(page, "Invite")
    product.do("accept_invitations")
    is_done(page, "assemble")
    press(page, page.locator("#step-bridge").get_by_role("link", name="Set bridge"))
    reach(page, dialog.get_by_label("Join link"))
    page.keyboard.type("https://meet.example.org/checkout")
    send(page, "Set bridge")
    is_done(page, "bridge")
    press(page, page.locator("#step-war_room").get_by_role("link", name="Open war room"))
    reach(page, dialog.get_by_label("Place"))
    page.keyboard.type("Room 4")
    send(page, "Open war room")
    is_done(page, "war_room")
    press(page, page.locator("#step-problem").get_by_role("link", name="Open or link problem"))
    send(page, "Link problem")
    is_done(page, "problem")
    press(page, in_process(page, "Begin resolution"))
    send(page, "Begin resolution")
    expect(page.locator("#room-header .is-current")).to_contain_text("Resolution", timeout=SLOW)
    assert page.evaluate("window.mouseUsed") is None
    check(page, name="led-by-keyboard")
