"""The KPI row of one incident: computed from its clocks, and told to the step "measure" as its evidence."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from incidents.actions import steps
from incidents.models import MajorIncident
from incidents.process import REQUIRED_CLOCKS, Stage
from metrics.definitions import AVERAGE_DOWNTIME, DURATIONS
from metrics.kpis import incident_rows
from metrics.models import IncidentFigures
from metrics.periods import Scope

MEASURED_STAGES = (Stage.MAINTENANCE, Stage.CLOSED)
_SECONDS = tuple(f"{kpi.key}_seconds" for kpi in DURATIONS)
_CLOCK_NAMES = {name: name.removesuffix("_at").replace("_", " ") for name in REQUIRED_CLOCKS}


def waiting(limit: int = 200) -> list[int]:
    """Incidents in maintenance or later whose row is stale, the longest waiting first."""
    return list(
        IncidentFigures.objects.filter(stale_since__isnull=False, incident__stage__in=MEASURED_STAGES)
        .order_by("stale_since", "id")
        .values_list("incident_id", flat=True)[:limit]
    )


def missing_clocks(incident: MajorIncident) -> list[str]:
    """A sentence for each clock the figures need that has neither a value nor "not applicable"."""
    return [
        f"The clock “{_CLOCK_NAMES[clock]}” has no value. Set it, or mark it not applicable with a reason."
        for clock in REQUIRED_CLOCKS
        if getattr(incident, clock) is None and clock not in incident.clocks_not_applicable
    ]


@transaction.atomic
def compute(incident_id: int, *, at: datetime) -> IncidentFigures | None:
    """Writes the row anew when it is stale; None when there is nothing to do. Safe to run twice.

    The incident is locked first, as every action does. Drills, stood-down and merged incidents are measured
    for themselves, so that they can close; they are in no figure of the organisation.
    """
    incident = MajorIncident.objects.select_for_update().get(pk=incident_id)
    row = IncidentFigures.objects.filter(incident=incident, stale_since__isnull=False).first()
    if row is None or incident.stage not in MEASURED_STAGES:
        return None
    missing = missing_clocks(incident)
    _filled(row, _facts([incident.pk], at)[0])
    row.is_complete, row.computed_at, row.stale_since = not missing, at, None
    row.save()
    if incident.stage == Stage.MAINTENANCE:
        found = _evidence(incident, row, at)
        steps.record_evidence(incident_id, "measure", found, missing, is_complete=not missing, at=at)
    return row


def compute_many(incident_ids: list[int], *, at: datetime) -> None:
    """Rows of imported incidents, in two statements; no step of theirs waits for evidence."""
    incidents = MajorIncident.objects.in_bulk(incident_ids)
    found = [_filled(IncidentFigures(incident_id=facts["id"]), facts) for facts in _facts(incident_ids, at)]
    for row in found:
        row.is_complete, row.computed_at = not missing_clocks(incidents[row.incident_id]), at
    IncidentFigures.objects.bulk_create(
        found, update_conflicts=True, unique_fields=["incident"],
        update_fields=[*_SECONDS, "downtime_seconds", "cost", "is_complete", "computed_at", "stale_since"],
    )  # fmt: skip


def _facts(incident_ids: Iterable[int], at: datetime) -> list[dict[str, Any]]:
    scope = Scope(at, at, ZoneInfo("UTC"), incident_ids=tuple(incident_ids), only_counted=False)
    return incident_rows(scope, at=at)


def _filled(row: IncidentFigures, facts: dict[str, Any]) -> IncidentFigures:
    for kpi in DURATIONS:
        setattr(row, f"{kpi.key}_seconds", facts[kpi.key])
    row.downtime_seconds = facts[AVERAGE_DOWNTIME.key]
    row.cost = None if facts["cost"] is None else round(Decimal(facts["cost"]), 2)
    return row


def _evidence(incident: MajorIncident, row: IncidentFigures, at: datetime) -> dict[str, Any]:
    """The figures as the step shows them."""
    figures = {name: getattr(row, name) for name in (*_SECONDS, "downtime_seconds")}
    found: dict[str, Any] = {"computed_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "figures": figures}
    if incident.clocks_not_applicable:
        found["not_applicable"] = dict(incident.clocks_not_applicable)
    return found
