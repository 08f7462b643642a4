"""The portal: is it known? If not, report it; and my reports."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents.actions import tickets as acts
from incidents.forms.portal import ReportForm
from incidents.models import Channel, Ticket
from incidents.queries.portal import current_outages, my_reports
from incidents.views.dialogs import attempt, go, sent
from incidents.views.gate import Request, page


@page("use_portal")
def portal(request: Request) -> HttpResponse:
    form = ReportForm(sent(request), request.FILES or None, initial={"impact": "4", "urgency": "3"})
    if request.method == "POST" and attempt(form, lambda given: _report(request, given)):
        made = form.result  # type: ignore[attr-defined]
        return go(request, reverse("ticket", args=[made.pk]), f"Thank you. Your report is {made.ref}.")
    context = {"outages": current_outages(), "reports": my_reports(request.user), "form": form}
    return render(request, "incidents/portal/portal.html", context, status=422 if request.method == "POST" else 200)


@page("use_portal")
def portal_outages(request: Request) -> HttpResponse:
    """Current outages in public words, asked for again every half minute."""
    return render(request, "incidents/portal/_outages.html", {"outages": current_outages()})


@transaction.atomic
def _report(request: Request, given: dict[str, Any]) -> Ticket:
    at, file = timezone.now(), given.pop("file")
    made = acts.open_ticket(**given, channel=Channel.PORTAL, actor=request.user, at=at)
    if file:
        acts.attach(made.pk, file=file, actor=request.user, at=at)
    return made
