"""Datadog's webhook integration: its payload is what the user pastes there (the guide has it), of `$VARIABLES`.

With Datadog's own default payload the transition is read from the title. A variable that was not replaced says nothing.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from incidents.intake.monitoring import sample_times
from incidents.intake.monitoring.answers import PlainAnswers
from incidents.intake.monitoring.reading import (
    first,
    json_object,
    labels,
    link,
    mark,
    moment,
    obj,
    plain_names,
    tags,
    text,
)
from incidents.intake.monitoring.shape import Grade, Malformed, Received, Says, Signal

_FIRING = Says.FIRING
_TRANSITIONS = {
    "triggered": (_FIRING, Grade.ERROR),
    "re-triggered": (_FIRING, Grade.ERROR),
    "renotify": (_FIRING, Grade.ERROR),
    "re-notify": (_FIRING, Grade.ERROR),
    "alert": (_FIRING, Grade.ERROR),
    "warn": (_FIRING, Grade.WARNING),
    "re-warn": (_FIRING, Grade.WARNING),
    "no data": (_FIRING, Grade.WARNING),
    "re-no data": (_FIRING, Grade.WARNING),
    "recovered": (Says.RESOLVED, Grade.ERROR),
    "ok": (Says.RESOLVED, Grade.ERROR),
}
_PRIORITIES = {
    "P1": Grade.CRITICAL,
    "P2": Grade.ERROR,
    "P3": Grade.WARNING,
    "P4": Grade.WARNING,
    "P5": Grade.INFO,
}
_TYPES = {"error": Grade.ERROR, "warning": Grade.WARNING, "info": Grade.INFO}
_VARIABLE = re.compile(r"\$[A-Z][A-Z0-9_.\[\]\"']*")
_IN_TITLE = re.compile(r"\[([A-Za-z- ]+?)(?: on [^\]]*)?\]")
_PREFIX = re.compile(r"^(\s*\[[^\]]*\])+\s*")
_LABELS = ("hostname", "scope", "metric", "query", "status", "alertid", "orgname", "user")


class Datadog(PlainAnswers):
    kind = "datadog"

    def read(self, received: Received) -> list[Signal]:
        given = {
            name: "" if isinstance(value, str) and _VARIABLE.fullmatch(value.strip()) else value
            for name, value in plain_names(json_object(received)).items()
        }
        title = first(given.get("title"), given.get("eventtitle"))
        if not title:
            raise Malformed('title is missing: give the webhook a payload with "title": "$EVENT_TITLE".', field="title")
        said = first(given.get("transition"), given.get("alerttransition")).lower() or _transition_of(title)
        says, severity = _TRANSITIONS.get(said, (Says.INFO, Grade.INFO))
        key = _key(given)
        if not key:
            if says is Says.RESOLVED:
                raise Malformed(
                    'alert_cycle_key is missing: add "alert_cycle_key": "$ALERT_CYCLE_KEY" to the payload.',
                    field="alert_cycle_key",
                )
            key = mark(received, "event")
        named = tags(given.get("tags"))
        return [
            Signal(
                key=key,
                says=says,
                title=_PREFIX.sub("", title) or title,
                severity=severity if says is Says.INFO else _severity(given, severity),
                body=first(given.get("body"), given.get("message"), given.get("textonlymsg"), given.get("eventmsg")),
                occurred_at=moment(first(given.get("date"), given.get("lastupdated"))),
                service=first(given.get("service"), named.get("service")),
                labels=labels(
                    named, {name: given.get(name) for name in _LABELS}, org=obj(given.get("org")).get("name")
                ),
                link=link(given.get("link"), given.get("url"), given.get("snapshot")),
            )
        ]

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        names = {Says.FIRING: "Triggered", Says.RESOLVED: "Recovered"}
        word = names.get(says, "")
        body: dict[str, Any] = {
            "alert_cycle_key": "5934102875610294312",
            "alert_id": "91827364",
            "transition": word or "$ALERT_TRANSITION",
            "title": f"[P2] [{word or 'Comment'} on {{host:cart-2}}] Cart answers slowly",
            "body": "p95 of cart is 4.1 s, limit 1.5 s. @webhook-service-desk",
            "priority": "P2",
            "alert_type": "success" if says is Says.RESOLVED else "error",
            "date": f"{sample_times.seconds()}000",
            "hostname": "cart-2",
            "scope": "host:cart-2",
            "metric": "trace.http.request.duration.by.service.95p",
            "tags": "env:prod,host:cart-2,monitor,service:cart",
            "link": "https://app.datadoghq.com/event/event?id=5934102875610294312",
        }
        return json.dumps(body).encode(), {"content-type": "application/json"}


def _transition_of(title: str) -> str:
    """`[P1] [Triggered on {host:x}] Name` says it in one of the brackets; "" when none does."""
    words = (found.group(1).strip().lower() for found in _IN_TITLE.finditer(title[:500]))
    return next((word for word in words if word in _TRANSITIONS), "")


def _key(given: Mapping[str, Any]) -> str:
    cycle = first(given.get("alertcyclekey"), given.get("aggregkey"), given.get("aggregationkey"))
    if cycle:
        return cycle
    alert, scope = text(given.get("alertid")), first(given.get("scope"), given.get("alertscope"))
    return f"{alert}/{scope}" if alert and scope else alert


def _severity(given: Mapping[str, Any], otherwise: Grade) -> Grade:
    if (priority := first(given.get("priority"), given.get("alertpriority")).upper()) in _PRIORITIES:
        return _PRIORITIES[priority]
    return _TYPES.get(first(given.get("alerttype"), given.get("type")).lower(), otherwise)


ADAPTER = Datadog()
