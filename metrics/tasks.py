"""Periodic work: KPI rows of incidents whose clocks moved."""

from celery import shared_task
from django.utils import timezone

from metrics import rows


@shared_task(ignore_result=True)
def compute_kpi_row(incident_id: int) -> None:
    rows.compute(incident_id, at=timezone.now())


@shared_task(ignore_result=True)
def sweep_kpi_rows() -> None:
    for incident_id in rows.waiting():
        rows.compute(incident_id, at=timezone.now())
