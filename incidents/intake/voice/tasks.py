"""Sweeps of the telephone line. Safe to run twice."""

from celery import shared_task
from django.utils import timezone

from incidents.actions import phone_calls
from incidents.intake.voice import recordings


@shared_task
def sweep_recordings() -> None:
    """Recordings are fetched from the provider."""
    recordings.fetch_due(at=timezone.now())


@shared_task
def sweep_phone_calls() -> None:
    """Calls whose end nobody told us are ended."""
    phone_calls.settle_due(at=timezone.now())
