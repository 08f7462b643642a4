"""The overview for management: what is open in business words, what waits, the last twelve months."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.models import Approval, Organisation
from incidents.views.gate import page
from metrics import dashboard, kpis, overview


@page("view_overview")
def overview_page(request: HttpRequest) -> HttpResponse:
    return render(request, "metrics/overview.html", _overview(request))


@page("view_overview")
def overview_now(request: HttpRequest) -> HttpResponse:
    """The live part, fetched again whenever an incident or a decision changes."""
    return render(request, "metrics/overview/_now.html", _now(request))


def _now(request: HttpRequest) -> dict[str, Any]:
    user = permissions_user(request)
    return {
        "incidents": overview.open_incidents(user, at=timezone.now()),
        "decisions": overview.decisions_waiting(user),
        "currency": Organisation.current().currency,
    }


def _overview(request: HttpRequest) -> dict[str, Any]:
    context = _now(request)
    if permissions.can(permissions_user(request), "view_figures"):
        figures = kpis.figures(overview.last_year(Organisation.current(), at=timezone.now()), at=timezone.now())
        tiles = dashboard.tiles(figures, dashboard.Asked())
        context |= {"figures": figures, "tiles": tiles}
    return context


def permissions_user(request: HttpRequest) -> Any:
    """The signed-in person; the gate has let nobody else in."""
    return request.user


@require_POST
@page()
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or refuse a decision asked of the signed-in person, in one click."""
    get_object_or_404(Approval, pk=pk, approver=permissions_user(request))
    given = request.POST
    overview.decide(
        pk, approve=given.get("verdict") == "approve", comment=given.get("comment", ""),
        chosen=given.get("chosen", ""), actor=permissions_user(request),
    )  # fmt: skip
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Trigger": "live", "HX-Redirect": reverse("overview")})
    return redirect("overview")
