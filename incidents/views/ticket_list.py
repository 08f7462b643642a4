"""The ticket list: filters in the address, pages by key, acts on many, export."""

import csv
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from incidents import permissions
from incidents.models import Channel, Ticket, TicketKind, TicketStatus
from incidents.priority import Priority
from incidents.queries.export import safe_row
from incidents.queries.paging import page_of
from incidents.queries.saved_views import views_for
from incidents.queries.tickets import (
    INCIDENT_WORDS,
    NEW_AT_MOST,
    ORDERS,
    SLA_WORDS,
    SORT_WORDS,
    TicketFilter,
    arrived_since,
    filtered_tickets,
    services_to_choose,
    teams_to_choose,
)
from incidents.views.gate import Request, page
from incidents.views.saved_views import query_of

MOST_EXPORTED = 50_000


@page("view_desk")
def ticket_list(request: Request) -> HttpResponse:
    asked = TicketFilter.read(request.GET)
    shown = page_of(filtered_tickets(asked, request.user), ORDERS[asked.sort], request.GET.get("after", ""))
    query = query_of(asked)
    context = {
        "asked": asked,
        "page": shown,
        "matching": query,
        "services": services_to_choose(),
        "teams": teams_to_choose(),
        "views": views_for(request.user, query),
        "choices": CHOICES,
        "since": timezone.now(),
        "may_work": permissions.can(request.user, "work_ticket", None),
    }
    return render(request, "incidents/ticket_list/ticket_list.html", context)


@page("view_desk")
def tickets_arrived(request: Request) -> HttpResponse:
    """How many have arrived since the list was opened; the list itself stays as it is."""
    asked = TicketFilter.read(request.GET)
    since = parse_datetime(request.GET.get("since", "").replace(" ", "+")[:40])
    count = arrived_since(asked, request.user, since) if since and timezone.is_aware(since) else 0
    context = {
        "count": count,
        "most": NEW_AT_MOST,
        "since": since,
        "matching": query_of(asked),
    }
    return render(request, "incidents/ticket_list/_arrived.html", context)


CHOICES: dict[str, Any] = {
    "status": [("open", "Open"), ("all", "All"), *TicketStatus.choices],
    "priority": Priority.choices,
    "channel": Channel.choices,
    "kind": TicketKind.choices,
    "sort": list(SORT_WORDS.items()),
    "sla": list(SLA_WORDS.items()),
    "incident": list(INCIDENT_WORDS.items()),
    "tier": [(str(tier), f"Tier {tier}") for tier in range(1, 4)],
}


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
