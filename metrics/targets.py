"""Targets of figures: what was agreed, who set it, whether it is met."""

import math
from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import permissions
from incidents.errors import Invalid
from incidents.models import User
from metrics.definitions import KPI_BY_KEY, Unit
from metrics.models import Target

MOST = 10.0**12


@transaction.atomic
def set_target(key: str, value: Any, *, actor: User, at: datetime) -> Target | None:
    """Sets one target in the figure's own unit (seconds, a share of 1, a number or money a month); None removes it.

    Raises Invalid for a figure that is none, and for what is no number of 0 or more.
    """
    permissions.require(actor, "configure_figures")
    kpi = KPI_BY_KEY.get(key)
    if kpi is None:
        raise Invalid(kpi=f"“{str(key)[:60]}” is not a figure. Use one of {', '.join(KPI_BY_KEY)}.")
    if value is None:
        Target.objects.filter(kpi=key).delete()
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Invalid(value="Give a number.")
    most = 1.0 if kpi.unit == Unit.SHARE else MOST
    if not 0 <= value <= most:
        raise Invalid(value=f"Give a number from 0 to {most:g}.")
    return Target.objects.update_or_create(
        kpi=key, defaults={"value": float(value), "set_by": actor, "set_at": at}
    )[0]  # fmt: skip
