"""Decisions that wait for strong objections: asked, objected to, standing or withdrawn. Silence is consent."""

from datetime import datetime, timedelta

from django.db import transaction

from incidents import events
from incidents.actions.input import clean_number, clean_text
from incidents.actions.locking import check_reason, lock_incident
from incidents.errors import Duplicate, NotAccountable, WrongStage
from incidents.models import DecisionRound, MajorIncident, Objection, RoundState, TimelineEvent, User
from incidents.permissions import can, require
from incidents.process import EventKind

LONGEST_ROUND = 120
"""Minutes a round lasts at most: who waits longer asks management."""


def closing_time(minutes: int, at: datetime) -> datetime:
    """When a round of so many minutes is over. Raises Invalid for less than one or more than two hours."""
    return at + timedelta(minutes=clean_number("objections_within", minutes, least=1, most=LONGEST_ROUND))


def ask(event: TimelineEvent, incident: MajorIncident, closes_at: datetime) -> DecisionRound:
    """The round of a decision that was just recorded, in its transaction."""
    return DecisionRound.objects.create(incident=incident, event=event, closes_at=closes_at)


def _open_round(round_id: int) -> tuple[MajorIncident, DecisionRound]:
    """Under the lock of its incident. Raises WrongStage when it is settled."""
    incident = lock_incident(DecisionRound.objects.values_list("incident", flat=True).get(pk=round_id))
    found = DecisionRound.objects.select_related("event__actor", "settled_by").get(pk=round_id)
    if found.state != RoundState.ASKING:
        by = found.settled_by.display_name if found.settled_by else "nobody’s objection"
        raise WrongStage(f"This decision is settled: {found.get_state_display().lower()} ({by}).")
    return incident, found


@transaction.atomic
def object_to(round_id: int, *, text: str, actor: User, at: datetime) -> Objection:
    """A strong objection with its reason. From now on the decision does not stand by itself."""
    incident, found = _open_round(round_id)
    require(actor, "contribute", incident)
    text = clean_text("text", text, 4000)
    check_reason(text, "text")
    if found.objections.filter(person=actor).exists():
        raise Duplicate("You have objected already. Add a note if there is more to say.")
    objection = Objection.objects.create(round=found, person=actor, text=text, made_at=at)
    events.record(
        EventKind.DECISION_OBJECTED, incident, actor=actor, at=at, text=text, decision=found.event.text[:300],
        seq=found.event.seq, round_id=found.pk,
    )  # fmt: skip
    return objection


def _may_settle(actor: User, incident: MajorIncident, found: DecisionRound) -> None:
    """Who commands, or whose decision it is. Raises NotAccountable."""
    if found.event.actor_id != actor.pk and not can(actor, "command", incident):
        who = [found.event.actor.email] if found.event.actor else []
        raise NotAccountable("Whoever commands, or whose decision it is, settles it.", who_may=who)


@transaction.atomic
def stand(round_id: int, *, reason: str = "", actor: User, at: datetime) -> DecisionRound:
    """It is done. Against objections only whoever commands says so, and why."""
    incident, found = _open_round(round_id)
    require(actor, "contribute", incident)
    if found.objections.exists():
        require(actor, "command", incident)
        reason = check_reason(reason)
    else:
        _may_settle(actor, incident, found)
    return _settle(found, incident, EventKind.DECISION_STANDS, clean_text("reason", reason, 4000), actor, at)


@transaction.atomic
def withdraw(round_id: int, *, reason: str, actor: User, at: datetime) -> DecisionRound:
    """It is not done, because of a reason."""
    incident, found = _open_round(round_id)
    require(actor, "contribute", incident)
    _may_settle(actor, incident, found)
    reason = check_reason(clean_text("reason", reason, 4000))
    return _settle(found, incident, EventKind.DECISION_WITHDRAWN, reason, actor, at)


def _settle(
    found: DecisionRound, incident: MajorIncident, kind: EventKind, reason: str, actor: User | None, at: datetime
) -> DecisionRound:
    (found.stand if kind == EventKind.DECISION_STANDS else found.withdraw)(at, actor, reason)
    found.save()
    events.record(
        kind, incident, actor=actor, at=at, text=reason, decision=found.event.text[:300], seq=found.event.seq,
        objections=found.objections.count(),
    )  # fmt: skip
    return found


def close_due(*, at: datetime, limit: int = 200) -> int:
    """Decisions whose time is over and to which nobody objected stand. Returns how many. Safe to run twice."""
    due = DecisionRound.objects.filter(state=RoundState.ASKING, closes_at__lte=at, objections=None)
    closed = 0
    for round_id, incident_id in due.values_list("pk", "incident_id").order_by("closes_at")[:limit]:
        with transaction.atomic():
            incident = lock_incident(incident_id)
            found = due.filter(pk=round_id).select_related("event").first()
            if found is None:
                continue
            _settle(found, incident, EventKind.DECISION_STANDS, "", None, at)
            closed += 1
    return closed
