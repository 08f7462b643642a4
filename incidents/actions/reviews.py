"""The post-implementation review: written together, completed by its R or A, its actions followed up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from incidents import events, permissions
from incidents.actions import documents, steps
from incidents.actions.input import clean_number, clean_person, clean_text, clean_time, clean_title, unknown_fields
from incidents.actions.locking import lock_incident
from incidents.actions.review_actions import complete_action
from incidents.errors import Invalid, WrongStage
from incidents.models import MajorIncident, Review, ReviewAction, User
from incidents.process import EventKind

__all__ = ["complete_action", "complete_review", "edit_review", "missing_from", "return_review", "submit_review"]
TEXTS = (
    "cause", "unknown_because", "findings", "went_well", "hindered", "contributing_factors", "no_actions_because",
)  # fmt: skip
_LONGEST_OBSERVATION = 24 * 90
_MOST_ACTIONS = 100


@transaction.atomic
def edit_review(incident_id: int, *, changes: dict[str, Any], actor: User, at: datetime) -> Review:
    """Writes the draft: `cause, unknown_because, findings, went_well, hindered, contributing_factors,
    no_actions_because, observation_hours, attendees` and `actions`, the whole list of {title, owner, due_at, id?}.
    Actions left out go, unless they are done.
    """
    unknown_fields(changes, (*TEXTS, "observation_hours", "attendees", "actions"))
    incident, review = _locked(incident_id)
    _require_writing(actor, incident)
    if review.state == Review.State.COMPLETED:
        raise WrongStage("This review is completed; what it says stands.", state=review.state)
    changed = []
    for name in TEXTS:
        if name in changes:
            setattr(review, name, clean_text(name, changes[name]))
            changed.append(name)
    if "observation_hours" in changes:
        review.observation_hours = clean_number(
            "observation_hours", changes["observation_hours"], most=_LONGEST_OBSERVATION
        )
        changed.append("observation_hours")
    if changed:
        review.save(update_fields=[*changed, "updated_at"])
    if "attendees" in changes:
        review.attendees.set(changes["attendees"])
    if "actions" in changes:
        _set_actions(review, changes["actions"])
    events.record(EventKind.REVIEW_EDITED, incident, actor=actor, at=at, fields=sorted(changes))
    return review


def _locked(incident_id: int) -> tuple[MajorIncident, Review]:
    """The incident and its review under lock. Raises WrongStage before the incident entered maintenance."""
    incident = lock_incident(incident_id)
    review = Review.objects.select_for_update(of=("self",)).filter(incident=incident).first()
    if review is None:
        raise WrongStage(f"The review of {incident.ref} opens when its resolution is confirmed.", stage=incident.stage)
    return incident, review


def _require_writing(actor: User, incident: MajorIncident) -> None:
    """Every seat contributes to a draft, and whoever holds R or A of the review."""
    if not permissions.may_do_step(actor, incident, "review"):
        permissions.require(actor, "contribute", incident)


def _set_actions(review: Review, given: Sequence[dict[str, Any]]) -> None:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > _MOST_ACTIONS:
        raise Invalid(actions=f"Give a list of at most {_MOST_ACTIONS} actions.")
    present = {action.pk: action for action in review.actions.all()}
    kept: set[int] = set()
    for row in given:
        title, owner, due_at = _check_action(row)
        known = next(
            (
                action
                for action in present.values()
                if action.pk not in kept and (action.pk == row.get("id") or action.title == title)
            ),
            None,
        )
        action = known or ReviewAction(review=review)
        if known and known.due_at != due_at:
            action.reminded_at = action.escalated_at = None  # another day, another reminder
        action.title, action.owner, action.due_at = title, owner, due_at
        action.save()
        kept.add(action.pk)
    review.actions.exclude(pk__in=kept).filter(done_at__isnull=True).delete()


def _check_action(row: Any) -> tuple[str, User, datetime]:
    """An action says what, who and until when. Raises Invalid on `actions`."""
    if not isinstance(row, dict):
        raise Invalid(actions="Each action has a title, an owner and a due date.")
    wrong = []
    if not row.get("title"):
        wrong.append("An action needs a title.")
    if not isinstance(row.get("owner"), User):
        wrong.append(f"“{row.get('title') or 'Action'}” needs an owner.")
    if not isinstance(row.get("due_at"), datetime):
        wrong.append(f"“{row.get('title') or 'Action'}” needs a due date.")
    if wrong:
        raise Invalid(actions=wrong)
    clean_person("actions", row["owner"])
    return clean_title(row["title"], "actions"), row["owner"], clean_time("actions", row["due_at"])


def missing_from(review: Review, *, at: datetime) -> dict[str, str]:
    """What completing still needs, as {field: sentence}; empty when nothing does."""
    missing: dict[str, str] = {}
    resolved_at = review.incident.resolved_at
    if resolved_at is None:
        missing["observation_hours"] = "The incident is not resolved."
    else:
        over_at = resolved_at + timedelta(hours=review.observation_hours)
        if at < over_at:
            missing["observation_hours"] = (
                f"The observation window runs until {over_at:%Y-%m-%d %H:%M} UTC. Wait, or shorten it."
            )
    if not review.cause and not review.unknown_because:
        missing["cause"] = "Write the cause, or why it is unknown."
    if not review.findings:
        missing["findings"] = "Write at least one finding."
    if not review.no_actions_because and not review.actions.exists():
        missing["actions"] = "Name at least one action with owner and due date, or say why there are none."
    return missing


@transaction.atomic
def submit_review(incident_id: int, *, actor: User, at: datetime) -> Review:
    """Written: whoever holds R or A of the step signs it off next. Only the observation window may still run."""
    incident, review = _locked(incident_id)
    _require_writing(actor, incident)
    if review.state != Review.State.DRAFT:
        raise WrongStage(f"This review is {review.get_state_display().lower()} already.", state=review.state)
    review.incident = incident
    missing = missing_from(review, at=at)
    missing.pop("observation_hours", None)
    if missing:
        raise Invalid(**missing)
    review.state, review.submitted_at, review.submitted_by = Review.State.IN_REVIEW, at, actor
    review.save(update_fields=["state", "submitted_at", "submitted_by", "updated_at"])
    events.record(EventKind.REVIEW_SUBMITTED, incident, actor=actor, at=at, actions=review.actions.count())
    return review


@transaction.atomic
def return_review(incident_id: int, *, reason: str, actor: User, at: datetime) -> Review:
    """Whoever would sign it off sends it back to be written further, with the reason."""
    incident, review = _locked(incident_id)
    permissions.require_step(actor, incident, "review")
    if review.state != Review.State.IN_REVIEW:
        raise WrongStage(f"This review is {review.get_state_display().lower()}, not in review.", state=review.state)
    text = clean_text("reason", reason, required=True)
    review.state, review.submitted_at, review.submitted_by = Review.State.DRAFT, None, None
    review.save(update_fields=["state", "submitted_at", "submitted_by", "updated_at"])
    events.record(EventKind.REVIEW_EDITED, incident, actor=actor, at=at, text=text, returned=True)
    return review


@transaction.atomic
def complete_review(incident_id: int, *, actor: User, at: datetime) -> Review:
    """The guarded act "review". Raises Invalid naming everything that is missing at once."""
    incident, review = _locked(incident_id)
    permissions.require_step(actor, incident, "review")
    if review.state == Review.State.COMPLETED:
        raise WrongStage("This review is completed already.", state=review.state)
    review.incident = incident
    if missing := missing_from(review, at=at):
        raise Invalid(**missing)
    review.state, review.completed_at, review.completed_by = Review.State.COMPLETED, at, actor
    review.save(update_fields=["state", "completed_at", "completed_by", "updated_at"])
    events.record(EventKind.REVIEW_COMPLETED, incident, actor=actor, at=at, actions=review.actions.count())
    documents.generate_unless_edited(incident_id, at=at)
    steps.refresh(incident, actor=actor, at=at)
    return review
