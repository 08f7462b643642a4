"""What administrators do with channels and places: set up, switch, remove, try. Each change is kept with its author."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from incidents import mail_reference, permissions
from incidents.actions.input import clean_choice, clean_email, clean_text, unknown_fields
from incidents.errors import InUse, Invalid
from incidents.models import Service, User
from incidents.priority import Severity
from incidents.process import Audience
from incidents.sealed import SealBroken
from notifications.channels import Outcome, Outgoing, apprise, registry
from notifications.channels.entered import clean_settings
from notifications.channels.kinds import KINDS, Setting
from notifications.channels.remote import shown_address, values_of
from notifications.models import (
    ChannelAccount,
    ChannelChange,
    ChannelKey,
    ContactPoint,
    Delivery,
    Destination,
    Message,
    PlaceThread,
    note_outcome,
)

ALWAYS_ON = (ChannelKey.EMAIL.value, ChannelKey.IN_APP.value)
WITH_PLACES: tuple[str, ...] = tuple(key for key, kind in KINDS.items() if kind.place)
_CHANGES_OF_A_PLACE = ("name", "settings", "audiences", "severities", "services", "is_enabled")
_AS_NEW: dict[str, Any] = {"failures_in_row": 0, "last_failure": "", "last_failed_at": None}


# --- Accounts -------------------------------------------------------------------------------------
def save_account(
    channel: str, *, given: Mapping[str, object], actor: User, at: datetime, is_enabled: bool | None = None
) -> ChannelAccount:
    """Sets a channel up or changes its account; it is switched on by that unless `is_enabled` says otherwise.

    An empty secret keeps the stored one; where the provider's address changes, its secrets are asked for again, so
    that nobody can have them sent elsewhere. Raises Invalid naming each field at fault.
    """
    permissions.require(actor, "configure")
    kind = KINDS[clean_choice("channel", channel, _switchable())]
    before = ChannelAccount.objects.filter(channel=channel).first()
    known = _known(before)
    values = clean_settings(channel, kind.account, given, known=known)
    _refuse_moved_secrets(kind.account, given, known, values)
    with transaction.atomic():
        row = _locked_account(channel, at)
        # What a channel keeps there by itself (the key pair of web push) stays.
        row.settings = {**row.settings, **{one.name: values[one.name] for one in kind.account if not one.is_secret}}
        row.keep_secrets({**_own_secrets(row), **{one.name: values[one.name] for one in kind.account if one.is_secret}})
        row.is_enabled = row.is_enabled if is_enabled is None else is_enabled
        _touch(row, actor, at)
        _note(channel, _account_words(kind.account, known, values, is_new=before is None), actor, at)
    return row


def _switchable() -> list[str]:
    return [key for key, kind in KINDS.items() if key not in ALWAYS_ON and not kind.shares]


def _known(row: ChannelAccount | None) -> dict[str, str]:
    """What is stored; without the secrets when the secret key has changed, so that they can be entered again."""
    if row is None:
        return {}
    return {**row.settings, **_own_secrets(row)}


def _own_secrets(row: ChannelAccount) -> dict[str, Any]:
    """What is sealed there; nothing when the secret key has changed: what was sealed under the old one is lost."""
    try:
        return row.secrets
    except SealBroken:
        return {}


def _refuse_moved_secrets(
    asked: Iterable[Setting], given: Mapping[str, object], known: Mapping[str, str], values: Mapping[str, str]
) -> None:
    has_moved = any(one.kind == "url" and known.get(one.name, "") not in ("", values[one.name]) for one in asked)
    if not has_moved:
        return
    sentence = "Enter it again: the address of the provider has changed."
    if errors := {
        one.name: sentence for one in asked if one.is_secret and known.get(one.name) and not given.get(one.name)
    }:
        raise Invalid(**errors)


def _locked_account(channel: str, at: datetime) -> ChannelAccount:
    ChannelAccount.objects.get_or_create(channel=channel, defaults={"changed_at": at})
    return ChannelAccount.objects.select_for_update(of=("self",)).get(channel=channel)


def _touch(row: ChannelAccount, actor: User, at: datetime) -> None:
    """Saves it as somebody's change; what failed before is forgotten, so that it is tried at once."""
    for name, value in _AS_NEW.items():
        setattr(row, name, value)
    row.changed_by, row.changed_at = actor, at
    row.save()


def switch_channel(channel: str, *, on: bool, actor: User, at: datetime) -> ChannelAccount:
    """Off, nothing leaves by it any more, not even what is queued. On needs the account, where there is one."""
    permissions.require(actor, "configure")
    kind = KINDS[clean_choice("channel", channel, _switchable())]
    if on:
        clean_settings(channel, kind.account, {}, known=_known(ChannelAccount.objects.filter(channel=channel).first()))
    with transaction.atomic():
        row = _locked_account(channel, at)
        row.is_enabled = on
        _touch(row, actor, at)
        _note(channel, "Switched on." if on else "Switched off.", actor, at)
    return row


@transaction.atomic
def remove_account(channel: str, *, actor: User, at: datetime) -> None:
    """Forgets the account and its secrets; the channel is not set up any more. Nothing happens when there is none."""
    permissions.require(actor, "configure")
    clean_choice("channel", channel, _switchable())
    removed, _ = ChannelAccount.objects.filter(channel=channel).delete()
    if removed:
        _note(channel, "The account and its secrets are removed.", actor, at)


def _account_words(
    asked: tuple[Setting, ...], known: Mapping[str, str], values: Mapping[str, str], *, is_new: bool
) -> str:
    """What changed, without a secret."""
    changed = [one for one in asked if known.get(one.name, "") != values[one.name]]
    said = [
        f"{one.label} entered" if one.is_secret else f"{one.label}: {values[one.name] or 'none'}" for one in changed
    ]
    return f"{'Set up' if is_new else 'Changed'}. {'; '.join(said) or 'Everything as before'}."


# --- Places ---------------------------------------------------------------------------------------
def save_place(
    place_id: int | None, *, changes: dict[str, Any], actor: User, at: datetime, channel: str = ""
) -> Destination:
    """Adds a place (`place_id` None, with its `channel`) or corrects one.

    `changes`: name, settings (by the names of `KINDS[channel].place`; an empty secret keeps the stored one),
    audiences, severities and services (empty: all), is_enabled. Raises Invalid naming each field at fault,
    Destination.DoesNotExist.
    """
    permissions.require(actor, "configure")
    unknown_fields(changes, _CHANGES_OF_A_PLACE)
    row = (
        Destination.objects.get(pk=place_id)
        if place_id
        else Destination(channel=clean_choice("channel", channel, WITH_PLACES))
    )
    cleaned = _clean_place(row, changes)
    with transaction.atomic():
        if place_id:
            row = Destination.objects.select_for_update(of=("self",)).get(pk=place_id)
        said = _fill(row, cleaned, is_new=not place_id)
        row.added_by, row.changed_at = row.added_by or actor, at
        _save_place(row)
        if "services" in cleaned:
            row.services.set(cleaned["services"])
        _note(row.channel, said, actor, at)
    return row


def _clean_place(row: Destination, changes: dict[str, Any]) -> dict[str, Any]:
    """Checked values of what was given; of a new place, of everything. Resolves names: outside of a transaction."""
    is_new = row.pk is None
    found: dict[str, Any] = {}
    errors: dict[str, str | list[str]] = {}
    checks: dict[str, Callable[[Any], Any]] = {
        "name": lambda value: " ".join(clean_text("name", value, 120, required=True).split()),
        "audiences": _audiences,
        "severities": lambda value: _several("severities", value, Severity.values),
        "services": _services,
        "is_enabled": _truth,
        "settings": lambda value: _place_values(row, value),
    }
    needed = ("name", "audiences", "settings") if is_new else ()
    for field, check in checks.items():
        if field not in changes and field not in needed:
            continue
        try:
            found[field] = check(changes.get(field))
        except Invalid as refusal:
            errors |= {name: list(sentences) for name, sentences in refusal.errors.items()}
    if errors:
        raise Invalid(**errors)
    return found


def _audiences(value: Any) -> list[str]:
    chosen = _several("audiences", value, Audience.values)
    if not chosen:
        raise Invalid(audiences="Choose at least one: a place without an audience hears nothing.")
    return chosen


def _several(field: str, value: Any, known: list[str]) -> list[str]:
    """The chosen ones in their usual order, each once."""
    if not isinstance(value, list | tuple | None):
        raise Invalid(**{field: "Give a list."})
    chosen = [clean_choice(field, one, known) for one in value or ()]
    return [one for one in known if one in chosen]


def _services(value: Any) -> list[Service]:
    chosen = list(value or ())
    if gone := [one.name for one in chosen if not one.is_active]:
        raise Invalid(services=f"No longer offered: {', '.join(gone)}.")
    return chosen


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(is_enabled="Use true or false.")
    return value


def _place_values(row: Destination, value: Any) -> dict[str, str]:
    if not isinstance(value, dict | None):
        raise Invalid(settings="This must be an object: names with their values.")
    try:
        known = values_of(row) if row.pk else {}
    except SealBroken:
        known = {}
    return clean_settings(row.channel, KINDS[row.channel].place, value or {}, known=known)


def _fill(row: Destination, cleaned: dict[str, Any], *, is_new: bool) -> str:
    """Sets the values on the row; answers what changed, for the record."""
    said = []
    for field, label in (("name", "name"), ("audiences", "audiences"), ("severities", "severities")):
        if field in cleaned and getattr(row, field) != cleaned[field]:
            value = cleaned[field]
            setattr(row, field, value)
            said.append(f"{label}: {value if isinstance(value, str) else ', '.join(value) or 'all'}")
    if "services" in cleaned:
        said.append(f"services: {', '.join(one.name for one in cleaned['services']) or 'all'}")
    if "is_enabled" in cleaned and (is_new or row.is_enabled != cleaned["is_enabled"]):
        row.is_enabled = cleaned["is_enabled"]
        said.append("on" if row.is_enabled else "off")
    if "settings" in cleaned and _move(row, cleaned["settings"]):
        said.append(f"address: {row.address}")
    return f"Place “{row.name}” {'added' if is_new else 'changed'}. {'; '.join(said) or 'Everything as before'}."


def _move(row: Destination, values: dict[str, str]) -> bool:
    """Sets the address. Elsewhere, the threads of the old place and its failures count no more."""
    try:
        if row.pk and values_of(row) == values:
            return False
    except SealBroken:
        pass
    asked = KINDS[row.channel].place
    row.address = shown_address(asked[0], values[asked[0].name])
    row.keep_secrets({one.name: values[one.name] for one in asked if one.is_secret})
    for name, value in {**_AS_NEW, "last_ok_at": None}.items():
        setattr(row, name, value)
    if row.pk:
        PlaceThread.objects.filter(destination=row).delete()
    return True


def _save_place(row: Destination) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Invalid(name=f"There is a place called “{row.name}” already. Choose another name.") from None


@transaction.atomic
def remove_place(place_id: int, *, actor: User, at: datetime) -> None:
    """It hears nothing more; what was sent there stays in the log. Raises Destination.DoesNotExist, InUse."""
    permissions.require(actor, "configure")
    row = Destination.objects.select_for_update(of=("self",)).get(pk=place_id)
    try:
        row.delete()
    except ProtectedError:
        raise InUse("Other records name this place. Switch it off instead.") from None
    _note(row.channel, f"Place “{row.name}” removed.", actor, at)


def _note(channel: str, what: str, actor: User, at: datetime) -> None:
    ChannelChange.objects.create(at=at, actor=actor, channel=channel, what=what[:500])


# --- Trying ---------------------------------------------------------------------------------------
def try_place(place: Destination, *, actor: User, at: datetime) -> Outcome:
    """Sends a test message to a place and answers what its provider said."""
    permissions.require(actor, "configure")
    return _try(Delivery(channel=place.channel, address=f"destination-{place.pk}", destination=place), actor, at)


def try_channel(channel: str, *, given: Mapping[str, object], actor: User, at: datetime) -> Outcome:
    """Sends a test message to an address or place given for this once: `given` as `test_settings` asks for it."""
    permissions.require(actor, "configure")
    asked = test_settings(channel)
    if not asked:
        raise Invalid("This channel is tested where a person adds it to their own settings.")
    if channel == ChannelKey.EMAIL:
        address = clean_email("address", given.get("address"), required=True)
        return _try(Delivery(channel=channel, address=address), actor, at)
    values = clean_settings(channel, asked, given, known={})
    kind = KINDS[channel]
    shown = shown_address(asked[0], values[asked[0].name])
    row = Destination(channel=channel, address=shown) if kind.place else ContactPoint(channel=channel, address=shown)
    row.keep_secrets({one.name: values[one.name] for one in asked if one.is_secret})
    to = {"destination": row} if kind.place else {"contact": row}
    return _try(Delivery(channel=channel, address=shown, **to), actor, at)


def test_settings(channel: str) -> tuple[Setting, ...]:
    """What a test needs to know; empty where a test cannot be sent from here."""
    kind = KINDS[channel]
    if channel == ChannelKey.EMAIL:
        return (Setting("address", "E-mail address"),)
    if channel not in registry():
        return ()
    return kind.place or tuple(one for one in kind.personal if not any(each.is_secret for each in kind.personal))


def open_services() -> tuple[str, ...]:
    """What an address of “Other service” may begin with here."""
    return apprise.open_schemes()


def _try(row: Delivery, actor: User, at: datetime) -> Outcome:
    row.moment, row.queued_at, row.attempts = "test", at, 1
    row.message_id = f"<test-{at:%Y%m%d%H%M%S%f}@{mail_reference.own_host()}>"
    text = f"This is a test of MIM, sent by {actor.display_name}. Nothing has happened, and nothing needs to be done."
    message = Message(
        subject="Test message of MIM", summary=text, text=text, html=f"<p>{text}</p>", url=f"{settings.PUBLIC_URL}/"
    )
    outcomes = [outcome for group in registry()[row.channel].send([Outgoing(row, message)]) for _, outcome in group]
    outcome = outcomes[0] if outcomes else Outcome(False, "No answer")
    _learn(row, outcome, at)
    return outcome


def _learn(row: Delivery, outcome: Outcome, at: datetime) -> None:
    """The health of the place and of the provider follows, as from any message."""
    if not outcome.was_asked:
        return
    failure = "" if outcome.accepted else outcome.answer or "No answer"
    place = row.destination
    if place is not None and place.pk:
        note_outcome(place, failure=failure, at=at)
    if failure and outcome.blames_address:
        return
    key = KINDS[row.channel].account_key
    account = ChannelAccount.objects.filter(channel=key).first()
    if account is None and key == ChannelKey.EMAIL:
        account, _ = ChannelAccount.objects.get_or_create(channel=key, defaults={"changed_at": at})
    if account is not None:
        note_outcome(account, failure=failure, at=at)
