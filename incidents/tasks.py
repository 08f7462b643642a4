"""Sweeps: each finds the rows that are due and does what a lost wake-up missed. Safe to run twice."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from incidents import wake_up
from incidents.actions import (
    alert_recovery,
    alerts,
    arrivals,
    backtests,
    cascades,
    changes,
    heartbeats,
    influx,
    kept_files,
    knowledge_index,
    observations,
    payloads,
    recurrence,
    review_actions,
    rounds,
    sla_sweep,
    steps,
    usual,
    work,
)
from incidents.intake.monitoring import processing
from incidents.models import IdempotentRequest

REMEMBERED_FOR = timedelta(hours=24)


@shared_task
def sweep_cascades() -> None:
    """Acts on many tickets: those of an incident are resolved and reopened with it, chosen ones as somebody asked."""
    cascades.run_waiting(at=timezone.now())


@shared_task
def sweep_heartbeats() -> None:
    """Jobs that did not call in become alerts."""
    heartbeats.open_alerts_for_late(at=timezone.now())


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
def sweep_work() -> None:
    """Owners of tasks whose time is over are called back; decisions nobody objected to in time stand."""
    work.call_back(at=timezone.now())
    rounds.close_due(at=timezone.now())


@shared_task
def forget_idempotency_keys() -> None:
    """First answers are repeated for 24 hours, then forgotten."""
    IdempotentRequest.objects.filter(created_at__lt=timezone.now() - REMEMBERED_FOR).delete()


@shared_task
def process_payloads(integration_id: int) -> None:
    """The wake-up after a body was accepted."""
    processing.process(integration_id)


@shared_task
def sweep_payloads() -> None:
    """Bodies whose wake-up was lost, whose worker died, or that are to be tried again."""
    processing.process_due(at=timezone.now())


@shared_task
def sweep_alerts() -> None:
    """Rules that waited, alerts that calmed down, records whose alerts have all resolved."""
    now = timezone.now()
    alerts.decide_due(at=now)
    alerts.calm_down(at=now)
    alert_recovery.review_all(at=now)


@shared_task
def forget_old_alerts() -> None:
    """Bodies and resolved alerts are kept as long as the organisation says."""
    now = timezone.now()
    payloads.forget_old(at=now)
    alerts.forget_old(at=now)


@shared_task
def look_for_influx() -> None:
    """New tickets and alerts are counted, attached to what is open, and judged; also what no wake-up reached."""
    wake_up.begun(arrivals.LOOK)
    influx.look(at=timezone.now())


@shared_task
def renew_usual_arrivals() -> None:
    """What is usual is computed again every six hours."""
    usual.renew_when_due(at=timezone.now())


@shared_task
def run_backtests() -> None:
    """Thresholds tried on past tickets, a week at a time; goes on where a worker that died left off."""
    backtests.run_waiting(at=timezone.now())


@shared_task
def forget_arrivals() -> None:
    """Counters, groups and old back-tests nothing is compared with any more."""
    influx.forget(at=timezone.now())
    backtests.forget(at=timezone.now())


@shared_task
def forget_kept_files() -> None:
    """Files of reports that were never sent are kept for a day."""
    kept_files.forget_old(at=timezone.now())


@shared_task
def index_knowledge() -> None:
    """Documents and known errors that came in by another way than their page become findable."""
    knowledge_index.index_stale()


@shared_task
def sweep_learning() -> None:
    """Actions of reviews that are due or late, and problems whose ninety days are over."""
    now = timezone.now()
    review_actions.remind_and_escalate(at=now)
    recurrence.check_recurrences(at=now)
