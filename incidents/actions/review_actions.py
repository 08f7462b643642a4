"""What a review promised: done with proof, reminded before it is due, escalated when nobody did it."""

from datetime import datetime, timedelta

from django.db import transaction

from incidents import events, permissions
from incidents.actions.input import clean_text
from incidents.actions.locking import lock_incident
from incidents.errors import NotAccountable
from incidents.models import ReviewAction, User
from incidents.process import EventKind

REMINDED_BEFORE = timedelta(hours=48)
ESCALATED_AFTER = timedelta(hours=24)


@transaction.atomic
def complete_action(action_id: int, *, proof: str = "", actor: User, at: datetime) -> ReviewAction:
    """The owner, or anybody who writes the review, reports it done; `proof` says what shows it. Doing it again changes
    nothing but a proof that was missing."""
    incident_id = ReviewAction.objects.values_list("review__incident", flat=True).get(pk=action_id)
    incident = lock_incident(incident_id)
    action = ReviewAction.objects.select_for_update(of=("self",)).select_related("owner").get(pk=action_id)
    if actor.pk != action.owner_id and not permissions.may_do_step(actor, incident, "review"):
        try:
            permissions.require(actor, "contribute", incident)
        except NotAccountable as refusal:
            raise NotAccountable("Its owner reports it done.", who_may=[action.owner.email]) from refusal
    shown = clean_text("proof", proof)
    if action.done_at is None:
        action.done_at, action.done_by, action.proof = at, actor, shown
        action.save(update_fields=["done_at", "done_by", "proof"])
        events.record(EventKind.REVIEW_EDITED, incident, actor=actor, at=at, text=shown, action_done=action.title)
    elif shown and not action.proof:
        action.proof = shown
        action.save(update_fields=["proof"])
    return action


def remind_and_escalate(*, at: datetime, limit: int = 200) -> int:
    """Reminds owners once, two days before; a day after the due date their line manager and the service desk managers
    hear of it, once. Counts both; safe to run twice."""
    waiting = ReviewAction.objects.filter(done_at=None, review__incident__is_drill=False)
    due = waiting.filter(due_at__lte=at + REMINDED_BEFORE, reminded_at=None)
    late = waiting.filter(due_at__lte=at - ESCALATED_AFTER, escalated_at=None)
    told = 0
    for rows, stamp, kind in (
        (due, "reminded_at", EventKind.REVIEW_ACTION_DUE),
        (late, "escalated_at", EventKind.REVIEW_ACTION_OVERDUE),
    ):
        for pk, incident_id in list(rows.order_by("due_at").values_list("pk", "review__incident")[:limit]):
            with transaction.atomic():
                incident = lock_incident(incident_id)
                if not rows.filter(pk=pk).update(**{stamp: at}):
                    continue
                action = ReviewAction.objects.select_related("owner").get(pk=pk)
                events.record(kind, incident, actor=None, at=at, action_id=pk, title=action.title,
                              user_id=action.owner_id, owner=action.owner.display_name,
                              due_at=action.due_at.isoformat())  # fmt: skip
                told += 1
    return told
