"""Problems: opened, linked to the incidents they caused, investigated, understood, resolved."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django_fsm import TransitionNotAllowed, can_proceed

from incidents import events, permissions
from incidents.actions import steps
from incidents.actions.input import clean_choice, clean_person, clean_text, clean_title, unknown_fields
from incidents.actions.knowledge_index import index_problem
from incidents.actions.locking import check_open, lock_incident
from incidents.actions.ticket_states import allow
from incidents.errors import Invalid, WrongStage
from incidents.models import (
    CauseCategory,
    MajorIncident,
    Problem,
    ProblemStatus,
    Seat,
    Ticket,
    User,
)
from incidents.on_call import on_call
from incidents.process import OPEN_STAGES, AccountRole, EventKind, Role, SeatState

RECURRENCE_CHECK = timedelta(days=90)
_MOST_WHYS = 10
_ENDED = ("resolved_at", "recurrence_check_at", "recurrence_checked_at", "recurrences")
_POSSIBLE = (
    ("investigate", "to_investigating"),
    ("known error", "to_known_error"),
    ("resolve", "to_resolved"),
    ("close", "to_closed"),
)


@transaction.atomic
def open_problem(
    *,
    title: str,
    actor: User,
    at: datetime,
    description: str = "",
    major_incident: MajorIncident | None = None,
    tickets: Sequence[Ticket] = (),
    owner: User | None = None,
    **texts: Any,
) -> Problem:
    """Opens a problem. For a major incident that is the guarded act "problem", which its R and A may do whatever
    their account roles are, and its problem manager owns it unless somebody is named. `texts` are the editable
    fields of `edit_problem`.
    """
    incident = _guarded(major_incident.pk, actor) if major_incident else None
    if incident is None:
        allow(actor, "work_problem")
    unknown_fields(texts, _CLEAN)
    problem = Problem(title=clean_title(title), created_by=actor, created_at=at)
    for name, value in {"description": description, **texts}.items():
        setattr(problem, name, _CLEAN[name](value))
    problem.owner = _owner(owner, incident) if owner else _default_owner(incident, actor, at)
    problem.save(force_insert=True)
    problem.tickets.set(tickets)
    events.record(
        EventKind.PROBLEM_OPENED,
        problem,
        actor=actor,
        at=at,
        title=problem.title,
        owner=problem.owner.email if problem.owner else None,
    )
    if incident is not None:
        _link(problem, incident, actor=actor, at=at)
    return problem


def _guarded(incident_id: int, actor: User | None) -> MajorIncident:
    """The incident, locked and open, when the actor may link a problem to it."""
    incident = lock_incident(incident_id)
    permissions.require_step(actor, incident, "problem")
    check_open(incident, "linking a problem")
    return incident


def _owner(person: User, incident: MajorIncident | None = None) -> User:
    """A problem is owned by a problem manager, by account or by seat on its incident."""
    clean_person("owner", person)
    if not person.has_role(AccountRole.PROBLEM_MANAGER) and person != _seated(incident):
        raise Invalid(owner=f"{person.email} is not a problem manager. Choose one as owner.")
    return person


def _seated(incident: MajorIncident | None) -> User | None:
    if incident is None:
        return None
    seats = Seat.objects.filter(incident=incident, role=Role.PROBLEM_MANAGER, state=SeatState.ACCEPTED)
    seat = seats.select_related("user").first()
    return seat.user if seat else None


def _default_owner(incident: MajorIncident | None, actor: User, at: datetime) -> User | None:
    """The incident's problem manager, else whoever opens it when that is one, else the one on call."""
    if seated := _seated(incident):
        return seated
    if actor.has_role(AccountRole.PROBLEM_MANAGER):
        return actor
    return next(iter(on_call(AccountRole.PROBLEM_MANAGER, at)), None)


def _link(problem: Problem, incident: MajorIncident, *, actor: User | None, at: datetime) -> None:
    problem.major_incidents.add(incident)
    events.record(
        EventKind.PROBLEM_LINKED,
        problem,
        actor=actor,
        at=at,
        incident=incident,
        problem=problem.ref,
        title=problem.title,
        owner=problem.owner.email if problem.owner else None,
    )
    steps.refresh(incident, actor=actor, at=at)


@transaction.atomic
def link_incident(problem_id: int, *, incident_id: int, actor: User, at: datetime) -> Problem:
    """This problem caused that incident; one without an owner gets the incident's problem manager.

    Linking again changes nothing. Raises NotAccountable naming who may, WrongStage on a closed incident.
    """
    incident = _guarded(incident_id, actor)
    problem = locked(problem_id)
    if problem.major_incidents.filter(pk=incident.pk).exists():
        return problem
    if problem.owner is None and (owner := _seated(incident)):
        problem.owner = owner
        problem.save(update_fields=["owner", "updated_at"])
    _link(problem, incident, actor=actor, at=at)
    return problem


def locked(problem_id: int) -> Problem:
    """The problem under its row lock. Raises Problem.DoesNotExist."""
    return Problem.objects.select_for_update(of=("self",)).get(pk=problem_id)


def _locked_with_incidents(problem_id: int) -> tuple[Problem, list[MajorIncident]]:
    """Its open incidents first, in order, then itself: the order in which every action locks."""
    linked = MajorIncident.objects.filter(problems=problem_id, stage__in=OPEN_STAGES).order_by("pk")
    incidents = [lock_incident(pk) for pk in linked.values_list("pk", flat=True)]
    return locked(problem_id), incidents


def _whys(value: Any) -> list[str]:
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | dict):
        raise Invalid(five_whys="Give a list of answers, one for each why.")
    answers = [text for text in (clean_text("five_whys", each) for each in value) if text]
    if len(answers) > _MOST_WHYS:
        raise Invalid(five_whys=f"At most {_MOST_WHYS} answers.")
    return answers


def _text(name: str) -> Callable[[Any], str]:
    return lambda value: clean_text(name, value)


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "title": clean_title,
    **{name: _text(name) for name in ("description", "root_cause", "contributing_factors", "workaround")},
    "cause_category": lambda value: clean_choice("cause_category", value, CauseCategory.values),
    "five_whys": _whys,
}


@transaction.atomic
def edit_problem(problem_id: int, *, changes: dict[str, Any], actor: User, at: datetime) -> Problem:
    """Corrects fields, `owner` and `tickets`; `status` goes through the act it stands for."""
    unknown_fields(changes, (*_CLEAN, "owner", "tickets", "status"))
    problem, incidents = _locked_with_incidents(problem_id)
    allow(actor, "work_problem", problem)
    before = {name: getattr(problem, name) for name in (*_CLEAN, "owner")}
    for name, clean in _CLEAN.items():
        if name in changes:
            setattr(problem, name, clean(changes[name]))
    if "owner" in changes:
        owner = changes["owner"]
        problem.owner = _owner(owner, incidents[0] if incidents else None) if owner else None
    if problem.status in (ProblemStatus.KNOWN_ERROR, ProblemStatus.RESOLVED):
        _check_understood(problem)
    changed = [name for name, value in before.items() if getattr(problem, name) != value]
    if "tickets" in changes:
        problem.tickets.set(changes["tickets"])
    if changed:
        problem.save(update_fields=[*changed, "updated_at"])
        index_problem(problem)
    if changed or "tickets" in changes:
        events.record(
            EventKind.PROBLEM_EDITED,
            problem,
            actor=actor,
            at=at,
            changes={name: [str(before[name] or ""), str(getattr(problem, name) or "")] for name in changed},
        )
        for incident in incidents:
            steps.refresh(incident, actor=actor, at=at)
    if "status" in changes:
        _set_status(problem, changes["status"], actor=actor, at=at)
    return locked(problem_id)


def _set_status(problem: Problem, status: Any, *, actor: User, at: datetime) -> None:
    target = clean_choice("status", status, ProblemStatus.values)
    if target == problem.status:
        return
    act = {"investigating": investigate, "known_error": known_error, "resolved": resolve, "closed": close}.get(target)
    if act is None:
        raise Invalid(status=f"{problem.ref} cannot go back to “{target}”.")
    act(problem.pk, actor=actor, at=at)


def _check_understood(problem: Problem) -> None:
    if not problem.root_cause and not problem.workaround:
        sentence = "Write down the root cause or a workaround first."
        raise Invalid(root_cause=sentence, workaround=sentence)


def _advance(problem: Problem, name: str, verb: str) -> str:
    """Does the transition; answers the state before it. Raises WrongStage naming what is possible."""
    before = problem.status
    try:
        getattr(problem, name)()
    except TransitionNotAllowed:
        possible = [verb for verb, method in _POSSIBLE if can_proceed(getattr(problem, method))]
        raise WrongStage(
            f"{problem.ref} is {problem.get_status_display().lower()} and cannot be {verb}. "
            f"Possible now: {', '.join(possible) or 'nothing'}.",
            status=before,
            possible=possible,
        ) from None
    return before


def _record_status(problem: Problem, before: str, *, actor: User | None, at: datetime) -> None:
    index_problem(problem)
    events.record(
        EventKind.PROBLEM_STATUS_CHANGED, problem, actor=actor, at=at, **{"from": before, "to": problem.status}
    )


@transaction.atomic
def investigate(problem_id: int, *, actor: User, at: datetime) -> Problem:
    """Somebody looks for the cause; again, when a resolved problem came back."""
    problem = locked(problem_id)
    allow(actor, "work_problem", problem)
    before = _advance(problem, "to_investigating", "investigated")
    problem.resolved_at = problem.recurrence_check_at = problem.recurrence_checked_at = problem.recurrences = None
    problem.save(update_fields=["status", *_ENDED, "updated_at"])
    _record_status(problem, before, actor=actor, at=at)
    return problem


@transaction.atomic
def known_error(problem_id: int, *, actor: User, at: datetime) -> Problem:
    """The cause or a workaround is known, and written down."""
    problem = locked(problem_id)
    allow(actor, "work_problem", problem)
    before = _advance(problem, "to_known_error", "made a known error")
    _check_understood(problem)
    problem.save(update_fields=["status", "updated_at"])
    _record_status(problem, before, actor=actor, at=at)
    return problem


@transaction.atomic
def resolve(problem_id: int, *, actor: User, at: datetime) -> Problem:
    """The permanent fix is in place; in 90 days somebody looks whether it came back."""
    problem = locked(problem_id)
    allow(actor, "own_problem", problem)
    before = _advance(problem, "to_resolved", "resolved")
    _check_understood(problem)
    problem.resolved_at, problem.recurrence_check_at = at, at + RECURRENCE_CHECK
    problem.save(update_fields=["status", "resolved_at", "recurrence_check_at", "updated_at"])
    _record_status(problem, before, actor=actor, at=at)
    return problem


@transaction.atomic
def close(problem_id: int, *, actor: User, at: datetime) -> Problem:
    """Nothing is left to do."""
    problem = locked(problem_id)
    allow(actor, "own_problem", problem)
    before = _advance(problem, "to_closed", "closed")
    problem.closed_at = at
    problem.save(update_fields=["status", "closed_at", "updated_at"])
    _record_status(problem, before, actor=actor, at=at)
    return problem
