"""Search over everything, as a page and as the answers of the palette."""

from urllib.parse import quote

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

from incidents.queries.search import MOST_CHARACTERS, Hit, search
from incidents.views.gate import Request, page

_LOOKS = {
    "major_incident": ("Major incident", "alert-octagon"),
    "ticket": ("Ticket", "ticket"),
    "problem": ("Problem", "bug"),
    "change": ("Change", "git-branch"),
    "candidate": ("Candidate", "speakerphone"),
    "document": ("Document", "book-2"),
    "service": ("Service", "sitemap"),
    "person": ("Person", "user"),
}
_PAGES = {
    "major_incident": "war_room",
    "ticket": "ticket",
    "problem": "problem",
    "change": "change",
    "candidate": "candidate",
    "document": "document",
}
_MOST_IN_THE_PALETTE = 12


def _address(hit: Hit) -> str:
    """The page of a hit; the search page itself for a record without one."""
    try:
        if hit.kind == "service":
            return reverse("service", args=[hit.ref])
        if hit.kind == "person":
            return f"{reverse('people')}?q={quote(hit.ref)}"
        return reverse(_PAGES[hit.kind], args=[hit.pk])
    except NoReverseMatch:
        return f"{reverse('search')}?q={quote(hit.ref)}"


def _shown(hit: Hit) -> dict[str, str]:
    label, icon = _LOOKS[hit.kind]
    ref = "" if hit.kind in ("service", "person") else hit.ref
    return {
        "label": f"{ref} {hit.title}".strip(),
        "note": label,
        "icon": icon,
        "url": _address(hit),
        "state": hit.state,
        "kind": hit.kind,
    }


@page()
def search_page(request: Request) -> HttpResponse:
    asked = request.GET.get("q", "")[:MOST_CHARACTERS]
    hits = [_shown(hit) for hit in search(request.user, asked)]
    return render(request, "incidents/search/search.html", {"asked": asked, "hits": hits})


@page()
def palette(request: Request) -> HttpResponse:
    hits = search(request.user, request.GET.get("q", ""))[:_MOST_IN_THE_PALETTE]
    return JsonResponse({"results": [_shown(hit) for hit in hits]})
