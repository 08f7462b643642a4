"""The lane of the webhooks: claim, write the body, sign, send, settle.

A claim is a lease of thirty seconds: what a worker that died had on its way is sent again with the same `webhook-id`.
Requests run in a few threads, everything about the database in this one. Each webhook has one request on its way at a
time and gets its messages in order; one that was tried three times steps aside, so that a body its endpoint cannot
digest holds up the later ones for minutes and not for days. Endpoints that fail take at most half of the threads.
"""

import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from standardwebhooks import Webhook as Signer

from incidents import events, live, outgoing, permissions
from incidents.models import User
from incidents.process import EventKind
from incidents.sealed import SealBroken, unseal
from notifications.models import Webhook, WebhookMessage, WebhookMessageState
from notifications.webhooks import outbox, payloads, schedule

LEASE = timedelta(seconds=30)
PARALLEL, FAILING_AT_MOST = 8, 4
IN_LINE_TRIES = 3
OFF_AFTER, OFF_AFTER_FAILURES = timedelta(days=5), 10
AGENT = "MIM-Webhooks/1"
WAITING = (WebhookMessageState.QUEUED, WebhookMessageState.SENDING)
_log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Attempt:
    """One request: `message` as claimed, everything the thread needs beside it."""

    message: WebhookMessage
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """`status` is None when nobody answered; `answer` what came back, cut; `reason` why it was not taken."""

    status: int | None
    answer: str = ""
    reason: str = ""
    rest_until: datetime | None = None

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


# --- The lane ---------------------------------------------------------------------------------------------
def send_due(*, seconds: float = 50, clock: Clock = timezone.now) -> int:
    """Sends what is due until nothing is left or the time is up; returns how many requests were made.

    Safe to run twice and in parallel. `clock` is what “due” is measured by.
    """
    ends_at = time.monotonic() + seconds
    flying: dict[Future[Outcome], Attempt] = {}
    sent = 0
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="webhook") as threads:
        while True:
            if time.monotonic() < ends_at:
                for attempt in _take_off(list(flying.values()), clock):
                    flying[threads.submit(request, attempt, clock)] = attempt
                    sent += 1
            if not flying:
                return sent
            landed, _ = wait(flying, timeout=1.0, return_when=FIRST_COMPLETED)  # the second: what became due meanwhile
            for future in landed:
                settle(flying.pop(future).message, future.result(), at=clock())


def _take_off(flying: list[Attempt], clock: Clock) -> list[Attempt]:
    """As many as there are threads free, healthy endpoints first."""
    found: list[Attempt] = []
    failing = sum(one.message.webhook.failing_since is not None for one in flying)
    for are_failing in (False, True):
        free = PARALLEL - len(flying) - len(found)
        wanted = min(free, FAILING_AT_MOST - failing) if are_failing else free
        if wanted > 0:
            taken = claim(at=clock(), most=wanted, failing=are_failing)
            found += [attempt for row in taken if (attempt := prepare(row, at=clock())) is not None]
    return found


def claim(*, at: datetime, most: int, failing: bool) -> list[WebhookMessage]:
    """Takes the next due messages, one a webhook, for `LEASE`; of endpoints that fail, or of those that do not."""
    waiting = WebhookMessage.objects.filter(webhook=OuterRef("pk"), state__in=WAITING, is_trial=False)
    in_line = waiting.filter(attempts__lt=IN_LINE_TRIES).order_by("pk").values("pk")
    first_in_line = Webhook.objects.annotate(head=Subquery(in_line[:1])).filter(head__isnull=False).values("head")
    is_on_its_way = WebhookMessage.objects.filter(
        webhook=OuterRef("webhook"), state=WebhookMessageState.SENDING, lease_until__gt=at
    )
    free = Q(state=WebhookMessageState.QUEUED, next_attempt_at__lte=at) | Q(
        state=WebhookMessageState.SENDING, lease_until__lte=at
    )
    may_leave = Q(is_trial=True) | Q(attempts__gte=IN_LINE_TRIES) | Q(pk__in=first_in_line)
    may_be_asked = Q(is_trial=True) | Q(webhook__is_enabled=True) & (
        Q(webhook__not_before__isnull=True) | Q(webhook__not_before__lte=at)
    )
    due = (
        WebhookMessage.objects.filter(free, may_leave, may_be_asked, webhook__failing_since__isnull=not failing)
        .filter(~Exists(is_on_its_way))
        .order_by("next_attempt_at", "id")
    )
    lease = uuid.uuid4()
    with transaction.atomic():
        first: dict[int, int] = {}
        for pk, webhook_id in due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", "webhook_id")[
            : most * 4
        ]:
            first.setdefault(webhook_id, pk)
        taken = list(first.values())[:most]
        WebhookMessage.objects.filter(pk__in=taken).update(
            state=WebhookMessageState.SENDING, lease=lease, lease_until=at + LEASE, attempts=F("attempts") + 1
        )
    rows = WebhookMessage.objects.select_related("webhook__owner", "event__actor", "event__incident")
    return list(rows.filter(lease=lease).order_by("next_attempt_at", "id"))


def prepare(message: WebhookMessage, *, at: datetime) -> Attempt | None:
    """The request, its body kept before anything leaves; None when the message is settled without one."""
    webhook = message.webhook
    if (reason := why_silent(webhook)) and not webhook.is_public:
        switch_off(webhook.pk, reason=reason, at=at)
        _give_up(message, reason)
        return None
    try:
        if not message.body:
            assert message.event is not None and webhook.owner is not None
            message.body = payloads.body_of(message.event, webhook.owner)
            _mine(message).update(body=message.body)
        return Attempt(message, headers_of(message, at=at), message.body.encode())
    except (payloads.NotForOwner, SealBroken) as refusal:
        _give_up(message, str(refusal))
    except Exception as error:  # one event that cannot be written must not hold up the others
        _log.exception("webhook message could not be written", extra={"message": message.pk, "type": message.type})
        settle(message, Outcome(None, reason=f"Could not be written: {type(error).__name__}"), at=at)
    return None


def why_silent(webhook: Webhook) -> str:
    """Why nothing may be sent in the name of its owner any more; "" when it may."""
    owner: User | None = webhook.owner
    if owner is None or permissions.can(owner, "view_desk"):
        return ""
    if not permissions.is_usable(owner):
        return f"The account of its owner, {owner.email}, has no access any more."
    return f"Its owner, {owner.email}, may not read the desk any more."


def headers_of(message: WebhookMessage, *, at: datetime) -> dict[str, str]:
    """As Standard Webhooks wants them. While two secrets are good, two signatures; raises SealBroken."""
    webhook = message.webhook
    sealed = [webhook.sealed_secret]
    if webhook.old_sealed_secret and webhook.old_secret_until and webhook.old_secret_until > at:
        sealed.append(webhook.old_sealed_secret)
    signatures = [Signer(unseal(one)).sign(message.message_id, at, message.body) for one in sealed]
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": message.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def request(attempt: Attempt, clock: Clock = timezone.now) -> Outcome:
    """One POST, in a thread of the lane. Never raises, never touches the database."""
    try:
        reply = outgoing.request("POST", attempt.message.webhook.url, content=attempt.body, headers=attempt.headers)
    except (outgoing.OutgoingRefused, outgoing.OutgoingFailed) as error:
        return Outcome(None, reason=str(error)[:500])
    except Exception as error:  # whatever a client comes up with
        _log.exception("webhook request failed", extra={"message": attempt.message.pk})
        return Outcome(None, reason=f"The request failed: {type(error).__name__}")
    answer = reply.text.replace("\x00", "").strip()[:500]
    reason = ""
    if 300 <= reply.status < 400:
        reason = f"It answered {reply.status}, a redirect. Those are not followed: enter the address it leads to."
    elif not 200 <= reply.status < 300:
        reason = f"It answered {reply.status}."
    return Outcome(reply.status, answer, reason, schedule.rest_until(reply, at=clock()))


# --- What became of it ------------------------------------------------------------------------------------
def settle(message: WebhookMessage, outcome: Outcome, *, at: datetime) -> None:
    """Writes the answer on the message and on its webhook. A message another worker took over is left to it."""
    webhook, is_gone = message.webhook, outcome.status == 410
    following = None if is_gone else _next_try(message, outcome, at)
    state = WebhookMessageState.DELIVERED
    if not outcome.is_taken:
        state = WebhookMessageState.QUEUED if following else WebhookMessageState.FAILED
    reason = outcome.reason
    if state == WebhookMessageState.FAILED and message.attempts > 1:
        reason = f"Given up after {message.attempts} tries. {reason}"
    settled = _mine(message).update(
        state=state,
        status=outcome.status,
        answer=outcome.answer,
        reason=reason[:500],
        delivered_at=at if outcome.is_taken else None,
        next_attempt_at=following or F("next_attempt_at"),
        lease=None,
        lease_until=None,
    )
    if settled:
        _note(webhook, message, outcome, at)
        if is_gone:
            switch_off(webhook.pk, reason="Its endpoint answered 410: it is gone for good.", at=at)
    live.changed(outbox.TOPIC, "settled")


def _next_try(message: WebhookMessage, outcome: Outcome, at: datetime) -> datetime | None:
    """A test is tried once; the question whether an endpoint wants to follow, three times."""
    if message.is_trial and (not message.webhook.is_public or message.attempts >= IN_LINE_TRIES):
        return None
    return schedule.next_try(message.attempts, at=at, rest_until=outcome.rest_until)


def _note(webhook: Webhook, message: WebhookMessage, outcome: Outcome, at: datetime) -> None:
    """How the webhook does. A test that fails is seen, but counts for nothing."""
    seen = {"last_tried_at": at, "last_status": outcome.status, "last_answer": outcome.reason[:300]}
    row = Webhook.objects.filter(pk=webhook.pk)
    if outcome.is_taken:
        row.update(**seen, last_delivered_at=at, failing_since=None, failures=0, not_before=None)
        return
    if message.is_trial:
        row.update(**seen)
        return
    row.update(
        **seen,
        failing_since=Coalesce("failing_since", at),
        failures=F("failures") + 1,
        not_before=outcome.rest_until or F("not_before"),
    )
    worn_out = row.filter(failing_since__lte=at - OFF_AFTER, failures__gte=OFF_AFTER_FAILURES)
    if worn_out.exists():
        switch_off(webhook.pk, reason=f"Nothing was taken for {OFF_AFTER.days} days. {outcome.reason}", at=at)


def _give_up(message: WebhookMessage, reason: str) -> None:
    _mine(message).update(state=WebhookMessageState.FAILED, reason=reason[:500], lease=None, lease_until=None)
    live.changed(outbox.TOPIC, "settled")


def _mine(message: WebhookMessage) -> QuerySet[WebhookMessage]:
    return WebhookMessage.objects.filter(pk=message.pk, lease=message.lease, state=WebhookMessageState.SENDING)


@transaction.atomic
def switch_off(webhook_id: int, *, reason: str, at: datetime) -> None:
    """By itself: nothing is written for it any more, what waits has failed, administrators are told why.

    Doing it again changes nothing. A follower of the status page goes without a word.
    """
    row = Webhook.objects.select_for_update(of=("self",)).get(pk=webhook_id)
    if not row.is_enabled:
        return
    row.is_enabled, row.off_reason = False, reason[:300]
    row.save(update_fields=["is_enabled", "off_reason"])
    drop_waiting(webhook_id)
    outbox.changed()
    if not row.is_public:
        events.record(
            EventKind.WEBHOOK_SWITCHED_OFF, row, actor=None, at=at, webhook_id=row.pk, name=row.name, reason=reason
        )


def drop_waiting(webhook_id: int) -> int:
    """What waits for a webhook that is switched off: failed, to be replayed when it is on again."""
    waiting = WebhookMessage.objects.filter(webhook=webhook_id, state=WebhookMessageState.QUEUED, is_trial=False)
    return waiting.update(
        state=WebhookMessageState.FAILED, reason="The webhook was switched off before this was sent.", lease=None
    )
