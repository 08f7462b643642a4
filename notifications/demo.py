"""Who was told what in the newest incidents of the demo organisation, as if its mail server had taken it then."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F

from incidents.models import MajorIncident, TimelineEvent
from incidents.process import EventKind
from notifications import fan_out
from notifications.messages import wording_of
from notifications.models import ChannelKey, Delivery, DeliveryState
from notifications.policy import RULES

INCIDENTS = 6
TOLD = (
    EventKind.DECLARED,
    EventKind.CONTAINED,
    EventKind.UPDATE_PUBLISHED,
    EventKind.RESTORED,
    EventKind.RESOLVED,
    EventKind.CLOSED,
)
ANSWERS = {ChannelKey.EMAIL: "250 2.0.0 queued", ChannelKey.IN_APP: "In the inbox"}


@transaction.atomic
def tell_the_past() -> int:
    """Writes the deliveries, all of them accepted seconds after their event; returns how many."""
    newest = MajorIncident.objects.order_by("-declared_at").values_list("pk", flat=True)[:INCIDENTS]
    events = TimelineEvent.objects.filter(incident__in=list(newest), kind__in=TOLD).select_related("incident", "actor")
    written = 0
    for event in events.order_by("id"):
        fan_out.tell(event, RULES[event.kind])
        while fan_out.expand_next():
            pass
        written += _as_delivered(event)
    return written


def _as_delivered(event: TimelineEvent) -> int:
    rows = Delivery.objects.filter(event=event, state=DeliveryState.QUEUED)
    for moment, audience in rows.values_list("moment", "audience").distinct():
        rows.filter(moment=moment, audience=audience).update(wording=wording_of(event, moment, audience))
    written = 0
    for channel, answer in ANSWERS.items():
        written += rows.filter(channel=channel).update(
            state=DeliveryState.DELIVERED,
            queued_at=event.at,
            delivered_at=event.at + timedelta(seconds=2) + F("priority") * timedelta(seconds=1),
            attempts=1,
            answer=answer,
        )
    return written
