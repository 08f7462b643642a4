"""What management sees first: what is going on in business words, what it has cost so far, what waits for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.utils import timezone

from incidents.actions import updates
from incidents.models import Approval, DowntimeInterval, MajorIncident, Organisation, User
from incidents.permissions import visible_incidents
from incidents.process import Stage
from metrics.kpis import incident_rows
from metrics.periods import Scope, month_start, zone_of

UNDER_WAY = (Stage.IDENTIFICATION, Stage.CONTAINMENT, Stage.RESOLUTION)


@dataclass(frozen=True)
class Now:
    """One open major incident as the business hears of it."""

    incident: MajorIncident
    services: list[str]
    cost: float | None
    cost_an_hour: float
    is_under_way: bool


def open_incidents(user: User, *, at: datetime) -> list[Now]:
    """Open ones the person may see, drills left out, those under way first. Three queries."""
    found = list(
        visible_incidents(user)
        .filter(stage__in=(*UNDER_WAY, Stage.MAINTENANCE), is_drill=False)
        .order_by("severity", "-id")[:50]
    )
    if not found:
        return []
    scope = Scope(at, at, ZoneInfo("UTC"), incident_ids=tuple(one.pk for one in found))
    facts = {row["id"]: row for row in incident_rows(scope, at=at)}
    running = dict(
        DowntimeInterval.objects.filter(incident__in=found, ended_at__isnull=True)
        .values_list("incident")
        .annotate(Sum("service__cost_per_hour"))
    )
    rows = [_now(one, facts.get(one.pk, {}), float(running.get(one.pk) or 0)) for one in found]
    return sorted(rows, key=lambda row: not row.is_under_way)


def _now(incident: MajorIncident, facts: dict[str, Any], cost_an_hour: float) -> Now:
    return Now(incident, facts.get("services", []), facts.get("cost"), cost_an_hour, incident.stage in UNDER_WAY)


def decisions_waiting(user: User) -> list[Approval]:
    """Decisions asked of this person, the most urgent first."""
    return list(
        Approval.objects.filter(approver=user, state=Approval.State.PENDING)
        .select_related("incident", "asked_by")
        .order_by("due_at", "id")
    )


def decide(approval_id: int, *, approve: bool, comment: str, chosen: str, actor: User) -> Approval:
    """The person's own decision, now. Raises NotAccountable, Duplicate or Invalid as the action does."""
    return updates.decide_approval(
        approval_id, approve=approve, chosen=chosen, comment=comment, actor=actor, at=timezone.now()
    )


def last_year(organisation: Organisation, *, at: datetime) -> Scope:
    """The last twelve months of the organisation's calendar, for the figures on the overview."""
    zone = zone_of(organisation)
    return Scope(month_start(at, zone, 11), at, zone, currency=organisation.currency)
