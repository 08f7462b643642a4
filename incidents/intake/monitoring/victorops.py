"""VictorOps (Splunk On-Call) REST endpoint: `/in/victorops/{key}/{routing key}`, as Alertmanager and others send."""

import json
from typing import Any

from incidents.intake.monitoring import sample_times
from incidents.intake.monitoring.reading import first, json_object, labels, link, mark, moment, text
from incidents.intake.monitoring.shape import Answer, Grade, Malformed, Received, Says, Signal

_TYPES = {
    "CRITICAL": (Says.FIRING, Grade.CRITICAL),
    "WARNING": (Says.FIRING, Grade.WARNING),
    "ACKNOWLEDGEMENT": (Says.ACKNOWLEDGED, Grade.ERROR),
    "RECOVERY": (Says.RESOLVED, Grade.ERROR),
    "OK": (Says.RESOLVED, Grade.ERROR),
    "INFO": (Says.INFO, Grade.INFO),
}
_OWN_NAMES = ("message_type", "entity_id", "entity_display_name", "state_message", "state_start_time", "timestamp")


class VictorOps:
    kind = "victorops"

    def read(self, received: Received) -> list[Signal]:
        body = json_object(received)
        said = text(body.get("message_type")).upper()
        if said not in _TYPES:
            raise Malformed(
                f"message_type is “{said[:40]}”; it must be one of {', '.join(_TYPES)}.", field="message_type"
            )
        says, severity = _TYPES[said]
        key = text(body.get("entity_id"))
        if not key and says in (Says.RESOLVED, Says.ACKNOWLEDGED):
            raise Malformed("entity_id is missing: it names what recovered.", field="entity_id")
        rest = {name: value for name, value in body.items() if name not in _OWN_NAMES}
        return [
            Signal(
                key=key or mark(received, "entity_id"),
                says=says,
                title=first(body.get("entity_display_name"), body.get("state_message"), key, "No name"),
                severity=severity,
                body=text(body.get("state_message")),
                occurred_at=moment(body.get("timestamp")) or moment(body.get("state_start_time")),
                service=text(body.get("service")),
                labels=labels(rest, routing_key=received.rest),
                link=link(body.get("alert_url"), body.get("url"), *body.values()),
            )
        ]

    def accepted(self, received: Received, signals: list[Signal]) -> Answer:
        key = text(json_object(received).get("entity_id")) or mark(received, "entity_id")
        return Answer(200, {"result": "success", "entity_id": key})

    def refused(self, received: Received, why: Malformed) -> Answer:
        return Answer(why.status, {"result": "failure", "message": why.sentence})

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        words = {
            Says.FIRING: "CRITICAL",
            Says.ACKNOWLEDGED: "ACKNOWLEDGEMENT",
            Says.RESOLVED: "RECOVERY",
            Says.INFO: "INFO",
        }
        body: dict[str, Any] = {
            "message_type": words[says],
            "entity_id": "queue-1/depth",
            "entity_display_name": "Queue of orders is 12,000 deep",
            "state_message": "orders: 12000 messages, limit 5000",
            "state_start_time": sample_times.seconds(),
            "monitoring_tool": "Example monitoring",
            "host_name": "queue-1",
        }
        return json.dumps(body).encode(), {"content-type": "application/json"}


ADAPTER = VictorOps()
