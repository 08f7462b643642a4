"""Everything the cost figures assume, on one page, each with the place where it is changed."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from incidents import permissions
from incidents.models import Organisation, Service
from incidents.queries.sla import current_rules
from incidents.service_hours import written_day
from incidents.views.gate import Request, page

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _week(service: Service) -> str:
    """Service hours in one line; equal days are named together."""
    hours = current_rules().hours_for(service.pk)
    if hours.is_always:
        return "around the clock"
    parts: list[tuple[str, str, str]] = []
    for day, spans in zip(_DAYS, hours.week, strict=True):
        words = written_day(spans) or "closed"
        if parts and parts[-1][2] == words:
            parts[-1] = (parts[-1][0], day, words)
        else:
            parts.append((day, day, words))
    said = [f"{first if first == last else f'{first}–{last}'} {words}" for first, last, words in parts]
    return ", ".join(one for one in said if not one.endswith("closed")) or "never"


@page("view_figures")
def kpi_assumptions(request: Request) -> HttpResponse:
    organisation = Organisation.current()
    services = list(Service.objects.filter(is_active=True))
    rows = [
        {
            "service": one,
            "off_hour": one.cost_per_hour * one.off_hours_percent / 100,
            "hours": _week(one),
            "is_open": current_rules().hours_for(one.pk).is_open(timezone.now()),
        }
        for one in services
    ]
    context = {
        "rows": rows,
        "organisation": organisation,
        "without_cost": [one.name for one in services if not one.cost_per_hour],
        "may_edit_services": permissions.can(request.user, "configure_services"),
        "may_edit_organisation": permissions.can(request.user, "configure"),
    }
    return render(request, "metrics/assumptions.html", context)
