"""Thin tasks: each reads the truth again and is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from incidents.wake_up import begun
from notifications import (
    chase,
    contact_messages,
    delivery,
    escalation,
    evidence,
    promises,
    queued_mail,
    slack_replies,
    vitals,
    watchdog,
)
from notifications.bell import DELIVER
from notifications.status import files, subscribers


@shared_task(ignore_result=True, time_limit=110)
def sweep_deliveries() -> int:
    """The wake-up after an event, and every five seconds what a lost wake-up or a dead worker left."""
    begun(DELIVER)
    for channel in delivery.remote_channels_due(now=timezone.now()):
        sweep_channel.apply_async((channel,), ignore_result=True, retry=False, expires=60)
    if contact_messages.has_due(at=timezone.now()):
        sweep_contact_messages.apply_async(ignore_result=True, retry=False, expires=60)
    tried = queued_mail.send_due(at=timezone.now())
    tried += delivery.deliver_due()
    evidence.report_outstanding()
    return tried


@shared_task(ignore_result=True, time_limit=110)
def sweep_channel(channel: str) -> int:
    """What is due on one channel with a provider; apart from the others, which a slow provider must not hold up."""
    return delivery.deliver_due(seconds=50, only=[channel])


@shared_task(ignore_result=True, time_limit=110)
def sweep_contact_messages() -> int:
    """Codes and tests people asked for; apart from the outbox, because they wait for a provider too."""
    return contact_messages.send_due(at=timezone.now())


@shared_task(ignore_result=True)
def sweep_promises() -> int:
    """Reminds the owners of promised updates and escalates those that are overdue."""
    return promises.watch(at=timezone.now())


@shared_task(ignore_result=True)
def sweep_acknowledgements() -> int:
    """Asks again for acknowledgements that are missing, and reports those that stay missing."""
    return chase.sweep(now=timezone.now())


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
    for name in ("beat", "worker"):
        vitals.beat(name)


@shared_task(ignore_result=True)
def write_status_page() -> int:
    """After something public changed, and every twenty seconds for what changes by time alone."""
    return len(files.write(timezone.now()))


@shared_task(ignore_result=True)
def forget_contact_messages() -> None:
    """Codes and tests that are over are not kept."""
    contact_messages.forget(at=timezone.now())


@shared_task(ignore_result=True)
def forget_unconfirmed_subscribers() -> int:
    """Addresses whose owner never confirmed are not kept."""
    return subscribers.forget_unconfirmed(at=timezone.now())


@shared_task(ignore_result=True, time_limit=60)
def answer_slack_press(sentence: str, reply_to: str, thread: int | None) -> None:
    """Says to whoever pressed what became of it, and shows it in the head message."""
    slack_replies.say(sentence, reply_to)
    slack_replies.show(thread)
