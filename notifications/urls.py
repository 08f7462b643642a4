"""Pages of notifications."""

from django.urls import URLPattern, path

import incidents.api.urls  # noqa: F401 – registers the path parts “incident” and “number”
from notifications.views import (
    deliveries,
    inbox,
    mail_catcher,
    pages,
    plans,
    policies,
    previews,
    status_page,
    subscription,
    templates,
)

urlpatterns: list[URLPattern] = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/count/", inbox.inbox_count, name="inbox_count"),
    path("inbox/read/", inbox.read_all, name="inbox_read_all"),
    path("inbox/<number:pk>/open/", inbox.open_notice, name="notice_open"),
    path("deliveries/", deliveries.delivery_list, name="delivery_list"),
    path("deliveries/<number:pk>/", deliveries.delivery, name="delivery"),
    path("major-incidents/<incident:ref>/told/", deliveries.incident_deliveries, name="incident_deliveries"),
    path("major-incidents/preview/", previews.declare_preview, name="declare_preview"),
    path("major-incidents/<incident:ref>/updates/preview/", previews.update_preview, name="update_preview"),
    path("escalation/", policies.escalation_policies, name="escalation_policies"),
    path("escalation/<slug:occasion>/", policies.escalation_policy, name="escalation_policy"),
    path("communication-plans/", plans.plan_list, name="plan_list"),
    path("communication-plans/new/", plans.plan_new, name="plan_new"),
    path("communication-plans/words/", templates.template_list, name="template_list"),
    path("communication-plans/words/<slug:moment>/<slug:audience>/", templates.template, name="template"),
    path(
        "communication-plans/words/<slug:moment>/<slug:audience>/preview/",
        templates.template_preview,
        name="template_preview",
    ),
    path(
        "communication-plans/words/<slug:moment>/<slug:audience>/<slug:act>/", templates.template_do, name="template_do"
    ),
    path("communication-plans/<slug:key>/", plans.plan, name="plan"),
    path("communication-plans/<slug:key>/edit/", plans.plan_edit, name="plan_edit"),
    path("communication-plans/<slug:key>/preview/", plans.plan_preview_now, name="plan_preview"),
    path("communication-plans/<slug:key>/<slug:act>/", plans.plan_do, name="plan_do"),
    path("major-incidents/<incident:ref>/plan/", plans.plan_switch, name="plan_switch"),
    path("page/<str:secret>/", pages.page_answer, name="page_answer"),
    path("pages/<number:pk>/<slug:act>/", pages.page_do, name="page_do"),
    path("paged/<candidate:ref>/", pages.candidate_paged, name="candidate_paged"),
    path("paged/<incident:ref>/", pages.incident_paged, name="incident_paged"),
    path("mail/", mail_catcher.mail_catcher, name="mail_catcher"),
    path("mail/<slug:name>/", mail_catcher.mail, name="caught_mail"),
    path("portal/outages/<incident:ref>/subscription/", subscription.subscription, name="subscription"),
    path("status/", status_page.status_page, name="status_page"),
    path("status/subscribe/", status_page.subscribe, name="status_subscribe"),
    path("status/confirm/<str:token>/", status_page.confirm, name="status_confirm"),
    path("status/end/<str:token>/", status_page.end, name="status_end"),
    path("status/<path:name>", status_page.status_page, name="status_file"),
]
