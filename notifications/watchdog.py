"""Watches the paging and the machinery: what is over a minute late raises an alarm, whatever keeps the sweep from it.

It runs apart from the sweep: as a task of its own, and from whoever asks `/readyz`, in the process that answers,
without the broker. There it also takes the late steps and sends what is due, so that a dead worker delays a page by
no more than the next question.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Min
from django.utils import timezone

from incidents.actions import paging
from incidents.errands import Errands
from incidents.models import people_with_role
from incidents.process import AccountRole, EventKind
from notifications import delivery, escalation, queued_mail, vitals
from notifications.models import Heartbeat, Page, PageState
from notifications.vitals import Sign

LATE, AGAIN = timedelta(seconds=60), timedelta(minutes=10)
SECONDS_TO_SEND = 20
_rescuers = Errands()
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lateness:
    """How many pages wait for a late step, and how late the latest is; 0 for none."""

    pages: int
    seconds: float


def lateness(*, now: datetime) -> Lateness:
    """One query."""
    late = Page.objects.filter(state=PageState.PAGING, due_at__lt=now - LATE)
    found = late.aggregate(pages=Count("pk"), oldest=Min("due_at"))
    oldest = found["oldest"]
    return Lateness(found["pages"], round((now - oldest).total_seconds(), 1) if oldest else 0.0)


def alarm(*, now: datetime) -> int:
    """Tells the administrators that steps are late: one alarm for all of them, again every ten minutes."""
    if Page.objects.filter(alarmed_at__gt=now - AGAIN).exists():
        return 0
    late = Page.objects.filter(state=PageState.PAGING, due_at__lt=now - LATE).order_by("due_at")
    oldest = late.values_list("pk", flat=True).first()
    return _tell(oldest, now) if oldest else 0


def _tell(page_id: int, now: datetime) -> int:
    found = lateness(now=now)
    with transaction.atomic():
        about = Page.objects.values_list("candidate_id", "incident_id").get(pk=page_id)
        subject = paging.lock_subject(*about)
        page = Page.objects.select_for_update().get(pk=page_id)
        if page.state != PageState.PAGING or page.due_at is None or page.due_at >= now - LATE:
            return 0
        Page.objects.filter(state=PageState.PAGING, due_at__lt=now - LATE).update(alarmed_at=now)
        paging.record(
            EventKind.PAGE_LATE, subject, actor=None, at=now, late_seconds=round(found.seconds), waiting=found.pages
        )
    _log.error("paging is late", extra={"pages": found.pages, "seconds": found.seconds})
    return 1


def watch(*, now: datetime) -> int:
    """The alarm, and its messages at once: this does not wait for another task to run."""
    raised = alarm(now=now)
    if raised:
        delivery.deliver_due(seconds=SECONDS_TO_SEND)
    return raised


def rescue() -> None:
    """What a process can do that nobody asked to page: alarm, take the late steps, send. Each on its own."""
    steps: tuple[Callable[[], object], ...] = (
        lambda: alarm(now=timezone.now()),
        lambda: escalation.sweep(now=timezone.now()),
        lambda: delivery.deliver_due(seconds=SECONDS_TO_SEND),
    )
    try:
        for step in steps:
            try:
                step()
            except DatabaseError:
                raise
            except Exception:
                _log.exception("a late page could not be rescued")
    finally:
        connection.close()


def raise_alarm(late: Sequence[Sign], *, now: datetime) -> int:
    """Mails the administrators what is late, at most every ten minutes for each sign, and sends what is due at once.

    Everything happens in the caller: no worker and no broker takes part. Returns how many administrators were told.
    """
    fresh = [sign for sign in late if _is_fresh(sign, now)]
    told = 0
    if fresh:
        _log.error("the machinery is late", extra={"signs": {sign.name: sign.words for sign in fresh}})
        told = _mail_administrators(fresh)
    queued_mail.send_due(at=now)
    delivery.deliver_due(seconds=SECONDS_TO_SEND)
    return told


def _is_fresh(sign: Sign, now: datetime) -> bool:
    """Whether nobody was alarmed about this lately; from now on somebody was."""
    name = f"alarm {sign.name}"
    if Heartbeat.objects.filter(name=name, beaten_at__gt=now - AGAIN).exists():
        return False
    vitals.beat(name, at=now)
    return True


def _mail_administrators(late: Sequence[Sign]) -> int:
    said = "\n".join(f"- {sign.words[:1].upper()}{sign.words[1:]}." for sign in late)
    text = (
        f"The machinery behind the messages of the service desk is late:\n\n{said}\n\n"
        "Messages and pages may not arrive in time: call those on duty by telephone. The web server now sends what is "
        f"due by itself, slower than usual.\n\nWhat is wrong in detail: {settings.PUBLIC_URL}/readyz\n"
    )
    people = people_with_role(AccountRole.ADMINISTRATOR)
    mails = [EmailMessage("Alarm: messages may be late", text, to=[one.email]) for one in people if one.email]
    return queued_mail.QueueBackend().send_messages(mails)


def rescue_soon() -> None:
    """In a thread of its own in this process; returns at once."""
    _rescuers.add("rescue late pages", rescue)
