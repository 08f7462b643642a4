"""The ten steps: opened by their stage, done by evidence, waived or handed over by their A."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from incidents import events, evidence
from incidents.actions.locking import check_open, check_reason, lock_incident
from incidents.errors import Duplicate, Invalid, NotAccountable
from incidents.models import Consult, IncidentStep, MajorIncident, Organisation, Seat, User
from incidents.permissions import require_accountable, step_holders
from incidents.process import STAGE_ORDER, STEP_BY_KEY, STEPS, EventKind, SeatState, Stage, StepState


def create_all(incident: MajorIncident) -> None:
    """The ten rows of a new incident, all pending."""
    IncidentStep.objects.bulk_create(
        IncidentStep(incident=incident, key=step.key, position=position) for position, step in enumerate(STEPS)
    )


def open_stage(incident: MajorIncident, *, actor: User | None, at: datetime) -> None:
    """Opens the steps of the stage the locked incident is in: R gets work, C is asked."""
    for step in incident.steps.all():
        if step.stage != incident.stage or step.opened_at is not None:
            continue
        step.opened_at = at
        if step.state == StepState.PENDING:
            step.state = StepState.OPEN
        step.save(update_fields=["opened_at", "state"])
        if step.state == StepState.OPEN:
            events.record(EventKind.STEP_OPENED, incident, actor=actor, at=at, step=step.key, title=step.title)
    ask_consults(incident, at=at)


def ask_consults(incident: MajorIncident, *, at: datetime, only: User | None = None) -> None:
    """Asks every accepted C of every open step once. Somebody who also holds R or A of it is not asked."""
    limit = timedelta(minutes=Organisation.current().consult_limit_minutes)
    incident = _fresh(incident)
    holders = step_holders(incident)
    asked = set(Consult.objects.filter(step__incident=incident).values_list("step_id", "user_id"))
    for step in incident.steps.all():
        if step.state != StepState.OPEN or step.key == "declare":
            continue
        acting = {
            person.pk for person in (*holders[step.key].responsible_people, *holders[step.key].accountable_people)
        }
        for role, people in holders[step.key].consulted:
            for person in people:
                if person.pk in acting or (step.pk, person.pk) in asked or (only and person != only):
                    continue
                asked.add((step.pk, person.pk))
                consult = Consult.objects.create(step=step, user=person, role=role, asked_at=at, due_at=at + limit)
                events.record(
                    EventKind.CONSULT_ASKED, incident, actor=None, at=at, step=step.key, title=step.title,
                    user_id=person.pk, person=person.display_name, consult_id=consult.pk,
                )  # fmt: skip


def _fresh(incident: MajorIncident) -> MajorIncident:
    """The incident as it is now, with everything that evidence and letters read, in a constant number of queries."""
    return (
        MajorIncident.objects.select_related(
            "matrix",
            "declared_by",
            "bridge__set_by",
            "war_room__opened_by",
            "review__completed_by",
            "document__published_by",
        )
        .prefetch_related(
            "seats__user__role_rows",
            "seats__invited_by",
            "steps__accountable_seat__user",
            "presences",
            "problems",
            "change_links__change__implementer",
        )
        .get(pk=incident.pk)
    )


def refresh(incident: MajorIncident, *, actor: User | None, at: datetime) -> None:
    """Reads all evidence again after an act on the locked incident and flips the steps it proves or disproves."""
    fresh = _fresh(incident)
    holders = step_holders(fresh)
    for step in fresh.steps.all():
        if step.state == StepState.WAIVED:
            continue
        found = evidence.find(fresh, step)
        if not found.missing and step.state != StepState.DONE:
            _finish(incident, step, found, actor=found.done_by or actor, seated=holders[step.key].seated, at=at)
        elif found.missing and step.state == StepState.DONE and _may_regress(fresh, step):
            _take_back(incident, step, found, actor=actor, at=at)
        elif (step.evidence, step.missing) != (found.facts, found.missing):
            step.evidence, step.missing = found.facts, found.missing
            step.save(update_fields=["evidence", "missing"])


def _finish(
    incident: MajorIncident,
    step: IncidentStep,
    found: evidence.Evidence,
    *,
    actor: User | None,
    seated: frozenset[int],
    at: datetime,
) -> None:
    step.state, step.done_at, step.done_by = StepState.DONE, at, actor
    step.by_fallback = actor is not None and actor.pk not in seated
    step.evidence, step.missing = found.facts, []
    step.save(update_fields=["state", "done_at", "done_by", "by_fallback", "evidence", "missing"])
    events.record(
        EventKind.STEP_DONE, incident, actor=actor, at=at, step=step.key, title=step.title, evidence=found.facts
    )


def _may_regress(incident: MajorIncident, step: IncidentStep) -> bool:
    """A gate that was passed stays passed, except for a fix that was taken back."""
    if not incident.is_open:
        return False
    return step.key == "change" or STAGE_ORDER.index(Stage(incident.stage)) <= STAGE_ORDER.index(step.stage)


def _take_back(
    incident: MajorIncident, step: IncidentStep, found: evidence.Evidence, *, actor: User | None, at: datetime
) -> None:
    step.state = StepState.OPEN if step.opened_at else StepState.PENDING
    step.done_at = step.done_by = None
    step.evidence, step.missing = found.facts, found.missing
    step.save(update_fields=["state", "done_at", "done_by", "evidence", "missing"])
    events.record(
        EventKind.STEP_REOPENED, incident, actor=actor, at=at, step=step.key, title=step.title, missing=found.missing
    )


def renew(incident: MajorIncident, keys: Iterable[str], *, actor: User | None, at: datetime) -> None:
    """These steps need new evidence (fall-back, reopening): done and waived ones begin again."""
    for step in incident.steps.filter(key__in=keys):
        was_passed = step.is_passed
        step.state = StepState.PENDING
        step.opened_at = step.done_at = step.done_by = step.waived_by = None
        step.evidence, step.missing, step.waiver_reason, step.by_fallback = {}, [], "", False
        step.save()
        if was_passed:
            events.record(
                EventKind.STEP_REOPENED, incident, actor=actor, at=at, step=step.key, title=step.title, missing=[]
            )


@transaction.atomic
def record_evidence(
    incident_id: int, key: str, found: dict[str, Any], missing: list[str], *, is_complete: bool, at: datetime
) -> MajorIncident:
    """What notifications and metrics learned about "inform", "bridge" and "measure".

    `found` is merged into the step's facts; `missing` lists what is lacking, in sentences. Running it again with
    the same facts changes nothing.
    """
    incident = lock_incident(incident_id)
    step = incident.steps.get(key=key)
    lacking = missing if not is_complete else []
    merged = {**step.evidence, **found} | ({"missing": lacking} if key in ("inform", "measure") else {})
    if merged != step.evidence:
        step.evidence = merged
        step.save(update_fields=["evidence"])
        refresh(incident, actor=None, at=at)
    return incident


def _load_step(incident: MajorIncident, key: str) -> IncidentStep:
    if key not in STEP_BY_KEY:
        raise Invalid(key=f"“{key}” is not a step. Known: {', '.join(STEP_BY_KEY)}.")
    return incident.steps.get(key=key)


@transaction.atomic
def waive(incident_id: int, key: str, *, reason: str, actor: User, at: datetime) -> MajorIncident:
    """The A of a step passes it over, with a written reason that shows on the incident and in the review."""
    incident = lock_incident(incident_id)
    step = _load_step(incident, key)
    by_fallback = require_accountable(actor, incident, key)
    check_open(incident, "waiving a step")
    reason = check_reason(reason)
    if step.is_passed:
        raise Duplicate(f"“{step.title}” is {step.get_state_display().lower()} already.", step=key)
    step.state, step.waived_by, step.waiver_reason, step.by_fallback = StepState.WAIVED, actor, reason, by_fallback
    step.done_at = at
    step.save(update_fields=["state", "waived_by", "waiver_reason", "by_fallback", "done_at"])
    events.record(EventKind.STEP_WAIVED, incident, actor=actor, at=at, step=key, title=step.title, reason=reason)
    return incident


@transaction.atomic
def reassign(incident_id: int, key: str, *, seat_id: int, actor: User, at: datetime) -> MajorIncident:
    """The A of a step hands its signature to another accepted seat of the same incident."""
    incident = lock_incident(incident_id)
    step = _load_step(incident, key)
    require_accountable(actor, incident, key)
    check_open(incident, "handing over a step")
    seat = Seat.objects.filter(pk=seat_id, incident=incident, state=SeatState.ACCEPTED).select_related("user").first()
    if seat is None:
        raise Invalid(seat="Choose an accepted seat of this incident.")
    step.accountable_seat = seat
    step.save(update_fields=["accountable_seat"])
    events.record(
        EventKind.STEP_REASSIGNED, incident, actor=actor, at=at, step=key, title=step.title,
        to=seat.user.display_name, to_email=seat.user.email,
    )  # fmt: skip
    return incident


@transaction.atomic
def answer_consult(
    consult_id: int, *, text: str = "", agrees: bool | None = None, actor: User, at: datetime
) -> Consult:
    """One click or a text; it lands in the timeline. A late answer is still taken."""
    consult = Consult.objects.select_related("step", "user").get(pk=consult_id)
    incident = lock_incident(consult.step.incident_id)
    if actor.pk != consult.user_id:
        raise NotAccountable("Only the person who was asked answers.", who_may=[consult.user.email])
    consult = Consult.objects.select_for_update(of=("self",)).select_related("step").get(pk=consult_id)
    if consult.answered_at is not None:
        raise Duplicate("This question was answered already.")
    if not text.strip() and agrees is None:
        raise Invalid(text="Agree, object, or write an answer.")
    consult.answered_at, consult.text, consult.agrees = at, text.strip(), agrees
    consult.save(update_fields=["answered_at", "text", "agrees"])
    events.record(
        EventKind.CONSULT_ANSWERED, incident, actor=actor, at=at, text=text.strip(), step=consult.step.key,
        title=consult.step.title, agrees=agrees,
    )  # fmt: skip
    return consult


def expire_consults(*, at: datetime, limit: int = 200) -> int:
    """Marks questions whose time has passed; they never block. Returns how many. Safe to run twice."""
    due = Consult.objects.filter(due_at__lte=at, answered_at__isnull=True, unanswered_at__isnull=True)
    expired = 0
    for consult_id, incident_id in due.values_list("pk", "step__incident_id").order_by("due_at")[:limit]:
        with transaction.atomic():
            incident = lock_incident(incident_id)
            if not due.filter(pk=consult_id).update(unanswered_at=at):
                continue
            consult = Consult.objects.select_related("step", "user").get(pk=consult_id)
            events.record(
                EventKind.CONSULT_UNANSWERED, incident, actor=None, at=at, step=consult.step.key,
                title=consult.step.title, person=consult.user.display_name,
            )  # fmt: skip
            expired += 1
    return expired
