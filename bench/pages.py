"""P9: weight over the wire, requests, first paint and nodes of the war room and the ticket list, in Chromium."""

import os
import secrets
import sys

from django.utils import timezone
from playwright.sync_api import Browser, StorageState, sync_playwright

from bench.running import address
from incidents.actions import major_incidents, response
from incidents.models import MajorIncident, Ticket, TimelineEvent, User

ENTRIES, CHILDREN = 2000, 5000
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps an event loop in this process

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


def signed_in(browser: Browser, base: str, person: User) -> StorageState:
    """The session of somebody, who gets a password of this run."""
    password = secrets.token_urlsafe(16)
    person.set_password(password)
    person.save(update_fields=["password"])
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{base}/accounts/login/")
    page.fill("input[name=login]", person.email)
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "login" not in url)
    state = context.storage_state()
    context.close()
    return state


def crowded(person: User) -> MajorIncident:
    """An outage with 2,000 entries and 5,000 children, a drill so that it stands in no figure."""
    now = timezone.now()
    incident = major_incidents.declare(
        title="Bench of the crowded room", impact=1, urgency=1, is_drill=True, actor=person, at=now
    )
    note = response.post_note(incident.pk, text="A note of usual length about what was seen.", actor=person, at=now)
    entries = [
        TimelineEvent(
            incident=incident, seq=(note.seq or 0) + n, kind=note.kind, group=note.group, actor=person, at=now,
            recorded_at=now, text=note.text, html=note.html,
        )
        for n in range(1, ENTRIES)
    ]  # fmt: skip
    TimelineEvent.objects.bulk_create(entries, batch_size=1000)
    MajorIncident.objects.filter(pk=incident.pk).update(last_seq=(note.seq or 0) + ENTRIES - 1)
    children = [
        Ticket(
            title=f"Bench report {n}", channel="api", impact=3, urgency=3, priority="P3", status="new",
            major_incident=incident, reported_at=now, created_at=now,
        )
        for n in range(CHILDREN)
    ]  # fmt: skip
    Ticket.objects.bulk_create(children, batch_size=1000)
    return incident


def main() -> None:
    base = address()
    manager = User.objects.filter(role_rows__role="major_incident_manager", is_active=True).first()
    if manager is None:
        sys.exit("There is no major incident manager; load the demo organisation first.")
    person = User.objects.create_user(f"bench-{secrets.token_hex(4)}@demo.example", name="Bench", team=manager.team)
    person.role_rows.create(role="major_incident_manager")
    incident = crowded(person)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        state = signed_in(browser, base, person)
        for path in [
            "/command/",
            "/desk/",
            "/tickets/",
            "/kpis/",
            f"/major-incidents/{incident.ref}/",
        ]:
            look(browser, base, state, path)
        browser.close()
    person.is_active = False
    person.save(update_fields=["is_active"])


if __name__ == "__main__":
    main()
