"""PagerDuty Events v2: whatever can speak to PagerDuty speaks to us. The routing key in the body is our key.

A body PagerDuty would refuse is refused with its own error object; a summary longer than its 1,024 characters is kept.
Events to /v2/change/enqueue say what was changed: they are kept as INFO.
"""

import json
from typing import Any

from incidents.intake.monitoring import sample_times
from incidents.intake.monitoring.reading import (
    first,
    grade,
    items,
    json_object,
    labels,
    link,
    mark,
    moment,
    obj,
    objects,
    text,
)
from incidents.intake.monitoring.shape import Answer, Malformed, Received, Says, Signal

MAX_KEY_CHARACTERS = 255
_ACTIONS = {"trigger": Says.FIRING, "acknowledge": Says.ACKNOWLEDGED, "resolve": Says.RESOLVED}
_SEVERITIES = ("critical", "error", "warning", "info")


class PagerDuty:
    kind = "pagerduty"

    def read(self, received: Received) -> list[Signal]:
        event = json_object(received)
        if _is_change(received, event):
            return [_change(received, event)]
        errors = _errors(event)
        if errors:
            raise Malformed("; ".join(errors) + ".", field=errors[0].split("'")[1])
        payload = obj(event.get("payload"))
        details = payload.get("custom_details")
        return [
            Signal(
                key=_key(received, event),
                says=_ACTIONS[event["event_action"]],
                title=first(payload.get("summary"), event.get("dedup_key")),
                severity=grade(payload.get("severity")),
                body="" if isinstance(details, dict) else text(details),
                occurred_at=moment(payload.get("timestamp")),
                service=text(obj(details).get("service")),
                labels=_labels(event, payload),
                link=link(event.get("client_url"), *(one.get("href") for one in objects(event.get("links")))),
            )
        ]

    def accepted(self, received: Received, signals: list[Signal]) -> Answer:
        event = json_object(received)
        if _is_change(received, event):
            return Answer(202, {"status": "success", "message": "Change event processed"})
        said = {"status": "success", "message": "Event processed", "dedup_key": _key(received, event)}
        return Answer(202, said)

    def refused(self, received: Received, why: Malformed) -> Answer:
        errors = [part.strip().removesuffix(".") for part in why.sentence.split("; ")]
        message = "Event object is invalid" if why.status in (400, 401) else why.sentence
        status = 400 if why.status == 401 else why.status  # PagerDuty has no other word for an unknown routing key
        return Answer(status, {"status": "invalid event", "message": message, "errors": errors})

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        action = {says: action for action, says in _ACTIONS.items()}.get(says)
        payload = {
            "summary": "CPU load of web-1 is 14.2",
            "source": "web-1.example.com",
            "severity": "critical",
            "timestamp": sample_times.iso(),
            "component": "nginx",
            "group": "web",
            "class": "cpu",
            "custom_details": {"load": 14.2, "runbook": "https://wiki.example.com/cpu"},
        }
        event: dict[str, Any] = {
            "routing_key": "KEY",
            "event_action": action,
            "dedup_key": "web-1/cpu",
            "client": "Example monitoring",
            "client_url": "https://monitoring.example.com/web-1",
            "links": [{"href": "https://wiki.example.com/cpu", "text": "Runbook"}],
            "payload": payload,
        }
        if action is None:
            event = {"routing_key": "KEY", "payload": {**payload, "summary": "Build 812 deployed"}}
        return json.dumps(event).encode(), {"content-type": "application/json"}


def _is_change(received: Received, event: dict[str, Any]) -> bool:
    """By the address; at the address that names neither, by what the body lacks."""
    return "change" in received.rest.split("/") or (
        not received.rest and "event_action" not in event and "payload" in event
    )


def _change(received: Received, event: dict[str, Any]) -> Signal:
    payload = obj(event.get("payload"))
    if not (summary := text(payload.get("summary"))):
        raise Malformed("'payload.summary' is missing or blank.", field="payload.summary")
    return Signal(
        key=mark(received, "change"),
        says=Says.INFO,
        title=summary,
        severity=grade("info"),
        occurred_at=moment(payload.get("timestamp")),
        labels=_labels(event, payload),
        link=link(*(one.get("href") for one in objects(event.get("links")))),
    )


def _errors(event: dict[str, Any]) -> list[str]:
    action, payload = event.get("event_action"), event.get("payload")
    if action not in tuple(_ACTIONS):  # a tuple: the action may be unhashable
        return ["'event_action' is missing or is not one of trigger, acknowledge, resolve"]
    found = []
    if len(key := text(event.get("dedup_key"))) > MAX_KEY_CHARACTERS:
        found.append(f"'dedup_key' is longer than {MAX_KEY_CHARACTERS} characters")
    if action != "trigger":
        return found if key else ["'dedup_key' is missing or blank"]
    if not isinstance(payload, dict):
        return [*found, "'payload' is missing or is not an object"]
    for name in ("summary", "source"):
        if not isinstance(payload.get(name), str) or not text(payload[name]):
            found.append(f"'payload.{name}' is missing or blank")
    if payload.get("severity") not in _SEVERITIES:
        found.append(f"'payload.severity' is missing or is not one of {', '.join(_SEVERITIES)}")
    return found


def _key(received: Received, event: dict[str, Any]) -> str:
    return text(event.get("dedup_key")) or mark(received, "dedup_key")


def _labels(event: dict[str, Any], payload: dict[str, Any]) -> dict[str, str]:
    named = {name: payload.get(name) for name in ("source", "component", "group", "class")}
    images = {"images": len(shown)} if (shown := items(event.get("images"))) else {}
    return labels(obj(payload.get("custom_details")), named, images, client=event.get("client"))


ADAPTER = PagerDuty()
