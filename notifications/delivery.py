"""The outbox is emptied here: claim, check once more, word, send, settle.

A claim is a lease: rows of a worker that died are free again when it ends. A message is settled as soon as its channel
took it, those that leave within an instant together, so a kill repeats at most the few of that instant, and they bear
the same Message-ID.
"""

import logging
import random
import time
import uuid
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Prefetch, Q, QuerySet
from django.utils import timezone

from incidents import live
from incidents.models import TimelineEvent
from notifications import acknowledge_links, evidence, fallback, fan_out, freshness, page_links, seat_letters, storm
from notifications.bell import ring
from notifications.channels import LOCAL, Channel, Outcome, Outgoing, registry
from notifications.channels.health import HealthBook
from notifications.messages import wording_of
from notifications.models import WAITING_STATES, Delivery, DeliveryState, Message

LEASE = timedelta(seconds=15)
REPORT_EVERY_SECONDS = 1.0
RENEW_BELOW = timedelta(seconds=12)  # what leaves now may take ten seconds
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 5, 600
LONGEST_PAUSE = timedelta(hours=1)
LOOK_FOR_URGENT_EVERY = timedelta(seconds=0.5)
_LANE = 0x4D494D  # names the advisory lock under which a channel that sends one at a time is claimed
_log = logging.getLogger(__name__)


def deliver_due(*, seconds: float = 60, only: Collection[str] = LOCAL) -> int:
    """Sends what is due on these channels until nothing is left or the time is up; returns how many were tried.

    Safe to run twice and in parallel: rows are claimed under lock, one worker each.
    """
    channels = [channel for key, channel in registry().items() if key in only]
    ends_at = time.monotonic() + seconds
    tried = 0
    touched: set[int] = set()
    report_at = time.monotonic() + REPORT_EVERY_SECONDS
    while time.monotonic() < ends_at:
        more = fan_out.expand_next()
        for channel in channels:
            rows = _send_batch(channel)
            tried += len(rows)
            touched |= {row.incident_id for row in rows if row.incident_id}
            more = more or bool(rows)
        if more and time.monotonic() < report_at:
            continue
        if not more and not touched:
            break
        began = time.monotonic()
        _report(touched)  # which may queue more: a step that is done is told at once
        # Counting a large audience takes long: sending keeps nine tenths of the time.
        report_at = time.monotonic() + max(REPORT_EVERY_SECONDS, 9 * (time.monotonic() - began))
    _report(touched)
    return tried


def remote_channels_due(*, now: datetime) -> list[str]:
    """Channels with a provider that have something to send at this moment. One query."""
    waiting = _due(now).exclude(channel__in=LOCAL)
    return list(waiting.order_by().values_list("channel", flat=True).distinct())


def _due(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        Q(state=DeliveryState.QUEUED, next_attempt_at__lte=now) | Q(state=DeliveryState.SENDING, lease_until__lte=now)
    )


def _report(touched: set[int]) -> None:
    """Tells the incidents what their deliveries prove now, and their open pages that something changed."""
    for incident_id in touched:
        live.changed(f"MI-{incident_id}", "delivery")
        evidence.report(incident_id)
    touched.clear()


def claim(channel: Channel, *, now: datetime, lease: uuid.UUID) -> list[Delivery]:
    """Takes the next due rows of a channel for `LEASE`; empty when none is due or another worker has the lane."""
    with transaction.atomic():
        if channel.one_at_a_time and not _lane_is_free(channel, now):
            return []
        due = (
            _due(now)
            .filter(channel=channel.key)
            .order_by("priority", "next_attempt_at", "id")
            .select_for_update(skip_locked=True)
        )
        taken = list(due.values_list("pk", flat=True)[: channel.batch])
        Delivery.objects.filter(pk__in=taken).update(
            state=DeliveryState.SENDING, lease=lease, lease_until=now + LEASE, attempts=F("attempts") + 1
        )
    rows = Delivery.objects.filter(lease=lease).order_by("priority", "next_attempt_at", "id")
    # The rows of a batch are nearly all about one event: it is read once, not once a row.
    events = TimelineEvent.objects.select_related("actor", "incident")
    return list(rows.prefetch_related(Prefetch("event", events), "recipient", "contact", "destination"))


def _lane_is_free(channel: Channel, now: datetime) -> bool:
    """Whether nobody holds a live lease on this channel, asked by one claimer at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LANE, channel.key])
    busy = Delivery.objects.filter(channel=channel.key, state=DeliveryState.SENDING, lease_until__gt=now)
    return not busy.exists()


def _send_batch(channel: Channel) -> list[Delivery]:
    lease = uuid.uuid4()
    rows = claim(channel, now=timezone.now(), lease=lease)
    if rows:
        health = HealthBook(channel.key)
        for group in channel.send(_still_wanted(rows, lease)):
            _settle(group, lease)
            health.note(group, timezone.now())
    return rows


def _still_wanted(rows: list[Delivery], lease: uuid.UUID) -> Iterator[Outgoing]:
    """Each row just before it leaves: the lease is kept alive, and what is not wanted any more is held back."""
    check, control = freshness.Check(), storm.Control()
    spoken_for: set[int] = set()
    worded: dict[tuple[int, str, str], Message] = {}
    lease_until = timezone.now() + LEASE
    look_at = timezone.now() + LOOK_FOR_URGENT_EVERY
    for place, row in enumerate(rows):
        if row.pk in spoken_for:
            continue
        now = timezone.now()
        if now > look_at:
            look_at = now + LOOK_FOR_URGENT_EVERY
            if _something_more_urgent_waits(row, now):
                _give_back(rows[place:], lease)
                return
        if lease_until - now < RENEW_BELOW:
            lease_until = now + LEASE
            if not _mine(row, lease).update(lease_until=lease_until):
                return  # somebody else has taken over
            Delivery.objects.filter(lease=lease, state=DeliveryState.SENDING).update(lease_until=lease_until)
        reason = check.why_not(row, now)
        if reason:
            was_tried = row.reason and row.held_until is None
            state = DeliveryState.FAILED if was_tried else DeliveryState.SUPPRESSED
            said = f"Given up after {row.attempts - 1} attempts: {row.reason}" if was_tried else reason
            _mine(row, lease).update(state=state, reason=said, lease=None, lease_until=None)
            continue
        verdict = control.judge(row, now)
        if verdict.hold_until is not None:
            _hold_back(row, verdict.hold_until, lease)
            continue
        try:
            key = (row.event_id, row.moment, row.audience)
            message = worded.get(key) or worded.setdefault(key, wording_of(row.event, row.moment, row.audience))
            waited = [wording_of(one.event, one.moment, one.audience) for one in verdict.digested]
        except Exception as error:  # one moment without words must not hold up the others
            _log.exception("message could not be worded", extra={"delivery": row.pk, "moment": row.moment})
            _settle_refused(row, Outcome(False, f"Could not be worded: {error}"), None, lease)
            continue
        digested = tuple(one.pk for one in verdict.digested)
        spoken_for.update(digested)
        own = acknowledge_links.personal(seat_letters.personal(page_links.personal(message, row), row), row)
        yield Outgoing(row, storm.with_digest(own, waited), digested)


def _something_more_urgent_waits(row: Delivery, now: datetime) -> bool:
    return _due(now).filter(channel=row.channel, priority__lt=row.priority).exists()


def _give_back(rest: list[Delivery], lease: uuid.UUID) -> None:
    """What has not left yet of this claim is free again, as if it had not been taken. What is on its way is not: a
    channel that sends several at once has its answers still to come."""
    left = Delivery.objects.filter(pk__in=[row.pk for row in rest], lease=lease, state=DeliveryState.SENDING)
    left.update(state=DeliveryState.QUEUED, attempts=F("attempts") - 1, lease=None, lease_until=None)


def _hold_back(row: Delivery, until: datetime, lease: uuid.UUID) -> None:
    """Back into the queue, to leave in a digest."""
    _mine(row, lease).update(
        state=DeliveryState.QUEUED,
        next_attempt_at=until,
        held_until=until,
        attempts=F("attempts") - 1,
        reason=f"Held back: three messages within ten minutes. It leaves in a digest at {until:%H:%M} UTC.",
        lease=None,
        lease_until=None,
    )


def _settle(group: list[tuple[Outgoing, Outcome]], lease: uuid.UUID) -> None:
    """Writes what became of the messages. A row that another worker took over meanwhile is left to it."""
    now = timezone.now()
    accepted = []
    for one, outcome in group:
        if outcome.accepted:
            _settle_digested(one)
            accepted.append((one.delivery.pk, one.message.pk, outcome.answer, outcome.provider_id))
            continue
        _settle_refused(one.delivery, outcome, one.message, lease)
    if accepted:
        _write_delivered(accepted, lease, now)


def _write_delivered(accepted: list[tuple[int, int, str, str]], lease: uuid.UUID, now: datetime) -> None:
    """Of each its key, that of its wording, the provider's answer and its name for it.

    In plain SQL, because it is the one statement of every single message. The commit does not wait for the disk: if
    the machine itself dies within that moment, a message goes out again under the same identity, as it does when the
    worker dies between sending and this.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL synchronous_commit = off;"
            "UPDATE notifications_delivery AS it SET state = %s, delivered_at = %s, answer = told.answer,"
            " provider_id = told.provider_id, reason = '', wording_id = told.wording, lease = NULL, lease_until = NULL"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[])"
            " AS told (id, wording, answer, provider_id) WHERE it.id = told.id AND it.lease = %s::uuid",
            [DeliveryState.DELIVERED.value, now, *map(list, zip(*accepted, strict=True)), str(lease)],
        )


def _settle_digested(one: Outgoing) -> None:
    if one.digested:
        waiting = Delivery.objects.filter(pk__in=one.digested, state__in=WAITING_STATES)
        said = "Told in a digest together with a later message."
        waiting.update(state=DeliveryState.SUPPRESSED, reason=said, lease=None, lease_until=None)


@transaction.atomic
def _settle_refused(row: Delivery, outcome: Outcome, wording: Message | None, lease: uuid.UUID) -> None:
    """Not accepted: told on the person's next channel when it may not wait, else back in the queue; or failed."""
    now = timezone.now()
    instead = fallback.next_row(row, outcome, now=now)
    given_up = outcome.is_final or instead is not None
    pause = max(retry_after(row.attempts), min(outcome.retry_after or timedelta(), LONGEST_PAUSE))
    settled = _mine(row, lease).update(
        state=DeliveryState.FAILED if given_up else DeliveryState.QUEUED,
        answer=outcome.answer,
        reason=fallback.said(outcome.answer, instead),
        wording=wording,
        next_attempt_at=now + pause,
        lease=None,
        lease_until=None,
    )
    if instead is not None and settled:
        Delivery.objects.bulk_create([instead], ignore_conflicts=True)
        ring()


def _mine(row: Delivery, lease: uuid.UUID) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=row.pk, lease=lease, state=DeliveryState.SENDING)


def retry_after(attempts: int) -> timedelta:
    """5 s, 10 s, 20 s … up to ten minutes, each cut by up to half at random so that retries do not march in step."""
    seconds = min(FIRST_RETRY_SECONDS * 2 ** max(attempts - 1, 0), LONGEST_RETRY_SECONDS)
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))  # noqa: S311 – spreads load, guards nothing
