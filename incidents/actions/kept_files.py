"""Files of a report that is not sent yet: kept so that nobody has to choose them twice."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from incidents import events
from incidents.actions.ticket_files import checked, removed_if_it_fails, safe_name
from incidents.actions.ticket_states import allow, locked
from incidents.errors import Invalid
from incidents.models import Attachment, KeptFile, User
from incidents.process import EventKind

MOST_FILES = 10
"""In one report."""
KEPT_FOR = timedelta(hours=24)


def keep(files: Iterable[Any], *, beside: int = 0, actor: User, at: datetime) -> tuple[list[KeptFile], list[str]]:
    """Keeps the good ones and says of each refused one why, by its name. `beside` are kept already.

    Each file is a transaction of its own: a good one stays, whatever is wrong with the next.
    """
    allow(actor, "use_portal")
    kept: list[KeptFile] = []
    refused: list[str] = []
    for file in files:
        name = safe_name(getattr(file, "name", ""))
        if beside + len(kept) >= MOST_FILES:
            refused.append(f"{name}: at most {MOST_FILES} files in one report. Put several into a ZIP archive.")
            continue
        try:
            kept.append(_keep_one(file, actor, at))
        except Invalid as refusal:
            refused.append(f"{name}: {refusal.message}")
    return kept, refused


@transaction.atomic
def _keep_one(file: Any, actor: User, at: datetime) -> KeptFile:
    found = checked(file)
    key = uuid4()
    row = KeptFile(
        uuid=key, user=actor, filename=found.name, content_type=found.type, size=len(found.content), created_at=at
    )
    row.file.save(str(key), ContentFile(found.content), save=False)
    with removed_if_it_fails(row.file.name):
        row.save(force_insert=True)
    return row


def kept_of(actor: User, keys: Sequence[str]) -> list[KeptFile]:
    """The person's own kept files with these keys, in the order they came; keys that are none are ignored."""
    return list(KeptFile.objects.filter(user=actor, uuid__in=_uuids(keys)))


def _uuids(keys: Sequence[str]) -> list[UUID]:
    found = []
    for key in keys[: MOST_FILES * 2]:
        try:
            found.append(UUID(key))
        except ValueError:
            continue
    return found


@transaction.atomic
def attach_kept(ticket_id: int, files: Sequence[KeptFile], *, actor: User, at: datetime) -> list[Attachment]:
    """They become the ticket's; the stored files stay where they are."""
    ticket = locked(ticket_id)
    allow(actor, "comment_ticket", ticket)
    rows = KeptFile.objects.select_for_update().filter(user=actor, pk__in=[file.pk for file in files])
    attached = []
    for row in rows:
        attachment = Attachment.objects.create(
            uuid=row.uuid,
            ticket=ticket,
            file=row.file.name,
            filename=row.filename,
            content_type=row.content_type,
            size=row.size,
            uploaded_by=actor,
            created_at=at,
        )
        row.delete()
        events.record(
            EventKind.TICKET_ATTACHED, ticket, actor=actor, at=at, filename=row.filename, attachment_id=attachment.pk
        )
        attached.append(attachment)
    return attached


def forget_old(*, at: datetime) -> int:
    """Removes what was never sent: the row first, its file after the commit. Counts them; safe to run twice."""
    forgotten = 0
    for pk in list(KeptFile.objects.filter(created_at__lt=at - KEPT_FOR).values_list("pk", flat=True)[:1000]):
        with transaction.atomic():
            row = KeptFile.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
            if row is None:
                continue
            name = row.file.name or ""
            row.delete()
            transaction.on_commit(lambda name=name: default_storage.delete(name), robust=True)  # type: ignore[misc]
            forgotten += 1
    return forgotten
