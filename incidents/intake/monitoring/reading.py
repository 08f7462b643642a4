"""Reading what strangers send without ever failing but by Malformed: bytes to JSON, forms and XML; values to texts."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from hashlib import sha256
from typing import Any, NoReturn
from urllib.parse import parse_qsl
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incidents.intake.monitoring.shape import Grade, Malformed, Received

MAX_DEPTH = 64
MAX_LABELS = 64
MAX_LABEL_CHARACTERS = 1_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?\d{1,16}(\.\d{1,9})?")
_NAMESPACE = UUID("6d10f0ad-29b5-4a60-9bd8-0a4f6a1f6a55")

_GRADES = {
    Grade.CRITICAL: "critical crit fatal emergency emerg alert disaster down blocker p1 sev1 sev0 s1 highest page",
    Grade.ERROR: "error err major high failure failed severe p2 sev2 s2",
    Grade.WARNING: "warning warn minor medium average degraded unknown p3 sev3 s3",
    Grade.INFO: "info information informational notice low debug none ok success p4 p5 sev4 sev5 s4 lowest",
}
GRADE_OF_WORD = {word: grade for grade, words in _GRADES.items() for word in words.split()}
"""What senders call severities, whatever the case."""


def text(value: Any) -> str:
    """One line or several as the database can keep them; "" for nothing, compact JSON for lists and objects."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value).strip()
    if isinstance(value, dict | list):
        return _UNSTORABLE.sub("\ufffd", json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return str(value)


def first(*values: Any) -> str:
    """The first value that says something, as text; "" when none does."""
    return next((found for value in values if (found := text(value))), "")


def obj(value: Any) -> dict[str, Any]:
    """The value when it is an object, else an empty one: optional parts of a body."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects among a list; an empty list for anything else."""
    return [item for item in items(value) if isinstance(item, dict)]


def labels(*sources: Any, **named: Any) -> dict[str, str]:
    """Names and texts, empty ones left out. At most 64 of at most 1,000 characters; later sources win."""
    found: dict[str, str] = {}
    for source in (*sources, named):
        for name, value in obj(source).items():
            if (key := text(name)[:100]) and (said := text(value)[:MAX_LABEL_CHARACTERS]):
                found[key] = said
            if len(found) >= MAX_LABELS:
                return found
    return found


def tags(given: Any) -> dict[str, str]:
    """Labels of tags: a list, or a text with commas, of `name:value` or bare words (which count as set)."""
    listed: Iterable[Any] = given if isinstance(given, list) else text(given).split(",")
    found: dict[str, str] = {}
    for tag in listed:
        name, _, value = text(tag).partition(":")
        if name.strip():
            found[name.strip()] = value.strip() or "true"
    return labels(found)


def grade(value: Any, otherwise: Grade = Grade.ERROR) -> Grade:
    """The severity a word stands for, `otherwise` for a word nobody uses."""
    return GRADE_OF_WORD.get(text(value).lower(), otherwise)


def whole(value: Any) -> int | None:
    """A whole number sent as number or text; None for anything else."""
    if isinstance(value, bool):
        return None
    said = text(value)
    return int(said) if re.fullmatch(r"-?[0-9]{1,18}", said) else None


def moment(value: Any, zone: Any = None) -> datetime | None:
    """An aware time (UTC) of an ISO 8601 text or of seconds, milliseconds, … since 1970; None when it is no time.

    A time without a zone is read in `zone` (a name such as Europe/Berlin); without that it is None: nobody can tell.
    Years that stand for "not yet" (1, 9999) are None.
    """
    if isinstance(value, bool) or value is None:
        return None
    said = text(value)
    found = _since_1970(said) if _NUMBER.fullmatch(said) else _written(said, zone)
    return found if found is not None and 1990 <= found.year <= 2200 else None


def _since_1970(said: str) -> datetime | None:
    seconds = float(said)
    while abs(seconds) > 1e11:
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC)


def _written(said: str, zone: Any) -> datetime | None:
    said = re.sub(r"^(\d{4})[./](\d\d)[./](\d\d)", r"\1-\2-\3", said[:64])
    said = re.sub(r"(\.\d{6})\d+", r"\1", said).removesuffix(" UTC") + ("+00:00" if said.endswith(" UTC") else "")
    if re.search(r"[+-]\d\d:?\d\dZ$", said):
        said = said.removesuffix("Z")  # the PagerDuty client writes both
    try:
        found = datetime.fromisoformat(said)
        if found.tzinfo is None:
            if not (name := text(zone)):
                return None
            found = found.replace(tzinfo=ZoneInfo(name))
        return found.astimezone(UTC)
    except (ValueError, OverflowError, ZoneInfoNotFoundError, OSError):
        return None


def link(*values: Any) -> str:
    """The first web address among the values; "" when there is none. Nothing else becomes a link."""
    return next((said for value in values if re.match(r"https?://[^\s]+$", said := text(value))), "")


def mark(received: Received, about: str) -> str:
    """A key of our own for a sender that gave none: the same whenever this request is read, another for the next."""
    arrived = received.received_at.timestamp() if received.received_at else 0
    return uuid5(_NAMESPACE, f"{about} {arrived} {sha256(received.body).hexdigest()}").hex


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"The body holds {name}, which is not JSON. Send a number, a text or null.")


def parse_json(body: bytes) -> Any:
    """The value of a JSON body, whatever content type it came as. Raises Malformed."""
    if not body.strip():
        raise Malformed("The body is empty. Send JSON.")
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8 (byte {error.start + 1}).") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise Malformed("The body holds a number with thousands of digits.") from None
    _check_depth(body, value)
    return value


def _too_deep() -> Malformed:
    return Malformed(f"The body is nested more than {MAX_DEPTH} levels deep.")


def _check_depth(body: bytes, value: Any) -> None:
    """The parser's own limit depends on who calls it; this one does not, so request and worker agree."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH):
        nested = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [inner for group in nested for inner in group]
        if not level:
            return
    if any(isinstance(item, dict | list) for item in level):
        raise _too_deep()


def json_object(received: Received) -> dict[str, Any]:
    """The body as one JSON object. Raises Malformed."""
    value = parse_json(received.body)
    if not isinstance(value, dict):
        raise Malformed('The body must be a JSON object, like {"…": …}.')
    return value


def fields(received: Received) -> dict[str, Any]:
    """JSON object, form (urlencoded or multipart) or, without any body, the query: whatever curl was told to send."""
    body = received.body.strip()
    if not body:
        if not received.query:
            raise Malformed("There is no body. Send JSON or a form.")
        return dict(received.query)
    if received.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return _multipart(received)
    if body[:1] in b"{[" or b"=" not in body:
        return json_object(received)
    return form(received)


def form(received: Received) -> dict[str, Any]:
    """An urlencoded body; a name given twice keeps its last value. Raises Malformed."""
    try:
        pairs = parse_qsl(received.body.decode("utf-8"), keep_blank_values=True, max_num_fields=500)
    except UnicodeDecodeError as error:
        raise Malformed(f"The form is not UTF-8 (byte {error.start + 1}).") from None
    except ValueError:
        raise Malformed("The form has more than 500 fields.") from None
    if not pairs:
        raise Malformed("The body is neither JSON nor a form.")
    return dict(pairs)


def _multipart(received: Received) -> dict[str, Any]:
    head = f"Content-Type: {received.headers['content-type'].splitlines()[0]}\r\n\r\n".encode("utf-8", "replace")
    try:
        message = BytesParser(policy=HTTP).parsebytes(head + received.body)
        parts = list(message.iter_parts()) if message.is_multipart() else []
    except (ValueError, TypeError, AttributeError, LookupError, IndexError, RecursionError):
        parts = []  # the mail parser trips over some bytes instead of noting a defect
    found: dict[str, Any] = {}
    for part in parts:
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content.decode("utf-8", "replace").strip("\r\n")
    if not found:
        raise Malformed("The multipart form cannot be read; send JSON instead.")
    return found


def plain_names(given: Mapping[str, Any]) -> dict[str, Any]:
    """Field names without case and punctuation: HOSTNAME, host_name and host.name are one. The first one wins."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        found.setdefault(re.sub(r"[^a-z0-9]", "", name.lower()), value)
    return found


def finite(value: Any) -> float | None:
    """A number sent as number or text; None for anything else."""
    try:
        number = float(text(value)) if not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
