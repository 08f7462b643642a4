"""Carrying a change out: its steps with their times, the log that reaches the war room, the check afterwards."""

import re
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from incidents import events
from incidents.actions.change_rows import locked_with_incidents, require_implementing
from incidents.actions.input import clean_choice, clean_text, clean_title
from incidents.actions.locking import check_not_future
from incidents.actions.ticket_states import allow
from incidents.errors import Invalid, WrongStage
from incidents.models import Change, ChangeStatus, ChangeStep, CheckResult, MajorIncident, User
from incidents.process import EventKind

MOST_STEPS = 100
_OVER = (ChangeStatus.CLOSED, ChangeStatus.CANCELLED, ChangeStatus.REJECTED)
_MINUTES = re.compile(r"\s*[\[(]\s*(\d{1,4})\s*(?:m|min|minutes?)\s*[\])]\s*$", re.IGNORECASE)
_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")


def read_steps(text: str) -> list[tuple[str, int | None]]:
    """Each line is a step; “(10 min)” at its end is how long it takes, list marks at its beginning fall away."""
    found = []
    for line in text.splitlines():
        line = _MARK.sub("", line.strip())
        told = _MINUTES.search(line)
        title = _MINUTES.sub("", line).strip()
        if title:
            found.append((title, int(told[1]) if told else None))
    return found


@transaction.atomic
def add_steps(change_id: int, *, part: str, text: str, actor: User, at: datetime) -> Change:
    """Every line of the text becomes a step of that part of the plan."""
    change, _ = locked_with_incidents(change_id)
    allow(actor, "work_change", change)
    _require_open(change)
    which = clean_choice("part", part, ChangeStep.Part.values)
    steps = read_steps(clean_text("text", text, required=True))
    if not steps:
        raise Invalid(text="Write at least one step, one a line.")
    if change.steps.count() + len(steps) > MOST_STEPS:
        raise Invalid(text=f"At most {MOST_STEPS} steps; split the change.")
    last = change.steps.filter(part=which).aggregate(last=Max("position"))["last"] or 0
    for place, (title, minutes) in enumerate(steps, start=last + 1):
        change.steps.create(part=which, position=place, title=clean_title(title, "text"), minutes=minutes)
    events.record(EventKind.CHANGE_EDITED, change, actor=actor, at=at, others=["steps"], added=len(steps))
    return change


@transaction.atomic
def remove_step(change_id: int, step_id: int, *, actor: User, at: datetime) -> Change:
    """Takes a step away that nobody did yet."""
    change, _ = locked_with_incidents(change_id)
    allow(actor, "work_change", change)
    step = change.steps.filter(pk=step_id).first()
    if step is not None and step.done_at is not None:
        raise WrongStage("This step is done and stays in the record.", status=change.status)
    if step is not None:
        step.delete()
        events.record(EventKind.CHANGE_EDITED, change, actor=actor, at=at, others=["steps"], removed=step.title)
    return change


@transaction.atomic
def do_step(change_id: int, step_id: int, *, actor: User, at: datetime) -> ChangeStep:
    """Reports a step done; it stands in the war room of the incident it fixes. Again changes nothing.

    Raises ChangeStep.DoesNotExist, WrongStage before the change was started.
    """
    change, incidents = locked_with_incidents(change_id)
    require_implementing(actor, change, incidents)
    check_not_future("at", at)
    step = ChangeStep.objects.select_for_update().get(pk=step_id, change=change)
    if step.done_at is not None:
        return step
    if change.started_at is None or change.status in _OVER:
        raise WrongStage(f"Start {change.ref} first: its steps are done while it is under way.", status=change.status)
    step.done_at, step.done_by = at, actor
    step.save(update_fields=["done_at", "done_by"])
    done, total = (
        change.steps.filter(part=step.part, done_at__isnull=False).count(),
        change.steps.filter(part=step.part).count(),
    )
    _log(change, incidents, actor=actor, at=at, step=step.title, part=step.get_part_display(), done=done, of=total)
    return step


@transaction.atomic
def log(change_id: int, *, text: str, actor: User, at: datetime) -> Change:
    """What was seen or done while implementing; a line in the war room too."""
    change, incidents = locked_with_incidents(change_id)
    require_implementing(actor, change, incidents)
    said = clean_text("text", text, required=True)
    if change.started_at is None:
        raise WrongStage(f"{change.ref} is not started. Its log begins with that.", status=change.status)
    _log(change, incidents, actor=actor, at=at, text=said)
    return change


def _log(
    change: Change, incidents: Iterable[MajorIncident], *, actor: User, at: datetime, text: str = "", **payload: object
) -> None:
    for incident in list(incidents) or [None]:  # type: ignore[list-item]
        events.record(
            EventKind.CHANGE_LOGGED,
            change,
            actor=actor,
            at=at,
            incident=incident,
            text=text,
            change=change.ref,
            title=change.title,
            **payload,
        )


@transaction.atomic
def check(change_id: int, *, result: str, notes: str = "", actor: User, at: datetime) -> Change:
    """Whether it does what it should, some time after it was put in place; a failed one should be rolled back."""
    change, incidents = locked_with_incidents(change_id)
    allow(actor, "work_change", change)
    if change.implemented_at is None or change.rolled_back_at is not None:
        raise WrongStage(f"{change.ref} is not in place, so there is nothing to check.", status=change.status)
    change.check_result = clean_choice("result", result, CheckResult.values)
    needs_words = change.check_result == CheckResult.FAILED
    change.check_notes = clean_text("notes", notes, required=needs_words)
    change.checked_at, change.checked_by = at, actor
    change.save(update_fields=["check_result", "check_notes", "checked_at", "checked_by", "updated_at"])
    for incident in incidents or [None]:  # type: ignore[list-item]
        events.record(
            EventKind.CHANGE_CHECKED,
            change,
            actor=actor,
            at=at,
            incident=incident,
            text=change.check_notes,
            change=change.ref,
            result=change.check_result,
        )
    return change


def _require_open(change: Change) -> None:
    if change.status in _OVER:
        raise WrongStage(f"{change.ref} is {change.get_status_display().lower()}.", status=change.status)
