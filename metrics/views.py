"""Pages: the KPI dashboard, what is behind each figure, and the overview for management."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.errors import Invalid
from incidents.models import Approval, Organisation, Service
from incidents.priority import Severity
from incidents.views.gate import page
from metrics import charts, dashboard, drill, kpis, overview


def _question(request: HttpRequest) -> dict[str, Any]:
    asked = dashboard.read_question(request.GET)
    return {
        "asked": asked,
        "presets": [(key, label, asked.query(**{"preset": key, "from": "", "to": ""}))
                    for key, label in dashboard.PRESETS],
        "services": Service.objects.order_by("name").values("slug", "name"),
        "severities": Severity.values,
    }  # fmt: skip


@page("view_figures")
def kpi_dashboard(request: HttpRequest) -> HttpResponse:
    context = _question(request)
    asked = context["asked"]
    try:
        scope = dashboard.scope_of(asked, at=timezone.now())
    except Invalid as refusal:
        return render(request, "metrics/dashboard.html", context | {"errors": refusal.errors}, status=422)
    figures = kpis.figures(scope, at=timezone.now())
    return render(request, "metrics/dashboard.html", context | _figures(figures, asked))


def _figures(figures: kpis.Figures, asked: dashboard.Asked) -> dict[str, Any]:
    return {
        "figures": figures,
        "tiles": dashboard.tiles(figures, asked),
        "further": dashboard.further(figures.whole, asked),
        "channels": dashboard.channels(figures.whole),
        "months": [(month, dashboard.month_question(month, figures.scope, asked)) for month in figures.months],
        "chart": charts.monthly(figures, asked),
        "csv_query": dashboard.export_query(figures.scope, asked),
    }


@page("view_figures")
def kpi_drill(request: HttpRequest, key: str) -> HttpResponse:
    kpi = dashboard.title_of(key)
    if kpi is None:
        raise Http404
    context = _question(request) | {"kpi": kpi}
    try:
        scope = dashboard.scope_of(context["asked"], at=timezone.now())
    except Invalid as refusal:
        return render(request, "metrics/behind.html", context | {"errors": refusal.errors}, status=422)
    context |= {"scope": scope, "behind": drill.behind(kpi, scope, at=timezone.now())}
    return render(
        request, "metrics/behind.html", context | {"csv_query": dashboard.export_query(scope, context["asked"])}
    )


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
        asked = dashboard.Asked(dashboard.DEFAULT_PRESET, "", "", "", "")
        context |= {"figures": figures, "tiles": dashboard.tiles(figures, asked)}
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
