"""Marks on entries of the record: a known fact is pinned, a public draft is offered to the next status update."""

from datetime import datetime

from django.db import transaction

from incidents import events
from incidents.actions.input import clean_choice
from incidents.actions.locking import lock_incident
from incidents.errors import Duplicate, Invalid
from incidents.models import EntryMark, MajorIncident, StatusUpdate, TimelineEvent, User
from incidents.permissions import require
from incidents.process import EventKind

MOST_FACTS = 12
"""What everybody must know is no long list."""
MARKABLE = (EventKind.NOTE, EventKind.DECISION, EventKind.SITUATION_CHANGED, EventKind.TASK_CHANGED)


def _entry(event_id: int, actor: User) -> tuple[TimelineEvent, MajorIncident]:
    """Under the lock of its incident. Raises TimelineEvent.DoesNotExist or NotAccountable."""
    found = TimelineEvent.objects.get(pk=event_id, incident__isnull=False)
    incident = lock_incident(found.incident_id or 0)
    require(actor, "contribute", incident)
    return found, incident


@transaction.atomic
def mark(event_id: int, *, kind: str, actor: User, at: datetime) -> EntryMark:
    """Pins the entry as a known fact, or offers it to the next update. Raises Invalid for one without words."""
    event, incident = _entry(event_id, actor)
    kind = clean_choice("kind", kind, EntryMark.Kind.values)
    if event.kind not in MARKABLE or not event.text:
        raise Invalid(kind="Only words of people can be marked: notes, decisions, results of tasks.")
    if event.marks.filter(kind=kind).exists():
        raise Duplicate(f"It is marked already: {EntryMark.Kind(kind).label.lower()}.")
    if kind == EntryMark.Kind.FACT and EntryMark.objects.filter(incident=incident, kind=kind).count() >= MOST_FACTS:
        raise Invalid(kind=f"{MOST_FACTS} facts are pinned already. Take one off first, so that the rest is read.")
    made = EntryMark.objects.create(incident=incident, event=event, kind=kind, marked_by=actor, marked_at=at)
    events.record(EventKind.ENTRY_MARKED, incident, actor=actor, at=at, mark=kind, seq=event.seq)
    return made


@transaction.atomic
def unmark(event_id: int, *, kind: str, actor: User, at: datetime) -> None:
    """Takes the mark off; the entry stays as it is. Raises Invalid when it has none."""
    event, incident = _entry(event_id, actor)
    if not event.marks.filter(kind=kind).delete()[0]:
        raise Invalid(kind="It has no such mark any more.")
    events.record(EventKind.ENTRY_UNMARKED, incident, actor=actor, at=at, mark=kind, seq=event.seq)


def used(incident_id: int, mark_ids: list[int], update: StatusUpdate) -> None:
    """These public drafts went into the update, in its transaction; they are not offered again."""
    rows = EntryMark.objects.filter(incident=incident_id, pk__in=mark_ids, kind=EntryMark.Kind.PUBLIC)
    rows.filter(used_in=None).update(used_in=update)
