"""Filters of the ticket list kept under a name."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import saved_views as acts
from incidents.forms.ticket_jobs import SaveViewForm
from incidents.models import SavedView
from incidents.queries.tickets import TicketFilter
from incidents.views.dialogs import dialog, go, sent
from incidents.views.gate import Request, page


def _address(query: str) -> str:
    return reverse("ticket_list") + (f"?{query}" if query else "")


def query_of(asked: TicketFilter) -> str:
    """The filters alone, in one order, so that the same view has the same address."""
    return urlencode(sorted(asked.given.items()))


@page("view_desk")
def view_new(request: Request) -> HttpResponse:
    """Keeps the filters the list is shown with."""
    query = query_of(TicketFilter.read(request.GET))
    return dialog(
        request,
        SaveViewForm(sent(request)),
        lambda given: acts.save_view(**given, query=query, actor=request.user, at=timezone.now()),
        title="Save this view",
        text="The filters and the order as they are now.",
        submit="Save",
        back=_address(query),
        said="The view is saved.",
    )


@page("view_desk")
@require_POST
def view_remove(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(SavedView, pk=pk)
    acts.remove_view(found.pk, actor=request.user, at=timezone.now())
    return go(request, reverse("ticket_list"), f"The view “{found.name}” is removed.")
