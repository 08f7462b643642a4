"""The panel of a ticket that is fetched after its page: what looks like it, and what helped before."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from incidents import permissions
from incidents.models import Ticket
from incidents.queries.look_alike import looks_like
from incidents.views.gate import Request, page


@page("view_desk")
def look_alike(request: Request, pk: int) -> HttpResponse:
    found = permissions.visible_tickets(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404(f"There is no ticket INC-{pk} that you may see.")
    return render(request, "incidents/look_alike/_panel.html", _context(request, found))


def _context(request: Request, ticket: Ticket) -> dict[str, object]:
    return {
        "ticket": ticket,
        "panel": looks_like(ticket, for_user=request.user),
        "may_work": permissions.can(request.user, "work_ticket", ticket),
    }
