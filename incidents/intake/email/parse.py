"""A raw mail as data: its headers, its words, its files. Pure, and it answers for any bytes."""

import contextlib
import email
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import collapse_rfc2231_value, getaddresses

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from incidents.intake.email.html_text import text_of
from incidents.intake.email.words import clean, decoded, header_text

MOST_PARTS = 300
MOST_BOUNDARIES = 400
DEEPEST = 40
MOST_FILES = 50
LONGEST_TEXT = 200_000
MOST_HEADERS = 150
LARGEST_HEAD = 256 * 1024


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content: bytes


@dataclass(slots=True)
class ParsedMail:
    """`trouble` says in words what could not be read; empty for a mail in order. `text` is the plain part, or made of
    `html` when there is none (`is_from_html`). `nested` are the headers of messages inside."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    html: str = ""
    is_from_html: bool = False
    files: list[File] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    content_type: str = "text/plain"
    report_type: str = ""
    calendar_method: str = ""
    nested: list[tuple[str, str]] = field(default_factory=list)
    trouble: str = ""

    def first(self, name: str) -> str:
        """The header's text; "" without one."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def has(self, name: str) -> bool:
        return any(key.lower() == name for key, _ in self.headers)

    @property
    def subject(self) -> str:
        return self.first("subject")[:1000]

    @property
    def message_id(self) -> str:
        found = self.first("message-id").split()
        return found[0][:300] if found else ""

    def people(self, *names: str) -> list[tuple[str, str]]:
        """(name, lower-case address) of the people in these headers; only addresses that can be one."""
        found = []
        for name in names:
            for value in self.all(name):
                found += addresses(value)
        return found

    @property
    def sender(self) -> tuple[str, str]:
        """Name and address of who wrote it; ("", "") when the mail does not say."""
        for name in ("from", "sender", "reply-to"):
            if people := self.people(name):
                return people[0]
        return "", ""


def addresses(value: str) -> list[tuple[str, str]]:
    """(name, lower-case address) of everybody in one header, the unreadable ones left out."""
    try:
        pairs = getaddresses([value[:5000]])[:200]
    except (ValueError, IndexError, TypeError, RecursionError):
        return []
    return [(header_text(name)[:200], address.lower()) for name, address in pairs if is_address(address)]


def is_address(text: str) -> bool:
    """Whether mail could be sent there: something, an at sign, a host with or without dots."""
    local, at, host = text.rpartition("@")
    return (
        bool(at and local and host) and len(text) <= 254 and not any(char.isspace() or char in "<>," for char in text)
    )


def may_be_written_to(address: str) -> bool:
    """Whether the product can answer it: an address of the open internet, not `root@printer`."""
    try:
        validate_email(address)
    except ValidationError:
        return False
    return address.isascii()


def parse_head(raw: bytes) -> ParsedMail:
    """The headers alone: quick enough for the moment in which the sender waits."""
    head = raw[:LARGEST_HEAD]
    for end in (b"\r\n\r\n", b"\n\n", b"\r\r"):
        head = head.partition(end)[0]
    try:
        message = BytesHeaderParser().parsebytes(head)
    except (ValueError, RecursionError, LookupError, IndexError, TypeError):
        return ParsedMail(trouble="The headers cannot be read.")
    return ParsedMail(headers=_headers(message))


def parse(raw: bytes) -> ParsedMail:
    """The whole mail. What cannot be read is named in `trouble`, and what can is there all the same."""
    if raw.lower().count(b"boundary=") > MOST_BOUNDARIES:
        return _hopeless(raw, "It is nested so often that nothing but its headers was read.")
    try:
        message = email.message_from_bytes(raw)
        mail = ParsedMail(headers=_headers(message), content_type=message.get_content_type())
        mail.report_type = _parameter(message, "report-type")
        _Body(mail).read(message)
    except (RecursionError, ValueError, LookupError, IndexError, TypeError, AttributeError, KeyError) as error:
        return _hopeless(raw, f"Its structure cannot be read ({type(error).__name__}).")
    return mail


def _hopeless(raw: bytes, trouble: str) -> ParsedMail:
    mail = parse_head(raw)
    mail.trouble = mail.trouble or trouble
    return mail


def _headers(message: Message) -> list[tuple[str, str]]:
    """Names and decoded values, the raw ones for addresses, whose commas may be encoded."""
    found = []
    for name, value in list(message.raw_items())[:MOST_HEADERS]:
        text = value if isinstance(value, str) else str(value)
        is_people = name.lower() in ("from", "sender", "reply-to", "to", "cc", "delivered-to", "x-original-to")
        read = _unfolded(text) if is_people else header_text(text)
        found.append((clean(name)[:100], read[:4000]))
    return found


def _unfolded(value: str) -> str:
    raw = value.encode("ascii", "surrogateescape") if not value.isascii() else value.encode()
    return clean(" ".join(decoded(raw).split()))


def _parameter(part: Message, name: str) -> str:
    try:
        value = part.get_param(name)
    except (ValueError, LookupError, IndexError, TypeError):
        return ""
    return clean(str(collapse_rfc2231_value(value) if isinstance(value, tuple) else value or "")).strip().lower()


class _Body:
    """Walks the parts of one mail and fills it."""

    def __init__(self, mail: ParsedMail) -> None:
        self.mail = mail
        self.parts = 0
        self.texts: list[str] = []
        self.htmls: list[str] = []

    def read(self, message: Message) -> None:
        self._part(message, 0)
        mail = self.mail
        mail.html = "\n".join(self.htmls)
        plain = "\n\n".join(filter(None, (text.strip() for text in self.texts)))
        mail.is_from_html = not plain and bool(mail.html)
        mail.text = (plain or text_of(mail.html))[:LONGEST_TEXT]

    def _part(self, part: Message, depth: int) -> None:
        self.parts += 1
        if self.parts > MOST_PARTS or depth > DEEPEST:
            self.mail.trouble = "It has so many parts inside each other that the rest was not read."
            return
        kind = part.get_content_type()
        if kind == "multipart/alternative":
            self._best_of(_children(part), depth)
        elif kind == "message/rfc822" or kind == "message/global":
            self._message_inside(part)
        elif part.is_multipart() and kind.startswith("message/"):
            self.texts.append(_status(part))
        elif part.is_multipart():
            for child in _children(part):
                self._part(child, depth + 1)
        else:
            self._leaf(part, "text/plain" if kind.startswith("multipart/") else kind)  # parts that never come

    def _best_of(self, children: list[Message], depth: int) -> None:
        """Plain text where it says something, else HTML; files and calendars whatever is chosen."""
        before = len(self.texts)
        kept = list(self.htmls)
        for child in children:
            self._part(child, depth + 1)
        if any(text.strip() for text in self.texts[before:]):
            self.htmls = kept + self.htmls[len(kept) :]  # kept for its quotations; the plain words are the text

    def _leaf(self, part: Message, kind: str) -> None:
        content = _content(part)
        name = _file_name(part)
        if kind == "text/calendar" and not self.mail.calendar_method:
            self.mail.calendar_method = _parameter(part, "method") or _method(content)
        is_file = part.get_content_disposition() == "attachment" or bool(name)
        if kind in ("text/plain", "text/html", "text/enriched", "text/x-amp-html") and not is_file:
            text = decoded(content, _parameter(part, "charset"))
            if kind == "text/plain":
                self.texts.append(clean(text))
            elif kind == "text/html":
                self.htmls.append(text)
        elif kind in ("message/delivery-status", "message/disposition-notification", "text/rfc822-headers"):
            self._returned(content, kind)
        elif content.strip() or name:
            self._file(name or self._invented(kind), content)

    def _returned(self, content: bytes, kind: str) -> None:
        text = clean(decoded(content))
        if kind == "text/rfc822-headers":
            self.mail.nested += parse_head(content).headers
        else:
            self.texts.append(text)

    def _message_inside(self, part: Message) -> None:
        """A mail within the mail: kept as a file; when the outer one says nothing, its words are read too."""
        inner = next(iter(_children(part)), None)
        if inner is None:
            return
        headers = _headers(inner)
        self.mail.nested += headers
        subject = next((value for name, value in headers if name.lower() == "subject"), "")
        with contextlib.suppress(ValueError, LookupError, KeyError, TypeError, AttributeError, RecursionError):
            self._file(f"{subject[:80] or 'message'}.eml", inner.as_bytes())
        if not any(text.strip() for text in self.texts) and not self.htmls:
            said = ParsedMail()
            inside = _Body(said)
            inside.parts = self.parts
            inside.read(inner)
            self.parts = inside.parts
            self.texts.append(f"Forwarded: {subject}\n\n{said.text}".strip())

    def _file(self, name: str, content: bytes) -> None:
        if len(self.mail.files) >= MOST_FILES:
            self.mail.left_out.append(f"{name}: more than {MOST_FILES} files")
        else:
            self.mail.files.append(File(name, content))

    def _invented(self, kind: str) -> str:
        known = {"text/calendar": "invite.ics", "application/ms-tnef": "winmail.dat"}
        stem = "image" if kind.startswith("image/") else "file"
        return known.get(kind) or f"{stem}-{len(self.mail.files) + 1}{mimetypes.guess_extension(kind) or ''}"


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _content(part: Message) -> bytes:
    """The bytes of a part, its transfer encoding undone as far as it can be."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AssertionError):
        payload = None
    if isinstance(payload, bytes):
        return payload
    plain = part.get_payload()
    return plain.encode("utf-8", "surrogateescape") if isinstance(plain, str) else b""


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError, IndexError, TypeError):
        name = ""
    return header_text(name)[:300]


def _method(content: bytes) -> str:
    found = (line for line in content[:20_000].splitlines() if line.upper().startswith(b"METHOD:"))
    return decoded(next(found, b"").partition(b":")[2]).strip().lower()


def _status(part: Message) -> str:
    """The lines of a delivery report, which the parser splits into messages of headers."""
    return "\n\n".join("\n".join(_lines(child)) for child in _children(part)[:20])


def _lines(child: Message) -> Iterator[str]:
    for name, value in child.items():
        yield f"{clean(name)}: {header_text(str(value))}"
