"""Dialects whose clients fix the path: PagerDuty and Opsgenie. The key comes in the body or in a header."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents.actions import heartbeats
from incidents.intake.monitoring import door, opsgenie, pagerduty
from incidents.intake.monitoring.heartbeat import ADAPTER as HEARTBEAT
from incidents.intake.monitoring.reading import obj, parse_json, text
from incidents.intake.monitoring.shape import Adapter, Answer, Malformed, Received, Says
from incidents.models import Alert, AlertState, Integration, Payload, PayloadState


def answered(answer: Answer) -> HttpResponse:
    """An adapter's answer as Django sends it."""
    if isinstance(answer.body, str):
        return HttpResponse(
            answer.body, status=answer.status, content_type=answer.content_type, headers=dict(answer.headers)
        )
    return JsonResponse(answer.body, safe=False, status=answer.status, headers=dict(answer.headers))


def refused(adapter: Adapter, why: Malformed) -> HttpResponse:
    """The dialect's error to somebody whose key is not known: nothing is kept."""
    nothing = Received(kind=adapter.kind, body=b"", headers={}, query={})
    return answered(adapter.refused(nothing, why))


# --- PagerDuty ----------------------------------------------------------------------------------
@csrf_exempt
@require_http_methods(["POST"])
def enqueue(request: HttpRequest, rest: str = "v2/enqueue") -> HttpResponse:
    """`/v2/enqueue` and `/v2/change/enqueue`: the routing key in the body is the key."""
    adapter = pagerduty.ADAPTER
    try:
        event = parse_json(door.body_of(request))
    except Malformed as why:
        return refused(adapter, why)
    key = text(obj(event).get("routing_key")) or request.headers.get("X-Routing-Key", "")
    return door.receive(request, kind=adapter.kind, key=key, rest=rest)


# --- Opsgenie -----------------------------------------------------------------------------------
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def opsgenie_alerts(request: HttpRequest, rest: str = "") -> HttpResponse:
    """`/v2/alerts` and below: create, what is done to an alert, and what became of a request."""
    key = _genie_key(request)
    integration = door.known("opsgenie", key)
    if integration is None:
        why = "Could not authenticate: send the key of the integration as “Authorization: GenieKey …”."
        return refused(opsgenie.ADAPTER, Malformed(why, status=401))
    if request.method in ("GET", "HEAD"):
        return _shown(request, integration, rest.strip("/"))
    return door.receive(request, kind="opsgenie", key=key, rest=_by_alias(request, integration, rest))


def _genie_key(request: HttpRequest) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() in ("geniekey", "bearer"):
        return key.strip()
    return request.GET.get("apiKey", "")


def _by_alias(request: HttpRequest, integration: Integration, rest: str) -> str:
    """The address with the alias in the place of an id of ours; an id nobody gave out stays, and names nothing."""
    identifier, slash, act = rest.strip("/").rpartition("/")
    if not slash:
        identifier, act = act, ""
    alias = _alias(request, integration, identifier) if identifier else ""
    return "/".join(part for part in ("v2/alerts", alias or identifier, act) if part)


def _alias(request: HttpRequest, integration: Integration, identifier: str) -> str:
    """The alias itself where the request says so, else that of the alert with this id; "" when there is none."""
    kind = request.GET.get("identifierType", "id").lower()
    if kind == "alias":
        return identifier
    number = int(identifier) if kind == "tiny" and identifier.isdecimal() else opsgenie.payload_id(identifier)
    payload = _payload(integration, number)
    return _spoken_of(payload)[0] if payload is not None else ""


def _payload(integration: Integration, number: int | None) -> Payload | None:
    if not number or number >= 2**63:
        return None
    kept = Payload.objects.filter(integration=integration, pk=number)
    return kept.exclude(state=PayloadState.REFUSED).first()


def _spoken_of(payload: Payload) -> tuple[str, Says]:
    """Alias and state of the alert a kept request is about."""
    received = Received(
        kind="opsgenie",
        body=bytes(payload.body),
        headers=payload.headers,
        query={},
        method=payload.method,
        rest=payload.path,
        received_at=payload.received_at,
    )
    try:
        signal = opsgenie.ADAPTER.read(received)[0]
    except Malformed:
        return "", Says.INFO
    return signal.key, signal.says


def _shown(request: HttpRequest, integration: Integration, rest: str) -> HttpResponse:
    began, _, identifier = rest.partition("/")
    if began == "requests" and identifier:
        payload = _payload(integration, opsgenie.payload_id(identifier))
        found = _request(payload, identifier) if payload is not None else None
    else:
        found = _alert(integration, _alias(request, integration, rest)) if rest else None
    if found is None:
        return refused(opsgenie.ADAPTER, Malformed("There is nothing with this id here.", status=404))
    return JsonResponse({"data": found, "took": 0.01, "requestId": opsgenie.request_id(None)})


_ACTIONS = {
    Says.FIRING: ("Create", "Created alert"),
    Says.ACKNOWLEDGED: ("Acknowledge", "Acknowledged alert"),
    Says.RESOLVED: ("Close", "Closed alert"),
    Says.INFO: ("Update", "Updated alert"),
}


def _request(payload: Payload, identifier: str) -> dict[str, Any]:
    """What became of a request: kept is done, for nothing that is kept gets lost, and senders do not wait for long."""
    alias, says = _spoken_of(payload)
    action, status = _ACTIONS[says]
    is_done = payload.state != PayloadState.FAILED
    return {
        "success": is_done,
        "isSuccess": is_done,
        "action": action,
        "status": status if is_done else f"Not processed yet: {payload.reason}",
        "processedAt": (payload.processed_at or payload.received_at).isoformat(),
        "integrationId": str(payload.integration_id),
        "alertId": identifier,
        "alias": alias,
    }


def _alert(integration: Integration, alias: str) -> dict[str, Any] | None:
    found = Alert.objects.filter(integration=integration, dedup_key=alias).order_by("-id").first() if alias else None
    if found is None:
        return None
    return {
        "id": opsgenie.request_id(found.payload_id),
        "alias": found.dedup_key,
        "message": found.title,
        "description": found.body,
        "status": "closed" if found.status == AlertState.RESOLVED else "open",
        "acknowledged": found.status == AlertState.ACKNOWLEDGED,
        "count": found.reports,
        "createdAt": found.started_at.isoformat(),
        "updatedAt": found.last_received_at.isoformat(),
        "details": found.labels,
    }


# --- heartbeats ---------------------------------------------------------------------------------
@csrf_exempt
@require_http_methods(HEARTBEAT.methods)
def heartbeat(request: HttpRequest, key: str, rest: str = "") -> HttpResponse:
    """Any request is a beat. It is recorded where the heartbeat stands, not kept as a payload: they are too many."""
    door.drain(request)
    integration = door.known("heartbeat", key)
    nothing = Received(kind="heartbeat", body=b"", headers={}, query={}, method=request.method or "GET")
    if integration is None:
        why = Malformed("No active heartbeat has this address. Copy it again from the Integrations page.", status=404)
        return answered(HEARTBEAT.refused(nothing, why))
    heartbeats.beat(integration.pk, at=timezone.now(), method=nothing.method)
    return answered(HEARTBEAT.accepted(nothing, []))
