"""Paging: the one-tap answer from a message, and who was paged, as slots of other pages."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from incidents.permissions import is_staff, visible_candidates, visible_incidents
from notifications import page_answers, page_links
from notifications.models import CallState, Page, PageState
from notifications.page_queries import pages_of
from notifications.views.door import reader, signed_in

ANSWER = "notifications/pages/answer.html"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page_answer(request: HttpRequest, secret: str) -> HttpResponse:
    """What the link in a page's message opens: what it is about, and a button that answers as the person paged.

    Only a POST answers: programs that look into mails follow links, and must not acknowledge anything.
    """
    call = page_links.call_of(secret)
    if call is None:
        return _private(render(request, ANSWER, {"call": None}, status=404))
    problem = ""
    if request.method == "POST":
        problem = page_answers.act(call, request.POST.get("act", "acknowledge"), at=timezone.now())
        call = page_links.call_of(secret) or call
    context: dict[str, Any] = {
        "call": call,
        "page": call.page,
        "problem": problem,
        "is_open": call.page.state == PageState.PAGING and call.state in (CallState.CALLED, CallState.KNOWS),
        "record_url": page_links.record_path(call.page),
    }
    return _private(render(request, ANSWER, context, status=422 if problem else 200))


def _private(response: HttpResponse) -> HttpResponse:
    """The address is a secret: it goes into no referrer and no search engine."""
    # "no-referrer" would make browsers send forms with the origin "null", which the check of forms refuses.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@require_GET
@signed_in
def candidate_paged(request: HttpRequest, ref: int) -> HttpResponse:
    """Whom a candidate waits for and who was paged. `?brief=1` is the one line of the board."""
    candidate = get_object_or_404(visible_candidates(reader(request)), pk=ref)
    return _paged(request, pages_of(candidate, reader(request)), candidate)


@require_GET
@signed_in
def incident_paged(request: HttpRequest, ref: int) -> HttpResponse:
    """Who was paged to command an incident; nothing for people from outside."""
    incident = get_object_or_404(visible_incidents(reader(request)), pk=ref)
    if not is_staff(reader(request)):  # seated from outside: the slot stays empty
        return HttpResponse("")
    return _paged(request, pages_of(incident, reader(request)), incident)


def _paged(request: HttpRequest, pages: list[Any], record: Any) -> HttpResponse:
    name = "_brief" if request.GET.get("brief") == "1" else "_paged"
    return render(request, f"notifications/pages/{name}.html", {"pages": pages, "record": record})


@require_POST
@signed_in
def page_do(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """acknowledge or pass, inside the product, by somebody who was paged."""
    page = get_object_or_404(Page.objects.filter(calls__person=reader(request)).distinct(), pk=pk)
    if act not in ("acknowledge", "pass"):
        raise Http404
    call = page.calls.select_related("person", "page").filter(person=reader(request)).order_by("-id")[0]
    if problem := page_answers.act(call, act, at=timezone.now()):
        return render(request, "incidents/desk_kit/refused.html", _refused(page, problem), status=422)
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Trigger": "acted"})
    return redirect(page_links.record_path(page))


def _refused(page: Page, problem: str) -> dict[str, str]:
    return {"title": "This page was not answered", "sentence": problem, "back": page_links.record_path(page)}
