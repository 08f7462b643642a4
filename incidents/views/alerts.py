"""Alerts: the list with its filters in the address, one alert, and what people do with it."""

import csv
from collections.abc import Iterator
from typing import Any

from django.forms import BaseForm
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.actions import alert_work as acts
from incidents.forms.monitoring import AttachAlertForm, ProposeAlertForm, TicketFromAlertForm
from incidents.models import Alert, AlertSeverity, AlertState, Candidate, Integration, MajorIncident, Ticket
from incidents.queries.alert_list import (
    MARKS,
    ORDERS,
    SORT_WORDS,
    AlertFilter,
    alert_page,
    alerts_of,
    counters,
    filtered_alerts,
    open_count,
)
from incidents.queries.export import safe_row
from incidents.queries.integrations import payloads, text_of
from incidents.queries.paging import page_of
from incidents.queries.tickets import services_to_choose
from incidents.templatetags.records import address_of
from incidents.views.dialogs import dialog, sent
from incidents.views.gate import Request, page

MOST_EXPORTED = 50_000
_CHOICES: dict[str, Any] = {
    "status": [("open", "Open"), ("all", "All"), *AlertState.choices],
    "severity": AlertSeverity.choices,
    "mark": list(MARKS.items()),
    "linked": [("yes", "Linked"), ("no", "Nobody has it")],
    "sort": list(SORT_WORDS.items()),
}


@page("view_desk")
def alert_list(request: Request) -> HttpResponse:
    context = _rows(request) | {
        "services": services_to_choose(),
        "sources": list(Integration.objects.only("pk", "name").order_by("name")),
        "choices": _CHOICES,
    }
    return render(request, "incidents/alert_list/alert_list.html", context)


@page("view_desk")
def alerts_now(request: Request) -> HttpResponse:
    """The rows and figures, fetched again whenever an alert changes."""
    return render(request, "incidents/alert_list/_now.html", _rows(request))


def _rows(request: Request) -> dict[str, Any]:
    asked = AlertFilter.read(request.GET)
    shown = page_of(filtered_alerts(asked), ORDERS[asked.sort], request.GET.get("after", ""))
    return {
        "asked": asked,
        "page": shown,
        "counters": counters(),
        "may_configure": permissions.can(request.user, "configure_integrations"),
    }


_COLUMNS = (
    "Number", "Title", "State", "Severity", "Service", "Source", "Key", "Began (UTC)", "Ended (UTC)",
    "Last heard (UTC)", "Reports", "Flapping", "In maintenance", "Ticket", "Candidate", "Major incident",
)  # fmt: skip


@page("view_desk")
def alert_export(request: Request) -> StreamingHttpResponse:
    """The filtered list as CSV, at most 50,000 rows."""
    asked = AlertFilter.read(request.GET)
    rows = filtered_alerts(asked).order_by(*ORDERS[asked.sort])[:MOST_EXPORTED]
    response = StreamingHttpResponse(_lines(rows.iterator(chunk_size=1000)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="alerts-{timezone.now():%Y-%m-%d}.csv"'
    return response


class _Line:
    def write(self, text: str) -> str:
        return text


def _lines(alerts: Iterator[Alert]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(_COLUMNS)
    for one in alerts:
        yield writer.writerow(safe_row(_cells(one)))


def _cells(one: Alert) -> list[object]:
    def clock(at: Any) -> str:
        return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""

    def named(record: Any) -> str:
        return record.ref if record else ""

    return [
        one.pk, one.title, one.get_status_display(), one.get_severity_display(), one.service or "", one.integration,
        one.dedup_key, clock(one.started_at), clock(one.ended_at), clock(one.last_received_at), one.reports,
        "yes" if one.is_flapping else "no", "yes" if one.in_maintenance else "no", named(one.ticket),
        named(one.candidate), named(one.major_incident),
    ]  # fmt: skip


# --- One alert ---------------------------------------------------------------------------------------------
@page("view_desk")
def alert(request: Request, pk: int) -> HttpResponse:
    return render(request, "incidents/alert/alert.html", _shown(request, pk))


@page("view_desk")
def alert_now(request: Request, pk: int) -> HttpResponse:
    """The same without the frame, fetched again whenever an alert changes."""
    return render(request, "incidents/alert/_now.html", _shown(request, pk))


def _shown(request: Request, pk: int) -> dict[str, Any]:
    try:
        shown = alert_page(pk)
    except Alert.DoesNotExist:
        raise Http404(f"There is no alert {pk}.") from None
    return {
        "shown": shown,
        "alert": shown.alert,
        "may_work": permissions.can(request.user, "work_ticket"),
        "may_configure": permissions.can(request.user, "configure_integrations"),
    }


@page("view_desk")
def alert_body(request: Request, pk: int) -> HttpResponse:
    """The latest payload that spoke of the alert, as text; asked for when somebody opens it."""
    found = Alert.objects.filter(pk=pk).values_list("payload", flat=True).first()
    payload = payloads().filter(pk=found).first() if found else None
    context = {"payload": payload, "body": text_of(payload.head) if payload else ""}  # type: ignore[attr-defined]
    return render(request, "incidents/alert/_body.html", context)


def _ticket(request: Request, alert: Alert) -> tuple[BaseForm, Any, dict[str, Any]]:
    form = TicketFromAlertForm(sent(request), initial=acts.suggested(alert))
    return form, acts.open_ticket_from, {"title": "Open a ticket", "submit": "Open ticket"}


def _propose(request: Request, alert: Alert) -> tuple[BaseForm, Any, dict[str, Any]]:
    words = {"title": "Propose as major", "submit": "Propose as major", "text": "The manager on call is told at once."}
    return ProposeAlertForm(sent(request)), acts.propose_alert, words


def _attach(request: Request, alert: Alert) -> tuple[BaseForm, Any, dict[str, Any]]:
    words = {"title": "Attach to a major incident", "submit": "Attach", "text": "Its ticket, if any, becomes a child."}
    return AttachAlertForm(sent(request)), acts.attach_to_incident, words


ACTS = {"ticket": _ticket, "propose": _propose, "attach": _attach}


@page("work_ticket")
def alert_act(request: Request, pk: int, act: str) -> HttpResponse:
    """Open a ticket from it, propose it as major, attach it to a major incident."""
    found = Alert.objects.select_related("service", "integration").filter(pk=pk).first()
    if found is None or act not in ACTS:
        raise Http404(f"There is no alert {pk}, or nothing like this is done with it.")
    form, do, words = ACTS[act](request, found)
    here = reverse("alert", args=[pk])
    return dialog(
        request,
        form,
        lambda given: do(pk, actor=request.user, at=timezone.now(), **given),
        back=lambda made: here if isinstance(made, Alert) else address_of(made),
        **{"text": found.title[:200], **words},
    )


# --- What is linked to a ticket, candidate or incident ------------------------------------------------------
def _panel(request: Request, record: Ticket | Candidate | MajorIncident, nothing: str = "") -> HttpResponse:
    found, total = alerts_of(record)
    may_open = permissions.can(request.user, "view_desk")
    context = {"alerts": found, "total": total, "open": open_count(found), "nothing": nothing, "may_open": may_open}
    return render(request, "incidents/alerts/_panel.html", context)


@page("view_desk")
def ticket_alerts(request: Request, pk: int) -> HttpResponse:
    """Nothing at all when no alert is linked: most tickets come from people."""
    return _panel(request, get_object_or_404(permissions.visible_tickets(request.user), pk=pk))


@page("view_desk")
def candidate_alerts(request: Request, pk: int) -> HttpResponse:
    return _panel(request, get_object_or_404(permissions.visible_candidates(request.user), pk=pk))


@page()
def incident_alerts(request: Request, pk: int) -> HttpResponse:
    """Those of its tickets and candidates as well. For everybody who may open the war room."""
    found = get_object_or_404(permissions.visible_incidents(request.user), pk=pk)
    return _panel(request, found, "No monitoring tool reported anything that is linked to this outage.")
