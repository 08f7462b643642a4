"""Knowledge: what past major incidents taught, searched by words and service."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from incidents.queries.knowledge import ORDER, cause_of, published_documents
from incidents.queries.knowledge_search import search_knowledge
from incidents.queries.paging import page_of
from incidents.queries.tickets import services_to_choose
from incidents.queries.words import reference_number
from incidents.views.gate import Request, page


@page("view_knowledge")
def document_list(request: Request) -> HttpResponse:
    asked = {name: request.GET.get(name, "")[:200] for name in ("q", "service")}
    if asked["q"] and reference_number(asked["q"], "MI") is None:
        found = search_knowledge(request.user, asked["q"], service=asked["service"])
        return render(request, "incidents/knowledge/found.html", _around(asked) | {"found": found})
    shown = page_of(published_documents(request.user, **asked), ORDER, request.GET.get("after", ""))
    context = _around(asked) | {
        "page": shown,
        "rows": [(document, cause_of(document)) for document in shown.rows],
    }
    return render(request, "incidents/knowledge/document_list.html", context)


def _around(asked: dict[str, str]) -> dict[str, Any]:
    return {
        "asked": asked,
        "services": [(one.slug, one.name) for one in services_to_choose()],
        "is_narrow": any(asked.values()),
    }
