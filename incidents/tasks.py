"""Sweeps: each finds the rows that are due and does what a lost wake-up missed. Safe to run twice."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from incidents.actions import cascades, changes, observations, sla_sweep, steps
from incidents.models import IdempotentRequest

REMEMBERED_FOR = timedelta(hours=24)


@shared_task
def sweep_cascades() -> None:
    """Acts on many tickets: those of an incident are resolved and reopened with it, chosen ones as somebody asked."""
    cascades.run_waiting(at=timezone.now())


@shared_task
def sweep_observations() -> None:
    """Incidents whose requesters say that it is still broken are reopened."""
    observations.reopen_failed_observations(at=timezone.now())


@shared_task
def sweep_ticket_clocks() -> None:
    """Promises about to be late are warned about, late ones escalated, and changed targets reach open tickets."""
    sla_sweep.renew_clocks(at=timezone.now())
    sla_sweep.strike_due_clocks(at=timezone.now())


@shared_task
def sweep_emergency_approvals() -> None:
    """Emergency changes nobody approved within 24 h are flagged."""
    changes.flag_late_approvals(at=timezone.now())


@shared_task
def sweep_consults() -> None:
    """Consult requests nobody answered in time are marked so."""
    steps.expire_consults(at=timezone.now())


@shared_task
def forget_idempotency_keys() -> None:
    """First answers are repeated for 24 hours, then forgotten."""
    IdempotentRequest.objects.filter(created_at__lt=timezone.now() - REMEMBERED_FOR).delete()
