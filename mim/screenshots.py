"""Pictures of every screen of a running installation, so that anybody can look at all of them in a minute.

Each screen is opened as somebody whose work it is, in a real browser, wide, dark and on a phone. Sessions are made in
the database, so no password is needed; they end with the command.
"""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from incidents import seat_links
from incidents.models import User
from mim.screens import GUEST, NOBODY, Screen, eyes, open_pass, screens

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
LOOKS: tuple[tuple[dict[str, str], dict[str, Any]], ...] = (
    ({"wide": "light", "dark": "dark"}, {"viewport": {"width": 1440, "height": 900}}),
    ({"phone": "light"}, {"viewport": {"width": 360, "height": 780}, "is_mobile": True}),
)
"""What is seen in one visit, by name and colour scheme, and the window it is seen in."""
QUIET = 700
"""Milliseconds for charts and the parts that load by themselves."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def take(folder: Path, base: str, *, only: str = "") -> Iterator[tuple[Screen, str, str]]:
    """Writes `<screen>-<look>.png` and an `index.html`; yields screen, look and what the browser complained about.

    `only` takes the screens whose name contains one of its words, which commas part. Raises ImportError where
    Playwright is not installed.
    """
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    wanted = [screen for screen in screens() if any(word in screen.name for word in only.split(","))]
    with _sessions({screen.role for screen in wanted}) as sessions, sync_playwright() as playwright:
        wanted = [screen for screen in wanted if screen.role in sessions or screen.role == NOBODY]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for role in dict.fromkeys(screen.role for screen in wanted):
            for looks, options in LOOKS:
                context = browser.new_context(base_url=base, reduced_motion="reduce", **options)
                if role:
                    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": sessions[role], "url": base}
                    context.add_cookies([cookie])  # type: ignore[list-item]
                for screen in wanted:
                    if screen.role == role:
                        for look, complaint in _pictures(context, screen, looks, folder):
                            yield screen, look, complaint
                context.close()
        browser.close()
    (folder / "index.html").write_text(_index(wanted))


def _pictures(context: Any, screen: Screen, looks: dict[str, str], folder: Path) -> Iterator[tuple[str, str]]:
    """One visit, a picture of the whole page in each colour scheme; a document is kept as it is."""
    from playwright.sync_api import TimeoutError  # noqa: A004 - its own, not the built-in

    if screen.is_document:
        got = context.request.get(screen.path)
        (folder / f"{screen.name}.pdf").write_bytes(got.body())
        yield next(iter(looks)), "" if got.ok and got.body().startswith(b"%PDF") else f"answered {got.status}"
        return
    complaints: list[str] = []
    page = context.new_page()
    expected = f"status of {screen.status} " if screen.status >= 400 else "nothing of the kind"
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type == "error" and expected not in said.text else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        answer = page.goto(screen.path, wait_until="load")
    except TimeoutError as slow:  # one page that hangs is a finding; the others are still looked at
        yield next(iter(looks)), str(slow).splitlines()[0]
        return
    if answer is None or answer.status != screen.status:
        complaints.append(f"answered {answer.status if answer else 'nothing'}")
    if screen.dialog:
        page.evaluate("(url) => window.htmx.ajax('GET', url, {target: '#dialog', swap: 'innerHTML'})", screen.dialog)
    page.wait_for_timeout(QUIET)
    for look, scheme in looks.items():
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(100)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            complaints.append("wider than the window")
        # A dialog stands in the window: the whole page would show it lost in the middle of a long one.
        page.screenshot(path=folder / f"{screen.name}-{look}.png", full_page=not screen.dialog)
        yield look, "; ".join(dict.fromkeys(complaints))
        complaints.clear()
    page.close()


@contextmanager
def _sessions(roles: set[str]) -> Iterator[dict[str, str]]:
    """A session key for somebody of each role that has somebody; the sessions are gone afterwards."""
    made = {}
    for role in roles - {NOBODY, GUEST}:
        person = eyes(role)
        if person is not None:
            made[role] = _session(person)
    held = open_pass() if GUEST in roles else None
    if held is not None:
        made[GUEST] = _session(held.seat.user)
        made[GUEST][seat_links.SESSION_KEY] = [held.pk, held.nonce]
        made[GUEST].save()
    try:
        yield {role: str(session.session_key) for role, session in made.items()}
    finally:
        for session in made.values():
            session.delete()


def _session(person: User) -> Any:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY], session[HASH_SESSION_KEY] = BACKEND, person.get_session_auth_hash()
    session.create()
    return session


def _index(wanted: list[Screen]) -> str:
    names = [look for looks, _ in LOOKS for look in looks]
    rows = []
    for screen in wanted:
        pictures = [f"{screen.name}-{look}.png" for look in names]
        cells = "".join(
            f'<td><a href="{one}"><img src="{one}" width="420" loading="lazy" alt=""></a></td>' for one in pictures
        )
        if screen.is_document:
            cells = f'<td colspan="{len(names)}"><a href="{screen.name}.pdf">{screen.name}.pdf</a></td>'
        where = html.escape(screen.dialog or screen.path)
        rows.append(f"<tr><th>{html.escape(screen.name)}<br><small>{where}</small></th>{cells}</tr>")
    heads = "".join(f"<th>{look}</th>" for look in names)
    return f"<!doctype html><title>Screens</title><table><tr><th></th>{heads}</tr>{''.join(rows)}</table>\n"
