"""P9: weight over the wire, requests, first paint and nodes of the war room and the ticket list, in Chromium."""

import secrets
import sys

from playwright.sync_api import Browser, StorageState, sync_playwright

from bench.running import address
from incidents.models import MajorIncident, User

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"


def look(browser: Browser, base: str, state: StorageState, path: str) -> None:
    """Opens the page with an empty cache and prints its figures."""
    context = browser.new_context(storage_state=state, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(base + path, wait_until="load")
    page.wait_for_timeout(500)
    nodes = page.locator("*").count()
    paint = page.evaluate(FIRST_PAINT)
    print(f"{path:36} {sum(sizes) / 1024:6.0f} KiB  {len(sizes):3} requests  paint {paint:5.0f} ms  {nodes} nodes")
    context.close()


def main() -> None:
    base = address()
    password = secrets.token_urlsafe(16)
    manager = User.objects.filter(role_rows__role="major_incident_manager", is_active=True).first()
    if manager is None:
        sys.exit("There is no major incident manager; load the demo organisation first.")
    person = User.objects.create_user(
        f"bench-{secrets.token_hex(4)}@demo.example", password, name="Bench", team=manager.team
    )
    person.role_rows.create(role="major_incident_manager")
    incident = MajorIncident.objects.order_by("-last_seq").first()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{base}/accounts/login/")
        page.fill("input[name=login]", person.email)
        page.fill("input[name=password]", password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "login" not in url)
        state = context.storage_state()
        for path in [
            "/command/",
            "/desk/",
            "/tickets/",
            "/kpis/",
            *([f"/major-incidents/{incident.ref}/"] if incident else []),
        ]:
            look(browser, base, state, path)
        browser.close()
    person.is_active = False
    person.save(update_fields=["is_active"])


if __name__ == "__main__":
    main()
