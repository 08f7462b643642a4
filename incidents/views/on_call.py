"""On call: who is reached now, who comes next, and when nobody would be."""

from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import rotas as acts
from incidents.forms.on_call import ShiftForm
from incidents.models import OnCallShift
from incidents.queries.rotas import VIEWS, calendar, duties, notes_for, span_of, with_gaps
from incidents.views.dialogs import dialog, go, way_back
from incidents.views.gate import Request, page

SHIFT_LASTS = timedelta(days=7)


@page("view_desk")
def on_call(request: Request) -> HttpResponse:
    now = timezone.now()
    view = request.GET.get("view", "fortnight")
    view = view if view in VIEWS else "fortnight"
    first = day_in(request.GET.get("from")) or first_day(view, timezone.localtime(now).date())
    since, until = span_of(view, first)
    found = duties(now, since=since, until=until)
    context = {
        "duties": found,
        "gapped": with_gaps(found),
        "calendar": calendar(view, first, found),
        "notes": notes_for([rota for duty in found for rota in duty.rotas], at=now),
        "shifts": _upcoming(now),
        "now": now,
        "views": VIEWS,
        "is_now": since <= now < until,
        "today": timezone.localtime(now).date(),
        "may_keep": permissions.can(request.user, "keep_rota"),
        "may_be_on_call": permissions.can(request.user, "be_on_call"),
    }
    return render(request, "incidents/on_call/on_call.html", context)


def _upcoming(now: datetime) -> list[OnCallShift]:
    rows = OnCallShift.objects.filter(ends_at__gt=now).select_related("person", "team")
    return list(rows.order_by("starts_at", "rank", "id")[:100])


def first_day(view: str, today: date) -> date:
    """Weeks begin on Monday; the fortnight begins today."""
    return today if view == "fortnight" else today - timedelta(days=today.weekday())


def day_in(text: str | None) -> date | None:
    """A date from an address, in years a calendar can show; None for anything else."""
    try:
        found = parse_date((text or "")[:10])
    except ValueError:
        return None
    return found if found and 1971 <= found.year <= 8000 else None


def moment_in(text: str | None) -> datetime | None:
    """An aware moment from an address; None for anything else."""
    try:
        found = parse_datetime((text or "")[:40])
    except ValueError:
        return None
    return found if found and timezone.is_aware(found) and 1971 <= found.year <= 8000 else None


@page("keep_rota")
def shift_new(request: Request) -> HttpResponse:
    """A gap on the page brings its role and its times along."""
    starts = moment_in(request.GET.get("from")) or timezone.now().replace(minute=0, second=0, microsecond=0)
    ends = moment_in(request.GET.get("to")) or starts + SHIFT_LASTS
    team = request.GET.get("team", "")
    initial: dict[str, Any] = {"role": request.GET.get("role", "")[:40], "starts_at": starts, "ends_at": ends}
    initial["team"] = int(team) if team.isascii() and team.isdigit() and len(team) < 16 else None
    return dialog(
        request,
        ShiftForm(request.POST or None, initial=initial),
        lambda given: acts.add_shift(**given, actor=request.user, at=timezone.now()),
        title="New shift",
        text="Once, besides any rota.",
        submit="Add shift",
        back=reverse("on_call"),
    )


@page("keep_rota")
@require_POST
def shift_remove(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(OnCallShift.objects.select_related("person"), pk=pk)
    acts.remove_shift(pk, actor=request.user, at=timezone.now())
    return go(request, way_back(request, reverse("on_call")), f"{found.person} is no longer on call then.")
