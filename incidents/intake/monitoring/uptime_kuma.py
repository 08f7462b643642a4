"""Uptime Kuma's webhook, as JSON or as a form with the JSON in `data`. Without a heartbeat: a test or a notice."""

import json
from typing import Any

from incidents.intake.monitoring import sample_times
from incidents.intake.monitoring.answers import PlainAnswers
from incidents.intake.monitoring.reading import (
    fields,
    first,
    labels,
    link,
    moment,
    obj,
    objects,
    parse_json,
    text,
    whole,
)
from incidents.intake.monitoring.shape import Grade, Malformed, Received, Says, Signal

_STATES = {0: Says.FIRING, 1: Says.RESOLVED, 2: Says.INFO, 3: Says.INFO}
"""Down, up, pending (not sure yet), maintenance."""


class UptimeKuma(PlainAnswers):
    kind = "uptime-kuma"

    def read(self, received: Received) -> list[Signal]:
        body = fields(received)
        if isinstance(body.get("data"), str):
            body = obj(parse_json(body["data"].encode("utf-8", "replace")))
        if not {"heartbeat", "monitor", "msg"} & set(body):
            raise Malformed(
                "heartbeat, monitor and msg are missing. Choose “Preset - application/json” as request body.",
                field="heartbeat",
            )
        beat, monitor = body.get("heartbeat"), obj(body.get("monitor"))
        if not isinstance(beat, dict):
            title = first(body.get("msg"), "Test")
            return [Signal(key="test", says=Says.INFO, title=title, severity=Grade.INFO)]
        return [_signal(body, beat, monitor)]

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        status = {Says.FIRING: 0, Says.RESOLVED: 1}.get(says)
        monitor: dict[str, Any] = {"id": 7, "name": "Shop", "url": "https://shop.example.com", "type": "http"}
        beat: dict[str, Any] | None = {
            "monitorID": 7,
            "status": status,
            "time": sample_times.written("%Y-%m-%d %H:%M:%S.%f")[:-3],
            "msg": "200 - OK" if status else "Request failed with status code 502",
            "important": True,
            "duration": 60,
        }
        mood = {0: "[Shop] [🔴 Down] Request failed with status code 502", 1: "[Shop] [✅ Up] 200 - OK"}
        if status is None:
            beat, monitor = None, {}
        body = {"heartbeat": beat, "monitor": monitor or None, "msg": mood.get(status or 0) if beat else "Testing"}
        return json.dumps(body).encode(), {"content-type": "application/json"}


def _signal(body: dict[str, Any], beat: dict[str, Any], monitor: dict[str, Any]) -> Signal:
    status = whole(beat.get("status"))
    if status not in _STATES:
        raise Malformed("heartbeat.status must be 0 (down), 1 (up), 2 or 3.", field="heartbeat.status")
    key = first(beat.get("monitorID"), beat.get("monitor_id"), monitor.get("id"))
    if not key:
        raise Malformed("heartbeat.monitorID is missing: it names the monitor.", field="heartbeat.monitorID")
    says = _STATES[status]
    name = first(monitor.get("pathName"), monitor.get("name"), f"Monitor {key}")
    where = {name: monitor.get(name) for name in ("type", "hostname", "port", "url")}
    named = {text(tag.get("name")): first(tag.get("value"), "true") for tag in objects(monitor.get("tags"))}
    return Signal(
        key=key,
        says=says,
        title=f"{name} is down" if says is not Says.RESOLVED else f"{name} is up",
        severity=Grade.INFO if says is Says.INFO else Grade.CRITICAL,
        body=first(beat.get("msg"), body.get("msg")),
        occurred_at=moment(beat.get("time"), "UTC"),
        service=named.get("service", ""),
        labels=labels(where, named, monitor=name),
        link=link(monitor.get("url")),
    )


ADAPTER = UptimeKuma()
