"""Any JSON, form or simple XML: the user maps the fields, good guesses do where nothing is mapped."""

import json
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring

from incidents.intake.monitoring import mapping
from incidents.intake.monitoring.answers import PlainAnswers
from incidents.intake.monitoring.reading import MAX_DEPTH, fields, parse_json, text
from incidents.intake.monitoring.shape import Malformed, Received, Says, Signal
from incidents.intake.monitoring.signatures import require_hmac

SIGNATURE_HEADERS = ("x-signature", "x-signature-256", "x-hub-signature-256", "x-webhook-signature")
"""Where a signature is looked for unless the settings name one of these as `signature_header`."""
TIMESTAMP_HEADER = "x-signature-timestamp"


class Generic(PlainAnswers):
    kind = "generic"
    methods = ("POST", "PUT")
    headers = (*SIGNATURE_HEADERS, TIMESTAMP_HEADER)

    def verify(self, received: Received) -> None:
        """When a secret is kept. With `signature_timestamp` set, `timestamp:body` is signed."""
        wanted = text(received.settings.get("signature_header")).lower()
        sent = next((name for name in SIGNATURE_HEADERS if received.headers.get(name)), SIGNATURE_HEADERS[0])
        is_timed = bool(received.settings.get("signature_timestamp"))
        require_hmac(received, header=wanted or sent, timestamp_header=TIMESTAMP_HEADER if is_timed else "")

    def read(self, received: Received) -> list[Signal]:
        return mapping.signals(received.settings, _value(received))

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        states = {Says.FIRING: "firing", Says.RESOLVED: "resolved", Says.ACKNOWLEDGED: "acknowledged"}
        body = {
            "id": "backup-nightly",
            "title": "The nightly backup did not finish",
            "state": states.get(says, "test"),
            "severity": "warning",
            "host": "backup-1",
            "url": "https://monitoring.example.com/backup-nightly",
        }
        return json.dumps(body).encode(), {"content-type": "application/json"}


def preview(settings: Mapping[str, Any], body: bytes, content_type: str = "") -> list[Signal]:
    """What these settings make of this body: for the mapping page. Raises Malformed as reading would."""
    headers = {"content-type": content_type}
    return ADAPTER.read(Received(kind="generic", body=body, headers=headers, query={}, settings=settings))


def _value(received: Received) -> Any:
    body = received.body.lstrip()
    if body[:1] == b"<":
        return _xml(body)
    if body[:1] in (b"{", b"["):
        return parse_json(received.body)
    given = fields(received)
    wrapped = next(iter(given.values())) if len(given) == 1 else None
    if isinstance(wrapped, str) and wrapped.lstrip()[:1] in ("{", "["):
        return parse_json(wrapped.encode("utf-8", "replace"))  # a form with all of it in one field
    return given


def _xml(body: bytes) -> Any:
    """Elements by name, texts where there are no elements, a list where a name repeats. Document types are refused:
    they are where XML can be made to explode or to read files."""
    if b"<!" in body.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise Malformed("XML with a document type is not read. Send JSON, or XML without one.")
    try:
        root = fromstring(body)  # noqa: S314 - no document type, hence no entities
    except (ParseError, ValueError, LookupError) as error:
        raise Malformed(f"The XML cannot be read: {error}.") from None
    value = _plain(root, 0)
    while isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), dict):
        value = next(iter(value.values()))  # envelope and body around the message say nothing
    if not isinstance(value, dict):
        raise Malformed("The XML holds no fields.")
    return value


def _plain(element: Element, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Malformed(f"The XML is nested more than {MAX_DEPTH} levels deep.")
    if not len(element):
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        name, value = child.tag.rpartition("}")[2], _plain(child, depth + 1)
        if name in found:
            found[name] = [*found[name], value] if isinstance(found[name], list) else [found[name], value]
        else:
            found[name] = value
    return found


ADAPTER = Generic()
