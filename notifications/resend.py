"""One message once more: the same row, the same message id, a new attempt."""

from datetime import datetime, timedelta

from django.db import transaction

from incidents import permissions
from incidents.actions import telling
from incidents.errors import InUse, Invalid
from incidents.models import User
from incidents.process import EventKind
from notifications import freshness
from notifications.bell import ring
from notifications.models import Delivery, DeliveryState
from notifications.policy import RULES

LONGEST_REASON = 250
MAY_BE_RESENT = (DeliveryState.FAILED, DeliveryState.SUPPRESSED)


@transaction.atomic
def resend(delivery_id: int, *, reason: str, actor: User, at: datetime) -> Delivery:
    """Queues a failed or suppressed message again, due at once; it keeps its message id, so nobody reads it twice.

    Raises NotAccountable, Invalid without a reason, InUse when it would not leave, with why.
    """
    permissions.require(actor, "resend_message")
    reason = reason.strip()
    if not reason:
        raise Invalid(reason="Say why it is sent again; it is kept with the message.")
    if len(reason) > LONGEST_REASON:
        raise Invalid(reason=f"Say it in at most {LONGEST_REASON} characters.")
    incident_id = Delivery.objects.values_list("incident", flat=True).get(pk=delivery_id)
    row = Delivery.objects.select_related("event", "recipient").get(pk=delivery_id)
    if incident_id is not None:  # the incident's lock comes before the row's, as everywhere
        telling.record(
            EventKind.MESSAGES_RESENT, incident_id, actor=actor, at=at, text=reason, delivery_id=delivery_id,
            to=row.recipient.display_name if row.recipient else row.address, message=row.moment_in_words,
            channel=str(row.get_channel_display()),
        )  # fmt: skip
    row = Delivery.objects.select_for_update(of=("self",)).select_related("event", "recipient").get(pk=delivery_id)
    if row.state not in MAY_BE_RESENT:
        raise InUse(f"It is {row.get_state_display().lower()}: only what failed or was held back is sent again.")
    rule = RULES.get(row.event.kind)
    row.valid_until = max(row.valid_until, at + timedelta(hours=rule.valid_hours if rule else 24))
    if why := freshness.Check().why_not(row, at):
        raise InUse(f"It would not leave: {why}")
    row.state, row.next_attempt_at, row.reason, row.held_until = DeliveryState.QUEUED, at, "", None
    row.lease = row.lease_until = None
    row.resent_at, row.resent_by, row.resend_reason = at, actor, reason
    row.save()
    ring()
    return row
