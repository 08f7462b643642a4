"""Stored bodies become alerts: in the order of their sender, several in one transaction, each sooner or later."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from urllib.parse import parse_qsl

from django.db import OperationalError, transaction
from django.utils import timezone

from incidents import live
from incidents.actions import alert_recovery, alerts, payloads
from incidents.alert_episodes import Episode
from incidents.alert_signals import Signal
from incidents.intake.monitoring import door, registry
from incidents.intake.monitoring.shape import Malformed, Received
from incidents.models import Integration, Payload

AT_ONCE = 200
"""Bodies in one transaction: a burst of single alerts costs few commits."""
BYTES_AT_ONCE = 4 * 1024 * 1024
BYTES_OF_A_PART = 1024 * 1024
_Read = list[Signal] | Malformed
_DEADLOCK = "40P01"
_log = logging.getLogger(__name__)


def process(integration_id: int) -> int:
    """Works on what waits of one sender until nothing is due. Answers how many bodies; 0 when somebody else does it.

    Killed in the middle, a transaction leaves no trace and the sweep begins again.
    """
    integration = Integration.objects.filter(pk=integration_id).first()
    count = 0
    while integration is not None:
        done = _several(integration, timezone.now())
        if not done:
            break
        count += done
    return count


def process_due(*, at: datetime) -> int:
    """The sweep: every sender with something due. Answers how many bodies were worked on."""
    senders = list(payloads.due(at).values_list("integration_id", flat=True).distinct())
    return sum(process(sender) for sender in senders)


def _several(integration: Integration, at: datetime) -> int:
    """The next bodies in one transaction; when that fails, each in its own, so that one cannot hold up the others."""
    claimed: list[Payload] = []
    try:
        with transaction.atomic():
            if not payloads.lock_sender(integration.pk, wait=False):
                return 0
            claimed = payloads.claim(integration.pk, at=at, most=AT_ONCE, most_bytes=BYTES_AT_ONCE)
            told = _take_in(integration, claimed, at)
    except Exception as error:
        if _is_passing(error) or not claimed:
            raise
        _log.warning("bodies failed together", extra={"integration": integration.pk, "reason": _said(error)})
        for payload in claimed:
            _alone(integration, payload.pk, at)
        return len(claimed)
    _tell(told, at)
    return len(claimed)


def _alone(integration: Integration, payload_id: int, at: datetime) -> None:
    try:
        with transaction.atomic():
            payloads.lock_sender(integration.pk, wait=True)
            waiting = payloads.due(at).select_for_update(of=("self",)).filter(pk=payload_id)
            told = _take_in(integration, list(waiting), at)
    except Exception as error:
        if _is_passing(error):
            raise
        _log.exception("payload failed", extra={"integration": integration.pk, "payload": payload_id})
        with transaction.atomic():
            payloads.put_off(payload_id, _said(error), at=at)
        return
    _tell(told, at)


def _take_in(integration: Integration, claimed: list[Payload], at: datetime) -> list[Episode]:
    told: list[Episode] = []
    done: list[Payload] = []
    for part in _read_ahead(integration, claimed):
        bodies: list[tuple[Payload, list[Signal]]] = []
        for payload, read in part:
            if isinstance(read, Malformed):
                payloads.refuse(payload, read.sentence, at=at)
            else:
                bodies.append((payload, read))
        told += alerts.take_in_several(integration, bodies, at=at) if bodies else []
        done += [payload for payload, _ in bodies]
    payloads.settle(done, at=at)
    return told


def _read_ahead(integration: Integration, claimed: list[Payload]) -> Iterator[list[tuple[Payload, _Read]]]:
    """The bodies in parts, in their order. While the database works on one part, a thread reads the next: in a storm
    each takes about half of the time."""
    read = partial(_read, integration, door.settings_of(integration))
    parts = _parts(claimed)
    if len(parts) < 2:
        yield from map(read, parts)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="read ahead") as reader:
        coming = reader.submit(read, parts[0])
        for following in parts[1:]:
            ready, coming = coming.result(), reader.submit(read, following)
            yield ready
        yield coming.result()


def _parts(claimed: list[Payload]) -> list[list[Payload]]:
    parts: list[list[Payload]] = []
    room = 0
    for payload in claimed:
        if room <= 0:
            parts.append([])
            room = BYTES_OF_A_PART
        parts[-1].append(payload)
        room -= len(payload.body)
    return parts


def _read(integration: Integration, settings: dict[str, object], part: list[Payload]) -> list[tuple[Payload, _Read]]:
    """What each body says, or why nobody can tell. Pure: it runs beside the transaction."""
    adapter = registry.adapter_for(integration.kind)
    found: list[tuple[Payload, _Read]] = []
    for payload in part:
        try:
            if adapter is None:
                raise Malformed(f"Nothing reads bodies of the kind {integration.kind}.")
            found.append((payload, adapter.read(_received(integration, payload, settings))))
        except Malformed as why:
            found.append((payload, why))
    return found


def _received(integration: Integration, payload: Payload, settings: dict[str, object]) -> Received:
    """The body as the adapter saw it in the request."""
    return Received(
        kind=integration.kind,
        body=bytes(payload.body),
        headers=payload.headers,
        query=dict(parse_qsl(payload.query, keep_blank_values=True)),
        method=payload.method,
        rest=payload.path,
        settings=settings,
        received_at=payload.received_at,
    )


def _tell(told: list[Episode], at: datetime) -> None:
    """What follows from committed alerts; the sweep makes up for it when this process ends here."""
    if told:
        alert_recovery.review(told, at=at)
        live.changed("alerts", "alerts_changed")


def _is_passing(error: Exception) -> bool:
    """The database is away, or chose this transaction to end a deadlock: nothing is wrong with the body."""
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.__cause__, "pgcode", None)
    return state is None or state == _DEADLOCK or state[:2] in ("08", "53", "57")


def _said(error: Exception) -> str:
    """The kind of error and its first line: enough to look for, nothing of the body."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:500]
