"""Hears what happened and marks the incident's KPI row stale. Computing is the sweep's work, after the commit."""

from functools import partial
from typing import Any

from django.dispatch import receiver

from incidents.errands import after_commit
from incidents.events import event_recorded
from incidents.models import TimelineEvent
from incidents.process import EventKind
from metrics.models import IncidentFigures

MOVES_FIGURES = frozenset(
    {
        EventKind.DECLARED,
        EventKind.STAGE_CHANGED,
        EventKind.CONTAINED,
        EventKind.RESTORED,
        EventKind.RESOLVED,
        EventKind.CLOSED,
        EventKind.REOPENED,
        EventKind.STOOD_DOWN,
        EventKind.REINSTATED,
        EventKind.MERGED,
        EventKind.INCIDENT_EDITED,
        EventKind.CLOCK_SET,
        EventKind.CLOCK_CORRECTED,
        EventKind.CLOCK_NOT_APPLICABLE,
        EventKind.DOWNTIME_OPENED,
        EventKind.DOWNTIME_CORRECTED,
        EventKind.DOWNTIME_ENDED,
        EventKind.TICKET_LINKED,
    }
)


@receiver(event_recorded)
def mark_stale(sender: type[TimelineEvent], event: TimelineEvent, **_: Any) -> None:
    """One upsert in the transaction of the act; the wake-up after it may be lost, the sweep finds the row."""
    if event.incident_id is None or event.kind not in MOVES_FIGURES:
        return
    from metrics.tasks import compute_kpi_row

    IncidentFigures.objects.bulk_create(
        [IncidentFigures(incident_id=event.incident_id, stale_since=event.recorded_at)],
        update_conflicts=True,
        unique_fields=["incident"],
        update_fields=["stale_since", "is_kept"],
    )
    after_commit(("compute the KPI row", event.incident_id), partial(compute_kpi_row.delay, event.incident_id))
