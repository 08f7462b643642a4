"""Pages of notifications."""

from django.urls import URLPattern, path

import incidents.api.urls  # noqa: F401 – registers the path parts “incident” and “number”
from notifications.views import (
    channels,
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
    path("deliveries/<number:pk>/", deliveries.delivery, name="delivery"),
    path("major-incidents/<incident:ref>/told/", deliveries.incident_deliveries, name="incident_deliveries"),
    path("major-incidents/preview/", previews.declare_preview, name="declare_preview"),
    path("major-incidents/<incident:ref>/updates/preview/", previews.update_preview, name="update_preview"),
    path("escalation/", policies.escalation_policies, name="escalation_policies"),
    path("escalation/<slug:occasion>/", policies.escalation_policy, name="escalation_policy"),
    path("page/<str:secret>/", pages.page_answer, name="page_answer"),
    path("pages/<number:pk>/<slug:act>/", pages.page_do, name="page_do"),
    path("paged/<candidate:ref>/", pages.candidate_paged, name="candidate_paged"),
    path("paged/<incident:ref>/", pages.incident_paged, name="incident_paged"),
    path("channels/", channels.channel_list, name="channels"),
    path("channels/places/new/", channels.place_new, name="place_new"),
    path("channels/places/<number:pk>/", channels.place_edit, name="place_edit"),
    path("channels/places/<number:pk>/test/", channels.place_test, name="place_test"),
    path("channels/places/<number:pk>/switch/", channels.place_switch, name="place_switch"),
    path("channels/places/<number:pk>/remove/", channels.place_remove, name="place_remove"),
    path("channels/<slug:key>/", channels.channel, name="channel"),
    path("channels/<slug:key>/account/", channels.channel_account, name="channel_account"),
    path("channels/<slug:key>/test/", channels.channel_test, name="channel_test"),
    path("channels/<slug:key>/switch/", channels.channel_switch, name="channel_switch"),
    path("channels/<slug:key>/remove/", channels.channel_remove, name="channel_remove"),
    path("mail/", mail_catcher.mail_catcher, name="mail_catcher"),
    path("mail/<slug:name>/", mail_catcher.mail, name="caught_mail"),
    path("portal/outages/<incident:ref>/subscription/", subscription.subscription, name="subscription"),
    path("status/", status_page.status_page, name="status_page"),
    path("status/subscribe/", status_page.subscribe, name="status_subscribe"),
    path("status/confirm/<str:token>/", status_page.confirm, name="status_confirm"),
    path("status/end/<str:token>/", status_page.end, name="status_end"),
    path("status/<path:name>", status_page.status_page, name="status_file"),
]
