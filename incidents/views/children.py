"""The tickets of a major incident: how they stand, what may belong to it too, what was done with all of them."""

from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from incidents import permissions
from incidents.queries.children import jobs_of, similar_unlinked, standing
from incidents.queries.observations import answers
from incidents.queries.paging import page_of
from incidents.queries.tickets import ORDERS, TicketFilter, filtered_tickets
from incidents.views.acting import load_room
from incidents.views.gate import Request, page
from incidents.views.ticket_list import CHOICES


@page("view_desk")
def children(request: Request, pk: int) -> HttpResponse:
    """Its linked tickets, with filters and acts on all that match."""
    incident = load_room(request, pk).incident
    asked = TicketFilter.read({"status": "all", **request.GET.dict(), "incident": str(incident.pk)})
    rows = filtered_tickets(asked, request.user)
    context = {
        "incident": incident,
        "asked": asked,
        "matching": _as_query(asked),
        "page": page_of(rows, ORDERS[asked.sort], request.GET.get("after", "")),
        "choices": CHOICES,
        "standing": standing(incident),
        "answers": answers(incident),
        "may_work": permissions.can(request.user, "work_ticket"),
    }
    return render(request, "incidents/children/children.html", context)


def _as_query(asked: TicketFilter) -> str:
    query = QueryDict(mutable=True)
    query.update(asked.given)
    return query.urlencode()


@page("view_desk")
def observed(request: Request, pk: int) -> HttpResponse:
    """What requesters answer since it was resolved, for the war room."""
    context = {"answers": answers(load_room(request, pk).incident)}
    return render(request, "incidents/children/_answers.html", context)


@page("view_desk")
def similar(request: Request, pk: int) -> HttpResponse:
    """Open tickets that are not linked and may be the same outage."""
    incident = load_room(request, pk).incident
    context = {
        "incident": incident,
        "rows": list(similar_unlinked(incident, request.user)),
        "standing": standing(incident),
        "may_work": permissions.can(request.user, "work_ticket") and incident.is_open,
    }
    return render(request, "incidents/children/similar.html", context)


@page("view_desk")
def jobs(request: Request, pk: int) -> HttpResponse:
    """What was done with all of its tickets, each with its result."""
    incident = load_room(request, pk).incident
    context = {"incident": incident, "jobs": jobs_of(incident), "standing": standing(incident)}
    return render(request, "incidents/children/jobs.html", context)
