"""Files on tickets: what they are is read from their content, never believed from their name."""

import re
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction

from incidents import events
from incidents.actions.duplicates import conversation
from incidents.actions.ticket_states import allow
from incidents.errors import Invalid
from incidents.models import Attachment, User
from incidents.process import EventKind

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (b"\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"),
    (b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (b"ElfFile\x00", "application/x-ms-evtx"),
    (b"MDMP", "application/x-minidump"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
"""What may be attached besides text, office documents, MP4 and RIFF; anything else is refused."""
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PROGRAMS = (b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_PROGRAM_NAMES = {
    *("exe", "msi", "dll", "com", "scr", "bat", "cmd", "ps1", "vbs", "vbe", "jse", "wsf", "hta", "lnk", "cpl"),
    *("jar", "apk", "dmg", "pkg", "deb", "rpm", "reg", "pif", "appimage"),
}
_NO_PROGRAMS = "Programs and scripts cannot be attached. Put it in a ZIP archive or describe it."


@dataclass(frozen=True)
class Checked:
    """A file that may be kept: its safe name, its type by content, its content."""

    name: str
    type: str
    content: bytes


def checked(file: File | None) -> Checked:
    """Raises Invalid when there is none, or it is empty, too big, a program, or of no kind on the list."""
    if file is None:
        raise Invalid(file="Choose a file.")
    limit = settings.ATTACHMENT_MAX_BYTES
    if (file.size or 0) > limit:
        raise Invalid(file=f"At most {limit // 1024 // 1024} MiB; this file has {file.size / 1024 / 1024:.1f} MiB.")
    content = file.read(limit + 1)
    if not content:
        raise Invalid(file="This file is empty.")
    if len(content) > limit:
        raise Invalid(file=f"At most {limit // 1024 // 1024} MiB.")
    name = safe_name(file.name)
    if PurePosixPath(name).suffix.lstrip(".").strip().lower() in _PROGRAM_NAMES:
        raise Invalid(file=_NO_PROGRAMS)
    return Checked(name, content_type_of(content), content)


def content_type_of(content: bytes) -> str:
    """The media type by content, never by name. Text is always text/plain, HTML and SVG included.

    Raises Invalid for programs and for what is of no known kind: what nobody can name, nobody should open.
    """
    is_text = _is_text(content[:8192])
    if content.startswith((*_PROGRAMS, b"#!")) or (content.startswith(b"MZ") and not content[:64].isascii()):
        raise Invalid(file=_NO_PROGRAMS)
    for signature, found in _SIGNATURES:
        if content.startswith(signature):
            return found
    if kind := _by_structure(content):
        return kind
    if is_text:
        return "text/plain"
    raise Invalid(
        file="This is no kind of file we can keep (pictures, PDF, office documents, text, archives, recordings). "
        "Put it in a ZIP archive."
    )


def _by_structure(content: bytes) -> str:
    """Kinds whose mark does not simply stand at the beginning; "" for none of them."""
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12], "")
    if content[4:8] == b"ftyp":
        return "image/heic" if content[8:12] in (b"heic", b"heix", b"mif1", b"avif") else "video/mp4"
    if content[:2] == b"BM" and content[6:10] == bytes(4):
        return "image/bmp"
    if content[:1] == b"\xff" and content[1:2] in (b"\xfb", b"\xf3", b"\xf2"):
        return "audio/mpeg"
    if content[257:262] == b"ustar":
        return "application/x-tar"
    if content.startswith(b"PK\x03\x04"):
        return next((kind for folder, kind in _OFFICE if folder in content[:4096]), "application/zip")
    return ""


def _is_text(sample: bytes) -> bool:
    """UTF-8, UTF-16 with its mark, or an older alphabet: no control characters but those of plain text."""
    if sample.startswith(_BYTE_ORDER_MARKS):
        return True
    return not any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in sample)


def safe_name(name: str | None) -> str:
    """The last part of the name, one line without control or direction characters and without what file systems
    and headers trip over; "file" when nothing is left."""
    text = unicodedata.normalize("NFC", (name or "").encode("utf-8", "ignore").decode())
    text = re.split(r"[\\/]", text)[-1]
    text = "".join(" " if char.isspace() else char for char in text)
    text = "".join(char for char in text if unicodedata.category(char)[0] != "C")
    text = re.sub(r'[<>:"|?*]', "_", " ".join(text.split())).strip(" .")
    if not text:
        return "file"
    path = PurePosixPath(text)
    return path.stem[: 180 - len(path.suffix[:20])] + path.suffix[:20]


@contextmanager
def removed_if_it_fails(stored: str | None) -> Iterator[None]:
    """A stored file whose row was not written leaves nothing behind."""
    try:
        yield
    except BaseException:
        default_storage.delete(stored or "")
        raise


@transaction.atomic
def attach(ticket_id: int, *, file: File | None, actor: User | None, at: datetime) -> Attachment:
    """Keeps a file with the ticket, stored under a UUID. Raises Invalid for what `checked` refuses."""
    ticket, origin = conversation(ticket_id, actor)
    allow(actor, "comment_ticket", origin or ticket)
    found = checked(file)
    key = uuid.uuid4()
    attachment = Attachment(
        uuid=key,
        ticket=ticket,
        origin=origin,
        filename=found.name,
        content_type=found.type,
        size=len(found.content),
        uploaded_by=actor,
        created_at=at,
    )
    attachment.file.save(str(key), ContentFile(found.content), save=False)
    with removed_if_it_fails(attachment.file.name):
        attachment.save(force_insert=True)
        events.record(
            EventKind.TICKET_ATTACHED, ticket, actor=actor, at=at, filename=found.name, attachment_id=attachment.pk
        )
    return attachment
