"""Changes: drafted, corrected, linked. Their life is in `change_states`; all of it is reached from here."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from incidents import events
from incidents.actions import steps
from incidents.actions.change_rows import (
    awaits_votes,
    default_owner,
    locked_with_incidents,
    name_approvers,
)
from incidents.actions.change_states import (
    accept_rejected,
    cancel,
    close,
    flag_late_approvals,
    implement,
    roll_back,
    start,
    submit,
)
from incidents.actions.change_votes import settle, vote
from incidents.actions.input import (
    clean_choice,
    clean_number,
    clean_person,
    clean_text,
    clean_time,
    clean_title,
    unknown_fields,
)
from incidents.actions.locking import check_open, lock_incident
from incidents.actions.ticket_states import allow
from incidents.errors import Invalid, WrongStage
from incidents.models import (
    Change,
    ChangeLink,
    ChangeStatus,
    ChangeType,
    MajorIncident,
    Problem,
    Risk,
    Service,
    User,
)
from incidents.process import EventKind
from incidents.risk import BY_KEY, points_of, risk_of

__all__ = [
    "accept_rejected",
    "cancel",
    "close",
    "edit_change",
    "flag_late_approvals",
    "implement",
    "link",
    "open_change",
    "roll_back",
    "start",
    "submit",
    "vote",
]


def _text(name: str) -> Callable[[Any], str]:
    return lambda value: clean_text(name, value)


def _answers(value: Any) -> dict[str, int]:
    """Answers of the risk questionnaire: {question: points}. Raises Invalid on `risk_answers`."""
    if not isinstance(value, dict):
        raise Invalid(risk_answers="Give the points of each question.")
    try:
        points_of(value)
    except KeyError as unknown:
        raise Invalid(risk_answers=f"There is no question {unknown}. Use {', '.join(BY_KEY)}.") from None
    except ValueError as wrong:
        most = len(BY_KEY[str(wrong)].answers) - 1
        raise Invalid(risk_answers=f"“{wrong}” takes a whole number from 0 to {most}.") from None
    return value


def _moment(name: str) -> Callable[[Any], datetime | None]:
    return lambda value: None if value is None else clean_time(name, value)


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "title": clean_title,
    **{name: _text(name) for name in ("description", "plan", "backout_plan", "test_plan")},
    "type": lambda value: clean_choice("type", value, ChangeType.values),
    "risk": lambda value: clean_choice("risk", value, Risk.values),
    "risk_answers": _answers,
    "quorum": lambda value: None if value is None else clean_number("quorum", value, least=1, most=50),
    "window_start": _moment("window_start"),
    "window_end": _moment("window_end"),
    "implementer": lambda value: clean_person("implementer", value),
    "owner": lambda value: clean_person("owner", value),
}


@transaction.atomic
def open_change(
    *,
    title: str,
    actor: User,
    at: datetime,
    type: str = ChangeType.NORMAL,
    services: Sequence[Service] = (),
    approvers: Sequence[User] = (),
    problems: Sequence[Problem] = (),
    major_incident: MajorIncident | None = None,
    relation: str | None = None,
    **fields: Any,
) -> Change:
    """A draft. Whoever opens it is the requester. `relation` (fix or cause) defaults to fix.

    `fields`: description, plan, backout_plan, test_plan, risk, risk_answers (all of them decide the risk), quorum,
    window_start, window_end, implementer, owner.
    """
    allow(actor, "work_change")
    unknown_fields(fields, _CLEAN)
    incident = lock_incident(major_incident.pk) if major_incident else None
    change = Change(title=clean_title(title), type=_CLEAN["type"](type), requester=actor, created_at=at)
    for name, value in fields.items():
        setattr(change, name, _CLEAN[name](value))
    if "risk_answers" in fields:
        change.risk = risk_of(change.risk_answers) or change.risk
    _check_window(change)
    change.owner = change.owner or default_owner(incident, actor, at)
    change.save(force_insert=True)
    change.services.set(services)
    change.problems.set(problems)
    name_approvers(change, approvers, at)
    events.record(EventKind.CHANGE_OPENED, change, actor=actor, at=at, title=change.title, type=change.type)
    if incident is not None:
        _link(change, incident, relation or ChangeLink.Relation.FIX, actor=actor, at=at)
    elif relation:
        raise Invalid(major_incident="Name the major incident this change is the fix or the cause of.")
    return change


def _check_window(change: Change) -> None:
    if change.window_start and change.window_end and change.window_end <= change.window_start:
        raise Invalid(window_end="The window must end after it starts.")


@transaction.atomic
def edit_change(change_id: int, *, changes: dict[str, Any], actor: User, at: datetime) -> Change:
    """Corrects fields, `services`, `problems` and `approvers`. Type and approvers are settled once it is decided."""
    unknown_fields(changes, (*_CLEAN, "services", "approvers", "problems"))
    change, incidents = locked_with_incidents(change_id)
    allow(actor, "work_change", change)
    if change.status in (ChangeStatus.CLOSED, ChangeStatus.CANCELLED, ChangeStatus.REJECTED):
        raise WrongStage(
            f"{change.ref} is {change.get_status_display().lower()}; open a new one.", status=change.status
        )
    before = {name: getattr(change, name) for name in _CLEAN}
    for name, clean in _CLEAN.items():
        if name in changes:
            setattr(change, name, clean(changes[name]))
    if "risk_answers" in changes:
        change.risk = risk_of(change.risk_answers) or change.risk
    if change.type != before["type"] and change.status != ChangeStatus.DRAFT:
        raise WrongStage(f"The type of {change.ref} is settled since it was submitted.", status=change.status)
    _check_window(change)
    votes = Q(approver=change.implementer) | Q(delegate=change.implementer)
    if changes.get("implementer") and change.approvals.filter(votes).exists():
        raise Invalid(implementer=f"{change.implementer} is an approver of this change and cannot implement it.")
    changed = [name for name, value in before.items() if getattr(change, name) != value]
    status = change.status
    if "approvers" in changes:
        _set_approvers(change, changes["approvers"], at)
        changed += ["status", "approval_state"]
    elif change.quorum != before["quorum"] and status != ChangeStatus.DRAFT:
        raise WrongStage(f"The quorum of {change.ref} is settled since it was submitted.", status=status)
    if changed:
        change.save(update_fields=[*changed, "updated_at"])
    for name in ("services", "problems"):
        if name in changes:
            getattr(change, name).set(changes[name])
    events.record(
        EventKind.CHANGE_EDITED,
        change,
        actor=actor,
        at=at,
        incident=incidents[0] if incidents and status != change.status else None,
        changes={
            name: [str(before[name] or ""), str(getattr(change, name) or "")] for name in changed if name in before
        },
        others=[name for name in ("services", "problems", "approvers") if name in changes],
    )
    return change


def _set_approvers(change: Change, people: Sequence[User], at: datetime) -> None:
    if change.status != ChangeStatus.DRAFT and not awaits_votes(change):
        raise WrongStage(f"The approval of {change.ref} is decided already.", status=change.status)
    if change.status != ChangeStatus.DRAFT and not people:
        raise Invalid(approvers="At least one approver is needed.")
    name_approvers(change, people, at)
    if awaits_votes(change):
        settle(change)


@transaction.atomic
def link(change_id: int, *, incident_id: int, relation: str, actor: User, at: datetime) -> Change:
    """This change is the fix, or the cause, of that incident. Linking again changes nothing."""
    incident = lock_incident(incident_id)
    change = Change.objects.select_for_update(of=("self",)).get(pk=change_id)
    allow(actor, "work_change", change)
    _link(change, incident, relation, actor=actor, at=at)
    return change


def _link(change: Change, incident: MajorIncident, relation: str, *, actor: User, at: datetime) -> None:
    check_open(incident, "linking a change")
    kind = clean_choice("relation", relation, ChangeLink.Relation.values)
    _, made = ChangeLink.objects.get_or_create(
        change=change, incident=incident, relation=kind, defaults={"linked_by": actor, "linked_at": at}
    )
    if made:
        events.record(
            EventKind.CHANGE_LINKED,
            change,
            actor=actor,
            at=at,
            incident=incident,
            change=change.ref,
            title=change.title,
            relation=kind,
        )
        steps.refresh(incident, actor=actor, at=at)
