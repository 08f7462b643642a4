"""Senders of alerts: made with a key that is shown once, corrected, switched off, deleted when nothing refers to it."""

import hashlib
import json
import secrets
import string
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from incidents import permissions
from incidents.actions.input import clean_choice, clean_number, clean_text, unknown_fields
from incidents.errors import Duplicate, InUse, Invalid
from incidents.integration_kinds import TO_CHOOSE
from incidents.models import (
    Alert,
    AlertRule,
    Integration,
    IntegrationKind,
    Payload,
    PhoneCall,
    Service,
    Team,
    User,
)
from incidents.models.access import digest
from incidents.sealed import seal

KEY_LETTERS = string.ascii_letters + string.digits
KEY_LENGTH = 32
"""As long as the keys that senders expect; 190 bits, of which the shown prefix gives away 36."""
PREFIX = 6
SECRETS_AT_ONCE = 2
USUAL_RHYTHM = 300
_WEEK = 7 * 24 * 3600
_SETTINGS_BYTES = 20_000


def _settings(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(settings="This must be an object: names with their values.")
    try:
        written = json.dumps(value)
    except (TypeError, ValueError):
        raise Invalid(settings="Only what JSON can hold.") from None
    if "\\u0000" in written:
        raise Invalid(settings="This contains a NUL character, which cannot be stored.")
    if len(written) > _SETTINGS_BYTES:
        raise Invalid(settings=f"At most {_SETTINGS_BYTES:,} characters of JSON; this has {len(written):,}.")
    return value


def _service(value: Service | None) -> Service | None:
    if value is not None and not value.is_active:
        raise Invalid(service=f"{value.name} is no longer offered. Choose another service or none.")
    return value


def _rhythm(value: Any) -> int | None:
    return None if value is None else clean_number("expected_every_seconds", value, least=10, most=366 * 24 * 3600)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(is_active="Use true or false.")
    return value


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: " ".join(clean_text("name", value, 120, required=True).split()),
    "service": _service,
    "team": lambda value: value,
    "settings": _settings,
    "expected_every_seconds": _rhythm,
    "grace_seconds": lambda value: clean_number("grace_seconds", value, most=_WEEK),
    "is_active": _truth,
}


def _give_key(integration: Integration) -> str:
    key = "".join(secrets.choice(KEY_LETTERS) for _ in range(KEY_LENGTH))
    integration.key_sha256, integration.key_prefix = digest(key), key[:PREFIX]
    return key


@transaction.atomic
def add_integration(
    *, name: str, kind: str, actor: User, at: datetime, service: Service | None = None, team: Team | None = None,
    **fields: Any,
) -> tuple[Integration, str]:  # fmt: skip
    """The integration and its key, which is shown once. A heartbeat without a rhythm is expected every 5 minutes.

    `fields` are settings, expected_every_seconds (seconds), grace_seconds (seconds), is_active. Raises Duplicate when
    the name is taken.
    """
    permissions.require(actor, "configure_integrations")
    unknown_fields(fields, _CLEAN)
    chosen = clean_choice("kind", kind, TO_CHOOSE)
    integration = Integration(kind=chosen, created_by=actor, created_at=at)
    if chosen == IntegrationKind.HEARTBEAT and fields.get("expected_every_seconds") is None:
        fields["expected_every_seconds"] = USUAL_RHYTHM
    for field, value in {"name": name, "service": service, "team": team, **fields}.items():
        setattr(integration, field, _CLEAN[field](value))
    key = _give_key(integration)
    _save(integration)
    return integration, key


def _save(integration: Integration) -> None:
    if integration.kind != IntegrationKind.HEARTBEAT and integration.expected_every_seconds is not None:
        raise Invalid(expected_every_seconds="Only a heartbeat has a rhythm.")
    try:
        with transaction.atomic():
            integration.save()
    except IntegrityError:
        raise Duplicate(f"There is an integration called “{integration.name}” already.") from None


def locked(integration_id: int) -> Integration:
    """The integration under its row lock. Raises Integration.DoesNotExist."""
    return Integration.objects.select_for_update(of=("self",)).get(pk=integration_id)


@transaction.atomic
def edit_integration(integration_id: int, *, changes: dict[str, Any], actor: User, at: datetime) -> Integration:
    """Corrects fields; the kind and the key stay. Switched off, it refuses what is sent to it from now on.

    A heartbeat whose rhythm changes, or that is switched on again, is due one rhythm from now at the latest.
    """
    permissions.require(actor, "configure_integrations")
    unknown_fields(changes, _CLEAN)
    integration = locked(integration_id)
    for field, value in changes.items():
        setattr(integration, field, _CLEAN[field](value))
    if integration.kind == IntegrationKind.HEARTBEAT:
        if integration.expected_every_seconds is None:
            raise Invalid(expected_every_seconds="Say how often it is to call in, in seconds.")
        if integration.last_beat_at and changes.keys() & {"expected_every_seconds", "is_active"}:
            integration.beat_due_at = at + timedelta(seconds=integration.expected_every_seconds)
    _save(integration)
    return integration


@transaction.atomic
def rotate_key(integration_id: int, *, actor: User, at: datetime) -> tuple[Integration, str]:
    """A new key, shown once; the old one stops at once."""
    permissions.require(actor, "configure_integrations")
    integration = locked(integration_id)
    key = _give_key(integration)
    integration.save(update_fields=["key_sha256", "key_prefix"])
    return integration, key


@transaction.atomic
def add_signing_secret(integration_id: int, *, secret: str, actor: User, at: datetime) -> Integration:
    """What the sender signs with, kept sealed. Two are good at a time, so that one can follow the other."""
    permissions.require(actor, "configure_integrations")
    text = clean_text("secret", secret, 500, required=True)
    if len(text) < 8:
        raise Invalid(secret="At least 8 characters; the sender makes or takes one of 32 or more.")  # noqa: S106
    integration = locked(integration_id)
    if len(integration.signing_secrets) >= SECRETS_AT_ONCE:
        raise Invalid(secret="Two secrets are good already. Remove the older one first.")  # noqa: S106
    integration.signing_secrets = [seal(text), *integration.signing_secrets]
    integration.save(update_fields=["signing_secrets"])
    return integration


def secret_name(sealed: str) -> str:
    """How a secret is named in addresses; says nothing about it."""
    return hashlib.sha256(sealed.encode()).hexdigest()[:16]


@transaction.atomic
def remove_signing_secret(integration_id: int, *, name: str, actor: User, at: datetime) -> Integration:
    """What is signed with it is refused from now on. Removing it again changes nothing."""
    permissions.require(actor, "configure_integrations")
    integration = locked(integration_id)
    integration.signing_secrets = [one for one in integration.signing_secrets if secret_name(one) != name]
    integration.save(update_fields=["signing_secrets"])
    return integration


@transaction.atomic
def delete_integration(integration_id: int, *, actor: User, at: datetime) -> None:
    """Only when nothing came by it and no rule names it. Raises InUse, which says to switch it off instead."""
    permissions.require(actor, "configure_integrations")
    integration = locked(integration_id)
    refers = {
        "alerts": Alert.objects.filter(integration=integration).exists(),
        "payloads": Payload.objects.filter(integration=integration).exists(),
        "rules": AlertRule.objects.filter(integration=integration).exists(),
        "calls": PhoneCall.objects.filter(integration=integration).exists(),
    }
    if kept := [what for what, is_there in refers.items() if is_there]:
        raise InUse(
            f"{' and '.join(kept).capitalize()} refer to “{integration.name}”, so it stays. Switch it off instead: "
            "then nothing is accepted any more.",
            refers=kept,
        )
    integration.delete()
