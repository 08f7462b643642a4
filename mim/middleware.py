"""What stands around every request: a database that is away, and the reader's time zone."""

import base64
import hashlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, logout
from django.contrib.auth.models import AnonymousUser
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError, connections
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from incidents import seat_links
from incidents.actions import guests

RETRY_SECONDS = 5
MACHINE_PATHS = ("/api/", "/in/", "/v2/")
HEALTH_PATHS = ("/healthz", "/readyz")
OPEN_TO_ALL = ("/accounts/", "/seats/", "/static/", "/status/")
SECONDS_AFTER_THE_END = 60
ENDED = "ended"  # in the place of a guest's link: the page that says that it does not work any more
_GetResponse = Callable[[HttpRequest], HttpResponse]
_log = logging.getLogger("mim.database")

# SQLSTATE of a server that goes down, comes up, or takes nobody more; class 08 is the connection itself.
_AWAY_STATES = {"57P01", "57P02", "57P03", "53300"}


def is_database_away(error: BaseException | None) -> bool:
    """True when this error, or one it came from, says that the database cannot be reached.

    A deadlock, a lock time-out or a wrong statement is not an outage, though it has the same class.
    """
    for link in _chain(error):
        if isinstance(link, OperationalError | InterfaceError):
            state = getattr(link.__cause__, "pgcode", None)
            if state is None or state.startswith("08") or state in _AWAY_STATES:
                return True
    return False


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


class DatabaseAway:
    """Answers 503 with `Retry-After` while the database is away, and lets the next request recover.

    Views raise into `process_exception`. What fails in an inner middleware (loading or saving a
    session) never gets there: Django turns it into a 500 on the way out, and says so by a signal.
    """

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response
        got_request_exception.connect(_notice, dispatch_uid="mim.middleware.DatabaseAway")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            response = self.get_response(request)
        except Exception as error:  # the error page needed the database too
            if not is_database_away(error):
                raise
            request.database_was_away = True  # type: ignore[attr-defined]
        if getattr(request, "database_was_away", False):
            connections.close_all()
            return away_response(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Keeps the outage out of the 500 page and the error log."""
        if not is_database_away(error):
            return None
        request.database_was_away = True  # type: ignore[attr-defined]
        _log.warning("database away", extra={"path": request.path, "reason": str(error).strip().split("\n")[0]})
        return HttpResponse(status=503)


def _notice(sender: Any, request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None and is_database_away(sys.exc_info()[1]):
        request.database_was_away = True  # type: ignore[attr-defined]


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;display:grid;place-items:center;min-height:100vh;"
    "background:#f6f8fb;color:#182433}main{max-width:34rem;padding:2rem}h1{font-size:1.5rem;margin:0 0 .5rem}"
    "@media(prefers-color-scheme:dark){body{background:#151f2c;color:#dce1e7}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<title>The database is away</title><style>{style}</style></head>
<body><main role="alert"><h1>The database is away</h1>
<p>This page cannot be shown, because the database does not answer at the moment. Nothing that was
confirmed before is lost.</p><p>{advice}</p></main></body></html>
"""


def away_response(request: HttpRequest) -> HttpResponse:
    """503 in the caller's language: a problem document for machines, a page that explains itself for people."""
    if request.path.startswith(MACHINE_PATHS):
        content = {
            "type": "database_away",
            "title": "The database is away",
            "status": 503,
            "detail": f"Nothing of this request was stored. Send it again in {RETRY_SECONDS} seconds.",
            "instance": request.path,
        }
        response = HttpResponse(json.dumps(content), status=503, content_type="application/problem+json")
    else:
        response = HttpResponse(_page(request), status=503)
        response["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
        )
        response["X-Content-Type-Options"] = "nosniff"
    response["Retry-After"] = str(RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest) -> str:
    if request.method in ("GET", "HEAD"):
        advice = f"It tries again by itself every {RETRY_SECONDS} seconds; you need not do anything."
        return _PAGE.format(
            style=_STYLE, advice=advice, refresh=f'<meta http-equiv="refresh" content="{RETRY_SECONDS}">'
        )
    advice = (
        f"What you just sent to {escape(request.path)} was not stored. Go back, your input is still there, "
        f"and send it again in {RETRY_SECONDS} seconds."
    )
    return _PAGE.format(style=_STYLE, advice=advice, refresh="")


class AccessEnded:
    """Signs out whoever is signed in after their access has ended, on every page alike, and says why.

    The API answers such a session itself, with 401.
    """

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asks_itself = request.path in HEALTH_PATHS or request.path.startswith(MACHINE_PATHS)
        if not asks_itself and settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            ends_at = request.user.access_expires_at
            if ends_at is not None and ends_at <= timezone.now():
                logout(request)
                messages.error(request, "Your access has ended. Ask whoever invited you.")
        return self.get_response(request)


class GuestDoor:
    """Keeps who came in by a guest's link to the one incident it is for, asks with every request whether the link
    still opens, and notes what was on the screen.

    Everything not named here is closed to them: what is new needs no thought to stay so.
    """

    FRAME = ("home", "live_ticket", "theme_switch", "account_logout", "seat_answer", "status_page", "status_file")
    ABOUT_IT = ("problem", "change")  # shown to those with a seat on an incident of theirs

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in HEALTH_PATHS or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        entry = request.session.get(seat_links.SESSION_KEY)
        if entry is None:
            return self.get_response(request)
        if isinstance(entry, dict):
            return self._after_the_end(request, entry)
        held = seat_links.pass_of(entry)
        if held is None or request.user.pk != held.seat.user_id:
            return self._ended(request)
        request.user.only_incident = held.seat.incident_id
        request.only_incident = held.seat.incident_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        if request.method == "GET" and response.status_code == 200 and not request.path.startswith(MACHINE_PATHS):
            match = request.resolver_match
            if match is not None and match.url_name not in self.FRAME:
                is_page = "HX-Request" not in request.headers
                guests.note_view(held, request.path, is_page=is_page, at=timezone.now())
        return response

    def _ended(self, request: HttpRequest) -> HttpResponse:
        """Out, wherever the page was. The session stays for a moment, empty: the other parts that the page fetches in
        the same instant bear it, and are to lead to the page that says why as well, not to the one that signs in."""
        for name in (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY):
            request.session.pop(name, None)
        request.user = AnonymousUser()
        request.session[seat_links.SESSION_KEY] = {ENDED: time.time()}
        return self._said(request)

    def _after_the_end(self, request: HttpRequest, entry: dict[str, float]) -> HttpResponse:
        if request.user.is_authenticated or time.time() - entry.get(ENDED, 0) > SECONDS_AFTER_THE_END:
            del request.session[seat_links.SESSION_KEY]
            return self.get_response(request)
        return self._said(request)

    def _said(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith((*MACHINE_PATHS, *OPEN_TO_ALL)):
            return self.get_response(request)
        said = reverse("seat_answer", args=[ENDED])
        if "HX-Request" in request.headers:
            return HttpResponse(status=204, headers={"HX-Redirect": said})
        return HttpResponseRedirect(said)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> HttpResponse | None:
        # Not asked of the person: that would read the database for every request, the health page's too.
        only: int | None = getattr(request, "only_incident", None)
        match = request.resolver_match
        if only is None or match is None or match.url_name in self.FRAME:
            return None
        is_machine = request.path.startswith(MACHINE_PATHS)
        if not is_machine and (match.url_name in self.ABOUT_IT or _names_incident(match.route, kwargs, only)):
            return None
        raise Http404("This link opens one incident only.")


def _names_incident(route: str, kwargs: dict[str, Any], incident: int) -> bool:
    """Whether the address is one of the incident's own."""
    return next((kwargs.get(name) == incident for name in ("pk", "ref") if f"<incident:{name}>" in route), False)


class ReaderZone:
    """Shows times in the reader's own zone, else the organisation's, else UTC.

    Asks nothing for requests of machines, which get UTC, nor for requests without a session.
    """

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = reader_zone(request)
        if zone is None:
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)


def reader_zone(request: HttpRequest) -> ZoneInfo | None:
    """The zone to show times in; None means UTC."""
    if request.path in HEALTH_PATHS or request.path.startswith(MACHINE_PATHS):
        return None
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return None
    name = getattr(request.user, "time_zone", "") or _organisation_zone()
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _organisation_zone() -> str:
    from incidents.models import Organisation

    return Organisation.objects.filter(pk=1).values_list("time_zone", flat=True).first() or ""
