"""Addresses below /api/v1/."""

from django.urls import URLPattern

from incidents.api.urls import at
from metrics import api

urlpatterns: list[URLPattern] = [
    *at("metrics/kpis", api.KpisView.as_view(), "metrics_kpis"),
    *at("metrics/monthly", api.MonthlyView.as_view(), "metrics_monthly"),
    *at("metrics/services", api.ServicesView.as_view(), "metrics_services"),
    *at("metrics/incidents.csv", api.IncidentsCsvView.as_view(), "metrics_incidents_csv"),
    *at("import/incidents", api.ImportView.as_view(), "import_incidents"),
]
