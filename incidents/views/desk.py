"""The desk: the queue live, what looks alike, what is promised next."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from incidents import permissions
from incidents.queries import desk as now_at_the_desk
from incidents.queries.tickets import counters
from incidents.views.gate import Request, page


@page("view_desk")
def desk(request: Request) -> HttpResponse:
    return render(request, "incidents/desk/desk.html", _parts(request))


@page("view_desk")
def desk_now(request: Request) -> HttpResponse:
    """The live part of the desk, fetched again whenever a ticket, candidate or incident changes."""
    return render(request, "incidents/desk/_now.html", _parts(request))


def _parts(request: Request) -> dict[str, object]:
    at = timezone.now()
    return {
        "counters": counters(request.user, at=at),
        "queue": now_at_the_desk.queue(),
        "alike": now_at_the_desk.looks_alike(at=at)[:5],
        "incidents": now_at_the_desk.promised_next(),
        "candidates": now_at_the_desk.waiting_candidates(),
        "may_work": permissions.can(request.user, "propose"),
    }
