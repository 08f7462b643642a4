"""Rotas: made, corrected and removed by whoever keeps them; single shifts; and the notes people leave each other."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from incidents import permissions
from incidents.actions.input import clean_choice, clean_number, clean_person, clean_text, clean_time, unknown_fields
from incidents.errors import Duplicate, Invalid
from incidents.models import HandoverNote, LayerMember, OnCallShift, Rota, RotaLayer, Team, User
from incidents.models.people import check_time_zone
from incidents.process import AccountRole

LONGEST_LAYER = 60
LONGEST_TURN = {"hour": 24 * 14, "day": 92, "week": 26}
WINDOWS = 20


# --- Rotas ------------------------------------------------------------------------------------
@transaction.atomic
def save_rota(rota_id: int | None = None, *, changes: dict[str, Any], actor: User, at: datetime) -> Rota:
    """Makes a rota (`rota_id` None) or corrects one: name, time_zone; role or team only while it is made.

    Raises Invalid, Duplicate, Rota.DoesNotExist.
    """
    permissions.require(actor, "keep_rota")
    unknown_fields(changes, ("name", "time_zone", "role", "team") if rota_id is None else ("name", "time_zone"))
    rota = Rota() if rota_id is None else Rota.objects.select_for_update(of=("self",)).get(pk=rota_id)
    if "name" in changes or rota_id is None:
        rota.name = clean_text("name", changes.get("name"), 120, required=True)
    if "time_zone" in changes or rota_id is None:
        rota.time_zone = _zone(changes.get("time_zone"))
    if rota_id is None:
        rota.role, rota.team = _duty(changes.get("role") or "", changes.get("team"))
    try:
        with transaction.atomic():
            rota.save()
    except IntegrityError:
        raise Duplicate(f"There is a rota called “{rota.name}” already. Give this one another name.") from None
    return rota


def _zone(value: Any) -> str:
    name = clean_text("time_zone", value, 64, required=True)
    try:
        check_time_zone(name)
    except ValidationError as error:
        raise Invalid(time_zone=error.messages) from None
    return name


def _duty(role: str, team: Team | None) -> tuple[str, Team | None]:
    """Exactly one of both."""
    if role and team:
        raise Invalid(team="A rota is for a role or for a team, not for both. Leave one of them empty.")
    if not role and team is None:
        raise Invalid(role="Say what the people are on call for: a role or a team.")
    return (clean_choice("role", role, AccountRole.values) if role else ""), team


@transaction.atomic
def remove_rota(rota_id: int, *, actor: User, at: datetime) -> None:
    """With its layers, overrides, notes and feeds. Raises Rota.DoesNotExist."""
    permissions.require(actor, "keep_rota")
    Rota.objects.select_for_update().get(pk=rota_id).delete()


# --- Layers -----------------------------------------------------------------------------------
def _day(field: str, value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date) or not 1970 <= value.year <= 9000:
        raise Invalid(**{field: "Use a date, for example 2026-03-02."})
    return value


def _time(field: str, value: Any) -> time:
    if not isinstance(value, time) or value.tzinfo is not None:
        raise Invalid(**{field: "Use a time of day, for example 09:00."})
    return value.replace(second=0, microsecond=0)


def _windows(value: Any) -> list[dict[str, Any]]:
    """Hours of weekdays; see RotaLayer."""
    if not isinstance(value, list) or len(value) > WINDOWS:
        raise Invalid(windows=f"Give up to {WINDOWS} windows.")
    return [_window(one) for one in value]


def _window(one: Any) -> dict[str, Any]:
    if not isinstance(one, dict):
        raise Invalid(windows="A window has weekdays, a beginning and an end.")
    days = sorted({clean_number("windows", day, most=6) for day in one.get("weekdays") or ()})
    if not days:
        raise Invalid(windows="Choose at least one weekday of each window.")
    begins, ends = (_clock(one.get(name)) for name in ("begins", "ends"))
    return {"weekdays": days, "begins": f"{begins:%H:%M}", "ends": f"{ends:%H:%M}"}


def _clock(value: Any) -> time:
    try:
        found = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError:
        raise Invalid(windows=f"“{str(value)[:20]}” is not a time of day. Use one like 09:00.") from None
    return _time("windows", found)


_LAYER: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: clean_text("name", value, 80, required=True),
    "rank": lambda value: clean_number("rank", value, least=1, most=9),
    "position": lambda value: clean_number("position", value, most=99),
    "unit": lambda value: clean_choice("unit", value, RotaLayer.Unit.values),
    "length": lambda value: clean_number("length", value, least=1, most=max(LONGEST_TURN.values())),
    "handover_at": lambda value: _time("handover_at", value),
    "handover_weekday": lambda value: (
        None if value is None else clean_number("handover_weekday", value, most=6)
    ),
    "starts_on": lambda value: _day("starts_on", value),
    "ends_on": lambda value: None if value is None else _day("ends_on", value),
    "windows": _windows,
}  # fmt: skip


@transaction.atomic
def save_layer(
    layer_id: int | None = None, *, rota_id: int | None = None, changes: dict[str, Any], actor: User, at: datetime
) -> RotaLayer:
    """Makes a layer of a rota (`layer_id` None) or corrects one. `changes["people"]` are accounts in their order.

    Who was on call before changes with it: begin a new layer on a day ahead to keep what was.
    Raises Invalid, Rota.DoesNotExist, RotaLayer.DoesNotExist.
    """
    permissions.require(actor, "keep_rota")
    unknown_fields(changes, (*_LAYER, "people"))
    layer = _layer(layer_id, rota_id)
    people = fill_layer(layer, changes, is_new=layer_id is None)
    layer.save()
    if people is not None:
        layer.members.all().delete()
        LayerMember.objects.bulk_create(
            LayerMember(layer=layer, person=person, position=place) for place, person in enumerate(people)
        )
    return layer


def _layer(layer_id: int | None, rota_id: int | None) -> RotaLayer:
    if layer_id is None:
        return RotaLayer(rota=Rota.objects.select_for_update(of=("self",)).get(pk=rota_id or 0))
    return RotaLayer.objects.select_related("rota").select_for_update(of=("self",)).get(pk=layer_id)


def fill_layer(layer: RotaLayer, changes: dict[str, Any], *, is_new: bool) -> list[User] | None:
    """Writes what was given onto the layer without saving it; answers the people, None when they stay. Raises Invalid.

    The preview of the editor calls it, too.
    """
    for name in _LAYER:
        if name in changes or (is_new and name in ("name", "starts_on")):
            setattr(layer, name, _LAYER[name](changes.get(name)))
    if layer.length > LONGEST_TURN[layer.unit]:
        raise Invalid(length=f"A turn has at most {LONGEST_TURN[layer.unit]} {RotaLayer.Unit(layer.unit).label}.")
    if layer.ends_on is not None and layer.ends_on <= layer.starts_on:
        raise Invalid(ends_on="The last handover lies after the first. Leave it empty to go on for ever.")
    return _people(changes.get("people"), layer.rota) if "people" in changes or is_new else None


def _people(given: Iterable[User] | None, rota: Rota) -> list[User]:
    people = list(given or ())
    if not people:
        raise Invalid(people="Name at least one person.")
    if len(people) > LONGEST_LAYER:
        raise Invalid(people=f"At most {LONGEST_LAYER} places in one layer.")
    for person in people:
        fits(person, rota.role, "people")
    return people


def fits(person: User | None, role: str, field: str) -> User:
    """A person who can be on call in the role (any duty of a team for ""). Raises Invalid naming `field`."""
    clean_person(field, person, required=True)
    assert person is not None
    if person.is_guest:
        raise Invalid(**{field: f"{person.email} is a guest; guests are not on call."})
    if role and not person.has_role(role):
        raise Invalid(**{field: f"{person.email} does not hold this role."})
    return person


@transaction.atomic
def remove_layer(layer_id: int, *, actor: User, at: datetime) -> Rota:
    """With its overrides; answers the rota. Raises RotaLayer.DoesNotExist."""
    permissions.require(actor, "keep_rota")
    layer = RotaLayer.objects.select_related("rota").select_for_update(of=("self",)).get(pk=layer_id)
    layer.delete()
    return layer.rota


# --- Single shifts ----------------------------------------------------------------------------
@transaction.atomic
def add_shift(
    *,
    role: str = "",
    team: Team | None = None,
    person: User,
    starts_at: datetime,
    ends_at: datetime,
    rank: int = 1,
    actor: User,
    at: datetime,
) -> OnCallShift:
    """Somebody is on call once, in a role or for a team; lower `rank` is paged first."""
    permissions.require(actor, "keep_rota")
    role, team = _duty(role, team)
    check_span(starts_at, ends_at)
    return OnCallShift.objects.create(
        role=role,
        team=team,
        person=fits(person, role, "person"),
        starts_at=starts_at,
        ends_at=ends_at,
        rank=clean_number("rank", rank, least=1, most=99),
    )


def check_span(starts_at: datetime, ends_at: datetime) -> None:
    """Two aware moments in order. Raises Invalid naming `ends_at`."""
    if clean_time("ends_at", ends_at) <= clean_time("starts_at", starts_at):
        raise Invalid(ends_at="A shift ends after it starts.")


@transaction.atomic
def remove_shift(shift_id: int, *, actor: User, at: datetime) -> None:
    """Raises OnCallShift.DoesNotExist."""
    permissions.require(actor, "keep_rota")
    OnCallShift.objects.select_for_update(of=("self",)).get(pk=shift_id).delete()


# --- Handover notes ---------------------------------------------------------------------------
@transaction.atomic
def write_note(rota_id: int, *, text: str, actor: User, at: datetime) -> HandoverNote:
    """What whoever is on call next should know. Anybody who may be on call writes one."""
    permissions.require(actor, "be_on_call")
    said = clean_text("text", text, 5_000, required=True)
    return HandoverNote.objects.create(rota=Rota.objects.get(pk=rota_id), author=actor, text=said, written_at=at)


@transaction.atomic
def take_note(note_id: int, *, actor: User, at: datetime) -> HandoverNote:
    """The next person has read it. Doing it again changes nothing. Raises HandoverNote.DoesNotExist."""
    permissions.require(actor, "be_on_call")
    note = HandoverNote.objects.select_related("rota").select_for_update(of=("self",)).get(pk=note_id)
    if note.seen_at is None:
        note.seen_by, note.seen_at = actor, at
        note.save(update_fields=["seen_by", "seen_at"])
    return note
