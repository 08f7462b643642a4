"""Addresses of deliveries, previews and pages below /api/v1/."""

from django.urls import URLPattern

from incidents.api.urls import at
from notifications import api, page_api, plan_api

urlpatterns: list[URLPattern] = [
    *at("pages", page_api.PageList.as_view(), "pages"),
    *at("escalation-policies", page_api.PolicyList.as_view(), "escalation_policies"),
    *at("escalation-policies/<slug:occasion>", page_api.PolicyDetail.as_view(), "escalation_policy"),
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
    *at("major-incidents/preview", api.DeclarationPreview.as_view(), "major_incident_preview"),
    *at(
        "major-incidents/<incident:ref>/updates/preview",
        api.StatusUpdatePreview.as_view(),
        "major_incident_update_preview",
    ),
]
