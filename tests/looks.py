"""What every page has to show a browser test: readable for everybody in light and dark, and no wider than a phone."""

import os

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PHONE = {"width": 360, "height": 780}


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds once nothing moves any more: the rule, and the first elements with what is wrong with them.

    A colour that is still fading in is not the colour that is read.
    """
    page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished))")
    found = Axe().run(page).response["violations"]
    return [(one["id"], [_about(node) for node in one["nodes"][:4]]) for one in found]


def _about(node: dict) -> str:
    seen = [part.get("data") for part in node["any"] if isinstance(part.get("data"), dict)]
    colours = " ".join(f"{one['fgColor']} on {one['bgColor']}" for one in seen if one.get("fgColor"))
    return f"{node['html'][:160]} {colours}".strip()


def check(page: Page, scheme: str = "light", *, name: str = "", axe: bool = True) -> None:
    """Nothing that axe finds, and no sideways scrolling on a phone. `SHOTS=folder` keeps a picture of each."""
    size = page.viewport_size
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    picture(page, name, scheme)
    found = violations(page) if axe else []
    assert not found, found
    page.set_viewport_size(PHONE)
    picture(page, name, f"{scheme}-phone")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_viewport_size(size)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    assert wide <= 0, f"{page.url} is {wide} px too wide for a phone"


def picture(page: Page, name: str, kind: str) -> None:
    """The whole page as PNG in the folder that `SHOTS` names; nothing without it."""
    if folder := os.environ.get("SHOTS"):
        name = name or page.url.split("/", 3)[3].strip("/").replace("/", "-").replace("?", "-")
        page.screenshot(path=f"{folder}/{name}-{kind}.png", full_page=True)
