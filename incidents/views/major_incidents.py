"""All major incidents, with filters in the address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from incidents import permissions
from incidents.models import Service, ViewedList
from incidents.priority import Severity
from incidents.process import Stage
from incidents.queries.major_incidents import Wanted, page_of
from incidents.queries.saved_views import views_for
from incidents.views.acting import entered

STATES = [("open", "Open"), *Stage.choices]


@entered
def major_incident_list(request: HttpRequest) -> HttpResponse:
    wanted = Wanted.read(request.GET)
    fragment = request.headers.get("HX-Target") == "incident-rows"
    may_keep_views = not fragment and permissions.can(request.user, "view_desk")  # type: ignore[arg-type]
    context = {
        "wanted": wanted,
        "views": views_for(request.user, wanted.address(), ViewedList.INCIDENTS) if may_keep_views else [],  # type: ignore[arg-type]
        "may_keep_views": may_keep_views,
        "matching": wanted.address(),
        "page": page_of(request.user, wanted),  # type: ignore[arg-type]
        "states": STATES,
        "severities": Severity.choices,
        "services": Service.objects.filter(is_active=True).order_by("name"),
    }
    name = "incidents/major_incidents/_fragment.html" if fragment else "incidents/major_incidents/list.html"
    return render(request, name, context)
