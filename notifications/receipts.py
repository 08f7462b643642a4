"""What comes back after a message has left: the provider's later answer, and the recipient's own.

Every channel calls these two functions: a link or a button, a key pressed on the telephone, a report of a gateway.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from incidents import live
from incidents.models import User
from notifications.models import Delivery, DeliveryState

LONGEST_RECEIPT = 250
LONGEST_HOW = 60


def acknowledge(delivery: Delivery, by: User | None, at: datetime, how: str) -> bool:
    """The recipient says that they have read it. False when they had said so before; safe to run twice.

    It counts for the same message on every channel of this person, so that nobody is chased on one for what they
    answered on another. `by` is None when only the address is known; `how` says by which way, in a few words
    ("link in the mail"). `at` is aware UTC.
    """
    same = Delivery.objects.filter(pk=delivery.pk)
    if delivery.recipient_id is not None:
        same = Delivery.objects.filter(event=delivery.event_id, moment=delivery.moment, recipient=delivery.recipient_id)
    changed = same.filter(acknowledged_at__isnull=True).update(
        acknowledged_at=at, acknowledged_by=by, acknowledged_how=how[:LONGEST_HOW]
    )
    if changed:
        _show(delivery)
        if delivery.recipient_id is not None:
            live.changed(f"user-{delivery.recipient_id}", "notice")
    return bool(changed)


@transaction.atomic
def receive(
    provider_id: str, *, said: str, at: datetime, channel: str = "", has_failed: bool = False
) -> Delivery | None:
    """A provider reports what became of a message it had accepted: "delivered to handset", "read", "undelivered".

    `provider_id` is the name it gave the message (`Delivery.provider_id`), or our own message id where a report bears
    that. An older report does not replace a newer one. `has_failed` turns the delivery into a failed one with that
    reason. None for a message nobody knows.
    """
    if not provider_id:
        return None
    rows = Delivery.objects.select_for_update(of=("self",)).filter(
        Q(provider_id=provider_id) | Q(message_id=provider_id)
    )
    row = (rows.filter(channel=channel) if channel else rows).order_by("-id").first()
    if row is None or (row.receipt_at is not None and row.receipt_at > at):
        return row
    row.receipt, row.receipt_at = said[:LONGEST_RECEIPT], at
    changed = ["receipt", "receipt_at"]
    if has_failed and row.state == DeliveryState.DELIVERED:
        row.state, row.reason = DeliveryState.FAILED, f"Accepted, but not delivered: {said}"
        changed += ["state", "reason"]
    row.save(update_fields=changed)
    _show(row)
    return row


def _show(row: Delivery) -> None:
    """Open pages of the incident fetch the card again."""
    if row.incident_id is not None:
        live.changed(f"MI-{row.incident_id}", "delivery")
