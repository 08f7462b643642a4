"""Pages of figures."""

from django.urls import URLPattern, path

from metrics.views import assumptions, dashboard, definitions, exports, figure_views, imports, overview, report

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
    path("kpis/import/", imports.history_imports, name="history_imports"),
    path("kpis/import/<int:pk>/", imports.history_import, name="history_import"),
    path("kpis/import/<int:pk>/state/", imports.history_import_state, name="history_import_state"),
    path("kpis/import/<int:pk>/<slug:act>/", imports.history_import_do, name="history_import_do"),
    path("kpis/export/", exports.full_export, name="full_export"),
    path("kpis/<slug:key>/", dashboard.kpi_drill, name="kpi_drill"),
    path("overview/", overview.overview_page, name="overview"),
    path("overview/now/", overview.overview_now, name="overview_now"),
    path("overview/decisions/<int:pk>/", overview.decide, name="overview_decide"),
]
