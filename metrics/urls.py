"""Pages of figures."""

from django.urls import URLPattern, path

from metrics.views import assumptions, dashboard, definitions, figure_views, overview, report

urlpatterns: list[URLPattern] = [
    path("kpis/", dashboard.kpi_dashboard, name="kpi_dashboard"),
    path("kpis/more/", dashboard.kpi_more, name="kpi_more"),
    path("kpis/open/", dashboard.kpi_open, name="kpi_open"),
    path("kpis/definitions/", definitions.kpi_definitions, name="kpi_definitions"),
    path("kpis/definitions/<slug:key>/target/", definitions.target_edit, name="target_edit"),
    path("kpis/views/new/", figure_views.figure_view_new, name="figure_view_new"),
    path("kpis/views/<int:pk>/remove/", figure_views.figure_view_remove, name="figure_view_remove"),
    path("kpis/charts/<slug:key>.csv", dashboard.kpi_chart_csv, name="kpi_chart_csv"),
    path("kpis/assumptions/", assumptions.kpi_assumptions, name="kpi_assumptions"),
    path("kpis/reports/", report.monthly_reports, name="monthly_reports"),
    path("kpis/reports/schedule/", report.report_schedule, name="report_schedule"),
    path("kpis/reports/month.pdf", report.report_pdf, name="report_pdf"),
    path("kpis/reports/<int:pk>.pdf", report.sent_report, name="sent_report"),
    path("kpis/<slug:key>/", dashboard.kpi_drill, name="kpi_drill"),
    path("overview/", overview.overview_page, name="overview"),
    path("overview/now/", overview.overview_now, name="overview_now"),
    path("overview/decisions/<int:pk>/", overview.decide, name="overview_decide"),
]
