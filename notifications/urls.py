"""Pages of notifications."""

from django.urls import URLPattern, path

import incidents.api.urls  # noqa: F401 – registers the path parts “incident” and “number”
from notifications.views import (
    acknowledging,
    composer,
    deliveries,
    inbox,
    mail_catcher,
    pages,
    policies,
    previews,
    status_page,
    subscription,
)

urlpatterns: list[URLPattern] = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/count/", inbox.inbox_count, name="inbox_count"),
    path("inbox/read/", inbox.read_all, name="inbox_read_all"),
    path("inbox/<number:pk>/open/", inbox.open_notice, name="notice_open"),
    path("deliveries/", deliveries.delivery_list, name="delivery_list"),
    path("deliveries/export/", deliveries.delivery_export, name="delivery_export"),
    path("deliveries/<number:pk>/", deliveries.delivery, name="delivery"),
    path("deliveries/<number:pk>/resend/", deliveries.delivery_resend, name="delivery_resend"),
    path("deliveries/<number:pk>/acknowledge/", acknowledging.acknowledge_here, name="acknowledge_here"),
    path("acknowledge/<str:secret>/", acknowledging.acknowledge, name="acknowledge"),
    path("major-incidents/<incident:ref>/told/", deliveries.incident_deliveries, name="incident_deliveries"),
    path("major-incidents/<incident:ref>/told/people/", deliveries.told_matrix, name="told_matrix"),
    path("major-incidents/<incident:ref>/told/<slug:audience>/", deliveries.told_names, name="told_names"),
    path("major-incidents/preview/", previews.declare_preview, name="declare_preview"),
    path("major-incidents/<incident:ref>/updates/preview/", previews.update_preview, name="update_preview"),
    path("major-incidents/<incident:ref>/update/", composer.update_composer, name="update_composer"),
    path("major-incidents/<incident:ref>/update/draft/", composer.update_draft, name="update_draft"),
    path("major-incidents/<incident:ref>/update/leaving/", composer.update_leaving, name="update_leaving"),
    path("major-incidents/<incident:ref>/update/promise/", composer.promise, name="update_promise"),
    path("major-incidents/<incident:ref>/updates/<number:pk>/undo/", composer.update_undo, name="update_undo"),
    path("escalation/", policies.escalation_policies, name="escalation_policies"),
    path("escalation/<slug:occasion>/", policies.escalation_policy, name="escalation_policy"),
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
