"""Files on tickets: what they are is read from their content, never believed from their name."""

import re
import unicodedata
import uuid
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
    (b"BM", "image/bmp"),
    (b"%PDF-", "application/pdf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
)
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_PROGRAM_NAMES = {
    *("exe", "msi", "dll", "com", "scr", "bat", "cmd", "ps1", "vbs", "vbe", "jse", "wsf", "hta", "lnk", "cpl"),
    *("jar", "apk", "dmg", "pkg", "deb", "rpm", "reg", "pif", "appimage"),
}


def content_type_of(content: bytes) -> str:
    """The media type by content. Raises Invalid for programs. Text is always text/plain, HTML and SVG included."""
    if content.startswith(_PROGRAMS) or content.startswith(b"#!"):
        raise Invalid(file="Programs and scripts cannot be attached. Put it in a ZIP archive or describe it.")
    for signature, found in _SIGNATURES:
        if content.startswith(signature):
            return found
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}.get(
            content[8:12], "application/octet-stream"
        )
    if content[4:8] == b"ftyp":
        return "video/mp4"
    if content.startswith(b"PK\x03\x04"):
        return next((kind for folder, kind in _OFFICE if folder in content[:4096]), "application/zip")
    return "text/plain" if _is_text(content[:8192]) else "application/octet-stream"


def _is_text(sample: bytes) -> bool:
    if b"\x00" in sample:
        return False
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(sample) - 3  # cut inside the last character
    return True


def safe_name(name: str | None) -> str:
    """The last part of the name without control characters and without what file systems and headers trip over."""
    text = unicodedata.normalize("NFC", (name or "").encode("utf-8", "ignore").decode())
    text = re.split(r"[\\/]", text)[-1]
    text = "".join(char for char in text if unicodedata.category(char)[0] != "C")
    text = re.sub(r'[<>:"|?*]', "_", text).strip(" .")
    if not text:
        return "file"
    path = PurePosixPath(text)
    return path.stem[: 180 - len(path.suffix[:20])] + path.suffix[:20]


@transaction.atomic
def attach(ticket_id: int, *, file: File | None, actor: User | None, at: datetime) -> Attachment:
    """Keeps a file with the ticket, stored under a UUID. Raises Invalid when empty, too big or a program."""
    ticket, origin = conversation(ticket_id, actor)
    allow(actor, "comment_ticket", origin or ticket)
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
    if PurePosixPath(name).suffix.lstrip(".").lower() in _PROGRAM_NAMES:
        raise Invalid(file="Programs and scripts cannot be attached. Put it in a ZIP archive or describe it.")
    key = uuid.uuid4()
    attachment = Attachment(
        uuid=key,
        ticket=ticket,
        origin=origin,
        filename=name,
        content_type=content_type_of(content),
        size=len(content),
        uploaded_by=actor,
        created_at=at,
    )
    attachment.file.save(str(key), ContentFile(content), save=False)
    try:
        attachment.save(force_insert=True)
        events.record(EventKind.TICKET_ATTACHED, ticket, actor=actor, at=at, filename=name, attachment_id=attachment.pk)
    except BaseException:
        default_storage.delete(attachment.file.name or "")
        raise
    return attachment
