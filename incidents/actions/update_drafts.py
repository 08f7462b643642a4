"""Status updates while they are written: saved for their author, seen by the others, gone once published."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from incidents import live
from incidents.actions.locking import check_open
from incidents.markup import MAX_CHARACTERS
from incidents.models import MajorIncident, UpdateDraft, User
from incidents.permissions import require

FRESH = timedelta(minutes=5)
"""Whoever saved within this time is writing still."""
FIELDS = ("text", "text_technical", "text_management", "text_key_stakeholders", "text_users", "next_in", "corrects")


@transaction.atomic
def save(incident: MajorIncident, *, content: dict[str, Any], actor: User, at: datetime) -> UpdateDraft | None:
    """Keeps what stands in the fields; None when nothing was written, which forgets an earlier draft.

    Open to everybody who may contribute; publishing is guarded, writing is not. Raises WrongStage, NotAccountable.
    """
    require(actor, "contribute", incident)
    check_open(incident, "writing an update")
    kept: dict[str, Any] = {name: str(content[name])[:MAX_CHARACTERS] for name in FIELDS if content.get(name)}
    kept["audiences"] = [str(name)[:20] for name in content.get("audiences", [])][:4]
    if not any(name.startswith("text") for name in kept):
        discard(incident, actor=actor)
        return None
    before = UpdateDraft.objects.filter(incident=incident, author=actor).values_list("saved_at", flat=True).first()
    draft, _ = UpdateDraft.objects.update_or_create(
        incident=incident, author=actor, defaults={"content": kept, "saved_at": at}
    )
    if before is None or at - before > FRESH / 2:  # the others see who writes, not every letter
        live.changed(incident.ref, "draft")
    return draft


def discard(incident: MajorIncident, *, actor: User) -> None:
    """Forgets one's own draft."""
    if UpdateDraft.objects.filter(incident=incident, author=actor).delete()[0]:
        live.changed(incident.ref, "draft")
