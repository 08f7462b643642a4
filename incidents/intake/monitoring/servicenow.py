"""ServiceNow's table API for incidents: what it is sent, and how it shows a record. Opening and changing records is
done by `servicenow_table`, since its senders want the number of the ticket in the answer.

The same body at `/in/servicenow/{key}` (the test button, a replay) is an alert like any other, and the rules decide.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from incidents.intake.monitoring.reading import first, json_object, labels, mark, moment, text, whole
from incidents.intake.monitoring.shape import Answer, Grade, Malformed, Received, Says, Signal

TABLE = "api/now/table/incident"
_RESOLVED = dict.fromkeys((6, 7, 8), Says.RESOLVED)
_STATES = {1: Says.FIRING, 2: Says.ACKNOWLEDGED, 3: Says.ACKNOWLEDGED, **_RESOLVED}
_WORDS = {
    "new": 1, "in progress": 2, "active": 2, "on hold": 3, "awaiting": 3, "resolved": 6, "closed": 7, "canceled": 8,
    "cancelled": 8, "closed complete": 7,
}  # fmt: skip
_SEVERITIES = {1: Grade.CRITICAL, 2: Grade.ERROR, 3: Grade.WARNING}
_SERVICES = ("business_service", "service", "u_service", "cmdb_ci")
_OWN = ("short_description", "description", "comments", "work_notes", "close_notes", "correlation_id", "state")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a body asks for. Levels are 1 to 3, None when not given; `says` None: nothing about the state."""

    title: str
    description: str
    said: str
    says: Says | None
    impact: int | None
    urgency: int | None
    service: str
    configuration_item: str
    correlation_id: str
    close_notes: str


class ServiceNow:
    kind = "servicenow"
    methods = ("POST", "PUT", "PATCH")

    def read(self, received: Received) -> list[Signal]:
        body = json_object(received)
        wanted = wanted_by(body)
        identifier = received.rest.partition(TABLE)[2].strip("/")
        if not identifier and received.method == "POST" and not wanted.title:
            raise Malformed("short_description is missing: it is the title.", field="short_description")
        says = wanted.says or (Says.INFO if identifier else Says.FIRING)
        level = wanted.urgency or wanted.impact
        return [
            Signal(
                key=first(wanted.correlation_id, identifier, mark(received, "record")),
                says=says,
                title=first(wanted.title, wanted.said, identifier),
                severity=_SEVERITIES.get(level or 0, Grade.ERROR),
                body=first(wanted.description, wanted.said),
                occurred_at=moment(body.get("opened_at"), "UTC"),
                service=wanted.service,
                labels=labels({name: value for name, value in body.items() if name not in _OWN}),
            )
        ]

    def accepted(self, received: Received, signals: list[Signal]) -> Answer:
        """At the general address there is no record to show yet: what is known of it."""
        return Answer(201, {"result": {"correlation_id": signals[0].key, "short_description": signals[0].title}})

    def refused(self, received: Received, why: Malformed) -> Answer:
        if why.status == 401:
            return not_authenticated()
        return failure(why.status, why.sentence, why.field)

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        states = {Says.ACKNOWLEDGED: "2", Says.RESOLVED: "6"}
        body = {
            "short_description": "Problem: Free disk space is less than 5% on volume /",
            "description": "Host: files-1\nSeverity: High\nOperational data: 2.1 GB of 80 GB",
            "comments": "Problem started at 09:14:07 on 2026.03.02",
            "urgency": "2",
            "impact": "2",
            "correlation_id": "zabbix-174002",
            "category": "software",
            **({"state": states[says], "close_code": "Resolved by request"} if says in states else {}),
        }
        return json.dumps(body).encode(), {"content-type": "application/json"}


def wanted_by(body: Mapping[str, Any]) -> Wanted:
    """The fields of a body that mean something here; any other is kept with the payload."""
    notes = [text(body.get(name)) for name in ("comments", "work_notes")]
    return Wanted(
        title=text(body.get("short_description")),
        description=text(body.get("description")),
        said="\n\n".join(dict.fromkeys(note for note in notes if note)),
        says=_says(body),
        impact=_level("impact", body),
        urgency=_level("urgency", body),
        service=first(*(_shown(body.get(name)) for name in _SERVICES)),
        configuration_item=_shown(body.get("cmdb_ci")),
        correlation_id=text(body.get("correlation_id")),
        close_notes=first(body.get("close_notes"), body.get("close_code")),
    )


def failure(status: int, message: str, detail: str = "") -> Answer:
    """ServiceNow's error object."""
    return Answer(status, {"error": {"message": message, "detail": detail}, "status": "failure"})


def not_authenticated() -> Answer:
    said = failure(401, "User Not Authenticated", "Send the integration's key as password (basic) or bearer token.")
    return Answer(401, said.body, headers={"WWW-Authenticate": 'Basic realm="Service desk"'})


def state_number(value: Any) -> int | None:
    """1 new, 2 in progress, 3 on hold, 6 resolved, 7 closed, 8 cancelled; None for anything else."""
    said = text(value).lower()
    number = whole(said)
    return number if number in _STATES else _WORDS.get(said)


def _says(body: Mapping[str, Any]) -> Says | None:
    number = state_number(first(body.get("state"), body.get("incident_state")))
    if number is not None:
        return _STATES[number]
    return Says.RESOLVED if text(body.get("active")).lower() == "false" else None


def _level(name: str, body: Mapping[str, Any]) -> int | None:
    """1, "1" or "1 - High"."""
    said = text(body.get(name))[:1]
    return int(said) if said in ("1", "2", "3") else None


def _shown(value: Any) -> str:
    """A reference may be sent as its name or as an object with the shown value."""
    return first(value.get("display_value"), value.get("value")) if isinstance(value, dict) else text(value)


ADAPTER = ServiceNow()
