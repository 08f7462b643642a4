"""What has not left yet is held back when its update is taken back or corrected, in the transaction of that act."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from incidents.models import StatusUpdate, TimelineEvent
from incidents.process import EventKind
from notifications.models import ChannelKey, Delivery, DeliveryState, FanOut

NAMED_AT_MOST = 100


def on_event(sender: Any, event: TimelineEvent, **kwargs: Any) -> None:
    """Receiver of `event_recorded`; connected before the fan-out, so that nothing of a correction is held back."""
    if event.kind == EventKind.UPDATE_UNDONE:
        who = event.actor.display_name if event.actor else "the system"
        hold_back(event.incident_id, event.payload["update_id"], f"Taken back by {who} before it left.")
    elif event.kind == EventKind.UPDATE_PUBLISHED and event.payload.get("corrects"):
        hold_back(event.incident_id, event.payload["corrects"], "Replaced by a correction before it left.")


def hold_back(incident_id: int | None, update_id: int, reason: str) -> int:
    """Suppresses the waiting deliveries of an update and counts them.

    Those a worker has taken already are checked once more just before each leaves (`freshness.py`), and the rest of a
    large audience is not written any more: its row is locked first, as the expansion does.
    """
    published = _published(incident_id, update_id)
    unfinished = FanOut.objects.select_for_update(of=("self",)).filter(event__in=published, finished_at__isnull=True)
    FanOut.objects.filter(pk__in=list(unfinished.values_list("pk", flat=True))).update(finished_at=timezone.now())
    waiting = Delivery.objects.filter(event__in=published, state=DeliveryState.QUEUED)
    return waiting.update(state=DeliveryState.SUPPRESSED, reason=reason)


def why_not(update_id: int) -> str:
    """Why an update must not leave any more, as a sentence; empty while it is wanted."""
    row = StatusUpdate.objects.filter(pk=update_id).first()
    if row is None:
        return ""
    if row.undone_at is not None:
        return "Taken back before it left."
    if row.corrections.filter(undone_at__isnull=True).exists():
        return "Replaced by a correction before it left."
    return ""


@dataclass(frozen=True)
class Reached:
    """Who got an update and who did not, by name or address; each person counts once, the best outcome first.

    `got` and `spared` name at most a hundred, the counts are whole. `leaving` were being sent at that moment.
    """

    got: list[str]
    got_count: int
    spared: list[str]
    spared_count: int
    leaving_count: int


def reached(update: StatusUpdate) -> Reached:
    """In a constant number of queries. Inside the product counts only for people with no other address."""
    rows = Delivery.objects.filter(event__in=_published(update.incident_id, update.pk)).exclude(
        Q(channel=ChannelKey.IN_APP) & Q(recipient__email__gt="")
    )
    rows = rows.order_by("recipient__name", "address")

    def named(state: str) -> list[str]:
        found = rows.filter(state=state).values_list("recipient__name", "recipient__email", "address")
        return list(dict.fromkeys(name or email or address for name, email, address in found[:NAMED_AT_MOST]))

    def count(state: str) -> int:
        return rows.filter(state=state).order_by().values("address").distinct().count()

    return Reached(
        got=named(DeliveryState.DELIVERED),
        got_count=count(DeliveryState.DELIVERED),
        spared=named(DeliveryState.SUPPRESSED),
        spared_count=count(DeliveryState.SUPPRESSED),
        leaving_count=count(DeliveryState.SENDING),
    )


def _published(incident_id: int | None, update_id: int) -> Any:
    return TimelineEvent.objects.filter(
        incident=incident_id, kind=EventKind.UPDATE_PUBLISHED, payload__update_id=update_id
    )
