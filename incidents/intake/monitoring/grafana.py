"""Grafana: unified alerting's webhook (groups of alerts, like Alertmanager's) and the legacy one (one rule a body)."""

import json
from datetime import datetime
from typing import Any

from incidents.intake.monitoring import sample_times
from incidents.intake.monitoring.answers import PlainAnswers
from incidents.intake.monitoring.reading import (
    first,
    grade,
    json_object,
    labels,
    link,
    mark,
    moment,
    obj,
    objects,
    text,
    whole,
)
from incidents.intake.monitoring.shape import Grade, Malformed, Received, Says, Signal
from incidents.intake.monitoring.signatures import require_hmac

SIGNATURE_HEADER = "X-Grafana-Alerting-Signature"
_LEGACY = {
    "alerting": (Says.FIRING, Grade.ERROR),
    "no_data": (Says.FIRING, Grade.WARNING),
    "ok": (Says.RESOLVED, Grade.ERROR),
    "pending": (Says.INFO, Grade.INFO),
    "paused": (Says.INFO, Grade.INFO),
}


class Grafana(PlainAnswers):
    kind = "grafana"
    methods = ("POST", "PUT")

    def read(self, received: Received) -> list[Signal]:
        body = json_object(received)
        if isinstance(body.get("alerts"), list):
            return [_alert(received, number, one) for number, one in enumerate(body["alerts"])]
        if "state" in body or "ruleName" in body:
            return [_legacy(received, body)]
        raise Malformed(
            "alerts is missing. Use Grafana's webhook contact point without a custom payload.", field="alerts"
        )

    def verify(self, received: Received) -> None:
        """When a secret is kept: `signature_header` and `timestamp_header` of the settings name other headers."""
        require_hmac(
            received,
            header=text(received.settings.get("signature_header")) or SIGNATURE_HEADER,
            timestamp_header=text(received.settings.get("timestamp_header")),
        )

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        status = "resolved" if says is Says.RESOLVED else "firing"
        alert: dict[str, Any] = {
            "status": status,
            "labels": {"alertname": "High error rate", "grafana_folder": "Shop", "severity": "critical"},
            "annotations": {"summary": "7 % of requests fail", "description": "Usually below 0.1 %."},
            "startsAt": sample_times.this_hour(),
            "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else sample_times.iso(),
            "generatorURL": "https://grafana.example.com/alerting/grafana/a1b2/view?orgId=1",
            "fingerprint": "57c6d9296de2ad39",
            "silenceURL": "https://grafana.example.com/alerting/silence/new",
            "dashboardURL": "https://grafana.example.com/d/shop?orgId=1",
            "panelURL": "",
            "values": {"B": 0.07, "C": 1},
        }
        body = {
            "receiver": "service desk",
            "status": status,
            "alerts": [alert] if says is not Says.INFO else [],
            "groupLabels": {"alertname": "High error rate"},
            "commonLabels": alert["labels"],
            "commonAnnotations": alert["annotations"],
            "externalURL": "https://grafana.example.com/",
            "version": "1",
            "groupKey": '{}:{alertname="High error rate"}',
            "truncatedAlerts": 0,
            "orgId": 1,
            "title": f"[{status.upper()}:1] High error rate Shop (critical)",
            "state": "alerting" if status == "firing" else "ok",
            "message": "**Firing**",
        }
        return json.dumps(body).encode(), {"content-type": "application/json"}


def _alert(received: Received, number: int, alert: Any) -> Signal:
    """One of the group, which may be resolved while the group fires."""
    place = f"alerts[{number}]"
    if not isinstance(alert, dict):
        raise Malformed(f"{place} is not an object.", field=place)
    status = text(alert.get("status")).lower()
    if status not in ("firing", "resolved"):
        raise Malformed(f"{place}.status must be firing or resolved.", field=f"{place}.status")
    named, notes = obj(alert.get("labels")), obj(alert.get("annotations"))
    name = text(named.get("alertname"))
    fingerprint = text(alert.get("fingerprint"))
    if not fingerprint and not named:
        raise Malformed(f"{place}.fingerprint is missing.", field=f"{place}.fingerprint")
    begin, end = text(alert.get("startsAt")), moment(alert.get("endsAt"))
    happened: datetime | None = end if status == "resolved" and end else moment(begin)
    return Signal(
        key=fingerprint or text(dict(sorted(named.items()))),
        says=Says.RESOLVED if status == "resolved" else Says.FIRING,
        title=first(notes.get("summary"), notes.get("title"), name, "Grafana alert"),
        severity=grade(first(named.get("severity"), named.get("priority"), named.get("level"))),
        body=first(notes.get("description"), notes.get("message"), alert.get("valueString")),
        episode=begin,
        occurred_at=happened,
        service=text(named.get("service")),
        labels=labels(named, {f"value {key}": value for key, value in obj(alert.get("values")).items()}),
        link=link(alert.get("panelURL"), alert.get("dashboardURL"), alert.get("generatorURL")),
    )


def _legacy(received: Received, body: dict[str, Any]) -> Signal:
    state = text(body.get("state")).lower()
    if state not in _LEGACY:
        raise Malformed(f"state must be one of {', '.join(_LEGACY)}.", field="state")
    says, severity = _LEGACY[state]
    organisation = whole(body.get("orgId")) or 0
    rule = first(body.get("ruleId"), body.get("ruleUrl"), body.get("ruleName"))
    measured = {text(one.get("metric")): one.get("value") for one in objects(body.get("evalMatches"))}
    return Signal(
        key=f"{organisation}/{rule}" if rule else mark(received, "rule"),
        says=says,
        title=first(body.get("ruleName"), body.get("title"), "Grafana alert"),
        severity=grade(obj(body.get("tags")).get("severity"), severity),
        body=text(body.get("message")),
        service=text(obj(body.get("tags")).get("service")),
        labels=labels(measured, obj(body.get("tags"))),
        link=link(body.get("ruleUrl")),
    )


ADAPTER = Grafana()
