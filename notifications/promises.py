"""Watches the promised updates: a reminder five minutes before, an escalation when the time has passed."""

from datetime import datetime, timedelta

from incidents.actions import promises as acts
from incidents.models import TimelineEvent, UpdatePromise
from incidents.process import EventKind
from notifications import fan_out
from notifications.policy import PROMISE_DUE_SOON

REMIND_BEFORE = timedelta(minutes=5)


def watch(*, at: datetime, limit: int = 200) -> int:
    """Returns how many promises were reminded of or marked overdue. Safe to run twice."""
    open_promises = UpdatePromise.objects.filter(state=UpdatePromise.State.OPEN)
    done = 0
    for pk in open_promises.filter(due_at__lte=at).values_list("pk", flat=True)[:limit]:
        done += acts.mark_overdue(pk, at=at)
    soon = open_promises.filter(due_at__gt=at, due_at__lte=at + REMIND_BEFORE, nagged_at__isnull=True)
    for pk, incident_id, due_at in soon.values_list("pk", "incident_id", "due_at")[:limit]:
        if acts.remind(pk, at=at, then=lambda: _remind(incident_id, due_at)):  # noqa: B023 – called at once
            done += 1
    return done


def _remind(incident_id: int, due_at: datetime) -> None:
    """The reminder belongs to the event that made the promise, so it can be queued once only."""
    made = (
        TimelineEvent.objects.select_related("incident")
        .filter(incident=incident_id, kind=EventKind.PROMISE_MADE)
        .order_by("-id")
        .first()
    )
    if made is not None:
        fan_out.tell(made, PROMISE_DUE_SOON)
