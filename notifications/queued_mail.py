"""Mails of sign-in and invitations: queued in the transaction of the act, sent by a worker, tried again for a day.

Django's own backend would send them in the request: a mail server that is away would lose an invitation, and make the
person who asked wait. The text holds links that open an account, so it is sealed, and gone once it was sent.
"""

import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone

from incidents.sealed import SealBroken, seal, unseal
from notifications.bell import ring
from notifications.models import QueuedMail

SMTP = "django.core.mail.backends.smtp.EmailBackend"
GIVE_UP_AFTER = timedelta(days=1)
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 5, 1800
BATCH = 20
SECONDS_PER_COMMAND = 5
_log = logging.getLogger(__name__)


class QueueBackend(BaseEmailBackend):
    """What `EMAIL_BACKEND` names."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Writes one row a recipient, in the caller's transaction; returns how many mails were queued."""
        now = timezone.now()
        rows = [
            QueuedMail(
                address=address,
                subject=str(mail.subject)[:250],
                sealed=seal(_raw(mail)),
                queued_at=now,
                next_attempt_at=now,
            )
            for mail in email_messages
            for address in mail.recipients()
        ]
        QueuedMail.objects.bulk_create(rows)
        ring()
        return len(email_messages)


def _raw(mail: EmailMessage) -> str:
    """The bytes as text, one character a byte. With its Message-ID: a mail program recognises a repetition."""
    return mail.message().as_bytes().decode("latin-1")


def send_due(*, at: datetime) -> int:
    """Sends what is due, at most twenty; returns how many were tried. Safe to run twice and in parallel."""
    tried = 0
    for _ in range(BATCH):
        with transaction.atomic():
            row = (
                QueuedMail.objects.select_for_update(skip_locked=True)
                .filter(sent_at__isnull=True, given_up_at__isnull=True, next_attempt_at__lte=at)
                .order_by("next_attempt_at", "id")
                .first()
            )
            if row is None:
                return tried
            row.attempts += 1
            row.next_attempt_at = at + _pause(row.attempts)
            row.save(update_fields=["attempts", "next_attempt_at"])
        tried += 1
        _send(row, at)
    return tried


def _send(row: QueuedMail, at: datetime) -> None:
    """Outside of any transaction: a slow mail server holds nobody's locks."""
    try:
        raw = unseal(row.sealed).encode("latin-1")
        with get_connection(SMTP, timeout=SECONDS_PER_COMMAND) as smtp:
            smtp.connection.sendmail(parseaddr(settings.DEFAULT_FROM_EMAIL)[1], [row.address], raw)  # type: ignore[attr-defined]
    except SealBroken as error:
        QueuedMail.objects.filter(pk=row.pk).update(given_up_at=at, reason=str(error), sealed="")
    except Exception as error:  # whatever a mail server or its client comes up with
        over = at >= row.queued_at + GIVE_UP_AFTER
        _log.warning("mail waits", extra={"mail": row.pk, "attempts": row.attempts, "reason": str(error)[:200]})
        QueuedMail.objects.filter(pk=row.pk).update(
            reason=str(error)[:1000], given_up_at=at if over else None, **({"sealed": ""} if over else {})
        )
    else:
        QueuedMail.objects.filter(pk=row.pk).update(sent_at=at, sealed="", reason="")


def _pause(attempts: int) -> timedelta:
    seconds = min(FIRST_RETRY_SECONDS * 2 ** (attempts - 1), LONGEST_RETRY_SECONDS)
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))  # noqa: S311 – spreads load, guards nothing
