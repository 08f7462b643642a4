"""Knowledge: what past major incidents taught."""

from django.http import HttpResponse
from django.shortcuts import render

from incidents.queries.documents import published_documents
from incidents.queries.paging import page_of
from incidents.queries.tickets import services_to_choose
from incidents.views.gate import Request, page


@page("view_knowledge")
def document_list(request: Request) -> HttpResponse:
    asked = {name: request.GET.get(name, "")[:200] for name in ("q", "service")}
    rows = published_documents(**asked)
    context = {
        "page": page_of(rows, ("-published_at", "-id"), request.GET.get("after", "")),
        "asked": asked,
        "services": [(one.slug, one.name) for one in services_to_choose()],
        "is_narrow": any(asked.values()),
    }
    return render(request, "incidents/search/document_list.html", context)
