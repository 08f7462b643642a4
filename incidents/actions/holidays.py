"""Days on which the organisation's service hours do not count."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from incidents import permissions
from incidents.actions.input import clean_text
from incidents.errors import Invalid
from incidents.models import Holiday, User


@transaction.atomic
def set_holidays(days: Sequence[tuple[date, str]], *, actor: User, at: datetime) -> list[Holiday]:
    """The whole list, each day once with its name. Raises Invalid for a day that is named twice."""
    permissions.require(actor, "configure")
    named: dict[date, str] = {}
    for day, name in days:
        if day in named:
            raise Invalid(holidays=f"{day:%Y-%m-%d} is there twice.")
        named[day] = clean_text("holidays", name, 120, required=True)
    Holiday.objects.exclude(day__in=named).delete()
    return [Holiday.objects.update_or_create(day=day, defaults={"name": name})[0] for day, name in named.items()]
