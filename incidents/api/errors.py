"""Every refusal as a problem document (RFC 9457): `type` is a literal word, never a page, never a stack trace."""

import logging
import re
from typing import Any

import psycopg2.errors
from django.core.exceptions import (
    ObjectDoesNotExist,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import (
    PermissionDenied as DjangoPermissionDenied,
)
from django.core.exceptions import (
    ValidationError as DjangoValidationError,
)
from django.core.signals import got_request_exception
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django_fsm import TransitionNotAllowed
from rest_framework import exceptions as drf
from rest_framework.response import Response

from incidents.api.renderers import dump_json
from incidents.errors import ClockOrder, Duplicate, InUse, Invalid, NotAccountable, ProcessError, Stale, WrongStage

PROBLEM_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_log = logging.getLogger(__name__)

TITLES = {
    "invalid": "Something in the input is not right",
    "unauthenticated": "Sign in first",
    "not_allowed": "Not allowed",
    "not_found": "Not found",
    "method_not_allowed": "This address does not answer that method",
    "not_acceptable": "This address answers JSON",
    "too_large": "Too large",
    "unsupported_media_type": "Send JSON",
    "throttled": "Too many requests",
    "conflict": "In conflict with what is there",
    "unavailable": "Not available for a moment",
    "internal": "Something went wrong on our side",
}
_OWN_MEMBERS = ("type", "title", "status", "detail", "kind")
"""Of the document itself: a refusal's own `status` becomes `record_status`."""
_STATUS = {Invalid: 400, NotAccountable: 403, Stale: 412}
_BY_STATUS = {
    400: "invalid",
    401: "unauthenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "throttled",
    503: "unavailable",
}


class TooLarge(drf.APIException):
    status_code = 413
    default_detail = "The body is larger than this address accepts."


class IdempotencyMismatch(ProcessError):
    code = "idempotency_mismatch"
    title = "This key was used for another request"


class StillRunning(ProcessError):
    """The first request with this Idempotency-Key has not been answered yet."""

    code = "conflict"
    title = "The first request with this key is still running"


def body(kind: str, status: int, detail: str, *, title: str = "", **extra: Any) -> dict[str, Any]:
    """The problem document as a dictionary; `extra` are its own members (`errors`, `steps`, `who_may`…)."""
    return {"type": kind, "title": title or TITLES.get(kind, kind), "status": status, "detail": detail, **extra}


def plain_problem(kind: str, status: int, detail: str, **extra: Any) -> HttpResponse:
    """For places outside the API's views: middleware, error handlers, unknown addresses."""
    answer = HttpResponse(dump_json(body(kind, status, detail, **extra)), status=status, content_type=PROBLEM_TYPE)
    if status in (429, 503):
        answer["Retry-After"] = str(RETRY_SECONDS)
    return answer


@csrf_exempt
def unknown_address(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Whatever is asked below /api/ and exists nowhere: JSON, not a page."""
    return plain_problem("not_found", 404, "There is nothing at this address. The schema at /api/v1/schema lists all.")


def _answer(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(document, status=document["status"], headers=headers, content_type=PROBLEM_TYPE)


def problem_response(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. Known refusals become their document; anything else is logged and becomes a 500.

    None for a database that is away: it goes up to the middleware that answers 503 for the whole product.
    """
    if isinstance(exc, ProcessError):
        return _process_problem(exc)
    exc = _translated(exc)
    if isinstance(exc, ProcessError):
        return _process_problem(exc)
    if isinstance(exc, drf.ValidationError):
        return _answer(_invalid(flat_errors(exc.detail)))
    if isinstance(exc, drf.APIException):
        return _drf_problem(exc)
    if isinstance(exc, OperationalError | InterfaceError):
        return None
    _log.error("unhandled in the API", exc_info=exc)
    request = context.get("request")
    got_request_exception.send(sender=problem_response, request=getattr(request, "_request", request))
    return _answer(body("internal", 500, "This was recorded. Try again; if it happens again, tell an administrator."))


def _process_problem(exc: ProcessError) -> Response:
    if isinstance(exc, Invalid):
        return _answer(_invalid(exc.errors or {"body": [exc.message]}, exc.message))
    status = _STATUS.get(type(exc), 409)
    extra = {f"record_{name}" if name in _OWN_MEMBERS else name: value for name, value in exc.details.items()}
    if isinstance(exc, NotAccountable):
        extra.setdefault("who_may", [])
    headers = {"Retry-After": "1"} if isinstance(exc, StillRunning) else None
    return _answer(body(exc.code, status, exc.message, title=exc.title, **extra), headers)


def _invalid(errors: dict[str, list[str]], detail: str = "") -> dict[str, Any]:
    said = detail or "; ".join(f"{field}: {' '.join(texts)}" for field, texts in errors.items())
    return body("invalid", 400, said, errors=errors)


def _drf_problem(exc: drf.APIException) -> Response:
    kind = _BY_STATUS.get(exc.status_code, "invalid" if exc.status_code < 500 else "internal")
    detail = exc.detail if isinstance(exc.detail, str) else "; ".join(_texts(exc.detail))
    headers: dict[str, str] = {}
    if header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if isinstance(exc, drf.Throttled):
        headers["Retry-After"] = str(int(getattr(exc, "wait", None) or 1))
    if exc.status_code == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if exc.status_code == 400:
        return _answer(_invalid({"body": [str(detail)]}, str(detail)))
    extra: dict[str, Any] = {"who_may": []} if exc.status_code == 403 else {}
    return _answer(body(kind, exc.status_code, str(detail), **extra), headers)


def _translated(exc: Exception) -> Exception:
    """Errors of Django and the database as the refusal they stand for."""
    if isinstance(exc, Http404 | ObjectDoesNotExist):
        return drf.NotFound("There is nothing here, or you may not know of it.")
    if isinstance(exc, DjangoPermissionDenied):
        return drf.PermissionDenied(str(exc) or "You may not do this.")
    if isinstance(exc, DjangoValidationError):
        return drf.ValidationError(exc.message_dict if hasattr(exc, "error_dict") else {"body": exc.messages})
    if isinstance(exc, RequestDataTooBig):
        return TooLarge()
    if isinstance(exc, TooManyFieldsSent | TooManyFilesSent):
        return drf.ParseError("There are too many fields in this body.")
    if isinstance(exc, TransitionNotAllowed):
        return WrongStage(str(exc))
    if isinstance(exc, DatabaseError | InterfaceError):
        return _database_refusal(exc)
    return exc


def _database_refusal(exc: Exception) -> Exception:
    """Locks, races and broken rules as refusals; an outage stays what it is."""
    cause = exc.__cause__
    if isinstance(exc, ProtectedError) or isinstance(cause, psycopg2.errors.ForeignKeyViolation):
        return InUse("Other records refer to this one, so it stays. Deactivate it instead.")
    if isinstance(cause, psycopg2.errors.QueryCanceled | psycopg2.errors.LockNotAvailable):
        return StillRunning("Somebody else is changing this record. Try again.")
    if isinstance(cause, psycopg2.errors.DeadlockDetected | psycopg2.errors.SerializationFailure):
        return StillRunning("Somebody else changed this record at the same moment. Try again.")
    if isinstance(exc, DataError):
        return drf.ValidationError({"body": ["A value is too long or out of range."]})
    if isinstance(exc, IntegrityError):
        return _constraint_refusal(cause)
    return exc


def _constraint_refusal(cause: BaseException | None) -> Exception:
    """A rule of the database caught what two requests did at once, or what no action checked."""
    name = getattr(getattr(cause, "diag", None), "constraint_name", None) or ""
    if isinstance(cause, psycopg2.errors.UniqueViolation):
        return Duplicate("This exists already, or somebody else made it at the same moment.", constraint=name)
    if re.fullmatch(r"\w+_not_before_\w+", name):
        later, earlier = name.split("_not_before_")
        return ClockOrder(f"{later}_at would be before {earlier}_at.")
    return InUse(f"This would break the rule “{name.replace('_', ' ')}”." if name else "A rule forbids this.")


def flat_errors(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Nested errors of a serializer as `{"actions.0.title": ["..."]}`."""
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            step = path if key == "non_field_errors" else f"{path}.{key}" if path else str(key)
            for field, texts in flat_errors(value, step).items():
                found.setdefault(field, []).extend(texts)
        return found
    if isinstance(detail, list) and any(isinstance(item, dict) for item in detail):
        found = {}
        for index, item in enumerate(detail):
            if item:
                found.update(flat_errors(item, f"{path}.{index}" if path else str(index)))
        return found
    return {path or "body": _texts(detail)}


def _texts(detail: Any) -> list[str]:
    return [str(item) for item in detail] if isinstance(detail, list) else [str(detail)]
