"""What the provider reports of a message it had accepted: delivered to the handset, not delivered, nobody picked up."""

from datetime import datetime

from django.db import transaction

from incidents import live
from notifications import fallback, receipts
from notifications.bell import ring
from notifications.channels import Outcome
from notifications.channels.phone import ADDRESS_CODES, in_words
from notifications.models import ChannelKey, ContactMessage, Delivery, DeliveryState, note_outcome

_SMS_DELIVERED = {"delivered": "Delivered to the telephone", "read": "Read"}
_SMS_FAILED = ("undelivered", "failed")
_CALL_FAILED = {"busy": "The line was busy", "no-answer": "Nobody picked up", "canceled": "The call was cancelled"}
_RINGING = tuple(_CALL_FAILED.values())
"""Nobody's fault: the number and the provider are well."""


def of_text(provider_id: str, status: str, code: int | None, *, at: datetime) -> None:
    """The state of an SMS. What it was on the way (queued, sending, sent) is of no interest."""
    if status in _SMS_DELIVERED:
        _reported(ChannelKey.SMS, provider_id, _SMS_DELIVERED[status], at=at)
    elif status in _SMS_FAILED:
        blames = code in ADDRESS_CODES
        _reported(ChannelKey.SMS, provider_id, in_words(code) or status, at=at, has_failed=True, blames_address=blames)


def of_call(provider_id: str, status: str, seconds: int | None, *, at: datetime) -> None:
    """The state of a call when it is over. Somebody, or a machine, having picked up is no acknowledgement."""
    if status == "completed":
        _reported(ChannelKey.VOICE, provider_id, f"Picked up, {seconds or 0} s", at=at)
    elif status in _CALL_FAILED:
        _reported(ChannelKey.VOICE, provider_id, _CALL_FAILED[status], at=at, has_failed=True)
    elif status == "failed":
        words = "The number could not be called"
        _reported(ChannelKey.VOICE, provider_id, words, at=at, has_failed=True, blames_address=True)


@transaction.atomic
def _reported(
    channel: str, provider_id: str, said: str, *, at: datetime, has_failed: bool = False, blames_address: bool = False
) -> None:
    """Of a delivery, or of a code or test. A report that comes twice changes nothing the second time."""
    if not provider_id:
        return
    mine = ContactMessage.objects.select_related("contact").filter(channel=channel, provider_id=provider_id).first()
    if mine is not None:
        _of_contact(mine, said, has_failed=has_failed, at=at)
        return
    known = Delivery.objects.filter(channel=channel, provider_id=provider_id)
    was_delivered = known.select_for_update().filter(state=DeliveryState.DELIVERED).exists()
    row = receipts.receive(provider_id, said=said, at=at, channel=channel, has_failed=has_failed)
    if row is None or not was_delivered or row.state != DeliveryState.FAILED:
        return
    if row.contact is not None and said not in _RINGING:
        note_outcome(row.contact, failure=said, at=at)
    _tell_elsewhere(row, Outcome(False, said, is_final=True, blames_address=blames_address), at)


def _tell_elsewhere(row: Delivery, outcome: Outcome, at: datetime) -> None:
    instead = fallback.next_row(row, outcome, now=at)
    if instead is not None:
        row.reason = fallback.said(row.reason, instead)
        row.save(update_fields=["reason"])
        Delivery.objects.bulk_create([instead], ignore_conflicts=True)
        ring()


def _of_contact(message: ContactMessage, said: str, *, has_failed: bool, at: datetime) -> None:
    ContactMessage.objects.filter(pk=message.pk).update(answer=said, given_up_at=at if has_failed else None)
    if has_failed and message.contact is not None and said not in _RINGING:
        note_outcome(message.contact, failure=said, at=at)
    live.changed(f"user-{message.user_id}", "contacts")
