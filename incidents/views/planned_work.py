"""Planned work on all services: what is under way, what comes, what was. Alerts inside a window are calmed."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.actions import services as acts
from incidents.forms.services import WindowForm
from incidents.queries.planned_work import calendar
from incidents.queries.tickets import services_to_choose
from incidents.views.dialogs import dialog, sent
from incidents.views.gate import Request, page


@page("view_services")
def planned_work(request: Request) -> HttpResponse:
    slug = request.GET.get("service", "")[:120]
    context = {
        "shown": calendar(timezone.now(), slug),
        "asked": slug,
        "services": services_to_choose(),
        "may_configure": permissions.can(request.user, "configure_services"),
    }
    return render(request, "incidents/services/planned_work.html", context)


@page("configure_services")
def window_plan(request: Request) -> HttpResponse:
    """Planned work on any services."""
    return dialog(
        request,
        WindowForm(sent(request)),
        lambda given: acts.save_window(**given, actor=request.user, at=timezone.now()),
        title="Plan a maintenance window",
        text="What is down inside it does not count as downtime, and its alerts are calmed.",
        submit="Plan",
        back=reverse("planned_work"),
    )
