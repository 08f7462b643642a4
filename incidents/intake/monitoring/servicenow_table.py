"""`/api/now/table/incident`: tickets for tools that can only speak to ServiceNow.

Unlike at the door, the ticket is made in the request: its number belongs in the answer. Body, ticket and alert are one
transaction, so what was answered 201 is there.
"""

import binascii
from base64 import b64decode
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents.actions import alert_recovery, servicenow_records
from incidents.actions.servicenow_records import Report
from incidents.errors import ProcessError
from incidents.intake.monitoring import door, servicenow
from incidents.intake.monitoring.dialects import answered
from incidents.intake.monitoring.reading import json_object
from incidents.intake.monitoring.shape import Answer, Malformed, Received, Signal
from incidents.models import Alert, Integration, Payload, PayloadState
from incidents.queries import servicenow_table as table

_MOST = 100
_NOT_FOUND = ("No Record found", "There is no record with this sys_id among those of this integration.")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST", "PUT", "PATCH"])
def incidents(request: HttpRequest, sys_id: str = "") -> HttpResponse:
    """The table, or one record of it."""
    key, integration = _authenticated(request)
    if integration is None:
        return answered(servicenow.not_authenticated())
    try:
        return answered(_answer(request, integration, key, sys_id))
    except Malformed as why:
        return answered(servicenow.failure(why.status, why.sentence, why.field))


def _answer(request: HttpRequest, integration: Integration, key: str, sys_id: str) -> Answer:
    if request.method in ("GET", "HEAD"):
        return _one(integration, sys_id) if sys_id else _query(request, integration)
    if request.method not in (("PUT", "PATCH") if sys_id else ("POST",)):
        return servicenow.failure(405, "Method not supported", "POST opens, PUT and PATCH change, GET reads.")
    received = _received(request, integration, key, sys_id)
    try:
        alert = _written(integration, received, sys_id)
    except Malformed as why:
        _payload(integration, received, PayloadState.REFUSED, why.sentence).save(force_insert=True)
        raise
    record = _fields(request, table.records(integration).get(pk=alert.pk))
    if sys_id:
        return Answer(200, {"result": record})
    return Answer(201, {"result": record}, headers={"Location": f"/{servicenow.TABLE}/{table.sys_id(alert.pk)}"})


def _written(integration: Integration, received: Received, sys_id: str) -> Alert:
    """The record opened or changed, with its payload. Raises Malformed, and then neither is kept."""
    signal = servicenow.ADAPTER.read(received)[0]
    payload, report, at = _payload(integration, received, PayloadState.DONE), _report(received, signal), _at(received)
    try:
        if not sys_id:
            return servicenow_records.open_record(payload, key=signal.key, report=report, at=at)
        number = table.record_id(sys_id)
        changed = servicenow_records.change_record(payload, alert_id=number, report=report, at=at)
    except Alert.DoesNotExist:
        raise Malformed(_NOT_FOUND[0], field=_NOT_FOUND[1], status=404) from None
    except ProcessError as why:
        raise Malformed(str(why)) from None
    alert_recovery.review_alerts([changed.pk], at=at)
    return changed


def _one(integration: Integration, sys_id: str) -> Answer:
    found = table.records(integration).filter(pk=table.record_id(sys_id)).first()
    if found is None:
        return servicenow.failure(404, *_NOT_FOUND)
    return Answer(200, {"result": _fields(None, found)})


def _query(request: HttpRequest, integration: Integration) -> Answer:
    """By `sysparm_query`, or fields as parameters of their own."""
    plain = [f"{name}={value}" for name, value in request.GET.items() if not name.startswith("sysparm_")]
    query = "^".join([request.GET.get("sysparm_query", ""), *plain]).replace("\x00", "")
    limit = request.GET.get("sysparm_limit", "")
    most = min(int(limit), _MOST) if limit.isdecimal() and len(limit) < 6 else _MOST
    found = table.matching(integration, query)[:most]
    return Answer(200, {"result": [_fields(request, one) for one in found]})


def _authenticated(request: HttpRequest) -> tuple[str, Integration | None]:
    """The key is password or user of basic authentication, or a bearer token, or in ServiceNow's own header."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    tries = [request.headers.get("X-Sn-Apikey", "")]
    if scheme.lower() == "bearer":
        tries.append(given.strip())
    elif scheme.lower() == "basic":
        try:
            user, _, password = b64decode(given.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return "", None
        tries += [password, user]
    for key in tries:
        if key and (found := door.known("servicenow", key)):
            return key, found
    return "", None


def _received(request: HttpRequest, integration: Integration, key: str, sys_id: str) -> Received:
    return Received(
        kind="servicenow",
        body=door.body_of(request).replace(key.encode(), b"***"),
        headers={"content-type": request.headers.get("Content-Type", "")[:200]},
        query={},
        method=request.method or "POST",
        rest=f"{servicenow.TABLE}/{sys_id}".strip("/"),
        settings=integration.settings,
        received_at=timezone.now(),
    )


def _at(received: Received) -> datetime:
    return received.received_at or timezone.now()


def _payload(integration: Integration, received: Received, state: str, reason: str = "") -> Payload:
    """Not saved yet: the action does, together with what it makes of it."""
    return Payload(
        integration=integration,
        received_at=_at(received),
        path=received.rest[:300],
        method=received.method,
        headers=dict(received.headers),
        body=received.body,
        sha256=sha256(received.body).hexdigest(),
        state=state,
        reason=reason,
        alerts=0 if reason else 1,
        processed_at=_at(received),
    )


def _report(received: Received, signal: Signal) -> Report:
    body = json_object(received)
    wanted = servicenow.wanted_by(body)
    return Report(
        title=signal.title,
        description=wanted.description,
        said=wanted.said,
        status=wanted.says.value if wanted.says else "",
        close_notes=wanted.close_notes,
        impact=wanted.impact,
        urgency=wanted.urgency,
        service=wanted.service,
        configuration_item=wanted.configuration_item,
        severity=signal.severity.value,
        labels={**signal.labels, **({"correlation_id": wanted.correlation_id} if wanted.correlation_id else {})},
    )


def _fields(request: HttpRequest | None, alert: Alert) -> dict[str, Any]:
    """One record, all values texts as ServiceNow sends them; only the fields asked for by `sysparm_fields`."""
    ticket = alert.ticket
    assert ticket is not None  # `records` gives no others
    state = str(table.STATE_OF[ticket.status])
    record = {
        "sys_id": table.sys_id(alert.pk),
        "number": ticket.ref,
        "short_description": ticket.title,
        "description": ticket.description,
        "state": state,
        "incident_state": state,
        "active": "true" if ticket.is_open else "false",
        "impact": str(ticket.impact),
        "urgency": str(ticket.urgency),
        "priority": str(ticket.priority).removeprefix("P"),
        "business_service": ticket.service.name if ticket.service else "",
        "correlation_id": str(alert.labels.get("correlation_id", "")),
        "close_notes": ticket.resolution,
        "opened_at": _time(ticket.reported_at),
        "resolved_at": _time(ticket.resolved_at),
        "closed_at": _time(ticket.closed_at),
        "sys_created_on": _time(ticket.created_at),
        "sys_updated_on": _time(ticket.updated_at),
        "sys_class_name": "incident",
    }
    wanted = request.GET.get("sysparm_fields", "") if request is not None else ""
    names = {name.strip() for name in wanted.split(",")} & set(record)
    return {name: value for name, value in record.items() if name in names} if names else record


def _time(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if value else ""
