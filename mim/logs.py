"""One JSON object a line on standard error, with everything secret taken out."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

HIDDEN = "***"
_SECRET_NAME = re.compile(r"pass(word|wd)?$|secret|token|authorization|api_?key|cookie|ticket$|^key$", re.IGNORECASE)
_SCRUBS = (
    (
        re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)(?:(bearer|token|basic|key|genie[kK]ey)\s+)?[^\s\"',}]+"),
        r"\1" + HIDDEN,
    ),
    (re.compile(r"(?i)\b(bearer|basic|geniekey)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 " + HIDDEN),
    (re.compile(r"\bmim_[A-Za-z0-9_-]{8,}"), "mim_" + HIDDEN),
    (re.compile(r"(/in/[A-Za-z0-9_.-]+/)[^/\s?\"']+"), r"\1" + HIDDEN),
    (
        re.compile(
            r"(/(?:first-administrator|answers|invitation|invitations|password/reset/key|reset/key)/)[^/\s?\"']+"
        ),
        r"\1" + HIDDEN,
    ),
    (
        re.compile(r"(?i)([?&;][\w.-]*(?:ticket|token|key|password|secret|signature|sig)=)[^&\s\"']+"),
        r"\1" + HIDDEN,
    ),
    (
        re.compile(r"(?i)([\"']?[\w-]*(?:password|passwd|secret|token|api_?key)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;}&]+"),
        r"\1" + HIDDEN,
    ),
    (re.compile(r"(\w+://[^/\s:@]*:)[^/\s@]+@"), r"\1" + HIDDEN + "@"),
)
_ORDINARY = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request", "response", "taskName"}


def scrub(text: str) -> str:
    """The same text without credentials: headers, keys, tokens in paths and queries, passwords in addresses."""
    for pattern, replacement in _SCRUBS:
        text = pattern.sub(replacement, text)
    return text


class JsonLines(logging.Formatter):
    """`time` (UTC), `level`, `logger`, `message`, whatever `extra=` brought, and the traceback as one string."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _ORDINARY and not name.startswith("_"):
                line[name] = HIDDEN if _SECRET_NAME.search(name) else _plain(value)
        if record.exc_info:
            line["traceback"] = scrub(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    """Numbers and flags as they are; everything else as scrubbed text."""
    return value if value is None or isinstance(value, bool | int | float) else scrub(str(value))
