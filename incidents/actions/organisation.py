"""The organisation: its settings, its teams, its holidays, who belongs to the audiences."""

import uuid
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from incidents import permissions
from incidents.actions.input import (
    clean_choice,
    clean_email,
    clean_number,
    clean_person,
    clean_text,
    unknown_fields,
)
from incidents.actions.sla_settings import restamp
from incidents.errors import Duplicate, Invalid
from incidents.models import AudienceMembership, Holiday, Organisation, Team, User
from incidents.models.people import check_time_zone
from incidents.priority import DEFAULT_TABLE, Priority
from incidents.process import AccountRole, Audience

_HOURS = 24 * 90
_MINUTES = 7 * 24 * 60
_DAYS = 3650
_LONGEST_HOLD = 600
_DEAREST_HOUR = 999_999


def _zone(value: Any) -> str:
    name = clean_text("time_zone", value, 64, required=True)
    try:
        check_time_zone(name)
    except ValidationError as error:
        raise Invalid(time_zone=error.messages) from None
    return name


def _currency(value: Any) -> str:
    code = clean_text("currency", value, 3, required=True).upper()
    if len(code) != 3 or not code.isalpha():
        raise Invalid(currency="Use the three letters of a currency, for example EUR.")
    return code


def _table(value: Any) -> dict[str, str]:
    """All sixteen fields of impact × urgency; what is left out keeps the default."""
    if not isinstance(value, dict) or (unknown := sorted(set(value) - set(DEFAULT_TABLE))):
        named = ", ".join(map(str, unknown)) if isinstance(value, dict) else ""
        raise Invalid(priority_table=f"Fields are impact/urgency from 1/1 to 4/4. {named}".strip())
    return {
        **DEFAULT_TABLE,
        **{cell: clean_choice("priority_table", priority, Priority.values) for cell, priority in value.items()},
    }


def _hourly_cost(value: Any) -> Decimal:
    try:
        amount = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= _DEAREST_HOUR:
        raise Invalid(response_cost_per_hour=f"Give an amount from 0 to {_DEAREST_HOUR:,}.")
    return amount.quantize(Decimal("0.01"))


_SETTINGS: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: clean_text("name", value, 120, required=True),
    "time_zone": _zone,
    "currency": _currency,
    "consult_limit_minutes": lambda value: clean_number("consult_limit_minutes", value, least=1, most=_MINUTES),
    "observation_hours": lambda value: clean_number("observation_hours", value, most=_HOURS),
    "still_broken_to_reopen": lambda value: clean_number("still_broken_to_reopen", value, least=1, most=10_000),
    "alert_days": lambda value: clean_number("alert_days", value, least=1, most=_DAYS),
    "payload_days": lambda value: clean_number("payload_days", value, least=1, most=_DAYS),
    "priority_table": _table,
    "update_hold_seconds": lambda value: clean_number("update_hold_seconds", value, most=_LONGEST_HOLD),
    "technical_hold_seconds": lambda value: clean_number("technical_hold_seconds", value, most=_LONGEST_HOLD),
    "response_cost_per_hour": _hourly_cost,
}


@transaction.atomic
def edit_organisation(*, changes: dict[str, Any], actor: User, at: datetime) -> Organisation:
    """Changes settings; the row is made by the first change."""
    permissions.require(actor, "configure")
    unknown_fields(changes, _SETTINGS)
    Organisation.objects.get_or_create(pk=1)
    row = Organisation.objects.select_for_update().get(pk=1)
    for name, value in changes.items():
        setattr(row, name, _SETTINGS[name](value))
    if "time_zone" in changes:
        row.sla_stamp = uuid.uuid4()
    row.save()
    return row


@transaction.atomic
def save_team(team_id: int | None = None, *, changes: dict[str, Any], actor: User, at: datetime) -> Team:
    """Makes a team (`team_id` None) or corrects one: name, email, support_tier, lead."""
    permissions.require(actor, "configure")
    unknown_fields(changes, ("name", "email", "support_tier", "lead"))
    team = Team() if team_id is None else Team.objects.select_for_update(of=("self",)).get(pk=team_id)
    if "name" in changes or team_id is None:
        team.name = clean_text("name", changes.get("name"), 120, required=True)
        team.slug = team.slug or slugify(team.name)[:120] or "team"
    if "email" in changes:
        team.email = clean_email("email", changes["email"])
    if "support_tier" in changes:
        team.support_tier = clean_number("support_tier", changes["support_tier"], least=1, most=9)
    if "lead" in changes:
        team.lead = clean_person("lead", changes["lead"])
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError:
        raise Duplicate(f"There is a team called “{team.name}” already.") from None
    return team


@transaction.atomic
def set_audience(
    audience: str,
    *,
    roles: Iterable[str],
    people: Iterable[User] = (),
    empty_reason: str = "",
    actor: User,
    at: datetime,
) -> AudienceMembership:
    """Who belongs to one of the four audiences. Nobody at all needs a reason, which waives telling them."""
    permissions.require(actor, "configure")
    row, _ = AudienceMembership.objects.get_or_create(audience=clean_choice("audience", audience, Audience.values))
    row.roles = [clean_choice("roles", role, AccountRole.values) for role in dict.fromkeys(roles)]
    members = list(people)
    row.empty_reason = clean_text("empty_reason", empty_reason, 2_000)
    if not row.roles and not members and not row.empty_reason:
        raise Invalid(empty_reason="Name roles or people, or say why nobody is to be told.")
    row.save()
    row.people.set(members)
    return row


@transaction.atomic
def add_holiday(*, day: date, name: str, actor: User, at: datetime) -> Holiday:
    """A day on which service hours do not count. Raises Duplicate when the day is a holiday already."""
    permissions.require(actor, "configure")
    if not isinstance(day, date) or not 1970 <= day.year <= 9000:
        raise Invalid(day="Use a date, for example 2026-12-25.")
    holiday = Holiday(day=day, name=clean_text("name", name, 120, required=True))
    try:
        with transaction.atomic():
            holiday.save(force_insert=True)
    except IntegrityError:
        raise Duplicate(f"{day:%Y-%m-%d} is a holiday already. Remove it first to name it otherwise.") from None
    restamp()
    return holiday


@transaction.atomic
def remove_holiday(holiday_id: int, *, actor: User, at: datetime) -> None:
    """Raises Holiday.DoesNotExist."""
    permissions.require(actor, "configure")
    Holiday.objects.select_for_update().get(pk=holiday_id).delete()
    restamp()
