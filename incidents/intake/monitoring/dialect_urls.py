"""Addresses that clients of other products have built in, at the root and below `/in/{kind}` as base.

They stand before the catch-all of the API (ServiceNow's begin with `api/`) and before the general `/in/{kind}/{key}`.
"""

from django.urls import URLPattern, path

from incidents.intake.monitoring import dialects, servicenow_table


def _enqueue(base: str, name: str) -> list[URLPattern]:
    event, change = {"rest": "v2/enqueue"}, {"rest": "v2/change/enqueue"}
    return [
        path(f"{base}v2/enqueue", dialects.enqueue, event, name=f"{name}_events"),
        path(f"{base}v2/enqueue/", dialects.enqueue, event),
        path(f"{base}v2/change/enqueue", dialects.enqueue, change, name=f"{name}_changes"),
        path(f"{base}v2/change/enqueue/", dialects.enqueue, change),
    ]


def _alerts(base: str, name: str) -> list[URLPattern]:
    return [
        path(f"{base}v2/alerts", dialects.opsgenie_alerts, name=f"{name}_alerts"),
        path(f"{base}v2/alerts/", dialects.opsgenie_alerts),
        path(f"{base}v2/alerts/<path:rest>", dialects.opsgenie_alerts, name=f"{name}_alert"),
    ]


def _incidents(base: str, name: str) -> list[URLPattern]:
    return [
        path(f"{base}api/now/table/incident", servicenow_table.incidents, name=f"{name}_incidents"),
        path(f"{base}api/now/table/incident/", servicenow_table.incidents),
        path(f"{base}api/now/table/incident/<str:sys_id>", servicenow_table.incidents, name=f"{name}_incident"),
        path(f"{base}api/now/table/incident/<str:sys_id>/", servicenow_table.incidents),
    ]


urlpatterns = [
    *_enqueue("", "pagerduty"),
    *_enqueue("in/pagerduty/", "pagerduty_base"),
    *_alerts("", "opsgenie"),
    *_alerts("in/opsgenie/", "opsgenie_base"),
    *_incidents("", "servicenow"),
    *_incidents("in/servicenow/", "servicenow_base"),
    path("in/heartbeat/<str:key>", dialects.heartbeat, name="heartbeat_beat"),
    path("in/heartbeat/<str:key>/", dialects.heartbeat),
    path("in/heartbeat/<str:key>/<path:rest>", dialects.heartbeat, name="heartbeat_below"),
]
