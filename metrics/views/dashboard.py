"""The KPI dashboard, its charts as CSV, and what is behind each figure."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from incidents import permissions
from incidents.errors import Invalid
from incidents.models import Organisation
from incidents.views.gate import Request, page
from metrics import calendar, charts, dashboard, drill, figure_views, kpis, overview
from metrics.csv_charts import as_csv
from metrics.savings import saved_by_the_process
from metrics.views.question import question


@page("view_figures")
def kpi_dashboard(request: Request) -> HttpResponse:
    now = timezone.now()
    context = question(request)
    asked = context["asked"]
    context["may_import"] = permissions.can(request.user, "import_history")
    context["views"] = figure_views.views_for(request.user, asked.query())
    try:
        scope = dashboard.scope_of(asked, at=now, known=context["known_services"])
    except Invalid as refusal:
        return render(request, "metrics/dashboard.html", context | {"errors": refusal.errors}, status=422)
    figures = kpis.figures(scope, at=now)
    other = dashboard.compared(scope, asked)
    before = kpis.figures(other, at=now) if other else None
    return render(request, "metrics/dashboard.html", context | _figures(figures, asked, before))


def _figures(figures: kpis.Figures, asked: dashboard.Asked, before: kpis.Figures | None) -> dict[str, Any]:
    drawn = {key: maker(figures, asked) for key, maker in charts.MAKERS.items()}
    return {
        "figures": figures,
        "before": before,
        "tiles": dashboard.tiles(figures, asked, before),
        "further": dashboard.further(figures, asked, before),
        "charts": drawn,
        "csv_query": dashboard.export_query(figures.scope, asked),
    }


@page("view_figures")
def kpi_more(request: Request) -> HttpResponse:
    """The part below, fetched when it comes into view: how times are spread, the calendar, what the process saves."""
    now = timezone.now()
    asked = dashboard.read_question(request.GET)
    scope = dashboard.scope_of(asked, at=now)
    days = calendar.days(scope, at=now)
    context = {
        "asked": asked,
        "scope": scope,
        "distribution": charts.chart("distribution", kpis.nothing(scope), asked, at=now),
        "calendar": calendar.as_chart(days),
        "calendar_months": calendar.months(days),
        "month_days": range(1, 32),
        "savings": saved_by_the_process(scope, at=now),
    }
    return render(request, "metrics/dashboard/_more.html", context)


@page("view_figures")
def kpi_open(request: Request) -> HttpResponse:
    """What is open now, fetched again whenever it changes."""
    context = {
        "incidents": overview.open_incidents(request.user, at=timezone.now()),
        "currency": Organisation.current().currency,
    }
    return render(request, "metrics/dashboard/_open.html", context)


@page("view_figures")
def kpi_chart_csv(request: Request, key: str) -> HttpResponse:
    """One chart as CSV, of the same question. A question that cannot be answered is refused in words."""
    if key not in charts.KEYS:
        raise Http404
    now = timezone.now()
    asked = dashboard.read_question(request.GET)
    scope = dashboard.scope_of(asked, at=now)
    figures = kpis.figures(scope, at=now) if key in charts.MAKERS else kpis.nothing(scope)
    answer = HttpResponse(as_csv(charts.chart(key, figures, asked, at=now)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{key}.csv"'
    return answer


@page("view_figures")
def kpi_drill(request: Request, key: str) -> HttpResponse:
    kpi = dashboard.title_of(key)
    if kpi is None:
        raise Http404
    now = timezone.now()
    context = question(request) | {"kpi": kpi}
    try:
        scope = dashboard.scope_of(context["asked"], at=now, known=context["known_services"])
    except Invalid as refusal:
        return render(request, "metrics/behind.html", context | {"errors": refusal.errors}, status=422)
    context |= {"scope": scope, "behind": drill.behind(kpi, scope, at=now)}
    return render(
        request, "metrics/behind.html", context | {"csv_query": dashboard.export_query(scope, context["asked"])}
    )
