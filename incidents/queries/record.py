"""The record of an incident besides its entries: marks on them, decisions that wait, and the whole as a file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.utils.safestring import SafeString, mark_safe

from incidents.models import DecisionRound, EntryMark, MajorIncident, Objection, RoundState, TimelineEdit, TimelineEvent


@dataclass(frozen=True)
class Marked:
    """A mark with its entry: the newest wording as sanitised HTML, whose it is and from when."""

    event_id: int
    kind: str
    seq: int
    at: datetime
    who: str
    html: SafeString


@dataclass(frozen=True)
class OpenRound:
    """A decision that waits for strong objections: each the name of the person and the words."""

    pk: int
    seq: int
    actor_id: int | None
    who: str
    html: SafeString
    rationale: str
    closes_at: datetime
    objections: list[tuple[str, str]]


def with_record(rows: QuerySet[MajorIncident]) -> QuerySet[MajorIncident]:
    """Incidents with their marks and open decisions, which every part of the room needs, in the same query."""
    newest = TimelineEdit.objects.filter(event=OuterRef("event")).order_by("-id").values("html")[:1]
    entry = {"seq": "event__seq", "at": "event__at", "who": "event__actor__name"}
    marks = EntryMark.objects.filter(incident=OuterRef("pk")).order_by("event__seq")
    said = Objection.objects.filter(round=OuterRef("pk")).order_by("pk")
    objections = ArraySubquery(said.values(data=JSONObject(who="person__name", text="text")))
    waiting = DecisionRound.objects.filter(incident=OuterRef("pk"), state=RoundState.ASKING).order_by("closes_at", "pk")
    return rows.annotate(
        record_marks=ArraySubquery(
            marks.values(
                data=JSONObject(event="event_id", kind="kind", html=Coalesce(Subquery(newest), "event__html"), **entry)
            )
        ),
        record_rounds=ArraySubquery(
            waiting.values(
                data=JSONObject(
                    pk="pk",
                    actor="event__actor_id",
                    html="event__html",
                    payload="event__payload",
                    closes_at="closes_at",
                    objections=objections,
                    **entry,
                )  # fmt: skip
            )
        ),
    )


def _loaded(incident: MajorIncident) -> Any:
    """As `with_record` loads it; asked for when the incident came another way."""
    if hasattr(incident, "record_marks"):
        return incident
    return with_record(MajorIncident.objects.filter(pk=incident.pk)).get()


def marks_of(incident: MajorIncident) -> list[Marked]:
    """Every mark, by the number of its entry."""
    return [
        Marked(
            row["event"], row["kind"], row["seq"], datetime.fromisoformat(row["at"]), row["who"] or "System",
            mark_safe(row["html"]),  # noqa: S308 (sanitised when it was written)
        )
        for row in _loaded(incident).record_marks
    ]  # fmt: skip


def open_rounds(incident: MajorIncident) -> list[OpenRound]:
    """Decisions that wait for strong objections, the first to close first."""
    return [
        OpenRound(
            row["pk"], row["seq"], row["actor"], row["who"] or "System",
            mark_safe(row["html"]),  # noqa: S308 (sanitised when it was written)
            str((row["payload"] or {}).get("rationale") or ""), datetime.fromisoformat(row["closes_at"]),
            [(one["who"], one["text"]) for one in row["objections"]],
        )
        for row in _loaded(incident).record_rounds
    ]  # fmt: skip


def newest_text(event: TimelineEvent) -> str:
    """The last wording. Asks when the edits were not prefetched."""
    edits = list(event.edits.all())
    return edits[-1].text if edits else event.text


def public_drafts(incident: MajorIncident) -> list[EntryMark]:
    """Entries offered to the next status update, the oldest first. Two queries at most."""
    edits = Prefetch("event__edits", queryset=TimelineEdit.objects.order_by("id"))
    rows = incident.marks.filter(kind=EntryMark.Kind.PUBLIC, used_in=None).select_related("event__actor")
    return list(rows.prefetch_related(edits).order_by("event__seq"))


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
