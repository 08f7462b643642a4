"""The ticket list: filters in the address, pages by key, acts on many, export."""

import csv
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import tickets as acts
from incidents.models import Channel, Ticket, TicketKind, TicketStatus
from incidents.priority import Priority
from incidents.queries.export import safe_row
from incidents.queries.paging import page_of
from incidents.queries.tickets import ORDERS, SORT_WORDS, TicketFilter, filtered_tickets, services_to_choose
from incidents.views.dialogs import go, way_back
from incidents.views.gate import Request, page

MOST_EXPORTED = 50_000


@page("view_desk")
def ticket_list(request: Request) -> HttpResponse:
    asked = TicketFilter.read(request.GET)
    shown = page_of(filtered_tickets(asked, request.user), ORDERS[asked.sort], request.GET.get("after", ""))
    context = {
        "asked": asked,
        "page": shown,
        "services": services_to_choose(),
        "choices": _CHOICES,
        "may_work": permissions.can(request.user, "work_ticket", None),
    }
    return render(request, "incidents/ticket_list/ticket_list.html", context)


_CHOICES: dict[str, Any] = {
    "status": [("open", "Open"), ("all", "All"), *TicketStatus.choices],
    "priority": Priority.choices,
    "channel": Channel.choices,
    "kind": TicketKind.choices,
    "sort": list(SORT_WORDS.items()),
}


@page("work_ticket")
@require_POST
def take_tickets(request: Request) -> HttpResponse:
    """The chosen tickets become mine; each is one act, so one that cannot be taken stops there with its reason."""
    chosen = [int(number) for number in request.POST.getlist("tickets") if number.isdigit()][:200]
    for ticket_id in Ticket.objects.filter(pk__in=chosen).order_by("pk").values_list("pk", flat=True):
        acts.assign(ticket_id, assignee=request.user, actor=request.user, at=timezone.now())
    said = f"{len(chosen)} {'ticket is' if len(chosen) == 1 else 'tickets are'} yours now." if chosen else ""
    return go(request, way_back(request, reverse("ticket_list")), said)


_COLUMNS = ("Reference", "Title", "Status", "Priority", "Impact", "Urgency", "Kind", "Channel", "Service", "Assignee",
            "Team", "Requester", "Major incident", "Reported (UTC)", "Resolved (UTC)")  # fmt: skip


@page("view_desk")
def ticket_export(request: Request) -> StreamingHttpResponse:
    """The filtered list as CSV, at most 50,000 rows."""
    asked = TicketFilter.read(request.GET)
    rows = filtered_tickets(asked, request.user).order_by(*ORDERS[asked.sort])[:MOST_EXPORTED]
    response = StreamingHttpResponse(_lines(rows.iterator(chunk_size=1000)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="tickets-{timezone.now():%Y-%m-%d}.csv"'
    return response


class _Line:
    def write(self, text: str) -> str:
        return text


def _lines(tickets: Iterator[Ticket]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(_COLUMNS)
    for one in tickets:
        yield writer.writerow(safe_row(_cells(one)))


def _cells(one: Ticket) -> list[object]:
    return [
        one.ref, one.title, one.get_status_display(), one.priority, one.impact, one.urgency, one.get_kind_display(),
        one.get_channel_display(), one.service or "", one.assignee or "", one.team or "",
        one.requester_email or one.requester or "", f"MI-{one.major_incident_id}" if one.major_incident_id else "",
        f"{one.reported_at:%Y-%m-%d %H:%M:%S}", f"{one.resolved_at:%Y-%m-%d %H:%M:%S}" if one.resolved_at else "",
    ]  # fmt: skip
