"""Alerts reported over the API: kept and taken in like any tool's, but at once, since the answer is the alert."""

import hashlib
import json
import secrets
from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import permissions
from incidents.actions import alerts, payloads
from incidents.alert_episodes import Episode
from incidents.alert_signals import Signal
from incidents.errors import Invalid
from incidents.models import Integration, IntegrationKind, Payload, PayloadState, User
from incidents.models.access import digest

NAME = "REST API"


@transaction.atomic
def report(signal: Signal, *, kept: Any, source_id: int | None = None, actor: User, at: datetime) -> Episode:
    """What a program says over the API; `kept` (JSON) stays with it as its payload. Answers the alert it told of.

    `source_id` None: the first integration of the kind `api`, which is made when there is none. Raises Invalid for
    another source, and for the end or acknowledgement of what never fired.
    """
    permissions.require(actor, "report_alerts")
    integration = _source(source_id, actor, at)
    payloads.lock_sender(integration.pk, wait=True)
    body = json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace")
    payload = Payload(
        integration=integration,
        received_at=at,
        path="api/v1/alerts",
        headers={"content-type": "application/json"},
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        state=PayloadState.DONE,
        alerts=1,
        processed_at=at,
    )
    payloads.keep(payload)
    told = alerts.take_in_several(integration, [(payload, [signal])], at=at)
    if not told:
        raise Invalid(status=f"No alert with the key “{signal.key[:100]}” was reported before. Report it firing first.")
    return told[0]


def _source(source_id: int | None, actor: User, at: datetime) -> Integration:
    ours = Integration.objects.filter(kind=IntegrationKind.API)
    if source_id is not None:
        found = ours.filter(pk=source_id).first()
        if found is None:
            raise Invalid(source=f"There is no integration {source_id} of the kind “api”. Leave it out for the first.")
    else:
        found = ours.order_by("pk").first() or _made(actor, at)
    if not found.is_active:
        raise Invalid(source=f"The integration “{found.name}” is switched off. Switch it on, or name another.")
    return found


def _made(actor: User, at: datetime) -> Integration:
    """Its key opens nothing: programs sign in with an API key. Two at once end in one."""
    with transaction.atomic():
        fields = {"kind": IntegrationKind.API, "created_by": actor, "created_at": at}
        unknown = digest(secrets.token_urlsafe(32))
        return Integration.objects.get_or_create(
            name=NAME, defaults={**fields, "key_sha256": unknown, "key_prefix": ""}
        )[0]
