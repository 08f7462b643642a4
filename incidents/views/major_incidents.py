"""All major incidents, with filters in the address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from incidents.models import Service
from incidents.priority import Severity
from incidents.process import Stage
from incidents.queries.major_incidents import Wanted, page_of
from incidents.views.acting import entered

STATES = [("open", "Open"), *Stage.choices]


@entered
def major_incident_list(request: HttpRequest) -> HttpResponse:
    wanted = Wanted.read(request.GET)
    context = {
        "wanted": wanted,
        "page": page_of(request.user, wanted),  # type: ignore[arg-type]
        "states": STATES,
        "severities": Severity.choices,
        "services": Service.objects.filter(is_active=True).order_by("name"),
    }
    fragment = request.headers.get("HX-Target") == "incident-rows"
    name = "incidents/major_incidents/_fragment.html" if fragment else "incidents/major_incidents/list.html"
    return render(request, name, context)
