"""The desk manager brings history in; management reads the figures, keeps a view, and opens what is behind."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(600)]
SLOW = 30_000
EXPORT = Path(__file__).parent.parent / "metrics" / "exports" / "pagerduty.csv"
MAY = "from=2026-05-01&to=2026-06-01"


@pytest.fixture(scope="module")
def history(product, people) -> None:
    """Two past incidents of May 2026, brought in from a PagerDuty export through the pages."""
    desk = people["desk_manager"]
    page = desk.go("/kpis/import/")
    page.get_by_label("CSV or JSON, UTF-8").set_input_files(EXPORT)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_text("columns of: PagerDuty")).to_be_visible()
    expect(page.get_by_role("region", name="The first rows", exact=True)).to_contain_text("Checkout down for everybody")
    page.get_by_role("button", name="Try all 2 rows").press("Enter")
    expect(page.get_by_role("heading", name="Tried: nothing was written")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Bring them in").click()
    page.locator("dialog[open]").get_by_role("button", name="Bring in").click()
    expect(page.get_by_role("heading", name="Brought in")).to_be_visible(timeout=SLOW)
    assert desk.complaints == []


def test_management_reads_draws_keeps_and_opens_the_figures(history, people):
    reader = people["management"]
    page = reader.go(f"/kpis/?{MAY}&compare=previous")
    expect(page.locator(".tile", has_text="Mean time to acknowledge")).to_contain_text("3 min")
    for key in ("monthly", "times", "channels", "distribution"):
        chart = page.locator(f"[data-chart={key}-chart]")
        chart.scroll_into_view_if_needed()
        expect(chart.locator("canvas")).to_be_visible(timeout=SLOW)
    page.get_by_role("link", name="Save view").press("Enter")
    reader.dialog.get_by_label("Name").fill("May against April")
    reader.dialog.get_by_label("Who sees it").select_option("everybody")
    reader.send("Save")
    expect(page.get_by_role("navigation", name="Saved views")).to_contain_text("May against April")
    page.locator(".tile", has_text="Mean time to acknowledge").press("Enter")
    expect(page.get_by_role("heading", name="Counted otherwise")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.goto("/kpis/definitions/")
    page.get_by_role("link", name="Target of Mean time to resolve").click()
    reader.dialog.get_by_label(re.compile("At most")).fill("60")
    reader.send("Save")
    page.goto(f"/kpis/?{MAY}")
    expect(page.locator(".tile", has_text="Mean time to resolve")).to_contain_text("Target missed")
    assert reader.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [f"/kpis/?{MAY}", f"/kpis/mttr/?{MAY}", "/kpis/definitions/", "/kpis/assumptions/"])
def test_figures_are_accessible_and_fit_a_phone(history, people, axe, path, scheme):
    reader = people["management"]
    page = reader.tab()
    try:
        page.emulate_media(color_scheme=scheme)
        page.goto(path, wait_until="networkidle")
        found = axe.run(page).response["violations"]
        assert not found, [(one["id"], [node["target"] for node in one["nodes"]][:4]) for one in found]
        page.set_viewport_size({"width": 360, "height": 780})
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    finally:
        page.close()
