"""Conference bridges: what they are made from, made at declaration by the plan, called over, cancelled."""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify

from incidents import events
from incidents.actions import steps
from incidents.actions.input import clean_choice, clean_number, clean_text, unknown_fields
from incidents.actions.locking import lock_incident
from incidents.errors import Duplicate, Invalid, WrongStage
from incidents.models import Bridge, BridgeKind, BridgeProvider, MajorIncident, Seat, TimelineEvent, User
from incidents.permissions import require
from incidents.process import EventKind, SeatState

PLACEHOLDERS = ("ref", "number", "title", "secret")
_BRACED = re.compile(r"\{([^{}]*)\}")


# --- What they are made from ------------------------------------------------------------------
@transaction.atomic
def save_provider(provider_id: int | None, *, changes: Mapping[str, Any], actor: User, at: datetime) -> BridgeProvider:
    """Makes a pattern, or changes one. By administrators. Raises Invalid or Duplicate, BridgeProvider.DoesNotExist."""
    require(actor, "configure")
    unknown_fields(dict(changes), _CLEAN)
    rows = BridgeProvider.objects.select_for_update()
    provider = rows.get(pk=provider_id) if provider_id else BridgeProvider(position=rows.count())
    for name, value in changes.items():
        setattr(provider, name, _CLEAN[name](value))
    if not provider.name:
        raise Invalid(name="Give it a name, for example “Jitsi”.")
    if not provider.join_pattern and not provider.dial_in:
        raise Invalid(join_pattern="Give the link, or the number to dial.")
    if provider.kind != BridgeKind.DIAL_IN and not provider.join_pattern:
        raise Invalid(join_pattern="Give the link, or choose “Telephone” for a number alone.")
    try:
        with transaction.atomic():
            provider.save()
    except IntegrityError:
        raise Duplicate(f"There is a “{provider.name}” already. Give another name.") from None
    return provider


@transaction.atomic
def remove_provider(provider_id: int, *, actor: User, at: datetime) -> BridgeProvider:
    """By administrators. Raises WrongStage while a communication plan makes bridges from it."""
    require(actor, "configure")
    provider = BridgeProvider.objects.select_for_update().get(pk=provider_id)
    try:
        with transaction.atomic():
            provider.delete()
    except ProtectedError:
        raise WrongStage(
            f"A version of a communication plan names “{provider.name}”. Switch it off instead: then nothing new is "
            "made from it."
        ) from None
    return provider


def _pattern(value: Any) -> str:
    text = clean_text("join_pattern", value, 400)
    if not text:
        return ""
    if unknown := [name for name in _BRACED.findall(text) if name not in PLACEHOLDERS]:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise Invalid(join_pattern=f"{{{unknown[0]}}} is not known here. Known: {known}.")
    parts = urlsplit(_BRACED.sub("x", text))
    if parts.scheme != "https" or not parts.hostname or "{" in _BRACED.sub("", text):
        raise Invalid(
            join_pattern="Give a whole address that begins with https://, for example https://meet.example.org/{ref}."
        )
    if "{" in text.split("/")[2]:
        raise Invalid(join_pattern="The name of the server is written out; placeholders come after it.")
    return text


_CLEAN: dict[str, Any] = {
    "name": lambda value: clean_text("name", value, 80),
    "kind": lambda value: clean_choice("kind", value, BridgeKind.values),
    "join_pattern": _pattern,
    "dial_in": lambda value: clean_text("dial_in", value, 200),
    "position": lambda value: clean_number("position", value, most=1000),
    "is_enabled": bool,
}


def link_of(provider: BridgeProvider, incident: MajorIncident) -> str:
    """The link of this incident; "" for a provider that is only dialled. `{secret}` is another one each time."""
    said = {
        "ref": incident.ref,
        "number": str(incident.pk),
        "title": slugify(incident.title)[:40].strip("-") or incident.ref.lower(),
        "secret": secrets.token_hex(8),
    }
    return _BRACED.sub(lambda found: said[found.group(1)], provider.join_pattern)


# --- The bridge of an incident ----------------------------------------------------------------
def open_by_plan(incident: MajorIncident, *, actor: User | None, at: datetime) -> Bridge | None:
    """At declaration, when the communication plan says so. Part of declaring."""
    provider = incident.plan_version.bridge if incident.plan_version else None
    if provider is None or not provider.is_enabled:
        return None
    return keep(
        incident, link_of(provider, incident), provider=provider.kind, dial_in=provider.dial_in, actor=actor, at=at
    )


def keep(
    incident: MajorIncident, join_url: str, *, provider: str, dial_in: str, actor: User | None, at: datetime
) -> Bridge:
    """Writes the bridge of a locked incident and invites the team, once it is known that this may be."""
    bridge = Bridge.objects.filter(incident=incident).first() or Bridge(incident=incident, revision=0)
    if bridge.pk and (bridge.join_url, bridge.dial_in) != (join_url, dial_in):
        steps.renew(incident, ["bridge"], actor=actor, at=at)
        steps.open_stage(incident, actor=actor, at=at)
    bridge.join_url, bridge.provider, bridge.dial_in = join_url, provider, dial_in
    bridge.set_by, bridge.set_at, bridge.revision, bridge.cancelled_at = actor, at, bridge.revision + 1, None
    bridge.save()
    incident.bridge = bridge
    events.record(
        EventKind.BRIDGE_SET, incident, actor=actor, at=at, join_url=join_url, dial_in=dial_in, provider=provider,
        revision=bridge.revision,
    )  # fmt: skip
    steps.refresh(incident, actor=actor, at=at)
    return bridge


def cancel(incident: MajorIncident, reason: str, *, actor: User | None, at: datetime) -> None:
    """The locked incident is over: the bridge goes out of everybody's calendar. Nothing without one."""
    changed = Bridge.objects.filter(incident=incident, cancelled_at=None).update(cancelled_at=at)
    if changed:
        events.record(EventKind.BRIDGE_CANCELLED, incident, actor=actor, at=at, reason=reason)


def revive(incident: MajorIncident, *, actor: User | None, at: datetime) -> None:
    """The locked incident came back, and with it the bridge that was cancelled; the team is invited again."""
    bridge = Bridge.objects.filter(incident=incident, cancelled_at__isnull=False).first()
    if bridge is not None:
        keep(incident, bridge.join_url, provider=bridge.provider, dial_in=bridge.dial_in, actor=actor, at=at)


@transaction.atomic
def mark_joined(seat_id: int, *, actor: User, at: datetime) -> Bridge:
    """Somebody on the bridge says that another is there too: those who dialled in press nothing."""
    seat = Seat.objects.select_related("user").get(pk=seat_id)
    incident = lock_incident(seat.incident_id)
    require(actor, "contribute", incident)
    if seat.state != SeatState.ACCEPTED:
        raise WrongStage(f"{seat.user.display_name} is not on the team.")
    return call(incident, seat.user, actor=actor, at=at)


def call(incident: MajorIncident, person: User, *, actor: User, at: datetime) -> Bridge:
    """Writes down that the person is on the bridge of the locked incident, once for each bridge."""
    bridge = Bridge.objects.filter(incident=incident).first()
    if bridge is None:
        raise WrongStage("No bridge is set yet.")
    joined = TimelineEvent.objects.filter(
        incident=incident, kind=EventKind.BRIDGE_JOINED, at__gte=bridge.set_at, payload__user_id=person.pk
    )
    if not joined.exists():
        events.record(
            EventKind.BRIDGE_JOINED, incident, actor=actor, at=at, person=person.display_name, user_id=person.pk
        )
    return bridge
