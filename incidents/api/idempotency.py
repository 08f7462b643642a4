"""`Idempotency-Key`: the first answer again, never the act twice."""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.errors import IdempotencyMismatch, StillRunning
from incidents.errors import Invalid
from incidents.models import IdempotentRequest, User
from incidents.sealed import seal, unseal

KEPT_FOR = timedelta(hours=24)
_WAIT_FOR_FIRST = "5s"
_KEPT_HEADERS = ("Location", "ETag", "Retry-After", "WWW-Authenticate")
_SEALED = "sealed"
"""Marks, among the remembered headers, a body that is kept sealed because a secret stands in it."""
_BOUNDARY = re.compile(rb'boundary="?([^";,\s]+)')


class ServerFailure(Exception):
    """Carries a 5xx answer out of the transaction, which is rolled back: a failure is not remembered."""

    def __init__(self, response: Response) -> None:
        self.response = response


def answered_once(
    request: Request, act: Callable[[], Response], finish: Callable[[Response | Exception], Response]
) -> Response:
    """Runs `act` in one transaction with the row that remembers its answer; `finish` renders answer or refusal.

    A second request with the same key waits on that row until the first is committed, then gets its answer;
    after five seconds it is told to come back (409, Retry-After). A crash leaves neither act nor row.
    Raises Invalid for a key that is too long and IdempotencyMismatch when the key came with another body.
    """
    key = request.headers["Idempotency-Key"]
    if not 0 < len(key) <= 255:
        raise Invalid(**{"Idempotency-Key": "Give 1 to 255 characters."})
    user = request.user
    assert isinstance(user, User)
    fingerprint = _fingerprint(request)
    try:
        with transaction.atomic():
            if not _claimed(user, key, fingerprint):
                return _first_answer(user, key, fingerprint)
            response = _finished(act, finish)
            _remember(user, key, response)
            return response
    except ServerFailure as failure:
        return failure.response


def _finished(act: Callable[[], Response], finish: Callable[[Response | Exception], Response]) -> Response:
    try:
        with transaction.atomic():  # a refusal takes back what was half done, but not the row of the key
            result: Response | Exception = act()
    except Exception as refusal:
        result = refusal
    response = finish(result)
    if response.status_code >= 500:
        raise ServerFailure(response)
    return response


def _fingerprint(request: Request) -> str:
    body = request._request.body
    if found := _BOUNDARY.search((request.content_type or "").encode()):
        body = body.replace(found[1], b"")  # a client makes a new boundary for the same form
    told = f"{request.method} {request.path.rstrip('/')}\n".encode()
    return hashlib.sha256(told + body).hexdigest()


def _claimed(user: User, key: str, fingerprint: str) -> bool:
    """True when this request is the first. Waits for a first one that is still running."""
    now = timezone.now()
    IdempotentRequest.objects.filter(user=user, key=key, created_at__lt=now - KEPT_FOR).delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_WAIT_FOR_FIRST])
        try:
            with transaction.atomic():
                cursor.execute(
                    f"INSERT INTO {IdempotentRequest._meta.db_table}"  # noqa: S608 (our own table's name)
                    " (user_id, key, fingerprint, headers, created_at) VALUES (%s, %s, %s, '{}', %s)"
                    " ON CONFLICT (user_id, key) DO NOTHING",
                    [user.pk, key, fingerprint, now],
                )
                inserted = cursor.rowcount == 1
        except OperationalError:
            raise StillRunning("The first request with this Idempotency-Key is still running. Try again.") from None
        cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    return inserted


def _first_answer(user: User, key: str, fingerprint: str) -> Response:
    row = IdempotentRequest.objects.get(user=user, key=key)
    if row.fingerprint != fingerprint:
        raise IdempotencyMismatch("This Idempotency-Key came with another request before. Use a new key.")
    headers, body = dict(row.headers), bytes(row.body or b"")
    if headers.pop(_SEALED, None):
        body = unseal(body.decode()).encode()
    return _Replay(body, row.status or 200, headers)


def _remember(user: User, key: str, response: Response) -> None:
    headers: dict[str, Any] = {name: response[name] for name in (*_KEPT_HEADERS, "Content-Type") if name in response}
    body = response.rendered_content
    if getattr(response, "holds_secret", False):
        headers[_SEALED], body = True, seal(body.decode()).encode()
    IdempotentRequest.objects.filter(user=user, key=key).update(status=response.status_code, body=body, headers=headers)


class _Replay(Response):
    """The first answer, byte for byte."""

    def __init__(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        super().__init__(status=status, headers={**headers, "Idempotent-Replayed": "true"})
        self._first = content
        self._first_type = headers.get("Content-Type", "application/json")

    @property
    def rendered_content(self) -> bytes:  # type: ignore[override]
        self["Content-Type"] = self._first_type
        return self._first
