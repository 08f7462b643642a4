"""Pictures of every screen of a running installation, so that anybody can look at all of them in a minute.

Each screen is opened as somebody whose work it is, in a real browser, wide, dark and on a phone. Sessions are made in
the database, so no password is needed; they end with the command.
"""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.urls import NoReverseMatch, reverse

from incidents.models import (
    Alert,
    Candidate,
    Change,
    Integration,
    MajorIncident,
    Problem,
    Service,
    Ticket,
    User,
    people_with_role,
)
from incidents.process import OPEN_STAGES, AccountRole
from mim.frame import NAVIGATION
from notifications.models import Webhook, WebhookMessage

A = AccountRole
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
LOOKS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 780}, "color_scheme": "light", "is_mobile": True},
}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
NOBODY = ""


@dataclass(frozen=True)
class Screen:
    """`role` is whose eyes it is seen with; NOBODY is somebody not signed in."""

    name: str
    role: str
    path: str


def screens() -> Iterator[Screen]:
    """Everything in the navigation, and the newest record of each kind; what this installation lacks is left out."""
    yield Screen("sign-in", NOBODY, reverse("account_login"))
    yield Screen("status-page", NOBODY, reverse("status_page"))
    for _, places in NAVIGATION:
        for place in places:
            role = next(one for one in _EYES if one in place.roles)
            yield from _screen(place.name.replace("_", "-"), role, place.name)
    yield from _screen("portal-requester", A.REQUESTER, "portal")
    yield from _screen("overview-management", A.MANAGEMENT, "overview")
    yield from _screen("my-work-engineer", A.TECHNICAL_STAFF, "my_work")
    yield from _screen("my-messages", A.MAJOR_INCIDENT_MANAGER, "message_settings")
    yield from _screen("declare", A.MAJOR_INCIDENT_MANAGER, "declare")
    yield from _screen("messages", A.MAJOR_INCIDENT_MANAGER, "delivery_list")
    yield from _screen("communication-plan", A.MAJOR_INCIDENT_MANAGER, "plan", "sev1")
    yield from _screen("communication-plan-edit", A.MAJOR_INCIDENT_MANAGER, "plan_edit", "sev1")
    yield from _screen("words", A.MAJOR_INCIDENT_MANAGER, "template_list")
    yield from _screen("words-edit", A.MAJOR_INCIDENT_MANAGER, "template", "declared", "users")
    yield from _records()


_EYES = (
    A.MAJOR_INCIDENT_MANAGER,
    A.SERVICE_DESK_TECHNICIAN,
    A.ADMINISTRATOR,
    A.SERVICE_DESK_MANAGER,
    A.MANAGEMENT,
    A.REQUESTER,
)


def _screen(name: str, role: str, url_name: str, *arguments: object) -> Iterator[Screen]:
    try:
        yield Screen(name, role, reverse(url_name, args=arguments))
    except NoReverseMatch:
        return


def _records() -> Iterator[Screen]:
    manager = A.MAJOR_INCIDENT_MANAGER
    newest: list[tuple[str, str, str, Any, str]] = [
        ("ticket", A.SERVICE_DESK_TECHNICIAN, "ticket", Ticket.objects.order_by("-id").first(), "pk"),
        ("candidate", manager, "candidate", Candidate.objects.order_by("-id").first(), "pk"),
        ("problem", A.PROBLEM_MANAGER, "problem", Problem.objects.order_by("-id").first(), "pk"),
        ("change", A.CHANGE_MANAGER, "change", Change.objects.order_by("-id").first(), "pk"),
        ("alert", A.SERVICE_DESK_TECHNICIAN, "alert", Alert.objects.order_by("-id").first(), "pk"),
        ("integration", A.ADMINISTRATOR, "integration", Integration.objects.order_by("-id").first(), "pk"),
        ("webhook", A.ADMINISTRATOR, "webhook", Webhook.objects.filter(is_public=False).last(), "pk"),
        (
            *("webhook-message", A.ADMINISTRATOR, "webhook_message"),
            *(WebhookMessage.objects.filter(webhook__is_public=False).first(), "pk"),
        ),
        ("service", A.ADMINISTRATOR, "service", Service.objects.order_by("tier", "name").first(), "slug"),
    ]
    yield from _screen("channel-slack", A.ADMINISTRATOR, "channel", "slack")
    yield from _screen("channel-account", A.ADMINISTRATOR, "channel_account", "slack")
    yield from _screen("place-new", A.ADMINISTRATOR, "place_new")
    running = MajorIncident.objects.filter(stage__in=OPEN_STAGES).order_by("-last_seq").first()
    past = MajorIncident.objects.filter(stage="closed", merged_into=None).order_by("-last_seq").first()
    newest += [("war-room", manager, "war_room", running, "pk"), ("war-room-closed", manager, "war_room", past, "pk")]
    if running is not None:
        yield from _screen("children", manager, "children", running.pk)
        yield from _screen("update-composer", manager, "update_composer", running.pk)
        yield from _screen("who-was-told", manager, "told_matrix", running.pk)
    newest += [("review", manager, "review", past, "pk"), ("document", manager, "document", past, "pk")]
    for name, role, url_name, record, field in newest:
        if record is not None:
            yield from _screen(name, role, url_name, getattr(record, field))


def take(folder: Path, base: str, *, only: str = "") -> Iterator[tuple[Screen, str, str]]:
    """Writes `<screen>-<look>.png` and an `index.html`; yields screen, look and what the browser complained about.

    `only` takes the screens whose name contains it. Raises ImportError where Playwright is not installed.
    """
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    wanted = [screen for screen in screens() if only in screen.name]
    with _sessions({screen.role for screen in wanted}) as sessions, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for look, options in LOOKS.items():
            for screen in wanted:
                if screen.role and screen.role not in sessions:
                    continue
                context = browser.new_context(base_url=base, **options)
                if screen.role:
                    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": sessions[screen.role], "url": base}
                    context.add_cookies([cookie])  # type: ignore[list-item]
                yield screen, look, _picture(context, screen.path, folder / f"{screen.name}-{look}.png")
                context.close()
        browser.close()
    (folder / "index.html").write_text(_index(wanted))


def _picture(context: Any, path: str, file: Path) -> str:
    """Takes the whole page; returns complaints: errors of scripts and policy, and a page wider than its window."""
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    answer = page.goto(path, wait_until="load")
    if answer is None or answer.status >= 400:
        complaints.append(f"answered {answer.status if answer else 'nothing'}")
    page.wait_for_timeout(700)  # charts and the parts that load by themselves
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        complaints.append("wider than the window")
    page.screenshot(path=file, full_page=True)
    return "; ".join(complaints)


@contextmanager
def _sessions(roles: set[str]) -> Iterator[dict[str, str]]:
    """A session key for somebody of each role that has somebody; the sessions are gone afterwards."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    made = {}
    for role in roles - {NOBODY}:
        person: User | None = people_with_role(role).order_by("id").first()
        if person is None:
            continue
        session = store()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY], session[HASH_SESSION_KEY] = BACKEND, person.get_session_auth_hash()
        session.create()
        made[role] = session
    try:
        yield {role: str(session.session_key) for role, session in made.items()}
    finally:
        for session in made.values():
            session.delete()


def _index(wanted: list[Screen]) -> str:
    rows = []
    for screen in wanted:
        cells = "".join(
            f'<td><a href="{screen.name}-{look}.png"><img src="{screen.name}-{look}.png" width="420" alt=""></a></td>'
            for look in LOOKS
        )
        rows.append(f"<tr><th>{html.escape(screen.name)}<br><small>{html.escape(screen.path)}</small></th>{cells}</tr>")
    heads = "".join(f"<th>{look}</th>" for look in LOOKS)
    return f"<!doctype html><title>Screens</title><table><tr><th></th>{heads}</tr>{''.join(rows)}</table>\n"
