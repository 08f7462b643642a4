"""Paging: begins with an event, goes on step by step until somebody answers, and is found by a sweep.

Every deadline is `Page.due_at`. Whoever takes a step locks the candidate or incident first and the page second, and
reads both again: two sweeps, a restart in the middle or an answer at the same moment never page twice, early or late.
"""

import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from incidents import live
from incidents.actions import paging
from incidents.errands import after_commit
from incidents.models import Candidate, CandidateSource, MajorIncident, Seat, TimelineEvent, User
from incidents.process import EventKind, Role, SeatState
from notifications.escalation_policy import WAIT_WHEN_NOBODY_IS_FOUND, Wanted, frozen, wanted
from notifications.models import CallState, Occasion, Page, PageCall, PageState

TOGETHER = 50
"""Pages whose step is taken in one transaction: one statement where fifty were, and a kill undoes little."""
_log = logging.getLogger(__name__)
_JUDGED = {
    EventKind.CANDIDATE_DECLARED: "declared",
    EventKind.CANDIDATE_LINKED: "linked to a major incident",
    EventKind.CANDIDATE_DISMISSED: "dismissed",
}
_OVER = {EventKind.CLOSED: "closed", EventKind.STOOD_DOWN: "stood down", EventKind.MERGED: "merged"}
_TAKEN = (EventKind.COMMAND_TAKEN, EventKind.SEAT_ACCEPTED)
_REACHED = (CallState.CALLED, CallState.KNOWS, CallState.ANSWERED)


def on_event(sender: Any, event: TimelineEvent, **kwargs: Any) -> None:
    """Receiver of `event_recorded`: begins pages and ends them, in the transaction of the act."""
    if event.kind in (EventKind.CANDIDATE_FLAGGED, EventKind.CANDIDATE_EVIDENCE_ADDED):
        _begin_for_candidate(event)
    elif event.kind == EventKind.CANDIDATE_ACKNOWLEDGED:
        _end(event, PageState.ANSWERED, f"{_name(event)} acknowledged it")
    elif event.kind in _JUDGED:
        _end(event, PageState.ENDED, f"{_name(event)} decided: {_JUDGED[EventKind(event.kind)]}")
    elif event.kind == EventKind.PAGE_ANSWERED:
        _end(event, PageState.ANSWERED, f"{_name(event)} answered")
    elif event.incident_id is not None:
        _about_command(event)


def _name(event: TimelineEvent) -> str:
    return event.actor.display_name if event.actor else "The system"


# --- Beginning and ending ---------------------------------------------------------------------
def _begin_for_candidate(event: TimelineEvent) -> None:
    """A new candidate; or more evidence for an open one whose page nobody answered."""
    candidate = event.candidate
    if candidate is None or not paging.is_wanted(candidate):
        return
    if event.kind == EventKind.CANDIDATE_EVIDENCE_ADDED and not _went_unanswered(candidate):
        return
    is_hotline = candidate.source == CandidateSource.HOTLINE
    begin(Occasion.HOTLINE if is_hotline else Occasion.CANDIDATE, event)


def _went_unanswered(candidate: Candidate) -> bool:
    last = Page.objects.filter(candidate=candidate).order_by("-id").first()
    return last is not None and last.state == PageState.UNANSWERED


def _about_command(event: TimelineEvent) -> None:
    incident = event.incident
    if incident is None or incident.is_imported or incident.is_drill:
        return
    if event.kind in _TAKEN:
        if event.kind == EventKind.COMMAND_TAKEN or event.payload.get("role") == Role.MAJOR_INCIDENT_MANAGER:
            _end(event, PageState.ANSWERED, f"{_name(event)} took command")
    elif event.kind in _OVER:
        _end(event, PageState.ENDED, f"The incident was {_OVER[EventKind(event.kind)]}")
    elif event.kind == EventKind.DECLARED and (event.actor_id is None or not _is_commanded(incident)):
        begin(Occasion.COMMAND, event)
    elif event.kind == EventKind.SEAT_RELEASED and _left_command(event) and incident.is_open:
        # A hand-over of command releases the former manager first: whoever takes it is seated a moment later.
        begin(Occasion.COMMAND, event)


def _left_command(event: TimelineEvent) -> bool:
    is_manager = event.payload.get("role") == Role.MAJOR_INCIDENT_MANAGER
    return is_manager and event.incident is not None and not _is_commanded(event.incident)


def _is_commanded(incident: MajorIncident) -> bool:
    seats = Seat.objects.filter(incident=incident, role=Role.MAJOR_INCIDENT_MANAGER, state=SeatState.ACCEPTED)
    return seats.exists()


def begin(occasion: str, event: TimelineEvent) -> Page | None:
    """Freezes the policy and takes the first step at once. None when this is being paged already."""
    about = {"candidate_id": event.candidate_id} if event.candidate_id else {"incident_id": event.incident_id}
    if Page.objects.filter(**about, state=PageState.PAGING).exists():
        return None
    now = timezone.now()
    page = Page.objects.create(
        occasion=occasion, event=event, plan=frozen(occasion), started_at=now, due_at=now, **about
    )
    if occasion == Occasion.COMMAND:
        ring_escalation()  # who takes command in the same act must not be paged: the first step waits for its end
    else:
        turn = _Turn([page], now)
        _take_step(page, event.candidate or event.incident, turn)
        turn.write()
    return page


def _end(event: TimelineEvent, state: str, reason: str) -> None:
    about = {"candidate": event.candidate_id} if event.candidate_id else {"incident": event.incident_id}
    page = Page.objects.select_for_update().filter(**about, state=PageState.PAGING).first()
    if page is None:
        return
    if not page.calls.exists():  # a hand-over of command: nobody was called, nothing happened
        page.delete()
        return
    now = timezone.now()
    if state == PageState.ANSWERED and event.actor_id:
        page.answered_by_id = event.actor_id
        page.calls.filter(person=event.actor_id, state=CallState.CALLED).update(
            state=CallState.ANSWERED, answered_at=now
        )
    page.state, page.reason, page.ended_at, page.due_at = state, reason[:200], now, None
    page.save(update_fields=["state", "reason", "ended_at", "due_at", "answered_by"])


# --- Step by step -----------------------------------------------------------------------------
def sweep(*, now: datetime, limit: int = 5_000) -> int:
    """Takes the next step of every page that is due; returns how many. Safe to run twice and in parallel.

    Pages about candidates go together, as many as one transaction may hold; the others, and those somebody holds at
    the moment, one by one. One page that cannot go on does not hold up the others.
    """
    due = Page.objects.filter(state=PageState.PAGING, due_at__lte=now)
    found = list(due.order_by("due_at", "id").values_list("pk", "candidate_id")[:limit])
    about_candidates = [key for key, candidate in found if candidate]
    taken = 0
    for start in range(0, len(about_candidates), TOGETHER):
        keys = about_candidates[start : start + TOGETHER]
        try:
            taken += _advance_together(keys, now=max(now, timezone.now()))
        except Exception:
            _log.warning("pages could not go on together", extra={"pages": len(keys)}, exc_info=True)
    left = list(due.filter(pk__in=[key for key, _ in found]).values_list("pk", flat=True))
    random.shuffle(left)  # sweeps in parallel take different ones, instead of waiting for each other at every one
    for key in left:
        try:
            if due.filter(pk=key).exists():  # another sweep may have been here
                taken += advance(key, now=max(now, timezone.now()))
        except Exception:
            _log.exception("page could not go on", extra={"page": key})
    return taken


@transaction.atomic
def _advance_together(page_ids: Sequence[int], *, now: datetime) -> int:
    """The next step of several pages about candidates. What somebody else holds is left out, so that nobody waits
    while holding many locks."""
    about = dict(Page.objects.filter(pk__in=page_ids).values_list("pk", "candidate_id"))
    free = Candidate.objects.select_for_update(of=("self",), skip_locked=True)
    subjects = {one.pk: one for one in free.filter(pk__in=set(about.values())).order_by("pk")}
    wanted_pages = [key for key, candidate in about.items() if candidate in subjects]
    locked = Page.objects.select_for_update(of=("self",), skip_locked=True)
    pages = list(locked.filter(pk__in=wanted_pages, state=PageState.PAGING, due_at__lte=now).order_by("due_at", "pk"))
    turn = _Turn(pages, now)
    taken = sum(_advance(page, subjects[page.candidate_id or 0], turn) for page in pages)
    turn.write()
    return taken


@transaction.atomic
def advance(page_id: int, *, now: datetime) -> bool:
    """The next step of one page when it is due and wanted still; False when there was nothing to do."""
    about = Page.objects.values_list("candidate_id", "incident_id").get(pk=page_id)
    subject = paging.lock_subject(*about)
    page = Page.objects.select_for_update().get(pk=page_id)
    if page.state != PageState.PAGING or page.due_at is None or page.due_at > now:
        return False
    turn = _Turn([page], now)
    taken = _advance(page, subject, turn)
    turn.write()
    return taken


def _advance(page: Page, subject: Candidate | MajorIncident, turn: "_Turn") -> bool:
    if not paging.is_wanted(subject) or _was_taken(page, subject):
        page.state, page.due_at, page.ended_at = PageState.ENDED, None, turn.now
        page.reason = "It was decided" if turn.called[page.pk] else "It was taken before the first call"
        return False
    _take_step(page, subject, turn)
    return True


class _Turn:
    """Pages under lock whose next step is taken together: what that needs is read once for all of them, and what
    comes of it is written once."""

    def __init__(self, pages: Sequence[Page], now: datetime) -> None:
        self.pages, self.now = pages, now
        self.called: dict[int, list[tuple[int, int, str]]] = {page.pk: [] for page in pages}
        """Round, person and state of the calls so far, by page."""
        calls = PageCall.objects.filter(page__in=pages).values_list("page", "round", "person", "state")
        for key, number, person, state in calls:
            self.called[key].append((number, person, state))
        self.acted: dict[int, set[int]] = {}
        """Who did something about each candidate already, raising it included."""
        acted = TimelineEvent.objects.filter(
            candidate__in={page.candidate_id for page in pages} - {None}, actor__isnull=False
        )
        for candidate, actor in acted.exclude(kind=EventKind.PAGE_PASSED_ON).values_list("candidate", "actor"):
            self.acted.setdefault(candidate, set()).add(actor)
        self.calls: list[PageCall] = []
        self._wanted: dict[tuple[tuple[str, ...], frozenset[int]], list[Wanted]] = {}

    def wanted(self, who: Sequence[str], *, but: frozenset[int]) -> list[Wanted]:
        """Whom a step means now; asked once for pages that stand at the same step."""
        key = (tuple(who), but)
        if key not in self._wanted:
            self._wanted[key] = wanted(who, at=self.now, but=but)
        return self._wanted[key]

    def write(self) -> None:
        PageCall.objects.bulk_create(self.calls)
        Page.objects.bulk_update(self.pages, ["round", "step", "state", "due_at", "ended_at", "reason"])


def _was_taken(page: Page, subject: Candidate | MajorIncident) -> bool:
    """Somebody took command after the page began, other than the manager an automatic declaration seated."""
    if isinstance(subject, Candidate) or page.event.kind == EventKind.DECLARED:
        return False
    return _is_commanded(subject)


def _take_step(page: Page, subject: Any, turn: _Turn) -> None:
    """Calls whoever the next step means; steps that mean nobody are passed over at once."""
    steps, called = page.plan["steps"], turn.called[page.pk]
    gone = {person for _, person, state in called if state == CallState.PASSED_ON}
    before = frozenset(gone | {person for number, person, _ in called if number == page.round})
    is_reached = any(number == page.round and state in _REACHED for number, _, state in called)
    while page.step < len(steps):
        number, step = page.step, steps[page.step]
        page.step += 1
        if step.get("if_nobody") and is_reached:
            continue
        if people := turn.wanted(step["who"], but=before):
            _call(page, number, people, subject, turn)
            page.due_at = turn.now + timedelta(seconds=step["wait_seconds"])
            return
    _next_round(page, subject, turn, is_reached=is_reached)


def _next_round(page: Page, subject: Any, turn: _Turn, *, is_reached: bool) -> None:
    page.round, page.step = page.round + 1, 0
    if page.round > page.plan["repeat"]:
        page.state, page.due_at, page.ended_at = PageState.UNANSWERED, None, turn.now
        page.reason = "Nobody answered, and the policy has no further step"
        paging.record(EventKind.PAGE_UNANSWERED, subject, actor=None, at=turn.now, rounds=page.round)
    elif is_reached:
        _take_step(page, subject, turn)
    else:  # a round without anybody to call: looked again a little later
        page.due_at = turn.now + timedelta(seconds=WAIT_WHEN_NOBODY_IS_FOUND)


def _call(page: Page, step: int, people: list[Wanted], subject: Any, turn: _Turn) -> None:
    """Notes who is called, and writes the entry whose messages go to them. Who acted already is noted, not called."""
    acted = turn.acted.get(page.candidate_id or 0, set())
    to_call = [one for one in people if one.person.pk not in acted]
    event = None
    if to_call:
        event = paging.record(
            EventKind.PAGED,
            subject,
            actor=None,
            at=turn.now,
            people=[one.person.display_name for one in to_call],
            why="; ".join(dict.fromkeys(one.why for one in to_call)),
            page_id=page.pk,
            user_ids=[one.person.pk for one in to_call],
        )
    turn.calls += [
        PageCall(
            page=page,
            round=page.round,
            step=step,
            person=one.person,
            why=one.why[:200],
            state=CallState.CALLED if one in to_call else CallState.KNOWS,
            called_at=turn.now,
            event=event if one in to_call else None,
        )
        for one in people
    ]


def ring_escalation() -> None:
    """After the commit, asks a worker to look for due pages; what it misses the sweep finds within five seconds."""
    after_commit("escalate due pages", _wake)


def _wake() -> None:
    from notifications.tasks import sweep_pages  # the task imports what rings

    sweep_pages.apply_async(ignore_result=True, retry=False, expires=60)


# --- Answers ----------------------------------------------------------------------------------
def answer(call: PageCall, *, at: datetime) -> None:
    """The called person takes it. Raises NotAccountable, WrongStage as the act itself does."""
    page = call.page
    subject_id = page.candidate_id or page.incident_id or 0
    paging.answer(subject_id, is_candidate=page.candidate_id is not None, actor=call.person, at=at)


@transaction.atomic
def pass_on(page_id: int, *, actor: User, at: datetime) -> bool:
    """The called person cannot: the next step is taken at once, and they are not called again for this.

    False when the page is over, or they were not called.
    """
    about = Page.objects.values_list("candidate_id", "incident_id").get(pk=page_id)
    subject = paging.lock_subject(*about)
    page = Page.objects.select_for_update().get(pk=page_id)
    calls = page.calls.filter(person=actor, state__in=(CallState.CALLED, CallState.KNOWS))
    if page.state != PageState.PAGING or not calls.update(state=CallState.PASSED_ON, answered_at=at):
        return False
    paging.record(EventKind.PAGE_PASSED_ON, subject, actor=actor, at=at)
    waits_still = page.calls.filter(round=page.round, step=page.step - 1, state__in=_REACHED).exists()
    if not waits_still:
        page.due_at = at
        page.save(update_fields=["due_at"])
        ring_escalation()
    live.changed(page.ref, "page")
    return True
