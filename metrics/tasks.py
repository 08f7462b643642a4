"""Periodic work: KPI rows of incidents whose clocks moved, and months all of whose rows are there."""

from celery import shared_task
from django.utils import timezone

from metrics import kept_months, monthly_report, rows, uploads

LARGEST_SWEEP = 5_000


@shared_task(ignore_result=True)
def compute_kpi_row(incident_id: int) -> None:
    rows.compute(incident_id, at=timezone.now())


@shared_task(ignore_result=True)
def sweep_kpi_rows() -> None:
    rows.compute_many(rows.waiting_in_bulk(LARGEST_SWEEP), at=timezone.now())
    for incident_id in rows.waiting():
        rows.compute(incident_id, at=timezone.now())
    kept_months.keep(at=timezone.now())


@shared_task(ignore_result=True)
def sweep_monthly_report() -> None:
    monthly_report.send_due(at=timezone.now())


@shared_task(ignore_result=True)
def run_history_upload(upload_id: int) -> None:
    uploads.run(upload_id)


@shared_task(ignore_result=True)
def sweep_history_uploads() -> None:
    for upload_id in uploads.waiting(at=timezone.now()):
        uploads.run(upload_id)
