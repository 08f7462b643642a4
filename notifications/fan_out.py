"""From an event to its deliveries, in the transaction of the event.

One person in three audiences gets one message, in the most detailed words they may see; the delivery
names all audiences it counts for. The first 200 recipients are written with the event, the rest of a
large audience by a `FanOut` row that is expanded in batches and resumes where a crash left it.
"""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.utils import timezone

from incidents import mail_reference
from incidents.models import MajorIncident, StatusUpdate, TimelineEvent, User
from incidents.process import Audience, EventKind
from incidents.written_together import insert_many
from notifications import audiences as groups
from notifications import plans
from notifications.addressees import addressees
from notifications.bell import ring
from notifications.models import Delivery, DeliveryState, FanOut, PageCall
from notifications.policy import NORMAL, PRIORITY_OF_AUDIENCE, RULES, URGENT, Rule
from notifications.routing import Place, Router, destinations

AT_ONCE = 60
"""Written by the request itself: with the technical team in it, and few enough that nobody waits for the others."""
BATCH = 400
LONGEST_ID = 120
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipient:
    """`user` is None for an address without an account; no `audiences` when addressed by name."""

    user: User | None
    email: str
    audience: str = ""
    audiences: tuple[str, ...] = ()
    priority: int = NORMAL


def on_event(sender: Any, event: TimelineEvent, **kwargs: Any) -> None:
    """Receiver of `event_recorded`."""
    rule = RULES.get(event.kind)
    if rule is None or not rule.applies(event.payload) or _is_imported(event):
        return
    if event.kind == EventKind.UPDATE_PUBLISHED:
        _tell_late_audiences(event)
    tell(event, rule)


def tell(event: TimelineEvent, rule: Rule) -> None:
    """Queues the deliveries of one event by one rule; calling it again adds only who is missing."""
    told = audiences_of(event, rule)
    named = _only_seated([_named(one, rule) for one in addressees(rule.to, event)], event.incident)
    strangers = groups.addresses_without_account(event.incident)[: AT_ONCE + 1] if Audience.USERS in told else []
    people = list(_first_by_rank(groups.everybody_in(told, event.incident), told)[: AT_ONCE + 1]) if told else []
    outside = list(strangers)
    misled = _misled(event, told)
    recipients = [*named, *misled, *_recipients(people[:AT_ONCE], told), *_addresses(outside[:AT_ONCE])]
    queue(event, rule, recipients)
    _tell_places(event, rule, told)
    if len(people) > AT_ONCE or len(outside) > AT_ONCE:
        FanOut.objects.get_or_create(event=event)


def update_of(event: TimelineEvent) -> StatusUpdate | None:
    """The status update this event published; None for every other event."""
    if event.kind != EventKind.UPDATE_PUBLISHED:
        return None
    return StatusUpdate.objects.filter(pk=event.payload.get("update_id")).first()


def audiences_of(event: TimelineEvent, rule: Rule) -> tuple[str, ...]:
    """The audiences of the rule that hear of it by the incident's plan; of a status update those it was written for."""
    if event.kind != EventKind.UPDATE_PUBLISHED:
        return plans.hearing(event.incident, rule.moment, rule.audiences)
    update = update_of(event)
    return tuple(name for name in rule.audiences if update and name in update.audiences)


def queue(event: TimelineEvent, rule: Rule, recipients: Iterable[Recipient]) -> None:
    """Writes the rows in one statement and rings the bell after the commit. Who is queued already stays so."""
    rows = _rows(event, rule, _not_paged(event, rule, recipients))
    if not rows:
        return
    insert_many(rows, on_conflict="(event_id, channel, address) DO UPDATE SET audiences = EXCLUDED.audiences")
    ring()


def _not_paged(event: TimelineEvent, rule: Rule, recipients: Iterable[Recipient]) -> Iterable[Recipient]:
    if not rule.unless_paged or event.candidate_id is None:
        return recipients
    paged = set(
        PageCall.objects.filter(page__candidate=event.candidate_id, event__isnull=False).values_list(
            "person", flat=True
        )
    )
    return [one for one in recipients if one.user is None or one.user.pk not in paged]


def expand_next() -> bool:
    """Writes one more batch of a large audience; False when none is waiting. Safe to run in parallel and twice."""
    with transaction.atomic():
        fan_out = (
            FanOut.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("event__incident")
            .filter(finished_at__isnull=True)
            .order_by("id")
            .first()
        )
        if fan_out is None:
            return False
        _expand(fan_out)
    return True


def _expand(fan_out: FanOut) -> None:
    event = fan_out.event
    rule = RULES[event.kind]
    told = audiences_of(event, rule)
    people = list(groups.everybody_in(told, event.incident).filter(pk__gt=fan_out.after_user)[:BATCH])
    outside: list[str] = []
    if not people and Audience.USERS in told:
        outside = list(groups.addresses_without_account(event.incident, after=fan_out.after_address)[:BATCH])
    queue(event, rule, [*_recipients(people, told), *_addresses(outside)])
    if people:
        fan_out.after_user = people[-1].pk
    elif outside:
        fan_out.after_address = outside[-1]
    else:
        fan_out.finished_at = timezone.now()
    fan_out.save(update_fields=["after_user", "after_address", "finished_at"])


def _misled(event: TimelineEvent, told: tuple[str, ...]) -> list[Recipient]:
    """Of a correction: who got the wrong words, or is getting them, and is in none of its audiences any more."""
    wrong = event.payload.get("corrects")
    if not wrong:
        return []
    got_it = Delivery.objects.filter(
        event__kind=EventKind.UPDATE_PUBLISHED,
        event__incident=event.incident_id,
        event__payload__update_id=wrong,
        state__in=(DeliveryState.DELIVERED, DeliveryState.SENDING),
    ).exclude(audience="")
    people = got_it.filter(recipient__isnull=False).exclude(
        recipient__in=groups.everybody_in(told, event.incident).order_by().values("pk")
    )
    strangers = got_it.filter(recipient__isnull=True).exclude(
        address__in=list(groups.addresses_without_account(event.incident)) if Audience.USERS in told else []
    )
    found: list[Recipient] = []
    for row in (*people.select_related("recipient").filter(recipient__is_active=True), *strangers):
        if row.audience in told:
            address = row.recipient.email.lower() if row.recipient else row.address
            rank = PRIORITY_OF_AUDIENCE[Audience(row.audience)]
            found.append(Recipient(row.recipient, address, row.audience, priority=rank))
    return found


def _tell_late_audiences(event: TimelineEvent) -> None:
    """An audience that had nobody when the incident was declared is told of it with the next update."""
    counted = Delivery.objects.filter(incident=event.incident_id, moment="declared").values_list("audiences", flat=True)
    wanted = plans.hearing(event.incident, "declared", tuple(Audience.values))
    if set(chain.from_iterable(counted.distinct())) >= set(wanted):
        return
    declared = (
        TimelineEvent.objects.select_related("incident")
        .filter(incident=event.incident_id, kind=EventKind.DECLARED)
        .order_by("-id")
        .first()
    )
    if declared is not None:
        tell(declared, RULES[EventKind.DECLARED])


def _first_by_rank(people: QuerySet[User], told: tuple[str, ...]) -> QuerySet[User]:
    """The audiences in their order, so that the first batch holds those who work on it."""
    ranks = [When(**{f"in_{name}": True}, then=Value(rank)) for rank, name in enumerate(told)]
    return people.annotate(rank=Case(*ranks, default=Value(9), output_field=IntegerField())).order_by("rank", "pk")


def _recipients(people: Iterable[User], told: tuple[str, ...]) -> list[Recipient]:
    found = []
    for person in people:
        counts = tuple(name for name in groups.flags_of(person) if name in told)
        priority = PRIORITY_OF_AUDIENCE[Audience(counts[0])]
        found.append(Recipient(person, person.email.lower(), counts[0], counts, priority))
    return found


def _addresses(outside: Iterable[str]) -> list[Recipient]:
    return [
        Recipient(None, address, Audience.USERS, (Audience.USERS,), PRIORITY_OF_AUDIENCE[Audience.USERS])
        for address in outside
    ]


def _named(one: User | str, rule: Rule) -> Recipient:
    if isinstance(one, User):
        return Recipient(one, one.email.lower(), rule.named_as, priority=NORMAL if rule.named_as else URGENT)
    return Recipient(None, one.lower(), rule.named_as, priority=NORMAL)


def _only_seated(named: list[Recipient], incident: MajorIncident | None) -> list[Recipient]:
    """A drill reaches nobody without a seat."""
    active = [one for one in named if one.user is None or one.user.is_active]
    if incident is None or not incident.is_drill or not active:
        return active
    seats = set(groups.seated(incident))
    return [one for one in active if one.user is not None and one.user.pk in seats]


def _rows(event: TimelineEvent, rule: Rule, recipients: Iterable[Recipient]) -> list[Delivery]:
    """One row per person and channel; who is addressed by name and by audience gets the wording by audience."""
    merged: dict[str, Recipient] = {}
    for one in recipients:
        key = f"user-{one.user.pk}" if one.user else one.email
        before = merged.get(key)
        if before is None or one.audiences:
            merged[key] = replace(one, priority=min(one.priority, before.priority)) if before else one
    now, update = timezone.now(), update_of(event)
    severity = event.incident.severity if event.incident else ""
    router = Router.of((one.user for one in merged.values() if one.user), now)
    rows: dict[tuple[str, str], Delivery] = {}
    for one in merged.values():
        begins = max(now, (update and update.leaves_to(one.audience)) or now)
        named = plans.channels_for(event.incident, rule.moment, one.audience)
        for place in router.places(one.user, one.email, moment=rule.moment, severity=severity, now=now, channels=named):
            # One telephone that two people gave rings once.
            rows.setdefault((place.channel, place.address), row_for(event, rule, one, place, now, begins))
    return list(rows.values())


def row_for(
    event: TimelineEvent, rule: Rule, one: Recipient, place: Place, now: datetime, begins: datetime | None = None
) -> Delivery:
    """The unsaved row of one message to one place, queued `now`. It leaves at `begins` or when the place wants it."""
    begins = max(place.not_before or now, begins or now)
    return Delivery(
        event=event,
        incident_id=event.incident_id,
        recipient=one.user,
        address=place.address,
        channel=place.channel,
        contact=place.contact,
        destination=place.destination,
        moment=rule.moment,
        audience=one.audience,
        audiences=list(one.audiences),
        message_id=message_id(event.pk, place.channel, place.address, _ref(event)),
        priority=one.priority,
        queued_at=now,
        next_attempt_at=begins,
        valid_until=begins + timedelta(hours=rule.valid_hours),
        reason=place.why_later,
        acknowledgement_wanted_by=_acknowledgement_by(event, rule, one, begins),
    )


def _acknowledgement_by(event: TimelineEvent, rule: Rule, one: Recipient, told_at: datetime) -> datetime | None:
    """When somebody with an account is to have acknowledged it by the plan; None when that is not wanted."""
    within = plans.acknowledgement_due(event.incident, rule.moment, one.audiences) if one.user else None
    return told_at + within if within else None


def _tell_places(event: TimelineEvent, rule: Rule, told: tuple[str, ...]) -> None:
    """The places many read, each once, in the words of the most detailed of its audiences."""
    now, update = timezone.now(), update_of(event)
    rows = []
    for found, counts in destinations(event, told):
        reader = Recipient(None, "", counts[0], counts, PRIORITY_OF_AUDIENCE[Audience(counts[0])])
        place = Place(found.channel, f"destination-{found.pk}", destination=found)
        begins = max(now, (update and update.leaves_to(counts[0])) or now)
        rows.append(row_for(event, rule, reader, place, now, begins))
    if rows:
        insert_many(rows, on_conflict="DO NOTHING")
        ring()


def message_id(event_id: int, channel: str, address: str, ref: str = "") -> str:
    """Derived from event, channel and address only, so that a repetition is recognised by any mail program.

    `ref` is the record an answer belongs to; it stands in it signed, because some programs keep nothing else.
    """
    name = hashlib.sha256(f"{settings.SECRET_KEY}|{event_id}|{channel}|{address}".encode()).hexdigest()[:40]
    host = mail_reference.own_host()
    longer = f"<{name[:24]}.{ref.lower()}.{mail_reference.token(ref, address)}@{host}>" if ref else ""
    return longer if ref and len(longer) <= LONGEST_ID else f"<{name}@{host}>"


def _ref(event: TimelineEvent) -> str:
    """What an answer to a message of this event belongs to; "" for nothing."""
    if event.ticket_id:
        return f"INC-{event.ticket_id}"
    return f"MI-{event.incident_id}" if event.incident_id else ""


def _is_imported(event: TimelineEvent) -> bool:
    return event.incident is not None and event.incident.is_imported
