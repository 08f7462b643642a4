"""Prometheus Alertmanager, webhook version 4.

A firing group may hold resolved alerts, so each alert's own status counts. `endsAt` is in year 1 while it fires.
It gives up on any 4xx until the next flush and repeats what is answered slowly: hence answered before the work.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from django.utils.dateparse import parse_datetime

from incidents.intake.monitoring.shape import Answer, Grade, Malformed, Received, Says, Signal

_GRADES = {
    Grade.CRITICAL: ("critical", "crit", "page", "fatal", "emergency", "disaster", "p1", "sev1"),
    Grade.ERROR: ("error", "err", "major", "high", "p2", "sev2"),
    Grade.WARNING: ("warning", "warn", "minor", "medium", "average", "p3", "sev3"),
    Grade.INFO: ("info", "information", "informational", "notice", "none", "low", "debug", "p4", "p5", "sev4"),
}
_GRADE_OF = {word: grade for grade, words in _GRADES.items() for word in words}
_SERVICE_LABELS = ("service", "job", "app")
_TEXTS = ("summary", "message", "title")
_SAYS = {"firing": Says.FIRING, "resolved": Says.RESOLVED}


class Alertmanager:
    """Reads groups of alerts: key is the fingerprint, the occurrence is its `startsAt`."""

    kind = "alertmanager"

    def read(self, received: Received) -> list[Signal]:
        """One signal an alert. Raises Malformed naming the field."""
        group = _object(received.body)
        alerts = group.get("alerts")
        if not isinstance(alerts, list):
            raise Malformed("A webhook of Alertmanager has a list named alerts.", field="alerts")
        common = _texts(group.get("commonLabels")) | _texts(group.get("groupLabels"))
        return [self._signal(alert, number, common) for number, alert in enumerate(alerts)]

    def _signal(self, alert: Any, number: int, common: Mapping[str, str]) -> Signal:
        if not isinstance(alert, dict):
            raise Malformed("Each alert is an object.", field=f"alerts[{number}]")
        labels, annotations = _texts(alert.get("labels")) or common, _texts(alert.get("annotations"))
        says = _SAYS.get(_text(alert.get("status")).lower())
        if says is None:
            raise Malformed("The status of an alert is firing or resolved.", field=f"alerts[{number}].status")
        key = _text(alert.get("fingerprint"))
        if not key:
            if not labels:
                raise Malformed("An alert has a fingerprint or labels.", field=f"alerts[{number}].labels")
            key = json.dumps(sorted(labels.items()), ensure_ascii=False)
        starts_at = _text(alert.get("startsAt"))
        return Signal(
            key=key,
            says=says,
            title=_first(annotations, _TEXTS) or labels.get("alertname", "") or "Alert without a name",
            severity=_GRADE_OF.get(labels.get("severity", "").lower(), Grade.ERROR),
            body=annotations.get("description", ""),
            episode=starts_at,
            occurred_at=_moment(_text(alert.get("endsAt"))[:64] if says is Says.RESOLVED else starts_at[:64]),
            service=_first(labels, _SERVICE_LABELS),
            labels=labels,
            link=_link(annotations.get("runbook_url"), alert.get("generatorURL")),
        )

    def accepted(self, received: Received, signals: list[Signal]) -> Answer:
        """202; Alertmanager reads nothing but the status."""
        return Answer(202, {"status": "accepted", "alerts": len(signals), "payload": received.payload_id})

    def refused(self, received: Received, why: Malformed) -> Answer:
        """The status, and a sentence that Alertmanager writes into its log."""
        return Answer(why.status, {"status": "refused", "error": why.sentence, "field": why.field})

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        """One group with one alert, as version 0.25 sends it."""
        is_over = says == Says.RESOLVED
        alert = {
            "status": "resolved" if is_over else "firing",
            "labels": {
                "alertname": "HighErrorRate",
                "severity": "critical",
                "service": "checkout",
                "instance": "web-1",
            },
            "annotations": {"summary": "5xx above 5 %", "description": "Errors for five minutes."},
            "startsAt": "2026-03-02T09:15:00.000Z",
            "endsAt": "2026-03-02T09:40:00.000Z" if is_over else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.org/graph",
            "fingerprint": "c1a1b2d3e4f50617",
        }
        group = {
            "receiver": "desk",
            "status": alert["status"],
            "alerts": [alert],
            "groupLabels": {"alertname": "HighErrorRate"},
            "commonLabels": alert["labels"],
            "commonAnnotations": alert["annotations"],
            "externalURL": "http://alertmanager.example.org",
            "version": "4",
            "groupKey": '{}:{alertname="HighErrorRate"}',
            "truncatedAlerts": 0,
        }
        return orjson.dumps(group), {"content-type": "application/json", "user-agent": "Alertmanager/0.25.0"}


def _object(body: bytes) -> dict[str, Any]:
    if b"\\u0000" in body:  # cannot be stored; here once, rather than in every text
        body = body.replace(b"\\u0000", b"\\ufffd")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"This is not JSON: {str(error)[:200]}.") from None
    if not isinstance(found, dict):
        raise Malformed("The body is one JSON object.")
    return found


def _text(value: Any) -> str:
    if type(value) is str:
        return value.strip()
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _texts(value: Any) -> dict[str, str]:
    """Names and texts; the parsed object itself when there is nothing else in it, which is nearly always."""
    if type(value) is not dict:
        return {}
    for said in value.values():
        if type(said) is not str:
            return {name: said if type(said) is str else _text(said) for name, said in value.items()}
    return value


def _first(texts: Mapping[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        if found := texts.get(name):
            return found
    return ""


@lru_cache(maxsize=1024)
def _moment(said: str) -> datetime | None:
    """The aware moment; None for year 1, which stands for "not yet", and for what is no time.

    Remembered, since the alerts of one group began together."""
    try:
        found = parse_datetime(said)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None and found.year > 1970 else None


def _link(*values: Any) -> str:
    for value in values:
        if (said := _text(value)).startswith(("http://", "https://")):
            return said
    return ""


ADAPTER = Alertmanager()
