"""Every address of the product. Rooms bring their own lists; URL names are the only coupling between them."""

from django.urls import include, path, re_path

from incidents.api.errors import unknown_address
from mim import first_administrator, health, live_views, pages, prometheus
from mim.stream_api import IncidentStream

handler400 = pages.bad_request
handler403 = pages.permission_denied
handler404 = pages.not_found
handler500 = pages.server_error


urlpatterns = [
    # The ways in come first: nothing is asked as often in a storm. The particular ones before `/in/{kind}/{key}`.
    path("", include("incidents.intake.monitoring.dialect_urls")),
    path("", include("incidents.intake.voice.urls")),
    path("", include("notifications.in_urls")),
    path("", include("incidents.intake.monitoring.urls")),
    path("", pages.home, name="home"),
    path("theme/", pages.theme_switch, name="theme_switch"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", prometheus.metrics, name="prometheus"),
    path("live-ticket/", live_views.ticket, name="live_ticket"),
    path("first-administrator/<str:token>/", first_administrator.first_administrator, name="first_administrator"),
    path("api/v1/health", health.alive),
    path("api/v1/ready", health.ready),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("incidents.api.urls")),
    path("api/v1/major-incidents/<incident:ref>/stream", IncidentStream.as_view(), name="api_stream"),
    path("api/v1/major-incidents/<incident:ref>/stream/", IncidentStream.as_view()),
    path("api/v1/", include("notifications.api_urls")),
    path("api/v1/", include("metrics.api_urls")),
    re_path(r"^api/", unknown_address),
    path("", include("incidents.urls")),
    path("", include("notifications.urls")),
    path("", include("metrics.urls")),
]
