"""Opsgenie alerts: create, acknowledge, close, by alias; whatever else is done to an alert is kept, politely answered.

Opsgenie names alerts by id, too. Its ids are given out by us: an id stands for the payload that created the alert, so
the door's routes turn an id into its alias before they come here (see `dialect_urls`).
"""

import json
from typing import Any
from uuid import UUID

from incidents.intake.monitoring.reading import (
    first,
    json_object,
    labels,
    link,
    mark,
    moment,
    obj,
    parse_json,
    tags,
    text,
)
from incidents.intake.monitoring.shape import Answer, Grade, Malformed, Received, Says, Signal

_GRADES = {"P1": Grade.CRITICAL, "P2": Grade.ERROR, "P3": Grade.WARNING, "P4": Grade.WARNING, "P5": Grade.INFO}
_DONE = {"acknowledge": Says.ACKNOWLEDGED, "close": Says.RESOLVED, "unacknowledge": Says.FIRING}
_SENTENCE = "Request will be processed"
MAX_ALIAS_CHARACTERS = 512


class Opsgenie:
    kind = "opsgenie"
    methods = ("POST", "PUT", "PATCH", "DELETE")

    def read(self, received: Received) -> list[Signal]:
        alias, act = target(received)
        if not act:
            return [_created(received)]
        body = _note(received)
        if received.method == "DELETE":
            act = "close"
        says = _DONE.get(act, Says.INFO)
        return [
            Signal(
                key=alias,
                says=says,
                title=first(body.get("note"), f"{act.capitalize()}: {alias}"),
                severity=Grade.INFO if says is Says.INFO else Grade.ERROR,
                body=text(body.get("note")),
                labels=labels(user=body.get("user"), source=body.get("source")),
            )
        ]

    def accepted(self, received: Received, signals: list[Signal]) -> Answer:
        return Answer(202, {"result": _SENTENCE, "took": 0.01, "requestId": request_id(received.payload_id)})

    def refused(self, received: Received, why: Malformed) -> Answer:
        status = 422 if why.status == 400 and why.field else why.status
        said: dict[str, Any] = {"message": why.sentence, "took": 0.0, "requestId": request_id(received.payload_id)}
        return Answer(status, said | ({"errors": {why.field: why.sentence}} if why.field else {}))

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        alert = {
            "message": "Disk of db-1 is 97 % full",
            "alias": "db-1/disk",
            "description": "/var/lib/postgresql has 1.2 GB left.",
            "entity": "db-1",
            "source": "Example monitoring",
            "priority": "P2",
            "tags": ["disk", "team:storage"],
            "details": {"mount": "/var/lib/postgresql", "free": "1.2 GB"},
        }
        done = {says: act for act, says in _DONE.items() if act != "unacknowledge"}.get(says)
        if done:
            alert = {"alias": "db-1/disk", "action": done, "user": "monitoring", "note": f"{done} by the test button"}
        return json.dumps(alert).encode(), {"content-type": "application/json"}


def request_id(payload_id: int | None) -> str:
    """The id of a request, and of the alert it creates: a UUID that holds the number of the payload."""
    return str(UUID(int=payload_id or 0))


def payload_id(identifier: str) -> int | None:
    """The payload an id stands for; None when the text is not an id of ours."""
    try:
        number = UUID(identifier).int
    except ValueError:
        return None
    return number if 0 < number < 2**63 else None


def target(received: Received) -> tuple[str, str]:
    """Alias and act of the address (`…/{alias}/close`); ("", "") when an alert is created.

    An alias may hold slashes: the last part is the act. Deleting names only the alias. Raises Malformed.
    """
    below = _below_alerts(received.rest)
    if not below:
        return _told_by_body(received)
    alias, slash, act = below.rpartition("/")
    if not slash:
        return text(below), "delete" if received.method == "DELETE" else "update"
    return text(alias), act.lower()


def _below_alerts(rest: str) -> str:
    """What stands behind `v2/alerts`, or behind the key when the address has no such part."""
    if rest in ("v2/alerts", "alerts", "v2"):
        return ""
    return rest.partition("alerts/")[2] if rest.startswith(("v2/alerts/", "alerts/")) else rest


def _told_by_body(received: Received) -> tuple[str, str]:
    """The old integration addresses say in the body what is done."""
    body = json_object(received)
    act = text(body.get("action")).lower()
    if act not in _DONE:
        return "", ""
    if not (alias := first(body.get("alias"), body.get("id"))):
        raise Malformed("alias is missing: it names the alert.", field="alias")
    return alias, act


def _note(received: Received) -> dict[str, Any]:
    """What was said along; nothing when there is no body."""
    return obj(parse_json(received.body)) if received.body.strip() else {}


def _created(received: Received) -> Signal:
    alert = json_object(received)
    if not (message := text(alert.get("message"))):
        raise Malformed("message can not be empty.", field="message")
    if len(alias := text(alert.get("alias"))) > MAX_ALIAS_CHARACTERS:
        raise Malformed(f"alias can not be longer than {MAX_ALIAS_CHARACTERS} characters.", field="alias")
    details = obj(alert.get("details"))
    named = {name: alert.get(name) for name in ("entity", "source", "user")}
    return Signal(
        key=alias or mark(received, "alias"),
        says=Says.FIRING,
        title=message,
        severity=_GRADES.get(text(alert.get("priority")).upper(), Grade.WARNING),
        body=first(alert.get("description"), alert.get("note")),
        occurred_at=moment(first(details.get("startsAt"), alert.get("createdAt"))),
        service=first(details.get("service"), alert.get("service")),
        labels=labels(tags(alert.get("tags") if isinstance(alert.get("tags"), list) else ""), details, named),
        link=link(details.get("url"), details.get("link"), alert.get("source"), *details.values()),
    )


ADAPTER = Opsgenie()
