"""My reports: the list, one of them as its requester reads it, and the answer to “does it work?”."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from incidents import answer_links, permissions
from incidents.actions import tickets as acts
from incidents.forms.portal import StillBrokenForm
from incidents.models import Ticket
from incidents.queries.portal import SHOW_WORDS, my_reports
from incidents.views.dialogs import attempt, go
from incidents.views.gate import Request, page
from incidents.views.ticket import find_ticket, show_ticket


@page("use_portal")
def report_list(request: Request) -> HttpResponse:
    show = request.GET.get("show", "open")
    show = show if show in SHOW_WORDS else "open"
    found = my_reports(request.user, show=show, cursor=request.GET.get("after", ""))
    context = {"page": found, "show": show, "choices": SHOW_WORDS.items()}
    return render(request, "incidents/portal/reports.html", context)


@page()
@require_POST
def ticket_answer(request: Request, pk: int) -> HttpResponse:
    """“It works” closes the report, “still broken” brings it back; both in one click."""
    ticket = find_ticket(request.user, pk)
    form = StillBrokenForm(request.POST)
    works = request.POST.get("works") == "yes"
    by: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    if attempt(form, lambda given: acts.answer_whether_it_works(ticket.pk, works=works, **given, **by)):
        said = "Thank you. Your report is closed." if works else "Thank you. It is back with us."
        return go(request, reverse("ticket", args=[pk]), said)
    return show_ticket(request, pk, form=form, status=422)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the mail, for whoever holds it. Looking at it changes nothing: mail programs look, too."""
    question = answer_links.read(token)
    ticket = Ticket.objects.filter(pk=question.ticket_id).select_related("requester").first() if question else None
    if question is None or ticket is None:
        return _answered(request, "expired", None, 410)
    if not answer_links.is_still_asked(question, ticket):
        return _answered(request, "answered", ticket, 200 if request.method != "POST" else 409)
    works = request.POST.get("works", request.GET.get("works", "")) == "yes"
    form = StillBrokenForm(request.POST if request.method == "POST" else None)
    person = ticket.requester
    actor = person if person and permissions.can(person, "reopen_ticket", ticket) else None
    if request.method == "POST" and attempt(
        form,
        lambda given: acts.answer_whether_it_works(
            ticket.pk, works=works, **given, actor=actor, by_requester=True, at=timezone.now()
        ),
    ):
        return _answered(request, "thanks", cast(Ticket, form.result), 200)  # type: ignore[attr-defined]
    context = {"ticket": ticket, "form": form, "works": works}
    return _private(
        render(request, "incidents/portal/answer.html", context, status=422 if request.method == "POST" else 200)
    )


def _answered(request: HttpRequest, what: str, ticket: Ticket | None, status: int) -> HttpResponse:
    context = {"what": what, "ticket": ticket}
    return _private(render(request, "incidents/portal/answered.html", context, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    """The address is a key: no other site learns it."""
    # "no-referrer" would make browsers send forms with the origin "null", which the check of forms refuses.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    return response
