"""A missing acknowledgement is chased: asked for once more, then reported to the service desk manager.

Nothing is kept in memory: the times stand on the deliveries, and a sweep finds who is late. It stops for whoever
acknowledges, and for whoever has acted on the incident meanwhile: they know.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from incidents.actions import telling
from incidents.models import MajorIncident, TimelineEvent, User
from incidents.priority import Severity
from incidents.process import OPEN_STAGES, Audience, EventKind
from notifications import receipts
from notifications.models import ChannelKey, Delivery, DeliveryState

WITHIN = timedelta(minutes=15)
ESCALATE_AFTER = timedelta(minutes=10)
"""How long after it was asked for again a missing acknowledgement is reported."""
MOMENT = "declared"
ASKED = (Audience.TECHNICAL, Audience.MANAGEMENT)
ACTED = "acted on the incident"


def wanted_by(delivery: Delivery) -> datetime | None:
    """When the recipient should have acknowledged the message (aware UTC); None when nobody waits for it.

    Management and the technical team acknowledge that a top-severity incident was declared, the declarer excepted.
    It counts from when it was told, since a declaration may be dated back.
    """
    incident, event = delivery.incident, delivery.event
    if incident is None or delivery.recipient_id is None or delivery.recipient_id == event.actor_id:
        return None
    if delivery.moment != MOMENT or not any(asks(incident, name) for name in delivery.audiences):
        return None
    return max(event.at, delivery.queued_at) + WITHIN


def asks(incident: MajorIncident, audience: str) -> bool:
    """Whether people of the audience are asked to acknowledge the declaration of this incident."""
    return incident.severity == Severity.SEV1 and audience in ASKED


def unacknowledged(incidents: Iterable[MajorIncident]) -> QuerySet[Delivery]:
    """Deliveries of these incidents that may be waited for still; `wanted_by` decides about each."""
    rows = Delivery.objects.filter(incident__in=[one.pk for one in incidents], moment=MOMENT)
    return rows.filter(acknowledged_at__isnull=True, audiences__overlap=list(ASKED)).exclude(
        state=DeliveryState.SUPPRESSED
    )


def sweep(*, now: datetime) -> int:
    """Asks again and reports what is late; returns how many people it was about. Safe to run twice."""
    chased = MajorIncident.objects.filter(stage__in=OPEN_STAGES, severity=Severity.SEV1, resolved_at__isnull=True)
    late = unacknowledged(chased).filter(escalated_at__isnull=True, queued_at__lte=now - WITHIN)
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
        _note(EventKind.ACKNOWLEDGEMENT_MISSING, incident_id, report, now, "escalated_at")
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


def _note(kind: EventKind, incident_id: int, late: list[_Late], now: datetime, name: str) -> None:
    """Writes the times and the one event that tells; its deliveries are queued in the same transaction."""
    keys = [row.pk for one in late for row in one.rows]
    Delivery.objects.filter(pk__in=keys).update(**{name: now})
    telling.record(
        kind, incident_id, actor=None, at=now, people=[one.person.display_name for one in late],
        user_ids=[one.person.pk for one in late],
    )  # fmt: skip


def asked_of(person: User, incident: MajorIncident) -> Delivery | None:
    """The message of this incident that the person is to acknowledge, as it stands in their inbox; None for none."""
    rows = unacknowledged([incident]).filter(recipient=person, channel=ChannelKey.IN_APP)
    return next((row for row in rows.select_related("event", "incident").order_by("-pk") if wanted_by(row)), None)


def counts(incident: MajorIncident) -> dict[str, tuple[int, int]]:
    """Per audience that is asked: how many people acknowledged, and how many are to. One query, none for the rest."""
    asked = [name for name in ASKED if asks(incident, name)]
    if not asked:
        return {}
    rows = Delivery.objects.filter(incident=incident, moment=MOMENT, audiences__overlap=asked).exclude(
        channel=ChannelKey.IN_APP, recipient__email__gt=""
    )
    rows = rows.exclude(state=DeliveryState.SUPPRESSED).select_related("event", "incident")
    wanted: dict[str, set[str]] = {name: set() for name in asked}
    given: dict[str, set[str]] = {name: set() for name in asked}
    for row in rows:
        if wanted_by(row) is None:
            continue
        for name in asked:
            if name in row.audiences:
                wanted[name].add(row.address)
                if row.acknowledged_at:
                    given[name].add(row.address)
    return {name: (len(given[name]), len(wanted[name])) for name in asked}
