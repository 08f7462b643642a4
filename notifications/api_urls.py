"""Addresses of deliveries, previews and pages below /api/v1/."""

from django.urls import URLPattern

from incidents.api.urls import at
from notifications import api, channel_api, page_api, plan_api
from notifications.webhooks import api as webhooks

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
    *at("webhooks", webhooks.WebhookList.as_view(), "webhooks"),
    *at("webhooks/<number:id>", webhooks.WebhookDetail.as_view(), "webhook"),
    *at("webhooks/<number:id>/rotate", webhooks.RotateWebhook.as_view(), "webhook_rotate"),
    *at("webhooks/<number:id>/test", webhooks.TestWebhook.as_view(), "webhook_test"),
    *at("webhooks/<number:id>/replay", webhooks.ReplayWebhook.as_view(), "webhook_replay"),
    *at("webhooks/<number:id>/messages", webhooks.WebhookMessageList.as_view(), "webhook_messages"),
    *at("webhooks/<number:id>/messages/<number:message>", webhooks.WebhookMessageDetail.as_view(), "webhook_message"),
    *at("communication-plans", plan_api.PlanList.as_view(), "communication_plans"),
    *at("communication-plans/<slug:key>", plan_api.PlanDetail.as_view(), "communication_plan"),
    *at("communication-plans/<slug:key>/versions", plan_api.PlanVersions.as_view(), "communication_plan_versions"),
    *at("plans", plan_api.ShortPlanList.as_view(), "plans"),
    *at("plans/<slug:key>", plan_api.ShortPlanDetail.as_view(), "plan"),
    *at("major-incidents/<incident:ref>/communication-plan", plan_api.IncidentPlan.as_view(), "incident_plan"),
    *at("templates", plan_api.TemplateList.as_view(), "templates"),
    *at("templates/<slug:moment>/<slug:audience>", plan_api.TemplateDetail.as_view(), "template"),
    *at("templates/<slug:moment>/<slug:audience>/versions", plan_api.TemplateVersions.as_view(), "template_versions"),
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
