"""Senders and what they said, for the screens about monitoring."""

from itertools import count
from typing import Any

from django.utils import timezone

from incidents.actions import integrations
from incidents.models import Alert, Integration, Payload, Service, User
from tests import factories
from tests.factories import minute

_numbers = count(1)


def sender(kind: str = "alertmanager", *, actor: User, **fields: Any) -> Integration:
    name = fields.pop("name", f"Sender {next(_numbers)}")
    return integrations.add_integration(name=name, kind=kind, actor=actor, at=minute(0), **fields)[0]


def payload(integration: Integration, body: bytes = b'{"a": 1}', **fields: Any) -> Payload:
    given = {"received_at": timezone.now(), "sha256": "0", "body": body, "alerts": 1, "state": "done", **fields}
    return Payload.objects.create(integration=integration, **given)


def alert(integration: Integration, title: str = "Disk is full", *, service: Service | None = None, **fields: Any):
    """One that fires since minute 0 unless said otherwise."""
    number = next(_numbers)
    ended = fields.get("status") == "resolved"
    given = {
        "dedup_key": f"key {number}", "episode": str(number), "status": "firing", "severity": "error",
        "started_at": minute(0), "state_at": minute(0), "first_received_at": minute(1), "last_received_at": minute(1),
        "ended_at": minute(5) if ended else None, **fields,
    }  # fmt: skip
    return Alert.objects.create(integration=integration, title=title, service=service, **given)


def administrator() -> User:
    return factories.person("administrator", name=f"Administrator {next(_numbers)}")
