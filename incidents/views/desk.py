"""The desk: the queue live, what looks alike, what is promised next."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from incidents import permissions
from incidents.queries import desk as now_at_the_desk
from incidents.queries.saved_views import views_for
from incidents.queries.tickets import TicketFilter, counters
from incidents.views.gate import Request, page
from incidents.views.saved_views import query_of


@page("view_desk")
def desk(request: Request) -> HttpResponse:
    return render(request, "incidents/desk/desk.html", _parts(request))


@page("view_desk")
def desk_now(request: Request) -> HttpResponse:
    """The live part of the desk, fetched again whenever a ticket, candidate or incident changes."""
    return render(request, "incidents/desk/_now.html", _parts(request))


def _parts(request: Request) -> dict[str, object]:
    at, asked = timezone.now(), TicketFilter.read(request.GET)
    matching = query_of(asked)
    return {
        "counters": counters(request.user, at=at),
        "queue": now_at_the_desk.queue(asked, request.user),
        "alike": now_at_the_desk.looks_alike(at=at)[:5],
        "incidents": now_at_the_desk.promised_next(),
        "candidates": now_at_the_desk.waiting_candidates(),
        "asked": asked,
        "matching": matching,
        "views": views_for(request.user, matching),
        "may_work": permissions.can(request.user, "propose"),
    }
