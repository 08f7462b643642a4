"""Files and screenshots of the room. What they are is read from their content, as with those of tickets."""

import uuid
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from incidents.actions.ticket_files import checked, safe_name
from incidents.errors import Invalid
from incidents.models import MajorIncident, RoomFile, User

MOST_FILES = 10
"""In one entry."""


def keep(incident: MajorIncident, files: Iterable[Any], *, actor: User, at: datetime) -> list[RoomFile]:
    """Keeps the files of one entry, in its transaction: all or none. Raises Invalid naming each refused one.

    What was stored already goes again when a later one fails.
    """
    given = list(files)
    if len(given) > MOST_FILES:
        raise Invalid(attachments=f"At most {MOST_FILES} files in one entry. Put several into a ZIP archive.")
    good, refused = [], []
    for file in given:
        try:
            good.append(checked(file))
        except Invalid as refusal:
            refused.append(f"{safe_name(getattr(file, 'name', ''))}: {refusal.message}")
    if refused:
        raise Invalid(attachments=refused)
    rows = []
    with ExitStack() as stored:
        for found in good:
            key = uuid.uuid4()
            row = RoomFile(
                uuid=key, incident=incident, filename=found.name, content_type=found.type, size=len(found.content),
                uploaded_by=actor, created_at=at,
            )  # fmt: skip
            row.file.save(str(key), ContentFile(found.content), save=False)
            stored.callback(default_storage.delete, row.file.name or "")
            row.save(force_insert=True)
            rows.append(row)
        stored.pop_all()
    return rows


def told(rows: Iterable[RoomFile]) -> list[dict[str, Any]]:
    """What the entry says of its files, for ever."""
    return [
        {
            "id": str(row.uuid),
            "name": row.filename,
            "type": row.content_type,
            "size": row.size,
            "picture": row.is_picture,
        }
        for row in rows
    ]
