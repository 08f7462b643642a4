"""Pages of figures."""

from django.urls import URLPattern, path

from metrics import views

urlpatterns: list[URLPattern] = [
    path("kpis/", views.kpi_dashboard, name="kpi_dashboard"),
    path("kpis/<slug:key>/", views.kpi_drill, name="kpi_drill"),
    path("overview/", views.overview_page, name="overview"),
    path("overview/now/", views.overview_now, name="overview_now"),
    path("overview/decisions/<int:pk>/", views.decide, name="overview_decide"),
]
