"""The timeline of an incident in words: one window of entries, newest first."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.safestring import SafeString, mark_safe

from incidents.models import MajorIncident, StatusUpdate, TimelineEdit, TimelineEvent
from incidents.process import Audience, EventGroup, EventKind, Role, Stage

PAGE = 50
SEARCHED = ("title", "target", "assignee", "person", "service", "reason", "rationale", "decision", "question", "name")
"""What an entry is about, as far as it is searched besides its words."""
LONGEST_SEARCH, MOST_WORDS = 200, 8
FOLDED_FROM = 3
"""As many entries of the product itself in a row become one line."""
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
    target = f" → {said['target']}" if said.get("target") else ""
    box = f", {said['minutes']} min" if said.get("minutes") and state == "in progress" else ""
    return f"{said.get('title', '')}{target}{who}{' – ' + state if state else ''}{box}"


def _marked(said: dict[str, Any]) -> str:
    return f"entry {said.get('seq')}: {'known fact' if said.get('mark') == 'fact' else 'public draft'}"


def _checklist(said: dict[str, Any]) -> str:
    count = len(said.get("tasks") or [])
    left_out = said.get("left_out") or []
    rest = f"; under way already: {', '.join(left_out)}" if left_out else ""
    return f"{said.get('name', '')}: {count} task{'' if count == 1 else 's'}{rest}"


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
    K.DECISION_OBJECTED: ("hand-stop", lambda said: f"to “{said.get('decision', '')}”"),
    K.DECISION_STANDS: ("gavel", lambda said: said.get("decision", "")),
    K.DECISION_WITHDRAWN: ("circle-minus", lambda said: said.get("decision", "")),
    K.ENTRY_MARKED: ("star", _marked),
    K.ENTRY_UNMARKED: ("star", _marked),
    K.TASK_CALLED_BACK: ("clock-exclamation", _task),
    K.CHECKLIST_STARTED: ("checklist", _checklist),
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
MILESTONES = frozenset(
    {
        *(K.DECLARED, K.STAGE_CHANGED, K.CONTAINED, K.RESTORED, K.RESOLVED, K.CLOSED, K.REOPENED, K.STOOD_DOWN),
        *(K.REINSTATED, K.MERGED, K.TASK_ADDED, K.TASK_CHANGED, K.TASK_CALLED_BACK, K.CHECKLIST_STARTED),
        *(K.CLOCK_CORRECTED, K.INCIDENT_EDITED, K.STEP_WAIVED, K.ALERTS_RESOLVED, K.ALERTS_FIRE_AGAIN),
    }
)
"""Entries of the system group that are never folded: people wait for them, or made them."""
MARKABLE = frozenset({K.NOTE, K.DECISION, K.SITUATION_CHANGED, K.TASK_CHANGED})
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
    files: tuple[dict[str, Any], ...] = ()
    told: str = ""
    closes_at: datetime | None = None

    @property
    def is_foldable(self) -> bool:
        """Bookkeeping of the product itself: worth having, rarely worth reading one by one."""
        return self.look == "system" and self.kind not in MILESTONES and not self.body

    @property
    def is_markable(self) -> bool:
        return bool(self.body) and self.kind in MARKABLE

    @property
    def is_backdated(self) -> bool:
        return abs((self.recorded_at - self.at).total_seconds()) > 120


@dataclass(frozen=True)
class Fold:
    """Neighbouring entries of the product itself, shown as one line. Named after its oldest, which stays the same while
    newer ones join."""

    entries: list[Entry]

    @property
    def name(self) -> str:
        return f"fold-{self.entries[-1].seq}"

    @property
    def newest(self) -> Entry:
        return self.entries[0]

    @property
    def about(self) -> str:
        """Of what kinds, each once, the newest first."""
        return ", ".join(dict.fromkeys(entry.title.lower() for entry in self.entries))


@dataclass(frozen=True)
class Timeline:
    """A window of entries, newest first. `upto` is set when it does not begin at the newest entry. `wanted` is the
    entry the address names: what it is folded in stands open. `words` were searched for."""

    entries: list[Entry]
    show: str
    count: int
    upto: int | None
    more: int
    wanted: int | None = None
    words: str = ""

    @property
    def rows(self) -> list[Entry | Fold]:
        """Entries, with neighbouring ones of the product itself folded; none folded in what was asked for by name."""
        if self.show or self.words:
            return list(self.entries)
        found: list[Entry | Fold] = []
        for is_foldable, group in groupby(self.entries, key=lambda entry: entry.is_foldable):
            entries = list(group)
            found += [Fold(entries)] if is_foldable and len(entries) >= FOLDED_FROM else entries
        return found

    @property
    def is_open(self) -> set[str]:
        """Names of folds that hold the wanted entry."""
        folds = (row for row in self.rows if isinstance(row, Fold))
        return {fold.name for fold in folds if any(entry.seq == self.wanted for entry in fold.entries)}

    @property
    def address(self) -> str:
        """The window as it stands in the address."""
        count = self.count if self.count != PAGE else ""
        given = {"show": self.show, "q": self.words, "count": count, "upto": self.upto}
        return urlencode({name: value for name, value in given.items() if value not in ("", None)})

    @property
    def oldest(self) -> int:
        return self.entries[-1].seq if self.entries else 0


def timeline(
    incident: MajorIncident,
    *,
    show: str = "",
    count: int = PAGE,
    upto: int | None = None,
    words: str = "",
    wanted: int | None = None,
) -> Timeline:
    """Entries of one group (all when `show` is empty) that say all the `words`, at most `count`, from number `upto`
    downwards. Two queries at most."""
    count = min(max(count, PAGE), MOST)
    edits = TimelineEdit.objects.filter(event=OuterRef("pk"))
    words = words.replace("\x00", "").strip()[:LONGEST_SEARCH]
    rows = (
        matching(incident, show=show, words=words)
        .annotate(
            newest=Subquery(edits.order_by("-id").values("html")[:1]),
            times=Subquery(edits.order_by().values("event").annotate(n=Count("pk")).values("n")),
        )
        .order_by("-seq")
    )
    if upto is not None:
        rows = rows.filter(seq__lte=upto)
    found = list(rows[: count + 1])
    more = PAGE if len(found) > count else 0
    updates, corrections = _updates_of(found)
    entries = [entry_of(row, updates.get(_update_id(row)), corrections.get(_update_id(row))) for row in found[:count]]
    return Timeline(entries, show, count, upto, more, wanted, words)


def matching(incident: MajorIncident, *, show: str = "", words: str = "") -> QuerySet[TimelineEvent]:
    """Entries of one group (of all when it is no group) that say all the words."""
    rows = TimelineEvent.objects.filter(incident=incident).select_related("actor")
    if show in EventGroup.values:
        rows = rows.filter(group=show)
    for word in words.replace("\x00", "")[:LONGEST_SEARCH].split()[:MOST_WORDS]:
        rows = rows.filter(says(word))
    return rows


def about_of(event: TimelineEvent) -> str:
    """What an entry was about, in words; "" when its text says it all."""
    return WORDS.get(event.kind, ("", _names("title", "reason")))[1](event.payload or {})


def says(word: str) -> Q:
    """Entries in which the word stands: in any of their wordings, in what they are about, or in who made them."""
    reworded = TimelineEdit.objects.filter(event=OuterRef("pk"), text__icontains=word)
    about = Q(Exists(reworded)) | Q(text__icontains=word) | Q(actor__name__icontains=word)
    for field in SEARCHED:
        about |= Q(**{f"payload__{field}__icontains": word})
    kinds = [kind.value for kind in EventKind if word.casefold() in kind.label.casefold()]
    number = Q(seq=int(word)) if word.isascii() and word.isdigit() and len(word) < 9 else Q()
    return about | Q(kind__in=kinds) | number


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
        files=tuple(said.get("files") or ()),
        told=", ".join(person["name"] for person in said.get("mentions") or ()),
        closes_at=datetime.fromisoformat(said["closes_at"]) if said.get("closes_at") else None,
    )
