"""The door of monitoring tools: read at once, stored, committed, answered in the sender's dialect.

What becomes of a body is the worker's (see `processing`): a burst, a slow worker or an empty broker loses nothing.
"""

import logging
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents import sealed
from incidents.actions import payloads
from incidents.intake.monitoring import registry
from incidents.intake.monitoring.shape import Adapter, Answer, Malformed, Received, Signal
from incidents.models import Integration, Payload, PayloadState
from incidents.models.access import digest

LIMIT = 1024 * 1024
"""Bytes of one body, after inflating."""
DRAINED = 32 * 1024 * 1024
"""Bytes of an unwanted body that are read away so that its sender hears why."""
KEPT_OF_REFUSED = 64 * 1024
"""Bytes kept of a body that was too large: enough to see who sent what."""
_SECRET_NAME = re.compile(
    r"^key$|((api|routing|integration|genie|service)[_-]?key|token|secret|pass(word|wd)?|auth(orization)?)$",
    re.IGNORECASE,
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_log = logging.getLogger(__name__)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def by_path(request: HttpRequest, kind: str, key: str, rest: str = "") -> HttpResponse:
    """`/in/{kind}/{key}` and whatever the sender appends."""
    return receive(request, kind=kind, key=key, rest=rest, in_path=True)


def receive(request: HttpRequest, *, kind: str, key: str | None, rest: str = "", in_path: bool = False) -> HttpResponse:
    """One request of a sender, from its bytes to its answer; the view that calls it is `csrf_exempt`.

    `key` is what the sender identified itself with, None when it gave nothing. One that is unknown, switched off or
    of another kind is 404 when it stood in the path (`in_path`), else the adapter's own `refused` with status 401.
    Dialects that carry the key in the body read that with `body_of` before.
    """
    adapter = registry.adapter_for(kind)
    if adapter is None:
        return _nobody_here(request)
    received = _as_received(request, adapter, rest)
    integration = known(kind, key)
    if integration is None:
        if in_path:
            return _nobody_here(request)
        drain(request)
        return _told(adapter.refused(received, Malformed("This key is unknown here.", field="key", status=401)))
    received = replace(received, settings=settings_of(integration))
    try:
        if received.method not in registry.methods_of(adapter):
            drain(request)
            raise Malformed(f"Send this with {' or '.join(registry.methods_of(adapter))}.", status=405)
        received = replace(received, body=body_of(request))
        registry.verify(adapter, received)  # over the bytes as they were signed
        received = replace(received, body=_without(key, received.body))
        signals = _read(adapter, received)
    except Malformed as why:
        if why.status != 405 and why.status < 500:  # after a 5xx it comes again
            body = received.body or getattr(request, "_mim_began_with", b"")
            state = PayloadState.FAILED if isinstance(why, _OurFault) else PayloadState.REFUSED
            store(integration, replace(received, body=_without(key, body)), state=state, reason=why.sentence)
        return _told(adapter.refused(received, why))
    payload_id = store(integration, received, alerts=len(signals))
    return _told(adapter.accepted(replace(received, payload_id=payload_id), signals))


_KNOWN = f"SELECT * FROM {Integration._meta.db_table} WHERE key_sha256 = %s AND kind = %s AND is_active"  # noqa: S608


def known(kind: str, key: str | None) -> Integration | None:
    """The active integration of this kind behind a key in clear; None when there is none. Asked every time, so that
    a key that was taken back ends at once; in SQL, since the ORM's own work is a third of a request here."""
    try:
        hashed = digest(key or "")
    except UnicodeEncodeError:  # half a character, out of a JSON body
        return None
    return next(iter(Integration.objects.raw(_KNOWN, [hashed, kind])), None)


def store(
    integration: Integration,
    received: Received,
    *,
    state: str = PayloadState.WAITING,
    reason: str = "",
    alerts: int = 0,
    is_drill: bool = False,
) -> int:
    """Keeps one body, committed when this returns (outside a transaction), and wakes the worker. Answers its id.

    `is_drill`: somebody tries it out, so its alerts reach no rule.
    """
    return payloads.keep(
        Payload(
            integration=integration,
            received_at=received.received_at or timezone.now(),
            path=received.rest[:300],
            method=received.method[:8],
            headers=dict(received.headers),
            query=_written(received.query),
            body=received.body,
            sha256=sha256(received.body).hexdigest(),
            state=state,
            reason=reason,
            alerts=alerts,
            is_drill=is_drill,
        )
    )


def settings_of(integration: Integration) -> dict[str, Any]:
    """What an adapter may know of its integration. A secret that cannot be opened is "", which fits nothing."""
    secrets = []
    for secret in integration.signing_secrets:
        try:
            secrets.append(sealed.unseal(secret))
        except sealed.SealBroken:
            secrets.append("")
            _log.error("signing secret cannot be opened", extra={"integration": integration.pk})
    return {**integration.settings, "signing_secrets": secrets}


class _OurFault(Malformed):
    """An adapter failed in a way it must not."""


def _read(adapter: Adapter, received: Received) -> list[Signal]:
    try:
        return adapter.read(received)
    except Malformed:
        raise
    except Exception:  # a fault of ours loses no body: it is kept and can be replayed once mended
        _log.exception("adapter failed", extra={"kind": adapter.kind})
        raise _OurFault("This could not be read, through a fault of ours. It is kept and can be replayed.") from None


def body_of(request: HttpRequest) -> bytes:
    """The body, inflated; read once and remembered. Raises Malformed: 413 too large, 415 unknown encoding, 400."""
    found = getattr(request, "_mim_body", None)
    if found is None:
        try:
            found = _inflated(request, _raw(request))
        except Malformed as why:
            found = why
        request._mim_body = found  # type: ignore[attr-defined]
    if isinstance(found, Malformed):
        raise found
    return found


def _raw(request: HttpRequest) -> bytes:
    """The bytes as sent, whether their length was announced or not."""
    try:
        raw = _source(request).read(LIMIT + 1)
        if len(raw) > LIMIT:
            drain(request)
            request._mim_began_with = raw[:KEPT_OF_REFUSED]  # type: ignore[attr-defined]
            raise _too_large()
    except OSError:
        raise Malformed("The body broke off.") from None
    return raw


def _source(request: HttpRequest) -> Any:
    is_chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    return request.META["wsgi.input"] if is_chunked and request.META.get("wsgi.input_terminated") else request


def drain(request: HttpRequest) -> None:
    """Reads away what is left of a body nobody wants, within reason: a sender that still sends when the connection
    closes never sees the answer, and takes it for an outage."""
    source, left = _source(request), DRAINED
    try:
        while left > 0 and (piece := source.read(64 * 1024)):
            left -= len(piece)
    except OSError:
        return


def _too_large() -> Malformed:
    return Malformed(f"At most {LIMIT:,} bytes a body, after inflating. Send smaller groups.", status=413)


def _inflated(request: HttpRequest, raw: bytes) -> bytes:
    """Follows the bytes, too, for senders that compress without saying so. A bomb is cut while it inflates."""
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise Malformed(f"Content-Encoding “{encoding[:40]}” is not understood. Use gzip or deflate.", status=415)
    if not raw or not (encoding in ("gzip", "x-gzip", "deflate") or raw.startswith(b"\x1f\x8b")):
        return raw
    tries = [47, -15] if encoding == "deflate" else [47]  # zlib or gzip by its head; some send deflate without one
    for window in tries:
        inflater = zlib.decompressobj(window)
        try:
            body = inflater.decompress(raw, LIMIT + 1)
        except zlib.error:
            continue
        if len(body) > LIMIT:
            request._mim_began_with = body[:KEPT_OF_REFUSED]  # type: ignore[attr-defined]
            raise _too_large()
        if inflater.eof:
            return body
    request._mim_began_with = raw[:KEPT_OF_REFUSED]  # type: ignore[attr-defined]
    raise Malformed(f"The body is not complete {encoding or 'gzip'}.")


def _as_received(request: HttpRequest, adapter: Adapter, rest: str) -> Received:
    return Received(
        kind=adapter.kind,
        body=b"",
        headers={name: _clean(value) for name, value in registry.heard(adapter, request.headers.items()).items()},
        query={
            _clean(name): _clean(str(value)) for name, value in request.GET.items() if not _SECRET_NAME.search(name)
        },
        method=request.method or "GET",
        rest=_clean(rest).strip("/"),
        received_at=timezone.now(),
    )


def _written(query: Mapping[str, str]) -> str:
    """As a query string that `dict(parse_qsl(…))` reads back; cut between parameters."""
    pairs, room = [], 2000
    for name, value in query.items():
        pair = urlencode({name: value})
        if (room := room - len(pair) - 1) < 0:
            break
        pairs.append(pair)
    return "&".join(pairs)


def _clean(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def _without(key: str | None, body: bytes) -> bytes:
    """The body without the key that came in it: what is stored opens no door."""
    return body.replace(key.encode(), b"***") if key else body


def _nobody_here(request: HttpRequest) -> HttpResponse:
    drain(request)
    problem = {
        "type": "not_found",
        "title": "There is nothing here",
        "status": 404,
        "detail": "No active integration has this address. Copy it again from the Integrations page.",
    }
    return HttpResponse(orjson.dumps(problem), status=404, content_type="application/problem+json")


def _told(answer: Answer) -> HttpResponse:
    body = answer.body if isinstance(answer.body, str) else orjson.dumps(answer.body)
    return HttpResponse(body, status=answer.status, content_type=answer.content_type, headers=dict(answer.headers))
