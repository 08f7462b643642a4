"""The link in an invitation: what it is about, accept or decline in one tap, and for a guest the way in."""

from typing import Any

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from incidents import seat_links
from incidents.actions import guests, seats
from incidents.errors import ProcessError
from incidents.models import GuestPass, Seat
from incidents.process import SeatState

PAGE = "incidents/seats/answer.html"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ANSWERS = ("accept", "decline", "enter")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def seat_answer(request: HttpRequest, token: str) -> HttpResponse:
    """Only a POST answers: programs that look into mails follow links, and must accept nothing."""
    seat = seat_links.read(token)
    if seat is None:
        return _private(render(request, PAGE, {"seat": None}, status=410))
    what, problem = request.POST.get("act", ""), ""
    if request.method == "POST" and what in ANSWERS:
        try:
            _answer(seat, what, request.POST)
            if what != "decline" and hasattr(seat, "guest_pass"):
                return _private(_let_in(request, seat.guest_pass))
        except ProcessError as refusal:
            problem = refusal.message
    fresh = Seat.objects.select_related("user", "incident", "invited_by").get(pk=seat.pk)
    return _private(render(request, PAGE, _context(request, fresh, problem), status=422 if problem else 200))


def _answer(seat: Seat, what: str, given: Any) -> None:
    by: dict[str, Any] = {"actor": seat.user, "at": timezone.now()}
    if hasattr(seat, "guest_pass"):
        guests.name_guest(seat.user, given.get("name", ""))
    if what == "accept":
        seats.accept(seat.pk, **by)
    elif what == "decline":
        seats.decline(seat.pk, reason=given.get("reason", "").strip()[:500], **by)


def _let_in(request: HttpRequest, held: GuestPass) -> HttpResponse:
    """A session for this incident, as long as the pass."""
    at = timezone.now()
    guests.enter(held.pk, at=at)
    user = held.seat.user
    user.backend = BACKEND
    request.session.flush()
    login(request, user)
    request.session[seat_links.SESSION_KEY] = [held.pk, held.nonce]
    request.session.set_expiry(max(int((held.expires_at - at).total_seconds()), 1))
    return redirect("war_room", held.seat.incident_id)


def _context(request: HttpRequest, seat: Seat, problem: str) -> dict[str, Any]:
    held = GuestPass.objects.filter(seat=seat).first()
    wanted = request.GET.get("answer", "")
    reader = request.user
    return {
        "seat": seat,
        "incident": seat.incident,
        "held": held,
        "problem": problem,
        "declines": wanted == "decline",
        "is_open": seat.state == SeatState.INVITED and seat.incident.is_open,
        "is_accepted": seat.state == SeatState.ACCEPTED,
        "asks_name": held is not None and held.entered_at is None,
        "other_reader": reader if reader.is_authenticated and reader.pk != seat.user_id else None,
    }


def _private(response: HttpResponse) -> HttpResponse:
    """The address is a key: no other site and no search engine learns it."""
    # "no-referrer" would make browsers send forms with the origin "null", which the check of forms refuses.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
