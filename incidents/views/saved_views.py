"""Filters of a list kept under a name."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import saved_views as acts
from incidents.forms.ticket_jobs import SaveViewForm
from incidents.models import SavedView, ViewedList
from incidents.queries.major_incidents import Wanted
from incidents.queries.tickets import TicketFilter
from incidents.views.dialogs import dialog, go, sent, way_back
from incidents.views.gate import Request, page

_ADDRESSES = {ViewedList.TICKETS: "ticket_list", ViewedList.INCIDENTS: "major_incident_list"}


def _address(query: str, screen: str) -> str:
    return reverse(_ADDRESSES[ViewedList(screen)]) + (f"?{query}" if query else "")


def query_of(asked: TicketFilter) -> str:
    """The filters alone, in one order, so that the same view has the same address."""
    return urlencode(sorted(asked.given.items()))


@page("view_desk")
def view_new(request: Request) -> HttpResponse:
    """Keeps the filters the list is shown with."""
    screen = ViewedList.INCIDENTS if request.GET.get("of") == ViewedList.INCIDENTS else ViewedList.TICKETS
    is_of_tickets = screen == ViewedList.TICKETS
    query = query_of(TicketFilter.read(request.GET)) if is_of_tickets else Wanted.read(request.GET).address()
    return dialog(
        request,
        SaveViewForm(sent(request)),
        lambda given: acts.save_view(**given, query=query, screen=screen, actor=request.user, at=timezone.now()),
        title="Save this view",
        text="The filters and the order as they are now.",
        submit="Save",
        back=way_back(request, _address("", screen)) + (f"?{query}" if query else ""),
        said="The view is saved.",
    )


@page("view_desk")
@require_POST
def view_remove(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(SavedView, pk=pk)
    acts.remove_view(found.pk, actor=request.user, at=timezone.now())
    return go(request, way_back(request, _address("", found.screen)), f"The view “{found.name}” is removed.")
