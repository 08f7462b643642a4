"""Paging: begins with an event, goes on step by step until somebody answers, and is found by a sweep.

Every deadline is `Page.due_at`. Whoever takes a step locks the candidate or incident first and the page second, and
reads both again: two sweeps, a restart in the middle or an answer at the same moment never page twice, early or late.
"""

import logging
import random
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
        _take_step(page, event.candidate or event.incident, now)
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
def sweep(*, now: datetime, limit: int = 500) -> int:
    """Takes the next step of every page that is due; returns how many. Safe to run twice and in parallel.

    One page that cannot go on does not hold up the others.
    """
    due = Page.objects.filter(state=PageState.PAGING, due_at__lte=now)
    keys = list(due.order_by("due_at", "id").values_list("pk", flat=True)[:limit])
    random.shuffle(keys)  # sweeps in parallel take different ones, instead of waiting for each other at every one
    taken = 0
    for key in keys:
        try:
            if due.filter(pk=key).exists():  # another sweep may have been here
                taken += advance(key, now=max(now, timezone.now()))
        except Exception:
            _log.exception("page could not go on", extra={"page": key})
    return taken


@transaction.atomic
def advance(page_id: int, *, now: datetime) -> bool:
    """The next step of one page when it is due and wanted still; False when there was nothing to do."""
    about = Page.objects.values_list("candidate_id", "incident_id").get(pk=page_id)
    subject = paging.lock_subject(*about)
    page = Page.objects.select_for_update().get(pk=page_id)
    if page.state != PageState.PAGING or page.due_at is None or page.due_at > now:
        return False
    if not paging.is_wanted(subject) or _was_taken(page, subject):
        page.state, page.due_at, page.ended_at = PageState.ENDED, None, now
        page.reason = "It was taken before the first call" if not page.calls.exists() else "It was decided"
        page.save(update_fields=["state", "due_at", "ended_at", "reason"])
        return False
    _take_step(page, subject, now)
    return True


def _was_taken(page: Page, subject: Candidate | MajorIncident) -> bool:
    """Somebody took command after the page began, other than the manager an automatic declaration seated."""
    if isinstance(subject, Candidate) or page.event.kind == EventKind.DECLARED:
        return False
    return _is_commanded(subject)


def _take_step(page: Page, subject: Any, now: datetime) -> None:
    """Calls whoever the next step means; steps that mean nobody are passed over at once."""
    steps = page.plan["steps"]
    called = list(page.calls.values_list("round", "person_id", "state"))
    gone = {person for _, person, state in called if state == CallState.PASSED_ON}
    before = frozenset(gone | {person for number, person, _ in called if number == page.round})
    is_reached = any(number == page.round and state in _REACHED for number, _, state in called)
    while page.step < len(steps):
        number, step = page.step, steps[page.step]
        page.step += 1
        if step.get("if_nobody") and is_reached:
            continue
        if people := wanted(step["who"], at=now, but=before):
            _call(page, number, people, subject, now)
            page.due_at = now + timedelta(seconds=step["wait_seconds"])
            page.save(update_fields=["round", "step", "due_at"])
            return
    _next_round(page, subject, now, is_reached=is_reached)


def _next_round(page: Page, subject: Any, now: datetime, *, is_reached: bool) -> None:
    page.round, page.step = page.round + 1, 0
    if page.round > page.plan["repeat"]:
        page.state, page.due_at, page.ended_at = PageState.UNANSWERED, None, now
        page.reason = "Nobody answered, and the policy has no further step"
        page.save(update_fields=["round", "step", "state", "due_at", "ended_at", "reason"])
        paging.record(EventKind.PAGE_UNANSWERED, subject, actor=None, at=now, rounds=page.round)
    elif is_reached:
        _take_step(page, subject, now)
    else:  # a round without anybody to call: looked again a little later
        page.due_at = now + timedelta(seconds=WAIT_WHEN_NOBODY_IS_FOUND)
        page.save(update_fields=["round", "step", "due_at"])


def _call(page: Page, step: int, people: list[Wanted], subject: Any, now: datetime) -> None:
    """Writes who is called, and the entry whose messages go to them. Who acted already is noted, not called."""
    acted = _acted(subject)
    to_call = [one for one in people if one.person.pk not in acted]
    event = None
    if to_call:
        event = paging.record(
            EventKind.PAGED,
            subject,
            actor=None,
            at=now,
            people=[one.person.display_name for one in to_call],
            why="; ".join(dict.fromkeys(one.why for one in to_call)),
            page_id=page.pk,
            user_ids=[one.person.pk for one in to_call],
        )
    PageCall.objects.bulk_create(
        PageCall(
            page=page,
            round=page.round,
            step=step,
            person=one.person,
            why=one.why[:200],
            state=CallState.CALLED if one in to_call else CallState.KNOWS,
            called_at=now,
            event=event if one in to_call else None,
        )
        for one in people
    )


def _acted(subject: Candidate | MajorIncident) -> set[int]:
    """Who did something about the candidate already, raising it included."""
    if not isinstance(subject, Candidate):
        return set()
    acted = TimelineEvent.objects.filter(candidate=subject, actor__isnull=False)
    return set(acted.exclude(kind=EventKind.PAGE_PASSED_ON).values_list("actor", flat=True))


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
