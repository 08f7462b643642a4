"""Standing in: somebody else holds a layer for a while, and two people swap their shifts."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from incidents import events, permissions
from incidents.actions.input import clean_text
from incidents.actions.rotas import check_span, fits
from incidents.errors import Invalid, NotAccountable
from incidents.models import RotaLayer, RotaOverride, User
from incidents.on_call import layer_plans
from incidents.process import EventKind

LONGEST = timedelta(days=366)


@transaction.atomic
def stand_in(
    layer_id: int,
    *,
    person: User,
    starts_at: datetime,
    ends_at: datetime,
    reason: str = "",
    actor: User,
    at: datetime,
) -> RotaOverride:
    """`person` holds the layer from `starts_at` up to and without `ends_at`, whatever the turns say.

    Whoever keeps the rota may do it for anybody; everybody else may give away their own time or take somebody's over.
    All whose time changes are told. Raises Invalid, NotAccountable, RotaLayer.DoesNotExist.
    """
    layer = RotaLayer.objects.select_related("rota__team").select_for_update(of=("self",)).get(pk=layer_id)
    check_span(starts_at, ends_at)
    if ends_at <= at:
        raise Invalid(ends_at="This lies in the past; nobody can stand in any more.")
    if ends_at - starts_at > LONGEST:
        raise Invalid(ends_at="At most a year at once. For longer, change the layer.")
    fits(person, layer.rota.role, "person")
    replaced = holders(layer, starts_at, ends_at)
    _may(actor, person, replaced)
    override = RotaOverride.objects.create(
        layer=layer,
        person=person,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=clean_text("reason", reason, 200),
        made_by=actor,
        made_at=at,
    )
    _record(override, {person.pk, *replaced}, "takes over", actor=actor, at=at)
    return override


def holders(layer: RotaLayer, starts_at: datetime, ends_at: datetime) -> set[int]:
    """Ids of the people who hold the layer at some time between, whatever their account may do now."""
    plans = layer_plans(Q(pk=layer.pk), since=starts_at, until=ends_at)
    return {one.person for plan in plans for one in plan.segments(starts_at, ends_at)}


def _may(actor: User, person: User, replaced: set[int]) -> None:
    if permissions.can(actor, "keep_rota"):
        return
    permissions.require(actor, "be_on_call")
    if actor.pk != person.pk and replaced != {actor.pk}:
        raise NotAccountable(
            "You may give away your own shifts or take over somebody else’s. For others, ask whoever keeps the rota.",
            who_may=[],
        )


@transaction.atomic
def remove_override(override_id: int, *, actor: User, at: datetime) -> RotaOverride:
    """The turns count again. By whoever keeps the rota, made it, or stands in. Raises RotaOverride.DoesNotExist."""
    override = RotaOverride.objects.select_related("layer__rota", "person").select_for_update(of=("self",)).get(
        pk=override_id
    )  # fmt: skip
    if actor.pk not in (override.made_by_id, override.person_id):
        permissions.require(actor, "keep_rota")
    permissions.require(actor, "be_on_call")
    key, before = override.pk, override.person_id
    override.delete()
    override.pk = key
    back = holders(override.layer, override.starts_at, override.ends_at)
    if override.ends_at > at:
        _record(override, {before, *back}, "no longer stands in", actor=actor, at=at)
    return override


@transaction.atomic
def swap(
    *,
    layer_id: int,
    mine: tuple[datetime, datetime],
    theirs: tuple[datetime, datetime],
    other: User,
    reason: str = "",
    actor: User,
    at: datetime,
) -> list[RotaOverride]:
    """The actor's time for the other's on the same layer: both change, or neither.

    Raises Invalid when the spans are not held by these two, and what `stand_in` raises.
    """
    layer = RotaLayer.objects.select_related("rota").select_for_update(of=("self",)).get(pk=layer_id)
    if holders(layer, *mine) != {actor.pk}:
        raise Invalid(mine="This is not your shift any more. Open your shifts again.")
    if holders(layer, *theirs) != {other.pk}:
        raise Invalid(theirs=f"This is not {other.display_name}’s shift any more. Choose another one.")
    return [
        stand_in(layer_id, person=other, starts_at=mine[0], ends_at=mine[1], reason=reason, actor=actor, at=at),
        stand_in(layer_id, person=actor, starts_at=theirs[0], ends_at=theirs[1], reason=reason, actor=actor, at=at),
    ]


def _record(override: RotaOverride, told: set[int], what: str, *, actor: User, at: datetime) -> None:
    """Everybody whose time changes is told; the entry belongs to no record."""
    events.record(
        EventKind.ON_CALL_CHANGED,
        override.layer.rota,
        actor=actor,
        at=at,
        rota=override.layer.rota.name,
        layer=override.layer.name,
        person=override.person.display_name,
        what=what,
        starts_at=override.starts_at.isoformat(),
        ends_at=override.ends_at.isoformat(),
        reason=override.reason,
        told=sorted(told - {actor.pk}),
    )
