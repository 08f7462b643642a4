"""Alerts out of signals: one transaction and a handful of statements a body, however many alerts it speaks of."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import OuterRef, Q
from django.db.models.functions import Lower

from incidents.actions import alert_rows, alert_rules, arrivals, payloads
from incidents.alert_episodes import Episode, Flapping, Heard, fold
from incidents.alert_signals import Says, Signal
from incidents.models import Alert, Integration, MaintenanceWindow, Organisation, Payload, Service

KEY, EPISODE, TITLE, BODY, LINK = 512, 120, 1024, 20_000, 1000
LABELS, LABEL = 64, 4_000
_DECIDED_AT_ONCE = 1_000
_FORGOTTEN_AT_ONCE = 5_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class _Named:
    """A service and when work on it was planned, as far as this body is concerned."""

    pk: int
    windows: list[tuple[datetime, datetime]]


@transaction.atomic
def take_in(integration: Integration, signals: Iterable[Signal], *, payload: Payload, at: datetime) -> list[Episode]:
    """What one body says, folded into the alerts of its sender; the rules decide about what began.

    The payload is saved; its `received_at` is the time of signals without one. Answers the alerts it told of, with
    their `pk`. Late and repeated signals change nothing but `reports`; INFO makes no alert; a resolve of nothing is
    dropped. Waits while somebody else takes in for this sender.
    """
    payloads.lock_sender(integration.pk, wait=True)
    return take_in_several(integration, [(payload, list(signals))], at=at)


def take_in_several(
    integration: Integration, bodies: Sequence[tuple[Payload, Sequence[Signal]]], *, at: datetime
) -> list[Episode]:
    """The same for bodies in the order they came, in the caller's transaction, which holds the sender's lock."""
    signals = [(payload, signal) for payload, found in bodies for signal in found if signal.says != Says.INFO]
    if not signals:
        return []
    services = _services(integration, bodies, signals)
    ids = _ServiceIds(services, integration.service_id)
    heard = [_heard(payload, signal, ids[signal.service]) for payload, signal in signals]
    histories = alert_rows.histories(integration, heard)
    flapping = flapping_of(integration)
    for one in heard:
        fold(histories.setdefault(one.key, []), one, flapping)
    told = [episode for history in histories.values() for episode in history if episode.touched]
    planned = any(one.windows for one in services.values())
    for episode in told if planned else ():
        if episode.began or episode.returned:
            _look_for_planned_work(episode, services)
    alert_rules.decide(integration, told, at=at)
    told = alert_rows.write(integration, told)
    began = Counter(
        (episode.service_id, episode.first_received_at)
        for episode in told
        if episode.began and not episode.is_drill and not episode.in_maintenance
    )
    arrivals.note(arrivals.Arrived(service, at, alerts=count) for (service, at), count in began.items())
    return told


def flapping_of(integration: Integration) -> Flapping:
    """The sender's own limits: settings `flapping_changes` (at least 3) and `flapping_seconds`, else the usual."""
    usual, given = Flapping(), integration.settings
    changes, seconds = given.get("flapping_changes"), given.get("flapping_seconds")
    return Flapping(
        changes if isinstance(changes, int) and 3 <= changes <= 100 else usual.changes,
        seconds if isinstance(seconds, int) and 1 <= seconds <= 86_400 else usual.seconds,
    )


# --- signals made fit for the record ---------------------------------------------------------
class _ServiceIds(dict[str, int | None]):
    """The service behind what signals call it, looked up once a name; the sender's own for one nobody knows."""

    def __init__(self, services: Mapping[str, _Named], otherwise: int | None) -> None:
        self.services, self.otherwise = services, otherwise

    def __missing__(self, called: str) -> int | None:
        name = called.strip()
        named = self.services.get(name) or self.services.get(name.lower())
        self[called] = named.pk if named else self.otherwise
        return self[called]


def _heard(payload: Payload, signal: Signal, service_id: int | None) -> Heard:
    received_at = payload.received_at
    at = signal.occurred_at
    return Heard(
        key=_short(signal.key.strip() or signal.title, KEY),
        says=signal.says.value,
        episode=_short(signal.episode, EPISODE),
        at=min(at, received_at) if at is not None and at.tzinfo is not None and at.year > 1970 else received_at,
        received_at=received_at,
        severity=signal.severity.value,
        title=_cut(" ".join(signal.title.split()), TITLE) or "Alert without a title",
        body=_cut(signal.body, BODY),
        labels=_labels(signal.labels),
        link=_cut(signal.link, LINK) if signal.link.startswith(("https://", "http://")) else "",
        service_id=service_id,
        payload_id=payload.pk,
        is_drill=payload.is_drill,
    )


def _storable(text: str) -> str:
    return text if text.isascii() and "\x00" not in text else _UNSTORABLE.sub("\ufffd", text)


def _cut(text: str, most: int) -> str:
    text = _storable(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _short(text: str, most: int) -> str:
    """A key as it is; a longer one keeps its beginning and becomes unmistakable by a hash."""
    text = _storable(text)
    return text if len(text) <= most else f"{text[: most - 65]}:{sha256(text.encode()).hexdigest()}"


def _labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    """As they are when one look at all of them finds nothing to mend, which is nearly always."""
    try:
        joined = "".join(labels) + "".join(labels.values())
    except TypeError:  # something that is no text
        joined = "\x00"
    if len(labels) <= LABELS and len(joined) <= LABEL and joined.isascii() and "\x00" not in joined:
        return labels
    return {_cut(str(name), LABEL): _cut(str(value), LABEL) for name, value in list(labels.items())[:LABELS]}


# --- services and planned work ---------------------------------------------------------------
def _services(
    integration: Integration,
    bodies: Sequence[tuple[Payload, Sequence[Signal]]],
    signals: Sequence[tuple[Payload, Signal]],
) -> dict[str, _Named]:
    """Services by what signals may call them: slug, then exact name, then either whatever the case; "" is the
    sender's own. Only what is still offered. One query."""
    named = {_storable(name.strip())[:120] for name in {signal.service for _, signal in signals}} - {""}
    lower = [name.lower() for name in named]
    until = max(payload.received_at for payload, _ in bodies)
    times = [signal.occurred_at for _, signal in signals if signal.occurred_at and signal.occurred_at.tzinfo]
    since = min([payload.received_at for payload, _ in bodies] + times)
    planned = MaintenanceWindow.objects.filter(
        services=OuterRef("pk"), starts_at__lte=until, ends_at__gt=since
    ).order_by("pk")
    known = (
        Service.objects.filter(is_active=True)
        .annotate(low_slug=Lower("slug"), low_name=Lower("name"))
        .filter(Q(low_slug__in=lower) | Q(low_name__in=lower) | Q(pk=integration.service_id))
        .annotate(begins=ArraySubquery(planned.values("starts_at")), ends=ArraySubquery(planned.values("ends_at")))
        .order_by("pk")
    )
    if not named and integration.service_id is None:
        return {}
    found: dict[str, _Named] = {}
    services = list(known)
    for name_of in _WAYS_TO_NAME:
        found |= {name_of(service): _named(service) for service in services}
    own = next((service for service in services if service.pk == integration.service_id), None)
    return found | ({"": _named(own)} if own else {})


_WAYS_TO_NAME: tuple[Callable[[Any], str], ...] = (
    lambda service: service.low_name,
    lambda service: service.low_slug,
    lambda service: service.name,
    lambda service: service.slug,
)
"""The weakest first."""


def _named(service: Any) -> _Named:
    return _Named(service.pk, list(zip(service.begins, service.ends, strict=True)))


def _look_for_planned_work(episode: Episode, services: Mapping[str, _Named]) -> None:
    """Began inside a maintenance window of its service: no rule looks at it before the work is over."""
    windows = next((one.windows for one in services.values() if one.pk == episode.service_id), [])
    over = [ends for begins, ends in windows if begins <= episode.fires_since < ends]
    if over:
        episode.in_maintenance, episode.decide_at = True, max(over)


# --- what time brings about --------------------------------------------------------------------
def decide_due(*, at: datetime) -> int:
    """Alerts whose rule waited (`after_seconds`), whose planned work is over, or whose decision was refused at the
    moment. A sender that is being worked on is left to the next sweep. Answers how many were looked at."""
    due = Alert.objects.filter(decide_at__lte=at)
    senders = Integration.objects.filter(pk__in=due.values("integration_id")).order_by("pk")
    return sum(_decide_due_of(sender, at) for sender in senders)


@transaction.atomic
def _decide_due_of(sender: Integration, at: datetime) -> int:
    if not payloads.lock_sender(sender.pk, wait=False):
        return 0
    due = Alert.objects.filter(integration=sender, decide_at__lte=at).order_by("decide_at", "id")
    episodes = alert_rows.loaded(due[:_DECIDED_AT_ONCE])
    alert_rules.decide(sender, episodes, at=at)
    alert_rows.write(sender, episodes)
    return len(episodes)


def calm_down(*, at: datetime) -> list[int]:
    """Alerts that have not changed for a window flap no longer. Answers their ids."""
    flapping = Alert.objects.filter(is_flapping=True).select_related("integration").order_by("integration_id", "id")
    calm: dict[int, list[int]] = {}
    for alert in flapping.only("integration__settings", "recent_changes"):
        window = timedelta(seconds=flapping_of(alert.integration).seconds)
        if not alert.recent_changes or max(alert.recent_changes) <= at - window:
            calm.setdefault(alert.integration_id, []).append(alert.pk)
    return [pk for sender, found in calm.items() for pk in _calm_down_of(sender, found)]


@transaction.atomic
def _calm_down_of(sender_id: int, alert_ids: list[int]) -> list[int]:
    if not payloads.lock_sender(sender_id, wait=False):
        return []
    Alert.objects.filter(pk__in=alert_ids).update(is_flapping=False)
    return alert_ids


# --- forgetting -----------------------------------------------------------------------------------
def forget_old(*, at: datetime) -> int:
    """Resolved alerts older than the organisation keeps them, in small steps. Those of a ticket, candidate or major
    incident belong to its record and stay. Answers how many."""
    before = at - timedelta(days=Organisation.current().alert_days)
    over = Alert.objects.filter(
        ended_at__lt=before, ticket__isnull=True, candidate__isnull=True, major_incident__isnull=True
    ).order_by("ended_at")
    count = 0
    while chunk := list(over.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE]):
        Alert.objects.filter(pk__in=chunk).delete()
        count += len(chunk)
    return count
