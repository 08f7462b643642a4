"""Past major incidents from elsewhere enter the record here. Nobody is told and nobody gets work.

They keep the clocks they come with; an unknown clock stays unknown. Their steps were never run here, so each
is waived with that as its reason, and they count in no conformance figure. Running an import again changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.text import slugify

from incidents import events
from incidents.actions.major_incidents import current_matrix
from incidents.models import (
    AffectedService,
    ClockEntry,
    DowntimeInterval,
    MajorIncident,
    Service,
    StageEntry,
    User,
)
from incidents.priority import priority_for
from incidents.process import CLOCKS, STEP_BY_KEY, EventKind, Stage, StepState, group_of

NOT_RUN_HERE = "Imported history: the process was not run here."
_ONE_IMPORT_AT_A_TIME = 5_204_311
_TEXTS = ("title", "description", "affects", "revenue_impact", "reputation_impact", "severity", "impact", "urgency",
          "users_affected")  # fmt: skip


@dataclass(frozen=True)
class PastDowntime:
    """`service` by slug or name, empty when nobody knows which; `ended_at` None while it lasts."""

    service: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class PastIncident:
    """One checked row of an import. Clocks absent from `clocks` are unknown."""

    external_id: str
    title: str
    impact: int
    urgency: int
    severity: str
    services: tuple[str, ...] = ()
    clocks: dict[str, datetime | None] = field(default_factory=dict)
    downtime: tuple[PastDowntime, ...] = ()
    description: str = ""
    affects: str = "both"
    users_affected: int | None = None
    revenue_impact: str = ""
    reputation_impact: str = ""

    @property
    def is_over(self) -> bool:
        return bool(self.clocks.get("resolved_at") or self.clocks.get("closed_at"))


@dataclass(frozen=True)
class Imported:
    """What became of one row: `created`, `updated` or `unchanged`."""

    incident_id: int
    status: str


@transaction.atomic
def import_past(past: Sequence[PastIncident], *, actor: User | None, at: datetime) -> list[Imported]:
    """Writes the rows in order, found again by `external_id`; unknown services are made.

    Clocks that a person has corrected here since stay as they are. An incident that is over is closed at once;
    one that is not stays open in its first stage. No two rows may share an `external_id`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_IMPORT_AT_A_TIME])
    services = _services_by_name(past)
    known = {
        incident.external_id: incident
        for incident in MajorIncident.objects.filter(external_id__in=[row.external_id for row in past])
        .select_for_update()
        .prefetch_related("affected", "downtime")
    }
    created = _create([row for row in past if row.external_id not in known], services, actor=actor, at=at)
    results = []
    for row in past:
        if row.external_id in created:
            results.append(Imported(created[row.external_id], "created"))
        else:
            incident = known[row.external_id]
            changed = _update(incident, row, services, actor=actor, at=at)
            results.append(Imported(incident.pk, "updated" if changed else "unchanged"))
    return results


def _services_by_name(past: Iterable[PastIncident]) -> dict[str, Service]:
    """Every service the rows name, by slug and by name; unknown ones are made."""
    wanted = dict.fromkeys(name for row in past for name in (*row.services, *(d.service for d in row.downtime)) if name)
    found: dict[str, Service] = {}
    everything = list(Service.objects.all())
    for service in everything:
        found[service.slug] = service
    for service in everything:
        found[service.name] = service
    for name in wanted:
        if name not in found:
            service = Service.objects.create(name=name, slug=free_slug(name, set(found)))
            found[service.slug] = found[name] = service
    return found


def free_slug(name: str, taken: set[str]) -> str:
    """A slug for the name that is not taken yet."""
    base = slugify(name)[:100] or "service"
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


def _create(
    past: list[PastIncident], services: dict[str, Service], *, actor: User | None, at: datetime
) -> dict[str, int]:
    if not past:
        return {}
    matrix = current_matrix()
    incidents = MajorIncident.objects.bulk_create(
        [
            MajorIncident(
                external_id=row.external_id,
                stage=Stage.CLOSED if row.is_over else Stage.IDENTIFICATION,
                priority=priority_for(row.impact, row.urgency),
                matrix=matrix,
                is_imported=True,
                last_seq=1,
                **{name: getattr(row, name) for name in _TEXTS},
                **row.clocks,
            )
            for row in past
        ]
    )
    pairs = list(zip(incidents, past, strict=True))
    AffectedService.objects.bulk_create(
        AffectedService(incident=incident, service_id=service_id, added_at=at)
        for incident, row in pairs
        for service_id in _affected(row, services)
    )
    DowntimeInterval.objects.bulk_create(
        _interval(incident, one, services) for incident, row in pairs for one in row.downtime
    )
    _record_creation(incidents, actor=actor, at=at)
    return {incident.external_id: incident.pk for incident in incidents}


# Twenty-one rows an incident: one statement each for a batch instead of as many objects.
_WRITE_STEPS = """
INSERT INTO incidents_incidentstep
  (incident_id, key, position, state, waiver_reason, evidence, missing, by_fallback)
SELECT i.id, step.key, step.number - 1,
  CASE WHEN i.stage = 'closed' THEN 'waived' ELSE 'pending' END,
  CASE WHEN i.stage = 'closed' THEN %s ELSE '' END, '{}', '[]', false
FROM incidents_majorincident i CROSS JOIN unnest(%s::text[]) WITH ORDINALITY AS step(key, number)
WHERE i.id = ANY(%s)
ORDER BY i.id, step.number
"""
_WRITE_CLOCKS = f"""
INSERT INTO incidents_clockentry (incident_id, clock, value, is_correction, reason, set_by_id, set_at)
SELECT i.id, c.clock, c.value, false, 'Imported', %s, %s
FROM incidents_majorincident i
  CROSS JOIN LATERAL (VALUES {", ".join(f"('{clock}', i.{clock})" for clock in CLOCKS)}) AS c(clock, value)
WHERE i.id = ANY(%s) AND c.value IS NOT NULL
ORDER BY i.id
"""  # noqa: S608 (clock names of the process)
_WRITE_STAGES = """
INSERT INTO incidents_stageentry (incident_id, transition, from_stage, to_stage, reason, by_id, at)
SELECT i.id, 'import', '', i.stage, '', %s, %s FROM incidents_majorincident i WHERE i.id = ANY(%s) ORDER BY i.id
"""
_WRITE_EVENTS = """
INSERT INTO incidents_timelineevent (incident_id, seq, kind, "group", actor_id, at, recorded_at, text, html, payload)
SELECT i.id, 1, %s, %s, %s, %s, %s, '', '', jsonb_build_object('imported', true, 'external_id', i.external_id)
FROM incidents_majorincident i WHERE i.id = ANY(%s) ORDER BY i.id
"""


def _record_creation(incidents: list[MajorIncident], *, actor: User | None, at: datetime) -> None:
    """History of clocks, stage, steps and one entry of the timeline each; written in bulk and announced to nobody."""
    ids = [incident.pk for incident in incidents]
    by, kind = actor.pk if actor else None, EventKind.INCIDENT_EDITED
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_STEPS, [NOT_RUN_HERE, list(STEP_BY_KEY), ids])
        cursor.execute(_WRITE_CLOCKS, [by, at, ids])
        cursor.execute(_WRITE_STAGES, [by, at, ids])
        cursor.execute(_WRITE_EVENTS, [kind, group_of(kind), by, at, at, ids])


def _affected(row: PastIncident, services: dict[str, Service]) -> list[int]:
    """Ids of the services a row names, those that were down included, each once."""
    names = (*row.services, *(one.service for one in row.downtime if one.service))
    return list(dict.fromkeys(services[name].pk for name in names))


def _interval(incident: MajorIncident, one: PastDowntime, services: dict[str, Service]) -> DowntimeInterval:
    return DowntimeInterval(
        incident=incident,
        service=services[one.service] if one.service else None,
        started_at=one.started_at,
        ended_at=one.ended_at,
        follows_clocks=False,
    )


def _update(
    incident: MajorIncident, row: PastIncident, services: dict[str, Service], *, actor: User | None, at: datetime
) -> bool:
    """Brings an incident in line with its row; says whether anything was different."""
    wanted: dict[str, Any] = {name: getattr(row, name) for name in _TEXTS}
    wanted |= {clock: row.clocks.get(clock) for clock in CLOCKS if clock not in incident.corrected_clocks}
    changed = {name: value for name, value in wanted.items() if getattr(incident, name) != value}
    affected, intervals = _affected(row, services), [_interval(incident, one, services) for one in row.downtime]
    has_new_services = set(affected) != {one.service_id for one in incident.affected.all()}
    has_new_downtime = _spans(intervals) != _spans(incident.downtime.all())
    if not (changed or has_new_services or has_new_downtime):
        return False
    for clock in changed.keys() & set(CLOCKS):
        ClockEntry.objects.create(
            incident=incident, clock=clock, value=changed[clock], previous=getattr(incident, clock),
            set_by=actor, set_at=at, reason="Imported again",
        )  # fmt: skip
    if {"impact", "urgency"} & changed.keys():
        changed["priority"] = priority_for(row.impact, row.urgency)
    MajorIncident.objects.filter(pk=incident.pk).update(**changed, updated_at=at)
    if has_new_services:
        incident.affected.all().delete()
        AffectedService.objects.bulk_create(
            AffectedService(incident=incident, service_id=pk, added_at=at) for pk in affected
        )
    if has_new_downtime:
        incident.downtime.all().delete()
        DowntimeInterval.objects.bulk_create(intervals)
    if row.is_over and incident.stage == Stage.IDENTIFICATION:
        _close(incident, actor=actor, at=at)
    fields = sorted(
        [*changed, *(["services"] if has_new_services else []), *(["downtime"] if has_new_downtime else [])]
    )
    events.record(EventKind.INCIDENT_EDITED, incident, actor=actor, at=at, imported=True, fields=fields)
    return True


def _spans(intervals: Iterable[DowntimeInterval]) -> set[tuple[int | None, datetime, datetime | None]]:
    return {(one.service_id, one.started_at, one.ended_at) for one in intervals}


def _close(incident: MajorIncident, *, actor: User | None, at: datetime) -> None:
    """An imported incident that has an end now, and that nobody has worked on here."""
    MajorIncident.objects.filter(pk=incident.pk).update(stage=Stage.CLOSED)
    incident.steps.filter(state__in=(StepState.PENDING, StepState.OPEN)).update(
        state=StepState.WAIVED, waiver_reason=NOT_RUN_HERE
    )
    StageEntry.objects.create(
        incident=incident, transition="import", from_stage=incident.stage, to_stage=Stage.CLOSED, by=actor, at=at
    )
