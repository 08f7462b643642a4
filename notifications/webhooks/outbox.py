"""From an event to the messages of the webhooks that want it, in the transaction of the event.

Who listens is remembered in each process for two seconds, so an event costs nothing while nobody does. A webhook that
was just made or switched on hears in other processes two seconds later; what it wants is looked at again when it is
sent, so one that was switched off is told nothing.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from incidents import live
from incidents.errands import after_commit
from incidents.models import AffectedService, TimelineEvent
from notifications.models import Webhook, WebhookMessage
from notifications.webhooks.catalogue import NAME_OF

REMEMBERED_SECONDS = 2.0
TOPIC = "webhooks"


@dataclass(frozen=True)
class Listener:
    """What one webhook wants to hear; an empty set means all."""

    pk: int
    events: frozenset[str]
    severities: frozenset[str]
    services: frozenset[int]
    include_drills: bool

    @classmethod
    def of(cls, row: Webhook) -> "Listener":
        services = frozenset(service.pk for service in row.services.all())
        return cls(row.pk, frozenset(row.events), frozenset(row.severities), services, row.include_drills)

    def wants(self, name: str, event: TimelineEvent) -> bool:
        """Whether it wants the event, its services aside."""
        incident = event.incident
        if self.events and name not in self.events:
            return False
        if self.severities and (incident is None or incident.severity not in self.severities):
            return False
        return self.include_drills or incident is None or not incident.is_drill


class _Listeners:
    """The enabled webhooks as this process last read them."""

    def __init__(self) -> None:
        self._rows: tuple[Listener, ...] = ()
        self._until = 0.0

    def now(self) -> tuple[Listener, ...]:
        if time.monotonic() >= self._until:
            self._rows = read_listeners()
            self._until = time.monotonic() + REMEMBERED_SECONDS
        return self._rows

    def know(self, rows: tuple[Listener, ...], seconds: float) -> None:
        self._rows, self._until = rows, time.monotonic() + seconds

    def forget(self) -> None:
        self._until = 0.0


listeners = _Listeners()


def read_listeners() -> tuple[Listener, ...]:
    """One query, and one more when there are any."""
    rows = Webhook.objects.filter(is_enabled=True, is_public=False).prefetch_related("services")
    return tuple(Listener.of(row) for row in rows)


def changed() -> None:
    """What webhooks want has changed: forgotten now, and once more when the others can see it."""
    listeners.forget()
    transaction.on_commit(listeners.forget, robust=True)
    live.changed(TOPIC, "settings")


def on_event(sender: Any, event: TimelineEvent, **kwargs: Any) -> None:
    """Receiver of `event_recorded`."""
    name = NAME_OF.get(event.kind)
    if name is None:
        return
    wanting = [one for one in listeners.now() if one.wants(name, event)]
    if not wanting or (event.incident is not None and event.incident.is_imported):
        return
    write([(one.pk, event.pk, event.kind) for one in _about_its_services(wanting, event)], at=timezone.now())


def _about_its_services(wanting: list[Listener], event: TimelineEvent) -> list[Listener]:
    """Those that want the services of the event; its services are only read when somebody chose some."""
    if not any(one.services for one in wanting):
        return wanting
    about = _services_of(event)
    return [one for one in wanting if not one.services or one.services & about]


def _services_of(event: TimelineEvent) -> set[int]:
    """Keys of the services the event is about: of its incident, ticket, candidate and change."""
    found: set[int | None] = set()
    if event.incident_id:
        found |= set(AffectedService.objects.filter(incident=event.incident_id).values_list("service", flat=True))
    if event.ticket is not None:
        found.add(event.ticket.service_id)
    if event.candidate is not None:
        found.add(event.candidate.service_id)
    if event.change is not None:
        found |= set(event.change.services.values_list("pk", flat=True))
    return {pk for pk in found if pk is not None}


def write(rows: list[tuple[int, int, str]], *, at: datetime) -> None:
    """Messages of (webhook, event, kind of event); who has one of the event already gets no second."""
    messages = [
        WebhookMessage(
            webhook_id=webhook_id,
            event_id=event_id,
            message_id=new_id(),
            type=NAME_OF[kind],
            queued_at=at,
            next_attempt_at=at,
        )
        for webhook_id, event_id, kind in rows
    ]
    if messages:
        WebhookMessage.objects.bulk_create(messages, ignore_conflicts=True, batch_size=500)
        ring()


def new_id() -> str:
    return f"msg_{secrets.token_hex(16)}"


def ring() -> None:
    """After the commit, wakes the lane; what it misses, the sweep finds."""
    after_commit("send webhooks", _call)
    live.changed(TOPIC, "message")


def _call() -> None:
    from notifications.tasks import sweep_webhooks  # the task imports what rings

    sweep_webhooks.apply_async(ignore_result=True, retry=False, expires=60)
