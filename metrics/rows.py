"""The KPI row of one incident: computed from its clocks, and told to the step "measure" as its evidence."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from incidents.actions import steps
from incidents.models import MajorIncident, Organisation
from incidents.process import REQUIRED_CLOCKS, Stage
from metrics.definitions import AVERAGE_DOWNTIME, DURATIONS
from metrics.kpis import incident_rows
from metrics.models import IncidentFigures, Moved
from metrics.periods import Scope, zone_of

MEASURED_STAGES = (Stage.MAINTENANCE, Stage.CLOSED)
_SECONDS = tuple(f"{kpi.key}_seconds" for kpi in DURATIONS)
_KEPT = (
    *("downtime_seconds", "effort_seconds", "steps_opened", "steps_conforming", "promises_settled", "promises_kept"),
    *("is_reviewed", "has_problem", "cause", "channel"),
)
BATCH = 500
_CLOCK_NAMES = {name: name.removesuffix("_at").replace("_", " ") for name in REQUIRED_CLOCKS}


def waiting(limit: int = 200) -> list[int]:
    """Incidents in maintenance or later whose row is stale, the longest waiting first."""
    return list(
        IncidentFigures.objects.filter(stale_since__isnull=False, incident__stage__in=MEASURED_STAGES)
        .order_by("stale_since", "id")
        .values_list("incident_id", flat=True)[:limit]
    )


def waiting_in_bulk(limit: int) -> list[int]:
    """Of those, the closed ones: no step of theirs waits for evidence, so they are computed together."""
    return list(
        IncidentFigures.objects.filter(stale_since__isnull=False, incident__stage=Stage.CLOSED)
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

    The incident is locked first, as every action does, then its row, without waiting for it: whoever moves a figure
    holds the row until it is committed, and the sweep comes again. Drills, stood-down and merged incidents are
    measured for themselves, so that they can close; they are in no figure of the organisation.
    """
    incident = MajorIncident.objects.select_for_update().get(pk=incident_id)
    row = (
        IncidentFigures.objects.select_for_update(skip_locked=True)
        .filter(incident=incident, stale_since__isnull=False)
        .first()
    )
    if row is None or incident.stage not in MEASURED_STAGES:
        return None
    missing = missing_clocks(incident)
    facts = _facts([incident.pk], at)[0]
    _filled(row, facts)
    if incident.stage == Stage.MAINTENANCE:
        found = _evidence(incident, row, at)
        steps.record_evidence(incident_id, "measure", found, missing, is_complete=not missing, at=at)
        facts = _facts([incident.pk], at)[0]  # the step just done counts in the conformance
        _filled(row, facts)
    row.is_complete, row.computed_at, row.stale_since = not missing, at, None
    row.is_kept = not facts["is_still_down"]
    row.save()
    return row


def compute_many(incident_ids: Iterable[int], *, at: datetime) -> int:
    """Rows of incidents that are over, a few hundred a statement; no step of theirs waits for evidence.

    Rows that somebody is moving at this moment are left to the next sweep. Returns how many were written.
    """
    wanted, written = list(incident_ids), 0
    for start in range(0, len(wanted), BATCH):
        written += _compute_batch(wanted[start : start + BATCH], at=at)
    return written


_MAKE_ROWS = """
INSERT INTO metrics_incidentfigures (incident_id, stale_since, is_complete, is_kept, steps_opened, steps_conforming,
  promises_settled, promises_kept, is_reviewed, has_problem, cause, channel)
SELECT one, %s, false, false, 0, 0, 0, 0, false, false, '', '' FROM unnest(%s::bigint[]) AS one
ON CONFLICT (incident_id) DO NOTHING
"""


@transaction.atomic
def _compute_batch(incident_ids: list[int], *, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_ROWS, [at, incident_ids])
    held = {
        row.incident_id: row
        for row in IncidentFigures.objects.select_for_update(skip_locked=True).filter(incident__in=incident_ids)
    }
    incidents = MajorIncident.objects.in_bulk(list(held))
    found = []
    for facts in _facts(list(held), at):
        row = _filled(held[facts["id"]], facts)
        incident = incidents[row.incident_id]
        row.is_complete, row.computed_at, row.stale_since = not missing_clocks(incident), at, None
        row.is_kept = incident.stage in MEASURED_STAGES and not facts["is_still_down"]
        found.append(row)
    IncidentFigures.objects.bulk_create(  # an upsert: bulk_update writes a CASE for each value, fifty times as dear
        found, update_conflicts=True, unique_fields=["incident"],
        update_fields=[*_SECONDS, *_KEPT, "cost", "costs", "is_complete", "is_kept", "computed_at", "stale_since"],
    )  # fmt: skip
    return len(found)


@transaction.atomic
def mark_all_stale(*, at: datetime) -> int:
    """Asks for everything to be computed anew; until then figures come from the records themselves."""
    Moved.objects.create(since=None, until=None)
    return IncidentFigures.objects.update(stale_since=at, is_kept=False)


def _facts(incident_ids: Iterable[int], at: datetime) -> list[dict[str, Any]]:
    wanted = tuple(incident_ids)
    zone = zone_of(Organisation.current())
    scope = Scope(at, at, zone, incident_ids=wanted, only_counted=False, use_kept=False)
    return incident_rows(scope, at=at) if wanted else []


def _filled(row: IncidentFigures, facts: dict[str, Any]) -> IncidentFigures:
    for kpi in DURATIONS:
        setattr(row, f"{kpi.key}_seconds", facts[kpi.key])
    row.downtime_seconds = facts[AVERAGE_DOWNTIME.key]
    row.cost = facts["cost"]
    row.costs = facts["costs"]
    for name in _KEPT[1:]:
        setattr(row, name, facts[name])
    return row


def _evidence(incident: MajorIncident, row: IncidentFigures, at: datetime) -> dict[str, Any]:
    """The figures as the step shows them."""
    figures = {name: getattr(row, name) for name in (*_SECONDS, "downtime_seconds")}
    found: dict[str, Any] = {"computed_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "figures": figures}
    if incident.clocks_not_applicable:
        found["not_applicable"] = dict(incident.clocks_not_applicable)
    return found
