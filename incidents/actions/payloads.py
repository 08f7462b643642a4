"""Bodies as they came: kept before anything else happens, worked on in order, tried again, replayed, forgotten."""

import json
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from celery import current_app
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Length
from psycopg2 import Binary

from incidents import errands, permissions
from incidents.errors import WrongStage
from incidents.models import Alert, Integration, Organisation, Payload, PayloadState, User

MAX_ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 10
_LOCK = 7_301 << 40
"""Keeps the advisory locks of senders apart from others."""
_FORGOTTEN_AT_ONCE = 5_000


_COLUMNS = [field.attname for field in Payload._meta.concrete_fields if not field.primary_key]
_KEEP = (
    f"INSERT INTO {Payload._meta.db_table} ({', '.join(_COLUMNS)}) "  # noqa: S608
    f"VALUES ({', '.join(['%s'] * len(_COLUMNS))}) RETURNING id"
)


def keep(payload: Payload) -> int:
    """Stores one body, committed when this returns unless the caller holds a transaction; wakes the worker after
    the commit. Answers its id. In SQL: this is what a burst waits for."""
    values = {name: getattr(payload, name) for name in _COLUMNS}
    values["headers"], values["body"] = json.dumps(payload.headers), Binary(payload.body)
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, list(values.values()))
        payload.pk = cursor.fetchone()[0]
    if payload.state == PayloadState.WAITING:
        wake_up(payload.integration_id)
    return payload.pk


class _Bell:
    """Rings for a sender at once, then at most ten times a second: a burst costs ten messages, not thousands."""

    PAUSE = 0.1

    def __init__(self) -> None:
        self._last: dict[int, float] = {}
        self._pending: set[int] = set()
        self._changing = threading.Lock()

    def ring(self, integration_id: int) -> None:
        with self._changing:
            now = time.monotonic()
            pause = self._last.get(integration_id, 0) + self.PAUSE - now
            if pause <= 0:
                self._last[integration_id] = now
            elif integration_id in self._pending:
                return
            else:
                self._pending.add(integration_id)
        if pause <= 0:
            self._send(integration_id)
        else:
            later = threading.Timer(pause, self._ring_later, [integration_id])
            later.daemon = True
            later.start()

    def _ring_later(self, integration_id: int) -> None:
        with self._changing:
            self._pending.discard(integration_id)
            self._last[integration_id] = time.monotonic()
        self._send(integration_id)

    def _send(self, integration_id: int) -> None:
        ring = partial(current_app.send_task, _TASK, args=[integration_id], ignore_result=True, retry=False, expires=60)
        errands.errands.add(("payloads", integration_id), ring)


_TASK = "incidents.tasks.process_payloads"
_bell = _Bell()


def wake_up(integration_id: int) -> None:
    """After the commit, tells the worker. What gets lost, the sweep makes up for."""
    transaction.on_commit(lambda: _bell.ring(integration_id), robust=True)


def lock_sender(integration_id: int, *, wait: bool) -> bool:
    """One at a time writes the alerts of a sender, which keeps its order; until the transaction ends.

    False when somebody else does it and `wait` is False.
    """
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK + integration_id])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK + integration_id])
        return bool(cursor.fetchone()[0])


def due(at: datetime) -> QuerySet[Payload]:
    """Those that wait and may be tried now."""
    return Payload.objects.filter(state=PayloadState.WAITING).filter(
        Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=at)
    )


def claim(integration_id: int, *, at: datetime, most: int, most_bytes: int) -> list[Payload]:
    """The oldest bodies of a sender that are due, locked; at most so many, and those after the first only while
    they hold so many bytes together."""
    waiting = due(at).filter(integration_id=integration_id).order_by("id")
    room = most_bytes
    wanted: list[int] = []
    for pk, size in waiting.annotate(size=Length("body")).values_list("pk", "size")[:most]:
        room -= size
        if wanted and room < 0:
            break
        wanted.append(pk)
    if not wanted:
        return []
    locked = Payload.objects.select_for_update(of=("self",), skip_locked=True)
    return list(locked.filter(pk__in=wanted, state=PayloadState.WAITING).order_by("id"))


def settle(payloads: Iterable[Payload], *, at: datetime) -> None:
    """Their alerts are in the record."""
    Payload.objects.filter(pk__in=[payload.pk for payload in payloads]).update(
        state=PayloadState.DONE, processed_at=at, reason="", next_attempt_at=None
    )


def refuse(payload: Payload, reason: str, *, at: datetime) -> None:
    """It cannot be read after all, for example when replayed after an adapter was changed."""
    Payload.objects.filter(pk=payload.pk).update(
        state=PayloadState.REFUSED, processed_at=at, reason=reason, next_attempt_at=None
    )


def put_off(payload_id: int, reason: str, *, at: datetime) -> None:
    """It failed: tried again after 10, 30, 90 and 270 s; after the fifth time it is `failed` and waits for people."""
    payload = Payload.objects.select_for_update(of=("self",)).get(pk=payload_id)
    payload.attempts += 1
    payload.reason = reason
    pause = timedelta(seconds=_FIRST_PAUSE_SECONDS * 3 ** (payload.attempts - 1))
    payload.next_attempt_at = at + pause
    if payload.attempts >= MAX_ATTEMPTS:
        payload.state, payload.processed_at, payload.next_attempt_at = PayloadState.FAILED, at, None
    payload.save(update_fields=["attempts", "reason", "next_attempt_at", "state", "processed_at"])


@transaction.atomic
def replay(payload_id: int, *, actor: User, at: datetime) -> Payload:
    """Once more through the adapter and the rules. What is in the record already is not made twice.

    Raises WrongStage while it waits anyway.
    """
    permissions.require(actor, "configure_integrations")
    payload = Payload.objects.select_for_update(of=("self",)).get(pk=payload_id)
    if payload.state == PayloadState.WAITING:
        raise WrongStage("This one waits for the worker already.")
    _again(Payload.objects.filter(pk=payload.pk))
    wake_up(payload.integration_id)
    return Payload.objects.get(pk=payload_id)


@transaction.atomic
def replay_failed(integration_id: int, *, actor: User, at: datetime) -> int:
    """All that failed of one sender, in their order. Answers how many."""
    permissions.require(actor, "configure_integrations")
    Integration.objects.select_for_update(of=("self",)).get(pk=integration_id)
    count = _again(Payload.objects.filter(integration_id=integration_id, state=PayloadState.FAILED))
    wake_up(integration_id)
    return count


def _again(payloads: QuerySet[Payload]) -> int:
    return payloads.update(state=PayloadState.WAITING, attempts=0, next_attempt_at=None, reason="", processed_at=None)


def forget_old(*, at: datetime) -> int:
    """Bodies older than the organisation keeps them, in small steps; what waits or failed stays. Answers how many."""
    before = at - timedelta(days=Organisation.current().payload_days)
    settled = Payload.objects.filter(
        received_at__lt=before, state__in=(PayloadState.DONE, PayloadState.REFUSED)
    ).order_by("received_at")
    count = 0
    while chunk := list(settled.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE]):
        with transaction.atomic():
            Alert.objects.filter(payload_id__in=chunk).update(payload=None)
            with connection.cursor() as cursor:  # the ORM would look for their alerts a hundred at a time
                cursor.execute(f"DELETE FROM {Payload._meta.db_table} WHERE id = ANY(%s)", [chunk])  # noqa: S608
        count += len(chunk)
    return count
