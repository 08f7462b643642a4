"""A missing acknowledgement is chased: asked for once more, then reported to the service desk manager.

Nothing is kept in memory: the times stand on the deliveries, and a sweep finds who is late. It stops for whoever
acknowledges, and for whoever has acted on the incident meanwhile: they know.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from incidents.actions import telling
from incidents.communication import Moment
from incidents.models import MajorIncident, TimelineEvent, User
from incidents.process import OPEN_STAGES, Audience, EventKind
from notifications import receipts
from notifications.models import ChannelKey, Delivery, DeliveryState
from notifications.plans import plan_for

ESCALATE_AFTER = timedelta(minutes=10)
"""How long after it was asked for again a missing acknowledgement is reported."""
ACTED = "acted on the incident"


def wanted_by(delivery: Delivery) -> datetime | None:
    """When the recipient should have acknowledged the message (aware UTC), as the plan said when it was queued.

    None when nobody waits for it. Whoever did the act knows of it.
    """
    if delivery.recipient_id is None or delivery.recipient_id == delivery.event.actor_id:
        return None
    return delivery.acknowledgement_wanted_by


def asks(incident: MajorIncident, audience: str) -> bool:
    """Whether people of the audience are asked to acknowledge the declaration of this incident."""
    return plan_for(incident).wants_acknowledgement(audience, Moment.DECLARED) is not None


def unacknowledged(incidents: Iterable[MajorIncident]) -> QuerySet[Delivery]:
    """Deliveries of these incidents that may be waited for still; `wanted_by` decides about each."""
    rows = Delivery.objects.filter(incident__in=[one.pk for one in incidents], acknowledgement_wanted_by__isnull=False)
    return rows.filter(acknowledged_at__isnull=True).exclude(state=DeliveryState.SUPPRESSED)


def sweep(*, now: datetime) -> int:
    """Asks again and reports what is late; returns how many people it was about. Safe to run twice."""
    late = Delivery.objects.filter(
        acknowledgement_wanted_by__lte=now, acknowledged_at__isnull=True, escalated_at__isnull=True,
        incident__stage__in=OPEN_STAGES, incident__resolved_at__isnull=True,
    ).exclude(state=DeliveryState.SUPPRESSED)  # fmt: skip
    return sum(_chase(pk, now) for pk in late.order_by().values_list("incident", flat=True).distinct() if pk)


@dataclass
class _Late:
    """One person whose acknowledgement of one message is missing, on whichever channels it went."""

    person: User
    rows: list[Delivery] = field(default_factory=list)

    @property
    def is_reminded(self) -> bool:
        return any(row.reminded_at for row in self.rows)


@transaction.atomic
def _chase(incident_id: int, now: datetime) -> int:
    """One incident under its lock, so that two workers chase nobody twice."""
    incident = MajorIncident.objects.select_for_update(of=("self",)).get(pk=incident_id)
    late = _late(incident, now)
    known = _acted(incident_id, [one.person.pk for one in late])
    for one in late:
        if one.person.pk in known:
            receipts.acknowledge(one.rows[0], one.person, now, ACTED)
    waiting = [one for one in late if one.person.pk not in known]
    remind = [one for one in waiting if not one.is_reminded]
    report = [
        one
        for one in waiting
        if one.is_reminded and max(row.reminded_at for row in one.rows if row.reminded_at) <= now - ESCALATE_AFTER
    ]
    if remind:
        _note(EventKind.ACKNOWLEDGEMENT_REMINDED, incident_id, remind, now, "reminded_at")
    if report:
        plan = plan_for(incident)
        targets = {plan.escalates_to(name) for one in report for row in one.rows for name in row.audiences}
        _note(EventKind.ACKNOWLEDGEMENT_MISSING, incident_id, report, now, "escalated_at", escalate_to=sorted(targets))
    return len(remind) + len(report)


def _late(incident: MajorIncident, now: datetime) -> list[_Late]:
    rows = unacknowledged([incident]).filter(escalated_at__isnull=True, recipient__is_active=True)
    found: dict[tuple[int, int], _Late] = {}
    for row in rows.select_related("event", "recipient", "incident").order_by("pk"):
        due = wanted_by(row)
        if due is not None and due <= now and row.recipient is not None:
            found.setdefault((row.event_id, row.recipient.pk), _Late(row.recipient)).rows.append(row)
    return list(found.values())


def _acted(incident_id: int, people: list[int]) -> set[int]:
    """Who of them did something on the incident: what a person does shows that they know."""
    acts = TimelineEvent.objects.filter(incident=incident_id, actor__in=people)
    return {pk for pk in acts.values_list("actor", flat=True).distinct() if pk}


def _note(kind: EventKind, incident_id: int, late: list[_Late], now: datetime, name: str, **payload: Any) -> None:
    """Writes the times and the one event that tells; its deliveries are queued in the same transaction."""
    keys = [row.pk for one in late for row in one.rows]
    Delivery.objects.filter(pk__in=keys).update(**{name: now})
    telling.record(
        kind, incident_id, actor=None, at=now, people=[one.person.display_name for one in late],
        user_ids=[one.person.pk for one in late], **payload,
    )  # fmt: skip


def asked_of(person: User, incident: MajorIncident) -> Delivery | None:
    """The message of this incident that the person is to acknowledge, as it stands in their inbox; None for none."""
    rows = unacknowledged([incident]).filter(recipient=person, channel=ChannelKey.IN_APP)
    return next((row for row in rows.select_related("event", "incident").order_by("-pk") if wanted_by(row)), None)


def counts(incident: MajorIncident) -> dict[str, tuple[int, int]]:
    """Per audience that is asked: how many people acknowledged everything they were to, and how many are to. One query.

    A message on three channels is one message to one person.
    """
    rows = Delivery.objects.filter(incident=incident, acknowledgement_wanted_by__isnull=False)
    rows = rows.exclude(state=DeliveryState.SUPPRESSED).exclude(recipient=F("event__actor"))
    wanted: dict[str, set[int]] = {}
    missing: dict[str, set[int]] = {}
    for person, names, at in rows.values_list("recipient", "audiences", "acknowledged_at"):
        for name in names:
            if person is not None and name in Audience.values:
                wanted.setdefault(name, set()).add(person)
                if at is None:
                    missing.setdefault(name, set()).add(person)
    return {name: (len(people - missing.get(name, set())), len(people)) for name, people in wanted.items()}
