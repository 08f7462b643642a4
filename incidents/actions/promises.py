"""The promised next update: moved or withdrawn by people, reminded of and overdue as time passes."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from incidents import events
from incidents.actions.locking import check_open, check_reason, lock_incident
from incidents.actions.updates import make_promise, settle_promise
from incidents.errors import Invalid
from incidents.models import UpdatePromise, User
from incidents.permissions import require_step
from incidents.process import EventKind

LONGEST_REASON = 500


@transaction.atomic
def move(incident_id: int, *, due_at: datetime, reason: str = "", actor: User, at: datetime) -> UpdatePromise:
    """The next update is promised for another time, or promised at all; a reason is asked for when one was promised.

    A promise that was broken stays broken. Raises Invalid, WrongStage or NotAccountable.
    """
    incident = lock_incident(incident_id)
    require_step(actor, incident, "inform")
    check_open(incident, "promising an update")
    if due_at <= at:
        raise Invalid(due_at="The next update must be promised for later than now.")
    if incident.next_update_at is not None:
        reason = check_reason(reason)
    return make_promise(incident, due_at, actor=actor, at=at, reason=_short(reason))


@transaction.atomic
def withdraw(incident_id: int, *, reason: str, actor: User, at: datetime) -> None:
    """No next update is promised any more. Raises Invalid, WrongStage or NotAccountable."""
    incident = lock_incident(incident_id)
    require_step(actor, incident, "inform")
    check_open(incident, "withdrawing a promise")
    reason = _short(check_reason(reason))
    if incident.next_update_at is None:
        raise Invalid(reason="No update is promised, so there is nothing to withdraw.")
    due_at = incident.next_update_at
    settle_promise(incident, at=at, withdraw=True, reason=reason)
    events.record(EventKind.PROMISE_WITHDRAWN, incident, actor=actor, at=at, text=reason, due_at=due_at.isoformat())


def _short(reason: str) -> str:
    if len(reason) > LONGEST_REASON:
        raise Invalid(reason=f"Say it in at most {LONGEST_REASON} characters.")
    return reason.strip()


@transaction.atomic
def remind(promise_id: int, *, at: datetime, then: Callable[[], None]) -> bool:
    """Notes that the owner is being reminded, and calls `then` in the same transaction. False when it was done before
    or the promise was settled."""
    promise = _lock(promise_id)
    if promise is None or promise.nagged_at is not None or promise.due_at <= at:
        return False
    promise.nagged_at = at
    promise.save(update_fields=["nagged_at"])
    then()
    return True


@transaction.atomic
def mark_overdue(promise_id: int, *, at: datetime) -> bool:
    """The time has passed without an update: the promise is broken, and it is escalated by the event this records.

    A promise of an incident that is not open any more is withdrawn instead. False when there was nothing to do.
    """
    promise = _lock(promise_id)
    if promise is None or promise.due_at > at:
        return False
    incident = promise.incident
    promise.settled_at = at
    if not incident.is_open:
        promise.state = UpdatePromise.State.WITHDRAWN
        promise.save(update_fields=["state", "settled_at"])
        return True
    promise.state, promise.escalated_at = UpdatePromise.State.BROKEN, at
    promise.save(update_fields=["state", "settled_at", "escalated_at"])
    events.record(EventKind.PROMISE_OVERDUE, incident, actor=None, at=at, due_at=promise.due_at.isoformat())
    return True


def _lock(promise_id: int) -> UpdatePromise | None:
    """The open promise and its incident under their locks, the incident first as every action does."""
    found = UpdatePromise.objects.filter(pk=promise_id).values_list("incident_id", flat=True).first()
    if found is None:
        return None
    incident = lock_incident(found)
    promise = UpdatePromise.objects.select_for_update(of=("self",)).get(pk=promise_id)
    if promise.state != UpdatePromise.State.OPEN:
        return None
    promise.incident = incident
    return promise
