"""The head message of an incident in a place: found, begun, forgotten."""

from django.utils import timezone

from notifications.channels import Outgoing
from notifications.models import PlaceThread


def thread_of(one: Outgoing) -> PlaceThread | None:
    """The thread a message belongs to; None before there is one, and for what belongs to no incident or place."""
    row = one.delivery
    if row.destination_id is None or row.incident_id is None:
        return None
    return PlaceThread.objects.filter(destination=row.destination_id, incident=row.incident_id).first()


def begin(one: Outgoing, *, head: str, room: str = "") -> PlaceThread | None:
    """Keeps the head as soon as the provider took it, so that whoever takes over finds it. None as in `thread_of`."""
    row = one.delivery
    if row.destination_id is None or row.incident_id is None or not head:
        return None
    thread, _ = PlaceThread.objects.get_or_create(
        destination_id=row.destination_id,
        incident_id=row.incident_id,
        defaults={"head": head, "room": room, "begun_by_id": row.event_id, "begun_at": timezone.now()},
    )
    return thread
