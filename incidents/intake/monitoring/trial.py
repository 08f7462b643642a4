"""Trying an integration out: its tool's example goes the way of every body, marked so that it makes no noise."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from incidents.errors import Invalid, WrongStage
from incidents.intake.monitoring import door, registry
from incidents.intake.monitoring.shape import Malformed, Received, Says, Signal
from incidents.models import Integration, IntegrationKind, Payload, PayloadState

UNTRIED = (IntegrationKind.HEARTBEAT, IntegrationKind.VOICE, IntegrationKind.API)
"""A made-up beat would say that a job ran which did not; calls and the API are tried from their own side."""
MAPPED = (IntegrationKind.GENERIC, IntegrationKind.CLOUDEVENTS)
"""Kinds whose fields the user maps."""


def may_be_tried(integration: Integration) -> bool:
    return integration.kind not in UNTRIED and registry.adapter_for(integration.kind) is not None


def send_example(integration: Integration, *, says: Says = Says.FIRING, at: datetime) -> int:
    """Reads and stores the example as the door does with a body from outside; answers the payload's id.

    Where the user maps the fields, the newest real body is sent again instead of an example it was not made for. One
    that cannot be read is kept as refused, with the reason. Raises WrongStage while the integration is switched off,
    and Invalid for a kind that is not tried from here.
    """
    if not integration.is_active:
        raise WrongStage(f"“{integration.name}” is switched off. Switch it on first.")
    adapter = registry.adapter_for(integration.kind)
    if adapter is None or integration.kind in UNTRIED:
        raise Invalid(kind=f"{integration.get_kind_display()} is tried from its own side.")
    received = _last_real(integration) if integration.kind in MAPPED and says is Says.FIRING else None
    if received is None:
        body, headers = adapter.example(says=says)
        received = Received(
            kind=integration.kind, body=body, headers=registry.heard(adapter, headers.items()), query={},
            settings=door.settings_of(integration), received_at=at,
        )  # fmt: skip
    try:
        signals = adapter.read(received)
    except Malformed as why:
        return door.store(integration, received, state=PayloadState.REFUSED, reason=why.sentence, is_drill=True)
    return door.store(integration, received, alerts=len(signals), is_drill=True)


def read_with(integration: Integration, payload: Payload | None, settings: Mapping[str, Any]) -> list[Signal]:
    """What these settings would make of a stored payload, or of the example without one; nothing is written.
    Raises Malformed."""
    adapter = registry.adapter_for(integration.kind)
    if adapter is None:
        raise Malformed("Nothing reads this kind.")
    if payload is not None:
        return adapter.read(_as_it_came(integration, payload, settings))
    body, headers = adapter.example()
    return adapter.read(Received(kind=integration.kind, body=body, headers=headers, query={}, settings=settings))


def example_of(integration: Integration) -> bytes:
    """The body that the kind's tool would send; b"" for a kind nothing reads."""
    adapter = registry.adapter_for(integration.kind)
    return adapter.example()[0] if adapter else b""


def _last_real(integration: Integration) -> Received | None:
    newest = Payload.objects.filter(integration=integration, is_drill=False).order_by("-id").first()
    return _as_it_came(integration, newest, door.settings_of(integration)) if newest else None


def _as_it_came(integration: Integration, payload: Payload, settings: Mapping[str, Any]) -> Received:
    return Received(
        kind=integration.kind, body=bytes(payload.body), headers=payload.headers,
        query=dict(parse_qsl(payload.query, keep_blank_values=True)), method=payload.method, rest=payload.path,
        settings=settings, received_at=payload.received_at,
    )  # fmt: skip
