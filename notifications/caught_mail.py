"""Mails kept by the loopback mail catcher, as an administrator reads them.

Each is one file; its name is the time it came in nanoseconds and a random part, so the newest sorts last.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

_NAME = re.compile(r"^(\d{1,20})-[0-9a-f]{1,32}$")
LARGEST_SHOWN = 2 * 1024 * 1024
HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "References", "Auto-Submitted")


@dataclass(frozen=True)
class CaughtMail:
    name: str
    received_at: datetime
    to: str
    subject: str
    headers: list[tuple[str, str]]
    text: str
    has_html: bool


def newest(folder: str, *, before: str = "", limit: int = 50) -> tuple[list[CaughtMail], str]:
    """The newest mails below the name `before`, and the name to go on with, empty at the end.

    A folder that is missing holds no mails.
    """
    try:
        names = sorted((path.stem for path in Path(folder).glob("*.eml") if _NAME.match(path.stem)), reverse=True)
    except OSError:
        names = []
    names = [name for name in names if not before or name < before]
    found = [mail for name in names[:limit] if (mail := read(folder, name)) is not None]
    return found, names[limit - 1] if len(names) > limit else ""


def read(folder: str, name: str) -> CaughtMail | None:
    """One mail by its name; None when there is none or the name is not one of ours."""
    if not _NAME.match(name):
        return None
    try:
        with (Path(folder) / f"{name}.eml").open("rb") as file:
            raw = file.read(LARGEST_SHOWN)
    except OSError:
        return None
    mail = message_from_bytes(raw, policy=policy.default)
    return CaughtMail(
        name=name,
        received_at=datetime.fromtimestamp(int(name.partition("-")[0]) / 1e9, tz=UTC),
        to=_header(mail, "X-Envelope-To") or _header(mail, "To"),
        subject=_header(mail, "Subject") or "(no subject)",
        headers=[(header, value) for header in HEADERS if (value := _header(mail, header))],
        text=_text(mail),
        has_html=mail.get_body(("html",)) is not None,
    )


def _header(mail: EmailMessage, name: str) -> str:
    """As text; odd bytes never raise."""
    try:
        return str(mail.get(name, ""))
    except (ValueError, IndexError, TypeError, AttributeError):
        return "(cannot be read)"


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError, KeyError):
        content = part.get_payload(decode=True)
        return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
