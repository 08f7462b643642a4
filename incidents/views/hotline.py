"""The hotline: one form for a call, known outages at the top, who is calling beside it."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.actions import hotline as acts
from incidents.forms.fields import open_incidents
from incidents.forms.hotline import HotlineForm
from incidents.models import MajorIncident, Ticket
from incidents.queries.callers import caller, callers
from incidents.queries.desk import promised_next
from incidents.queries.phone_calls import latest_calls
from incidents.views.dialogs import attempt, go, sent
from incidents.views.gate import Request, page


@page("work_ticket")
def hotline(request: Request) -> HttpResponse:
    attached = _attached(request)
    form = HotlineForm(sent(request), knows_outage=attached is not None)
    by: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    if request.method == "POST" and attempt(form, lambda _: acts.take_call(**form.call(), incident=attached, **by)):
        made: Ticket = form.result  # type: ignore[attr-defined]
        return go(request, f"{reverse('hotline')}?done={made.pk}")
    chosen = str(form["requester"].value() or "")
    context = {
        "form": form,
        "outages": _known(),
        "calls": latest_calls(),
        "caller": caller(int(chosen)) if chosen.isdigit() and len(chosen) < 15 else None,
        "done": _done(request),
    }
    return render(request, "incidents/hotline/hotline.html", context, status=422 if request.method == "POST" else 200)


def _known() -> list[MajorIncident]:
    """What is broken now; what is confirmed as resolved is no longer the reason of a call."""
    return [one for one in promised_next() if one.resolved_at is None]


def _attached(request: Request) -> MajorIncident | None:
    """The outage whose button was pressed."""
    pressed = request.POST.get("incident", "")
    return open_incidents().filter(pk=pressed).first() if pressed.isdigit() and len(pressed) < 15 else None


def _done(request: Request) -> Ticket | None:
    """The call that was just saved, to say so above the next one."""
    number = request.GET.get("done", "")
    if request.method == "POST" or not number.isdigit() or len(number) > 14:
        return None
    mine = permissions.visible_tickets(request.user).filter(pk=number, created_by=request.user)
    return mine.select_related("requester", "candidate", "major_incident").first()


@page("work_ticket")
def hotline_callers(request: Request) -> HttpResponse:
    """People who match what is typed, each with what they have open."""
    found = callers(request.GET.get("caller", "")[:200])
    return render(request, "incidents/hotline/_callers.html", {"callers": found})


@page("work_ticket")
def hotline_caller(request: Request, pk: int) -> HttpResponse:
    found = caller(pk)
    if found is None:
        raise Http404("There is nobody with this number.")
    return render(request, "incidents/hotline/_caller.html", {"caller": found})


@page("work_ticket")
def hotline_outages(request: Request) -> HttpResponse:
    """Known outages, fetched again whenever one changes."""
    return render(request, "incidents/hotline/_outages.html", {"outages": _known()})
