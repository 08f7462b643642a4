"""CloudEvents 1.0 over HTTP: structured, binary and batch. Key is `source` + `id`, or what the mapping says.

The mapping is the generic one (see `mapping`), over the event: `type`, `subject`, `data.…`. Without a mapping an event
fires, unless its type ends like a recovery or its data say so.
"""

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any
from urllib.parse import unquote

from incidents.intake.monitoring import mapping, sample_times
from incidents.intake.monitoring.answers import PlainAnswers
from incidents.intake.monitoring.guessing import guess_state
from incidents.intake.monitoring.reading import first, grade, labels, link, moment, obj, parse_json, text
from incidents.intake.monitoring.shape import Malformed, Received, Says, Signal

_REQUIRED = ("id", "source", "specversion", "type")
_OWN = (*_REQUIRED, "time", "subject", "data", "data_base64", "datacontenttype", "dataschema")
_RECOVERED = re.compile(r"(^|[._-])(resolved|recovered|closed|cleared|ok|up|restored)$", re.IGNORECASE)


class CloudEvents(PlainAnswers):
    kind = "cloudevents"

    def read(self, received: Received) -> list[Signal]:
        return [_signal(received, event) for event in _events(received)]

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        state = "resolved" if says is Says.RESOLVED else "firing"
        event = {
            "specversion": "1.0",
            "id": "b46cf653-d48a-4b90-8dfa-355c01061361",
            "source": "https://monitoring.example.com/checks/shop",
            "type": f"com.example.check.{state}",
            "subject": "shop",
            "time": sample_times.iso(),
            "datacontenttype": "application/json",
            "data": {"title": "Shop is slow", "severity": "error", "state": state, "latency": 4.1},
        }
        return json.dumps(event).encode(), {"content-type": "application/cloudevents+json; charset=utf-8"}


def _events(received: Received) -> list[dict[str, Any]]:
    content_type = received.headers.get("content-type", "").lower()
    if "ce-id" in received.headers or "ce-specversion" in received.headers:
        return [_checked(_binary(received, content_type), "")]
    value = parse_json(received.body)
    if isinstance(value, list):
        return [_checked(_unpacked(event, f"[{n}]."), f"[{n}].") for n, event in enumerate(value)]
    return [_checked(_unpacked(value, ""), "")]


def _binary(received: Received, content_type: str) -> dict[str, Any]:
    """Attributes in `ce-` headers (percent-encoded), the body is the data."""
    event: dict[str, Any] = {
        name.removeprefix("ce-"): unquote(value) for name, value in received.headers.items() if name.startswith("ce-")
    }
    event["data"] = _as_data(received.body, content_type)
    return event


def _as_data(body: bytes, content_type: str) -> Any:
    if not body.strip():
        return None
    if "json" in content_type or body.lstrip()[:1] in (b"{", b"["):
        return parse_json(body)
    return body.decode("utf-8", "replace")


def _unpacked(event: Any, place: str) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise Malformed(f"{place or 'The event '}is not an object.", field=place.rstrip("."))
    if isinstance(coded := event.get("data_base64"), str) and event.get("data") is None:
        try:
            return {**event, "data": _as_data(b64decode(coded, validate=True), text(event.get("datacontenttype")))}
        except (NotBase64, ValueError):
            raise Malformed(f"{place}data_base64 is not Base64.", field=f"{place}data_base64") from None
    return event


def _checked(event: dict[str, Any], place: str) -> dict[str, Any]:
    for name in _REQUIRED:
        if not isinstance(event.get(name), str) or not text(event[name]):
            raise Malformed(f"{place}{name} is missing: a CloudEvent has {', '.join(_REQUIRED)}.", field=place + name)
    if not event["specversion"].startswith("1."):
        raise Malformed(f"{place}specversion must be 1.0.", field=f"{place}specversion")
    return event


def _signal(received: Received, event: dict[str, Any]) -> Signal:
    source, identity, kind = text(event["source"]), text(event["id"]), text(event["type"])
    own_key = f"{source} {identity}"
    rest = {name: value for name, value in event.items() if name not in _OWN}
    if mapping.is_mapped(received.settings):
        return mapping.signal(received.settings, event, whole=event, key=own_key, occurred_at=moment(event.get("time")))
    data = obj(event.get("data"))
    says = guess_state(data) or (Says.RESOLVED if _RECOVERED.search(kind) else Says.FIRING)
    return Signal(
        key=own_key,
        says=says,
        title=first(data.get("title"), data.get("summary"), data.get("message"), event.get("subject"), kind),
        severity=grade(first(data.get("severity"), event.get("severity"))),
        body=first(data.get("description"), "" if data else event.get("data")),
        occurred_at=moment(event.get("time")),
        service=first(data.get("service"), event.get("service")),
        labels=labels(data, rest, source=source, type=kind, subject=event.get("subject")),
        link=link(data.get("url"), data.get("link"), event.get("source")),
    )


ADAPTER = CloudEvents()
