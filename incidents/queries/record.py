"""The record of an incident besides its entries: marks on them, decisions that wait, and the whole as a file."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Prefetch

from incidents.models import DecisionRound, EntryMark, MajorIncident, Objection, RoundState, TimelineEdit, TimelineEvent


def marks_of(incident: MajorIncident) -> list[EntryMark]:
    """Every mark with its entry and its wordings. Two queries at most."""
    edits = Prefetch("event__edits", queryset=TimelineEdit.objects.order_by("id"))
    rows = incident.marks.select_related("event__actor", "used_in").prefetch_related(edits)
    return list(rows.order_by("event__seq"))


def newest_text(event: TimelineEvent) -> str:
    """The last wording. Asks when the edits were not prefetched."""
    edits = list(event.edits.all())
    return edits[-1].text if edits else event.text


def public_drafts(incident: MajorIncident) -> list[EntryMark]:
    """Entries offered to the next status update, the oldest first."""
    return [mark for mark in marks_of(incident) if mark.kind == EntryMark.Kind.PUBLIC and mark.used_in_id is None]


def open_rounds(incident: MajorIncident) -> list[DecisionRound]:
    """Decisions that wait for strong objections, with those made. Two queries at most."""
    objections = Prefetch("objections", queryset=Objection.objects.select_related("person"))
    rows = incident.decision_rounds.filter(state=RoundState.ASKING).select_related("event__actor")
    return list(rows.prefetch_related(objections).order_by("closes_at"))


# --- The record as a file -------------------------------------------------------------------------------
def record_rows(events: Iterable[TimelineEvent], about: Callable[[TimelineEvent], str]) -> Iterator[dict[str, Any]]:
    """Each entry with all its wordings, as plain values; `about` says what it was about."""
    for event in events:
        edits = list(event.edits.all())
        wordings = [event.text, *(edit.text for edit in edits)]
        yield {
            "number": event.seq,
            "happened_at": _utc(event.at),
            "recorded_at": _utc(event.recorded_at),
            "kind": event.kind,
            "title": event.get_kind_display(),
            "group": event.group,
            "who": event.actor.display_name if event.actor else "System",
            "text": wordings[-1],
            "rationale": event.payload.get("rationale", ""),
            "about": about(event),
            "earlier_wordings": wordings[:-1],
            "files": [file["name"] for file in event.payload.get("files", [])],
        }


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
