"""A technician links thirty tickets by a filter, answers their requesters at once, and reads what became of each."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(600)]
SLOW = 30_000


@pytest.fixture(scope="module")
def incident(product, people) -> str:
    """The reference of an outage with thirty reports that are not linked to it yet."""
    people["technician"]  # signed in before the desk is busy
    return product.do("many_reports").split()[-1]


def select_all_matching(page) -> None:
    page.locator("tbody input[type=checkbox]").first.check()
    page.get_by_label("All that match the filter").check()


@pytest.fixture(scope="module")
def answered(incident, people) -> str:
    """Linked by the filter of the list and answered from the incident; the address of the job's page."""
    technician = people["technician"]
    page = technician.go("/tickets/?q=declined")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("tbody input[type=checkbox]").first).to_be_checked()
    page.get_by_label("All that match the filter").check()
    page.locator(".bulk-bar").get_by_role("button", name="Link").click()
    expect(technician.dialog.get_by_text("30 tickets, all that match the filter")).to_be_visible()
    option = technician.dialog.locator("option", has_text="Cards are declined")
    technician.dialog.get_by_label("Open major incident").select_option(option.get_attribute("value"))
    technician.send("Link")
    page.wait_for_url("**/ticket-jobs/*/")
    expect(page.get_by_role("heading", name="Finished")).to_be_visible(timeout=SLOW)
    page.goto(f"/major-incidents/{incident}/children/")
    page.get_by_role("link", name="Reply to all shown").click()
    expect(technician.dialog.get_by_text("30 tickets: 20 people are told, each once.")).to_be_visible()
    technician.dialog.get_by_label("Message").fill("We know, and we are on it.")
    technician.send("Send")
    page.wait_for_url("**/ticket-jobs/*/")
    expect(page.get_by_role("heading", name="Finished")).to_be_visible(timeout=SLOW)
    return page.url


def test_thirty_tickets_are_linked_by_a_filter_and_twenty_people_told_once(answered, people):
    page = people["technician"].page
    expect(page.get_by_role("link", name=re.compile("^Done"))).to_contain_text("20")
    page.get_by_role("link", name=re.compile("^Unchanged")).click()
    expect(page.locator("tbody tr")).to_have_count(10)
    expect(page.locator("tbody tr").first).to_contain_text("the requester was told in INC-")
    assert people["technician"].complaints == []


def test_new_tickets_are_counted_while_the_selection_stays(answered, product, people):
    technician = people["technician"]
    page = technician.go("/tickets/")
    expect(page.locator("main [data-live-chip]")).to_have_text("Live", timeout=SLOW)
    page.locator("tbody input[type=checkbox]").nth(2).check()
    product.do("propose")
    expect(page.get_by_text(re.compile("3 new tickets: show them"))).to_be_visible(timeout=10_000)
    expect(page.locator("tbody input[type=checkbox]").nth(2)).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "similar/", "jobs/", "/tickets/", "/service-levels/", "job", "ticket"])
def test_screens_about_many_are_accessible_and_fit_a_phone(answered, incident, people, axe, path, scheme):
    person = people["desk_manager"]
    page = person.tab()
    try:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        named = {"job": answered, "ticket": "/tickets/INC-1/"}
        base = f"/major-incidents/{incident}/children/"
        page.goto(named.get(path) or (path if path.startswith("/") else base + path))
        page.wait_for_timeout(600)
        if path == "/tickets/":
            select_all_matching(page)
        found = axe.run(page).response["violations"]
        assert not found, [(v["id"], [node["html"][:160] for node in v["nodes"][:4]]) for v in found]
        page.set_viewport_size({"width": 360, "height": 780})
        page.wait_for_timeout(200)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
    finally:
        page.close()
    assert person.complaints == []
