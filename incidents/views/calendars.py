"""Calendars out and in: secret addresses for calendar programs, and shifts from a calendar file."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from incidents import calendars
from incidents.actions import feeds, rota_import
from incidents.errors import Invalid
from incidents.forms.on_call import CalendarFileForm
from incidents.models import CalendarFeed, Organisation, Rota, RotaLayer, Team
from incidents.queries.rotas import Held, shifts_of, shifts_of_rota, uid_of
from incidents.views.dialogs import FRAGMENT, PAGE, attempt, go, way_back
from incidents.views.gate import Request, page

BACK, AHEAD = timedelta(days=30), timedelta(days=180)
ISSUED = "incidents/on_call/_feed.html"
ENTRIES_SHOWN = 400


@require_safe
@never_cache
def calendar_feed(request: HttpRequest, secret: str) -> HttpResponse:
    """The calendar behind a secret address; 404 for one that is unknown, revoked, or whose owner has left."""
    now = timezone.now()
    feed = feeds.open_feed(secret, at=now)
    if feed is None:
        raise Http404
    rota, host = feed.rota, urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    since, until = now - BACK, now + AHEAD
    held = shifts_of_rota(rota, since, until) if rota else shifts_of(feed.owner, since, until)
    title = f"On call: {rota.name if rota else feed.owner.display_name}"
    zone = rota.time_zone if rota else feed.owner.time_zone or Organisation.current().time_zone
    written = calendars.written(title, [_shift(one, host, own=rota is None) for one in held], zone=zone, at=now)
    response = HttpResponse(written, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="on-call.ics"'
    response["Referrer-Policy"] = "no-referrer"
    return response


def _shift(held: Held, host: str, *, own: bool) -> calendars.Shift:
    duty = held.layer.rota.duty if held.layer else held.shift.duty if held.shift else ""
    who = "" if own else f"{held.person.display_name}, "
    return calendars.Shift(
        uid=uid_of(held, host),
        starts_at=held.starts_at,
        ends_at=held.ends_at,
        summary=f"On call: {who}{duty}",
        name=held.person.display_name,
        email=held.person.email,
        text=f"{held.by}, {'stands in' if held.cover else f'rank {held.rank}'}",
    )


@page("view_desk")
@require_POST
def feed_new(request: Request) -> HttpResponse:
    """Makes a secret address, of `rota` or of one's own shifts. It is in this one answer and nowhere else."""
    number = request.POST.get("rota", "")
    rota = get_object_or_404(Rota, pk=number) if number.isascii() and number.isdigit() and len(number) < 16 else None
    _, secret = feeds.make_feed(rota=rota, actor=request.user, at=timezone.now())
    address = f"{settings.PUBLIC_URL}{reverse('calendar_feed', args=[secret])}"
    context = {"title": "Your calendar address", "address": address, "rota": rota, "fragment": ISSUED}
    response = render(request, ISSUED if getattr(request, "htmx", False) else PAGE, context)
    response["Cache-Control"] = "no-store"
    return response


@page("view_desk")
@require_POST
def feed_revoke(request: Request, pk: int) -> HttpResponse:
    """The address answers nobody any more."""
    feeds.revoke_feed(get_object_or_404(CalendarFeed, pk=pk).pk, actor=request.user, at=timezone.now())
    return go(request, way_back(request, reverse("my_shifts")), "The calendar address no longer works.")


# --- In ---------------------------------------------------------------------------------------
@page("keep_rota")
def calendar_import(request: Request) -> HttpResponse:
    """First the file and what it becomes, then every entry with what will be made, then it is done."""
    if request.method == "POST" and "text" in request.POST:
        return _carry_out(request)
    form = CalendarFileForm(request.POST or None, request.FILES or None, initial={"rank": 1})
    if request.method == "POST" and attempt(form, lambda given: _plan(request, given)):
        return render(request, "incidents/on_call/import.html", form.result)  # type: ignore[attr-defined]
    context = {"form": form, "title": "Import a calendar", "submit": "Look at it", "fragment": FRAGMENT}
    context |= {"action": request.get_full_path(), "text": "You see what will be made before anything is."}
    return render(request, PAGE, context, status=422 if request.method == "POST" else 200)


def _plan(request: Request, given: dict[str, Any]) -> dict[str, Any]:
    if given["file"].size > rota_import.LARGEST:
        raise Invalid(file="At most 1 MiB. Export a shorter time.")
    try:
        text = given["file"].read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(file="This is no text in UTF-8. Export it again as iCalendar (.ics).") from None
    target = _target(given["target"], given["rank"])
    planned = rota_import.plan(text, target, actor=request.user, at=timezone.now())
    return _shown(planned, text, given["target"], given["rank"])


def _shown(planned: list[rota_import.Planned], text: str, target: str, rank: int) -> dict[str, Any]:
    counts = {
        state: sum(one.state == state for one in planned)
        for state in (rota_import.NEW, rota_import.CHANGED, rota_import.REMOVED)
    }
    return {
        "planned": planned[:ENTRIES_SHOWN],
        "more": max(len(planned) - ENTRIES_SHOWN, 0),
        "counts": counts,
        "does": sum(counts.values()),
        "wrong": sum(one.state == rota_import.WRONG for one in planned),
        "text": text,
        "target": target,
        "rank": rank,
    }


def _target(word: str, rank: int) -> rota_import.Target:
    kind, _, key = word.partition("-")
    if kind == "layer":
        return rota_import.Target(layer=get_object_or_404(RotaLayer.objects.select_related("rota"), pk=key))
    if kind == "team":
        return rota_import.Target(team=get_object_or_404(Team, pk=key), rank=rank)
    return rota_import.Target(role=key, rank=rank)


def _carry_out(request: Request) -> HttpResponse:
    form = CalendarFileForm({"target": request.POST.get("target", ""), "rank": request.POST.get("rank", "")})
    form.fields.pop("file")
    if not form.is_valid():
        raise Http404("Begin the import again.")
    target = _target(form.cleaned_data["target"], form.cleaned_data["rank"])
    done = rota_import.carry_out(request.POST["text"], target, actor=request.user, at=timezone.now())
    made = sum(one.state in (rota_import.NEW, rota_import.CHANGED, rota_import.REMOVED) for one in done)
    return go(request, reverse("on_call"), f"{made} of {len(done)} entries changed who is on call.")
