"""What the matrix asks about monitoring: a sender, what came by it, the alert made of that, and a rule."""

from typing import Any

from incidents.actions import integrations, rule_settings
from incidents.models import Alert, Payload
from incidents.sealed import seal
from notifications.models import Webhook, WebhookMessage
from notifications.webhooks.actions import new_secret


def build(world: Any, now: Any) -> None:
    """Put beside the other records that belong to nobody in particular."""
    common, by = world.places[""], {"actor": world.people["administrator"], "at": now}
    common.sender, _ = integrations.add_integration(name="Prometheus", kind="alertmanager", **by)
    common.rule = rule_settings.save_rule(changes={"name": "Burning", "outcome": "ticket"}, **by)
    common.payload = Payload.objects.create(
        integration=common.sender, received_at=now, body=b"{}", sha256="", state="failed", reason="broke"
    )
    common.trial = Payload.objects.create(
        integration=common.sender, received_at=now, body=b"{}", sha256="", state="refused", is_drill=True
    )
    common.burning = Alert.objects.create(
        integration=common.sender, dedup_key="k", episode="e", status="firing", severity="critical", title="Burns",
        service=common.spare, started_at=now, state_at=now, first_received_at=now, last_received_at=now,
        payload=common.payload,
    )  # fmt: skip
    common.webhook = Webhook.objects.create(
        name="Chat", url="https://hooks.example.org/x", sealed_secret=seal(new_secret()), created_at=now,
        owner=world.people["administrator"], is_enabled=False,
    )  # fmt: skip
    common.told = WebhookMessage.objects.create(
        webhook=common.webhook, type="webhook.test", message_id="msg_1", body="{}", is_trial=True, state="failed",
        queued_at=now, next_attempt_at=now,
    )  # fmt: skip
