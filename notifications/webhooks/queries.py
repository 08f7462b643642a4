"""Reading webhooks: how each does, and what became of its messages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.db.models import Count, Min, Q, QuerySet

from notifications.models import Webhook, WebhookMessage, WebhookMessageState
from notifications.webhooks.sender import WAITING

LOOKS_BACK = timedelta(hours=24)
SHOWN = 30
STATES = ("working", "failing", "silent", "off")


@dataclass(frozen=True)
class Health:
    """`state` is off, failing, working or silent (nothing was sent yet). `waiting` messages are not taken yet, the
    oldest since `waiting_since`; `delivered` and `failed` count the last 24 hours."""

    state: str = "silent"
    waiting: int = 0
    waiting_since: datetime | None = None
    delivered: int = 0
    failed: int = 0


def webhooks() -> QuerySet[Webhook]:
    """Those of administrators, with owner and services; not the followers of the status page."""
    return Webhook.objects.filter(is_public=False).select_related("owner").prefetch_related("services")


def health_of(rows: Iterable[Webhook], at: datetime) -> dict[int, Health]:
    """How each does now. One query, however many there are."""
    known = {row.pk: row for row in rows}
    lately = Q(queued_at__gte=at - LOOKS_BACK)
    found = (
        WebhookMessage.objects.filter(webhook__in=known)
        .filter(lately | Q(state__in=WAITING))
        .order_by()
        .values("webhook")
        .annotate(
            waiting=Count("pk", filter=Q(state__in=WAITING)),
            waiting_since=Min("queued_at", filter=Q(state__in=WAITING)),
            delivered=Count("pk", filter=lately & Q(state=WebhookMessageState.DELIVERED)),
            failed=Count("pk", filter=lately & Q(state=WebhookMessageState.FAILED)),
        )
    )
    counted = {row["webhook"]: row for row in found}
    return {pk: _health(row, counted.get(pk, {})) for pk, row in known.items()}


def _health(row: Webhook, counted: Any) -> Health:
    return Health(_state(row), **{name: value for name, value in counted.items() if name != "webhook"})


def _state(row: Webhook) -> str:
    if not row.is_enabled:
        return "off"
    if row.failing_since:
        return "failing"
    return "working" if row.last_delivered_at else "silent"


def messages() -> QuerySet[WebhookMessage]:
    """Of the webhooks of administrators, with their webhook and event."""
    return WebhookMessage.objects.filter(webhook__is_public=False).select_related("webhook", "event")


def last_messages(row: Webhook) -> list[WebhookMessage]:
    return list(messages().filter(webhook=row).defer("body").order_by("-id")[:SHOWN])


@dataclass(frozen=True)
class Followers:
    """Programs that follow the status page: how many confirmed, and how many of them fail."""

    confirmed: int
    failing: int
    waiting: int


def followers() -> Followers:
    counted = Webhook.objects.filter(is_public=True).aggregate(
        confirmed=Count("pk", filter=Q(is_enabled=True)),
        failing=Count("pk", filter=Q(is_enabled=True, failing_since__isnull=False)),
        waiting=Count("pk", filter=Q(endpoint__confirmed_at__isnull=True)),
    )
    return Followers(**counted)


def host_of(row: Webhook) -> str:
    """The host alone, for lists: what follows in an address may be a secret of its receiver."""
    return httpx.URL(row.url).host
