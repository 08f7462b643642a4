"""Addresses of deliveries, previews and pages below /api/v1/."""

from django.urls import URLPattern

from incidents.api.urls import at
from notifications import api, channel_api, page_api

urlpatterns: list[URLPattern] = [
    *at("pages", page_api.PageList.as_view(), "pages"),
    *at("escalation-policies", page_api.PolicyList.as_view(), "escalation_policies"),
    *at("escalation-policies/<slug:occasion>", page_api.PolicyDetail.as_view(), "escalation_policy"),
    *at("channels", channel_api.ChannelList.as_view(), "channels"),
    *at("channels/<slug:channel>", channel_api.ChannelDetail.as_view(), "channel"),
    *at("channels/<slug:channel>/test", channel_api.ChannelTest.as_view(), "channel_test"),
    *at("destinations", channel_api.PlaceList.as_view(), "destinations"),
    *at("destinations/<number:id>", channel_api.PlaceDetail.as_view(), "destination"),
    *at("destinations/<number:id>/test", channel_api.PlaceTest.as_view(), "destination_test"),
    *at("deliveries", api.DeliveryList.as_view(), "deliveries"),
    *at("deliveries/<number:id>", api.DeliveryDetail.as_view(), "delivery"),
    *at("deliveries/<number:id>/resend", api.DeliveryResend.as_view(), "delivery_resend"),
    *at("major-incidents/preview", api.DeclarationPreview.as_view(), "major_incident_preview"),
    *at(
        "major-incidents/<incident:ref>/updates/preview",
        api.StatusUpdatePreview.as_view(),
        "major_incident_update_preview",
    ),
]
