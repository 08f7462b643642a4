"""The timeline of an incident in words: one window of entries, newest first."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.utils.safestring import SafeString, mark_safe

from incidents.models import MajorIncident, StatusUpdate, TimelineEdit, TimelineEvent
from incidents.process import Audience, EventGroup, EventKind, Role, Stage

PAGE = 50
MOST = 300
"""Entries one page shows at most; older ones are reached by their number."""

K = EventKind
Words = Callable[[dict[str, Any]], str]


def _role(said: dict[str, Any]) -> str:
    role = said.get("role", "")
    return Role(role).label.lower() if role in Role.values else str(role)


def _stage(said: dict[str, Any]) -> str:
    def label(name: Any) -> str:
        return Stage(name).label if name in Stage.values else str(name)

    return f"{label(said.get('from'))} → {label(said.get('to'))}"


def _names(*keys: str) -> Words:
    return lambda said: ", ".join(str(said[key]) for key in keys if said.get(key))


def _listed(key: str) -> Words:
    return lambda said: ", ".join(map(str, said.get(key) or []))


def _clock(said: dict[str, Any]) -> str:
    name = str(said.get("clock", "")).removesuffix("_at").replace("_", " ")
    return f"{name}: {said['reason']}" if said.get("reason") else name


def _audiences(said: dict[str, Any]) -> str:
    return "to " + ", ".join(
        Audience(name).label if name in Audience.values else str(name) for name in said.get("audiences", [])
    )


def _consult(said: dict[str, Any]) -> str:
    verdict = {True: "agrees", False: "objects", None: "answers"}[said.get("agrees")]
    return f"{verdict} – {said.get('title', '')}"


def _guest(said: dict[str, Any]) -> str:
    return f"{said.get('person', '')}{', by a new link' if said.get('new_link') else ''}"


def _task(said: dict[str, Any]) -> str:
    who = f" ({said['assignee']})" if said.get("assignee") else ""
    state = str(said.get("status", "")).replace("_", " ")
    return f"{said.get('title', '')}{who}{' – ' + state if state else ''}"


WORDS: dict[str, tuple[str, Words]] = {
    K.DECLARED: ("flame", lambda said: f"{said.get('severity', '')} {said.get('title', '')}".strip()),
    K.STAGE_CHANGED: ("arrow-right", _stage),
    K.CONTAINED: ("shield-check", lambda said: ""),
    K.RESTORED: ("activity-heartbeat", _listed("services")),
    K.RESOLVED: ("circle-check", lambda said: ""),
    K.CLOSED: ("archive", lambda said: ""),
    K.REOPENED: ("rotate-2", lambda said: ""),
    K.STOOD_DOWN: ("circle-minus", lambda said: ""),
    K.REINSTATED: ("rotate-2", lambda said: ""),
    K.MERGED: ("arrow-merge", _names("into", "merged")),
    K.INCIDENT_EDITED: ("pencil", _names("reason")),
    K.CLOCK_SET: ("clock", _clock),
    K.CLOCK_CORRECTED: ("clock", _clock),
    K.CLOCK_NOT_APPLICABLE: ("clock-pause", _clock),
    K.DOWNTIME_OPENED: ("trending-down", _names("service")),
    K.DOWNTIME_CORRECTED: ("pencil", _names("service")),
    K.DOWNTIME_ENDED: ("trending-up", _listed("services")),
    K.STEP_OPENED: ("circle-dot", _names("title")),
    K.STEP_DONE: ("circle-check", _names("title")),
    K.STEP_REOPENED: ("rotate-2", _names("title")),
    K.STEP_WAIVED: ("circle-minus", _names("title", "reason")),
    K.STEP_REASSIGNED: ("arrow-right", _names("title", "to")),
    K.CONSULT_ASKED: ("help-circle", _names("person", "title")),
    K.CONSULT_ANSWERED: ("message-circle", _consult),
    K.CONSULT_UNANSWERED: ("clock-exclamation", _names("person", "title")),
    K.SEAT_INVITED: ("user-plus", lambda said: f"{said.get('person', '')} as {_role(said)}"),
    K.SEAT_ACCEPTED: ("user-check", lambda said: f"{said.get('person', '')} as {_role(said)}"),
    K.SEAT_DECLINED: ("user-x", lambda said: f"{said.get('person', '')} as {_role(said)}"),
    K.SEAT_RELEASED: ("user-minus", lambda said: f"{said.get('person', '')} as {_role(said)}"),
    K.COMMAND_TAKEN: ("flag", lambda said: f"from {said['former']}" if said.get("former") else ""),
    K.COMMAND_OFFERED: ("flag", lambda said: f"to {said.get('person', '')}"),
    K.COMMAND_HANDED_OVER: ("flag", lambda said: f"from {said.get('former', '')} to {said.get('person', '')}"),
    K.COMMAND_KEPT: ("flag", lambda said: f"{said.get('state', '')} – {said.get('giver', '')} stays in command"),
    K.GUEST_ENTERED: ("login", _names("person")),
    K.GUEST_ACCESS_CHANGED: ("key", _guest),
    K.BRIDGE_SET: ("phone", _names("join_url", "dial_in")),
    K.BRIDGE_CANCELLED: ("phone-off", _names("reason")),
    K.BRIDGE_JOINED: ("phone-incoming", _names("person")),
    K.WAR_ROOM_OPENED: ("users-group", _names("location", "url")),
    K.WAR_ROOM_ENTERED: ("login", lambda said: ""),
    K.WAR_ROOM_LEFT: ("logout", lambda said: ""),
    K.NOTE: ("message", lambda said: ""),
    K.DECISION: ("gavel", lambda said: ""),
    K.SITUATION_CHANGED: ("clipboard-list", lambda said: ""),
    K.TASK_ADDED: ("checklist", _task),
    K.TASK_CHANGED: ("checklist", _task),
    K.UPDATE_PUBLISHED: ("send", _audiences),
    K.PROMISE_MADE: ("clock", lambda said: ""),
    K.PROMISE_OVERDUE: ("clock-exclamation", lambda said: ""),
    K.PROMISE_WITHDRAWN: ("clock-pause", lambda said: ""),
    K.UPDATE_UNDONE: ("arrow-back-up", _audiences),
    K.ACKNOWLEDGEMENT_REMINDED: ("bell-ringing", _listed("people")),
    K.ACKNOWLEDGEMENT_MISSING: ("clock-exclamation", _listed("people")),
    K.MESSAGES_RESENT: ("send", _names("to", "message", "channel")),
    K.APPROVAL_ASKED: ("gavel", lambda said: f"of {said.get('approver', '')}"),
    K.APPROVAL_DECIDED: ("gavel", _names("question", "state", "chosen")),
    K.PROBLEM_LINKED: ("bug", _names("problem", "ref", "title")),
    K.CHANGE_LINKED: ("git-branch", _names("change", "ref", "relation")),
    K.CHANGE_STATUS_CHANGED: ("git-branch", _names("change", "ref", "status", "to")),
    K.TICKET_LINKED: ("ticket", _names("ticket", "count")),
    K.ALERT_ATTACHED: ("bell-ringing", _names("title", "source")),
    K.MEASURED: ("chart-line", lambda said: ""),
    K.DOCUMENT_PUBLISHED: ("file-text", lambda said: ""),
    K.REVIEW_COMPLETED: ("clipboard-check", lambda said: ""),
    K.CANDIDATE_LINKED: ("link", _names("candidate")),
}
LOOKS = {
    EventGroup.NOTES: "note",
    EventGroup.DECISIONS: "decision",
    EventGroup.UPDATES: "update",
    EventGroup.PEOPLE: "people",
    EventGroup.SYSTEM: "system",
}


@dataclass(frozen=True)
class Entry:
    """One entry as it is shown: the newest wording, and how often it was reworded."""

    seq: int
    pk: int
    kind: str
    look: str
    symbol: str
    title: str
    about: str
    who: str
    author_id: int | None
    at: datetime
    recorded_at: datetime
    body: SafeString
    rationale: str
    objections: str
    edits: int
    due: datetime | None
    update: StatusUpdate | None = None
    corrected_by: StatusUpdate | None = None

    @property
    def is_backdated(self) -> bool:
        return abs((self.recorded_at - self.at).total_seconds()) > 120


@dataclass(frozen=True)
class Timeline:
    """A window of entries, newest first. `upto` is set when it does not begin at the newest entry."""

    entries: list[Entry]
    show: str
    count: int
    upto: int | None
    more: int

    @property
    def oldest(self) -> int:
        return self.entries[-1].seq if self.entries else 0


def timeline(incident: MajorIncident, *, show: str = "", count: int = PAGE, upto: int | None = None) -> Timeline:
    """Entries of one group (all when `show` is empty), at most `count`, from number `upto` downwards. Two
    queries at most."""
    count = min(max(count, PAGE), MOST)
    edits = TimelineEdit.objects.filter(event=OuterRef("pk"))
    rows = (
        TimelineEvent.objects.filter(incident=incident)
        .select_related("actor")
        .annotate(
            newest=Subquery(edits.order_by("-id").values("html")[:1]),
            times=Subquery(edits.order_by().values("event").annotate(n=Count("pk")).values("n")),
        )
        .order_by("-seq")
    )
    if show in EventGroup.values:
        rows = rows.filter(group=show)
    if upto is not None:
        rows = rows.filter(seq__lte=upto)
    found = list(rows[: count + 1])
    more = PAGE if len(found) > count else 0
    updates, corrections = _updates_of(found)
    entries = [entry_of(row, updates.get(_update_id(row)), corrections.get(_update_id(row))) for row in found[:count]]
    return Timeline(entries, show, count, upto, more)


def _update_id(event: TimelineEvent) -> int:
    return int(event.payload.get("update_id") or 0) if event.kind == K.UPDATE_PUBLISHED else 0


def _updates_of(events: Iterable[TimelineEvent]) -> tuple[dict[int, StatusUpdate], dict[int, StatusUpdate]]:
    """The updates these events published, and what corrects them, both by the update's id. No query without one."""
    wanted = {pk for pk in map(_update_id, events) if pk}
    if not wanted:
        return {}, {}
    rows = StatusUpdate.objects.select_related("undone_by", "corrects")
    found = rows.filter(Q(pk__in=wanted) | Q(corrects__in=wanted, undone_at=None)).order_by("pk")
    updates = {update.pk: update for update in found}
    return updates, {update.corrects_id: update for update in found if update.corrects_id and not update.undone_at}


def entry_of(event: Any, update: StatusUpdate | None = None, corrected_by: StatusUpdate | None = None) -> Entry:
    """One event in words; `update` is what it published, `corrected_by` the update that puts it right."""
    symbol, words = WORDS.get(event.kind, ("timeline-event", _names("title", "reason")))
    said = event.payload or {}
    due = said.get("due_at") if event.kind == K.PROMISE_MADE else None
    return Entry(
        seq=event.seq,
        pk=event.pk,
        kind=event.kind,
        look=LOOKS.get(event.group, "system"),
        symbol=symbol,
        title=event.get_kind_display(),
        about=words(said),
        who=event.actor.display_name if event.actor else "System",
        author_id=event.actor_id,
        at=event.at,
        recorded_at=event.recorded_at,
        # Sanitised when it was written (incidents.markup).
        body=mark_safe(event.newest or event.html),  # noqa: S308
        rationale=said.get("rationale", ""),
        objections=said.get("objections", ""),
        edits=event.times or 0,
        due=datetime.fromisoformat(due) if due else None,
        update=update,
        corrected_by=corrected_by,
    )
