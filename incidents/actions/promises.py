"""The promised next update as time passes: reminded of, overdue."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from incidents import events
from incidents.actions.locking import lock_incident
from incidents.models import UpdatePromise
from incidents.process import EventKind


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
