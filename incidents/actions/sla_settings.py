"""Targets and service hours, as administrators and service desk managers set them. Open tickets follow by a sweep."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from incidents import permissions
from incidents.actions.input import clean_choice, clean_number, clean_text, unknown_fields
from incidents.errors import Duplicate, Invalid
from incidents.models import Organisation, Service, ServiceHours, SlaTarget, User
from incidents.models.people import check_time_zone
from incidents.priority import Priority
from incidents.service_hours import Span, tidy
from incidents.sla import Target

LONGEST_MINUTES = 366 * 24 * 60


def restamp() -> None:
    """What clocks are computed from has changed: every open ticket is computed anew by the next sweep."""
    Organisation.objects.get_or_create(pk=1)
    Organisation.objects.filter(pk=1).update(sla_stamp=uuid.uuid4())


@transaction.atomic
def set_targets(
    targets: Mapping[str, Target | None], *, service: Service | None = None, actor: User, at: datetime
) -> None:
    """By priority; None takes an own target away, so that the general (or the shipped) one counts again."""
    permissions.require(actor, "configure_services")
    for priority, target in targets.items():
        key = clean_choice("priority", priority, Priority.values)
        if target is None:
            SlaTarget.objects.filter(service=service, priority=key).delete()
            continue
        values = {
            "response_minutes": clean_number(f"{key}_response", target.response_minutes, least=1, most=LONGEST_MINUTES),
            "resolution_minutes": clean_number(
                f"{key}_resolution", target.resolution_minutes, least=1, most=LONGEST_MINUTES
            ),
            "around_the_clock": bool(target.around_the_clock),
        }
        if target.resolution_minutes < target.response_minutes:
            raise Invalid(**{f"{key}_resolution": f"{key} is solved before it is answered. Give it more time."})
        SlaTarget.objects.update_or_create(service=service, priority=key, defaults=values)
    restamp()


@transaction.atomic
def save_hours(hours_id: int | None = None, *, changes: dict[str, Any], actor: User, at: datetime) -> ServiceHours:
    """Makes service hours (`hours_id` None) or corrects them: name, time_zone, week (seven lists of spans in minutes),
    observes_holidays, is_default, services (those that have these hours). Raises Duplicate for a taken name."""
    permissions.require(actor, "configure_services")
    unknown_fields(changes, ("name", "time_zone", "week", "observes_holidays", "is_default", "services"))
    row = ServiceHours() if hours_id is None else ServiceHours.objects.select_for_update(of=("self",)).get(pk=hours_id)
    if "name" in changes or hours_id is None:
        row.name = clean_text("name", changes.get("name"), 120, required=True)
    if "time_zone" in changes:
        row.time_zone = _zone(changes["time_zone"])
    if "week" in changes:
        row.week = _week(changes["week"])
    for name in ("observes_holidays", "is_default"):
        if name in changes:
            setattr(row, name, bool(changes[name]))
    if row.is_default:
        ServiceHours.objects.exclude(pk=row.pk).filter(is_default=True).update(is_default=False)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Duplicate(f"There are service hours called “{row.name}” already.") from None
    if "services" in changes:
        chosen = [service.pk for service in changes["services"]]
        row.services.exclude(pk__in=chosen).update(hours=None)
        Service.objects.filter(pk__in=chosen).update(hours=row)
    restamp()
    return row


@transaction.atomic
def remove_hours(hours_id: int, *, actor: User, at: datetime) -> None:
    """Its services have the default hours again. Raises ServiceHours.DoesNotExist."""
    permissions.require(actor, "configure_services")
    row = ServiceHours.objects.select_for_update(of=("self",)).get(pk=hours_id)
    row.services.update(hours=None)
    row.delete()
    restamp()


def _zone(value: Any) -> str:
    text = clean_text("time_zone", value, 64)
    try:
        if text:
            check_time_zone(text)
    except ValidationError as refusal:
        raise Invalid(time_zone=refusal.messages) from None
    return text


def _week(value: Iterable[Iterable[Span]]) -> list[list[list[int]]]:
    try:
        week = [tidy(tuple(span) for span in day) for day in value]  # type: ignore[misc]
    except (TypeError, ValueError):
        week = []
    if len(week) != 7:
        raise Invalid(week="Give seven days from Monday on, each with its hours.")
    if not any(week):
        raise Invalid(week="Service hours need at least one hour in the week.")
    return [[list(span) for span in day] for day in week]
