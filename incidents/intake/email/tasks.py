"""Thin tasks of e-mail in: each finds what is due and is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from incidents.intake.email import polling, process


@shared_task(ignore_result=True)
def process_mail() -> int:
    """The wake-up after a mail, and every five seconds what a lost wake-up or a dead worker left."""
    return process.process_due(at=timezone.now())


@shared_task(ignore_result=True)
def poll_mailboxes() -> int:
    """Fetches what is new in the mailboxes whose time has come."""
    return polling.poll_due()
