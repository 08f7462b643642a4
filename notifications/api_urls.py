"""Addresses of deliveries and previews below /api/v1/."""

from django.urls import URLPattern

from incidents.api.urls import at
from notifications import api

urlpatterns: list[URLPattern] = [
    *at("deliveries", api.DeliveryList.as_view(), "deliveries"),
    *at("major-incidents/preview", api.DeclarationPreview.as_view(), "major_incident_preview"),
    *at(
        "major-incidents/<incident:ref>/updates/preview",
        api.StatusUpdatePreview.as_view(),
        "major_incident_update_preview",
    ),
]
