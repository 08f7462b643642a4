"""Freezes: times in which nothing but emergency changes begins, and the exception a change manager grants."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from incidents import events, permissions
from incidents.actions.change_rows import locked_with_incidents
from incidents.actions.input import clean_text, clean_time, clean_title
from incidents.errors import Invalid, WrongStage
from incidents.models import Change, ChangeType, FreezeWindow, Service, User
from incidents.process import EventKind


@transaction.atomic
def save_freeze(
    freeze_id: int | None = None,
    *,
    name: str,
    starts_at: datetime,
    ends_at: datetime,
    reason: str = "",
    services: Sequence[Service] = (),
    actor: User,
    at: datetime,
) -> FreezeWindow:
    """Plans a freeze, or moves one; without services it holds for all."""
    permissions.require(actor, "configure_changes")
    freeze = FreezeWindow(created_by=actor, created_at=at)
    if freeze_id is not None:
        freeze = FreezeWindow.objects.select_for_update().get(pk=freeze_id)
    freeze.name, freeze.reason = clean_title(name, "name")[:120], clean_text("reason", reason)
    freeze.starts_at, freeze.ends_at = clean_time("starts_at", starts_at), clean_time("ends_at", ends_at)
    if freeze.ends_at <= freeze.starts_at:
        raise Invalid(ends_at="The freeze must end after it starts.")
    freeze.save()
    freeze.services.set(services)
    return freeze


@transaction.atomic
def remove_freeze(freeze_id: int, *, actor: User) -> None:
    """It no longer holds; gone already changes nothing."""
    permissions.require(actor, "configure_changes")
    FreezeWindow.objects.filter(pk=freeze_id).delete()


def freezes_for(change: Change, *, at: datetime | None = None) -> QuerySet[FreezeWindow]:
    """Freezes that hold for its services during its window, or at the moment `at`. Without either: none."""
    mine = Q(services=None) | Q(services__in=change.services.all())
    if at is not None:
        rows = FreezeWindow.objects.filter(mine, starts_at__lte=at, ends_at__gt=at)
    elif change.window_start is not None:
        end = change.window_end or change.window_start
        rows = FreezeWindow.objects.filter(mine, starts_at__lte=end, ends_at__gt=change.window_start)
    else:
        return FreezeWindow.objects.none()
    return rows.distinct()


def refuse_frozen(change: Change, *, at: datetime | None = None) -> None:
    """Raises WrongStage naming the freeze. Emergency changes and those with an exception pass."""
    if change.type == ChangeType.EMERGENCY or change.freeze_waived_by_id is not None:
        return
    freeze = freezes_for(change, at=at).first()
    if freeze is not None:
        raise WrongStage(
            f"“{freeze.name}” freezes changes from {freeze.starts_at:%Y-%m-%d %H:%M} to {freeze.ends_at:%Y-%m-%d %H:%M}"
            " UTC. Choose another window, or ask a change manager for an exception.",
            status=change.status,
            freeze=freeze.name,
        )


@transaction.atomic
def waive_freeze(change_id: int, *, reason: str, actor: User, at: datetime) -> Change:
    """A change manager lets this one through although changes are frozen; never for a change of one's own."""
    change, incidents = locked_with_incidents(change_id)
    permissions.require(actor, "waive_freeze", change)
    change.freeze_waived_because = clean_text("reason", reason, required=True)
    change.freeze_waived_by = actor
    change.save(update_fields=["freeze_waived_because", "freeze_waived_by", "updated_at"])
    events.record(
        EventKind.CHANGE_EDITED,
        change,
        actor=actor,
        at=at,
        incident=incidents[0] if incidents else None,
        text=change.freeze_waived_because,
        freeze_waived=True,
    )
    return change
