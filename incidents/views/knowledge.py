"""Knowledge: what past major incidents taught, searched by words and service."""

from django.http import HttpResponse
from django.shortcuts import render

from incidents.queries.knowledge import ORDER, cause_of, published_documents
from incidents.queries.paging import page_of
from incidents.queries.tickets import services_to_choose
from incidents.views.gate import Request, page


@page("view_knowledge")
def document_list(request: Request) -> HttpResponse:
    asked = {name: request.GET.get(name, "")[:200] for name in ("q", "service")}
    shown = page_of(published_documents(request.user, **asked), ORDER, request.GET.get("after", ""))
    context = {
        "page": shown,
        "rows": [(document, cause_of(document)) for document in shown.rows],
        "asked": asked,
        "services": [(one.slug, one.name) for one in services_to_choose()],
        "is_narrow": any(asked.values()),
    }
    return render(request, "incidents/knowledge/document_list.html", context)
