"""Every address of the product. Rooms bring their own lists; URL names are the only coupling between them."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path

from incidents.api.errors import unknown_address
from mim import first_administrator, health, live_views, pages

handler400 = pages.bad_request
handler403 = pages.permission_denied
handler404 = pages.not_found
handler500 = pages.server_error

# The back room is entered by the one sign-in page, with its limits and its second step.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", pages.home, name="home"),
    path("theme/", pages.theme_switch, name="theme_switch"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("live-ticket/", live_views.ticket, name="live_ticket"),
    path("first-administrator/<str:token>/", first_administrator.first_administrator, name="first_administrator"),
    path("api/v1/health", health.alive),
    path("api/v1/ready", health.ready),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("incidents.api.urls")),
    path("api/v1/", include("notifications.api_urls")),
    path("api/v1/", include("metrics.api_urls")),
    re_path(r"^api/", unknown_address),
    path("", include("incidents.urls")),
    path("", include("notifications.urls")),
    path("", include("metrics.urls")),
]
