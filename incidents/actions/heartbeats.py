"""Heartbeats: a job calls in, or its silence becomes an alert.

`beat_due_at` is when the next beat is expected; `grace_seconds` later it is late. Both are moments in UTC and spans of
seconds, so a clock change of the place is no reason for an alarm. A heartbeat that never called in is not late.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, QuerySet

from incidents import live
from incidents.actions import alert_recovery, alerts, payloads
from incidents.alert_episodes import Episode
from incidents.alert_signals import Grade, Says, Signal
from incidents.models import Alert, Integration, IntegrationKind, Payload, PayloadState

KEY = "heartbeat"
_AT_ONCE = 500


def beat(integration_id: int, *, at: datetime, method: str = "POST") -> bool:
    """The job called in: the next beat is due one interval later. Ends the alert of its silence, if there is one.

    An older beat that arrives late moves nothing back. Answers whether it ended an alert. Raises
    Integration.DoesNotExist for what is no active heartbeat.
    """
    return _follow(_beat(integration_id, at, method), at)


@transaction.atomic
def _beat(integration_id: int, at: datetime, method: str) -> list[Episode]:
    integration = _heartbeats().select_for_update(no_key=True, of=("self",)).get(pk=integration_id)
    if integration.last_beat_at is None or at >= integration.last_beat_at:
        integration.last_beat_at = at
        integration.beat_due_at = at + timedelta(seconds=integration.expected_every_seconds or 0)
        integration.save(update_fields=["last_beat_at", "beat_due_at"])
    if not _open_alerts(integration.pk).exists():
        return []
    signal = Signal(
        key=KEY,
        says=Says.RESOLVED,
        title=f"{integration.name} calls in again",
        severity=Grade.ERROR,
        body=f"It called in at {at:%Y-%m-%d %H:%M:%S} UTC.",
        occurred_at=at,
    )
    return _tell(integration, signal, method=method, reason="Called in again.", at=at)


def open_alerts_for_late(*, at: datetime) -> int:
    """Those whose grace is over and whose silence is not an alert yet. Answers how many alerts began; safe to run
    twice and at the same time."""
    grace = ExpressionWrapper(F("grace_seconds") * timedelta(seconds=1), output_field=DurationField())
    late = (
        _heartbeats()
        .filter(beat_due_at__lte=at - grace)
        .exclude(Exists(_open_alerts(OuterRef("pk"))))
        .order_by("beat_due_at")
        .values_list("pk", flat=True)
    )
    return sum(_follow(_open_alert(pk, at), at) for pk in late[:_AT_ONCE])


@transaction.atomic
def _open_alert(integration_id: int, at: datetime) -> list[Episode]:
    """Asked again under the lock that a beat takes, too."""
    integration = _heartbeats().select_for_update(no_key=True, of=("self",)).filter(pk=integration_id).first()
    if integration is None or not is_late(integration, at) or _open_alerts(integration_id).exists():
        return []
    due, last = integration.beat_due_at, integration.last_beat_at
    every = timedelta(seconds=integration.expected_every_seconds or 0)
    signal = Signal(
        key=KEY,
        says=Says.FIRING,
        title=f"{integration.name} has not called in",
        severity=_severity(integration),
        body=(
            f"Expected every {every}, last heard at {last:%Y-%m-%d %H:%M:%S} UTC, due at {due:%Y-%m-%d %H:%M:%S} UTC."
        ),
        occurred_at=due,
        labels={"last_beat_at": last.isoformat() if last else "", "due_at": due.isoformat() if due else ""},
    )
    return _tell(integration, signal, method="", reason="No beat in time.", at=at)


def is_late(integration: Integration, at: datetime) -> bool:
    """At the very moment the grace ends, it is late. Never before the first beat."""
    due = integration.beat_due_at
    return due is not None and due + timedelta(seconds=integration.grace_seconds) <= at


def _heartbeats() -> QuerySet[Integration]:
    return Integration.objects.filter(kind=IntegrationKind.HEARTBEAT, is_active=True, expected_every_seconds__gt=0)


def _open_alerts(integration: int | OuterRef) -> QuerySet[Alert]:
    return Alert.objects.filter(integration=integration, dedup_key=KEY, ended_at__isnull=True)


def _severity(integration: Integration) -> Grade:
    """The setting `severity`, else error."""
    given = integration.settings.get("severity")
    return Grade(given) if given in list(Grade) else Grade.ERROR


def _tell(integration: Integration, signal: Signal, *, method: str, reason: str, at: datetime) -> list[Episode]:
    """As any sender's word: kept as a payload without a body, folded into alerts, looked at by the rules."""
    payload = Payload(
        integration=integration,
        received_at=at,
        method=method,
        body=b"",
        sha256="",
        state=PayloadState.DONE,
        reason=reason,
        alerts=1,
        processed_at=at,
    )
    payloads.keep(payload)
    return alerts.take_in(integration, [signal], payload=payload, at=at)


def _follow(told: list[Episode], at: datetime) -> bool:
    """What comes after committed alerts; the sweep makes up for it when this process ends here."""
    if told:
        alert_recovery.review(told, at=at)
        live.changed("alerts", "alerts_changed")
    return bool(told)
