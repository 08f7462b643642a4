"""Thin tasks: each reads the truth again and is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from notifications import delivery, escalation, evidence, promises, queued_mail, watchdog
from notifications.models import Heartbeat
from notifications.status import files, subscribers


@shared_task(ignore_result=True, time_limit=110)
def sweep_deliveries() -> int:
    """The wake-up after an event, and every five seconds what a lost wake-up or a dead worker left."""
    for channel in delivery.remote_channels_due(now=timezone.now()):
        sweep_channel.apply_async((channel,), ignore_result=True, retry=False, expires=60)
    tried = queued_mail.send_due(at=timezone.now())
    tried += delivery.deliver_due()
    evidence.report_outstanding()
    return tried


@shared_task(ignore_result=True, time_limit=110)
def sweep_channel(channel: str) -> int:
    """What is due on one channel with a provider; apart from the others, which a slow provider must not hold up."""
    return delivery.deliver_due(seconds=50, only=[channel])


@shared_task(ignore_result=True)
def sweep_promises() -> int:
    """Reminds the owners of promised updates and escalates those that are overdue."""
    return promises.watch(at=timezone.now())


@shared_task(ignore_result=True, time_limit=110)
def sweep_pages() -> int:
    """Takes the next step of every page that nobody answered in time."""
    return escalation.sweep(now=timezone.now())


@shared_task(ignore_result=True, time_limit=60)
def watch_pages() -> int:
    """Raises the alarm when steps of pages are late, whatever keeps `sweep_pages` from them."""
    return watchdog.watch(now=timezone.now())


@shared_task(ignore_result=True)
def heartbeat() -> None:
    """Asked for by beat and run by a worker, so both are alive when this is fresh."""
    now = timezone.now()
    for name in ("beat", "worker"):
        Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": now})


@shared_task(ignore_result=True)
def write_status_page() -> int:
    """After something public changed, and every twenty seconds for what changes by time alone."""
    return len(files.write(timezone.now()))


@shared_task(ignore_result=True)
def forget_unconfirmed_subscribers() -> int:
    """Addresses whose owner never confirmed are not kept."""
    return subscribers.forget_unconfirmed(at=timezone.now())
