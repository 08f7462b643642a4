"""What the war room shows of status updates: what waits, who got what was taken back, how promises were kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from incidents.models import MajorIncident, StatusUpdate, UpdatePromise
from notifications.withdrawal import Reached, reached

SHOWN_FOR = timedelta(hours=1)
"""How long the war room shows who got an update that was taken back."""


@dataclass(frozen=True)
class Leaving:
    """The newest update while it waits, or after it was taken back. `seconds` until it cannot be taken back."""

    update: StatusUpdate
    reached: Reached
    seconds: int

    @property
    def is_waiting(self) -> bool:
        return self.update.undone_at is None


def leaving_now(incident: MajorIncident, now: datetime) -> Leaving | None:
    """None when nothing waits and nothing was taken back in the last hour that was not put right."""
    update = incident.updates.select_related("author", "undone_by").order_by("-pk").first()
    if update is None:
        return None
    if update.undone_at is None and not update.can_be_undone(now):
        return None
    if update.undone_at is not None and update.undone_at < now - SHOWN_FOR:
        return None
    until = update.undo_until
    return Leaving(update, reached(update), max(0, int((until - now).total_seconds()) + 1) if until else 0)


@dataclass(frozen=True)
class PromiseRecord:
    """How the promises of an incident went. `kept_rate` is kept ÷ (kept + broken), None before one was settled."""

    kept: int
    broken: int
    withdrawn: int

    @property
    def settled(self) -> int:
        return self.kept + self.broken

    @property
    def kept_rate(self) -> float | None:
        return self.kept / self.settled if self.settled else None


def promise_record(incident: MajorIncident) -> PromiseRecord:
    states = UpdatePromise.State
    found = UpdatePromise.objects.filter(incident=incident).aggregate(
        **{name: Count("pk", filter=Q(state=name)) for name in (states.KEPT, states.BROKEN, states.WITHDRAWN)}
    )
    return PromiseRecord(**{str(name): count for name, count in found.items()})
