"""What people do with stored payloads."""

from datetime import datetime

from django.db import transaction

from incidents import live, permissions
from incidents.errors import WrongStage
from incidents.models import Payload, PayloadState, User


@transaction.atomic
def replay(payload_id: int, *, actor: User, at: datetime) -> Payload:
    """It waits to be processed again, with the settings of today; the sweep takes it within seconds.

    What was known already changes nothing. Raises WrongStage while its integration is switched off, and
    Payload.DoesNotExist.
    """
    permissions.require(actor, "configure_integrations")
    payload = Payload.objects.select_for_update(of=("self",)).select_related("integration").get(pk=payload_id)
    if not payload.integration.is_active:
        raise WrongStage(f"“{payload.integration.name}” is switched off. Switch it on first.")
    payload.state, payload.reason = PayloadState.WAITING, ""
    payload.attempts, payload.next_attempt_at, payload.processed_at = 0, None, None
    payload.save(update_fields=["state", "reason", "attempts", "next_attempt_at", "processed_at"])
    live.changed("alerts", "payload_replayed")
    return payload


@transaction.atomic
def replay_failed(integration_id: int, *, actor: User, at: datetime) -> int:
    """All that failed of one sender. Answers how many."""
    permissions.require(actor, "configure_integrations")
    failed = Payload.objects.filter(integration_id=integration_id, state=PayloadState.FAILED)
    numbers = list(failed.order_by("pk").values_list("pk", flat=True))
    for number in numbers:
        replay(number, actor=actor, at=at)
    return len(numbers)
