"""Who has been told what, when: people down, moments across. A constant number of queries whatever the size."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from incidents.models import MajorIncident, TimelineEvent, User
from incidents.process import Audience
from incidents.queries.paging import page_of
from notifications import chase
from notifications.evidence import DECLARING
from notifications.models import ChannelKey, Delivery, DeliveryState

COLUMNS = 12
PEOPLE = 50
NAMED_AT_MOST = 50
BEST = {
    DeliveryState.DELIVERED: 0,
    DeliveryState.SENDING: 1,
    DeliveryState.QUEUED: 2,
    DeliveryState.FAILED: 3,
    DeliveryState.SUPPRESSED: 4,
}


@dataclass(frozen=True)
class Column:
    """One thing that was told. `told` of `of` people have it."""

    event_id: int
    moment: str
    at: datetime
    told: int = 0
    of: int = 0

    @property
    def in_words(self) -> str:
        return self.moment.replace("_", " ").capitalize()


@dataclass
class Cell:
    """What became of one message to one person, the best of its channels; `delivery_id` leads to that one.

    Inside the product counts only for people with no other address, as for the evidence that they were told.
    """

    state: str
    channel: str
    delivery_id: int
    at: datetime | None
    acknowledged_at: datetime | None

    @property
    def channel_in_words(self) -> str:
        return str(ChannelKey(self.channel).label)


@dataclass
class Row:
    name: str
    address: str
    cells: list[Cell | None] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """`older` is the event below which earlier moments begin, None when all are shown; `next_cursor` more people."""

    columns: list[Column]
    rows: list[Row]
    older: int | None
    next_cursor: str | None


def who_was_told(
    incident: MajorIncident, *, audience: str = "", outside: bool = False, before: int | None = None, cursor: str = ""
) -> Told:
    """One page of people (with an account, or `outside` addresses without one) and the twelve newest moments below
    event `before`. Raises Invalid for a cursor that is none."""
    rows = Delivery.objects.filter(incident=incident)
    rows = rows.filter(audiences__contains=[audience]) if audience in Audience.values else rows
    columns, older = _columns(rows, incident, before)
    if outside:
        known = rows.filter(recipient__isnull=True)
        addresses = known.order_by("address").values_list("address", flat=True).distinct()
        found = list(addresses.filter(address__gt=cursor)[: PEOPLE + 1])
        following = found[PEOPLE - 1] if len(found) > PEOPLE else None
        people = {address: Row(address, address) for address in found[:PEOPLE]}
        cells = rows.filter(recipient__isnull=True, address__in=people)
    else:
        told = Exists(rows.filter(recipient=OuterRef("pk")))
        page = page_of(User.objects.filter(told), ("name", "pk"), cursor, PEOPLE)
        people = {f"user-{person.pk}": Row(person.display_name, person.email) for person in page.rows}
        following = page.next_cursor
        cells = rows.filter(recipient__in=[person.pk for person in page.rows])
    _fill(people, columns, cells.filter(_counts(), event__in=[column.event_id for column in columns]))
    return Told(columns, list(people.values()), older, following)


def _columns(rows: QuerySet[Delivery], incident: MajorIncident, before: int | None) -> tuple[list[Column], int | None]:
    """The newest moments of which somebody was to be told, newest first, with how many have it."""
    events = TimelineEvent.objects.filter(Exists(rows.filter(event=OuterRef("pk"))), incident=incident)
    if before is not None:
        events = events.filter(pk__lt=before)
    found = list(events.order_by("-pk").values_list("pk", "at")[: COLUMNS + 1])
    shown = dict(found[:COLUMNS])
    counted = (
        rows.filter(event__in=shown)
        .order_by()
        .values("event")
        .annotate(
            moment=Min("moment"),
            of=Count("address", distinct=True, filter=_counts()),
            told=Count("address", distinct=True, filter=_counts() & Q(state=DeliveryState.DELIVERED)),
        )
    )
    figures = {one["event"]: one for one in counted}
    columns = [
        Column(pk, figures[pk]["moment"], at, figures[pk]["told"], figures[pk]["of"]) for pk, at in shown.items()
    ]
    return columns, (found[COLUMNS - 1][0] if len(found) > COLUMNS else None)


def _counts() -> Q:
    """Each person once: inside the product counts only for people with no other address."""
    return ~Q(channel=ChannelKey.IN_APP, recipient__email__gt="")


def _fill(people: dict[str, Row], columns: list[Column], cells: QuerySet[Delivery]) -> None:
    best: dict[tuple[str, int], Cell] = {}
    values = ("recipient_id", "address", "event_id", "state", "channel", "pk", "delivered_at", "acknowledged_at")
    for person, address, event, state, channel, pk, at, acknowledged in cells.values_list(*values):
        key = (f"user-{person}" if person else address, event)
        cell = Cell(state, channel, pk, at, acknowledged)
        before = best.get(key)
        if before is None or BEST[DeliveryState(state)] < BEST[DeliveryState(before.state)]:
            best[key] = cell
    for name, row in people.items():
        row.cells = [best.get((name, column.event_id)) for column in columns]


@dataclass(frozen=True)
class Names:
    """One group of people of an audience: at most fifty by name, and how many there are."""

    title: str
    names: list[str]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.names)


def names_of(incident: MajorIncident, audience: str) -> list[Names]:
    """Who of an audience heard of the declaration, who did not, who acknowledged it and for whom a message failed.

    Groups without anybody are left out. Two queries a group.
    """
    rows = Delivery.objects.filter(incident=incident, audiences__contains=[audience]).filter(_counts())
    declared = Q(moment__in=DECLARING) & ~Q(state=DeliveryState.SUPPRESSED)
    people = (
        rows.order_by()
        .values("address", "recipient__name")
        .annotate(
            asked=Count("pk", filter=declared),
            told=Count("pk", filter=declared & Q(state=DeliveryState.DELIVERED)),
            acknowledged=Count("pk", filter=Q(acknowledged_at__isnull=False)),
            failed=Count("pk", filter=Q(state=DeliveryState.FAILED)),
        )
    )
    groups = {
        "Told": Q(told__gt=0),
        "Not told yet": Q(asked__gt=0, told=0),
        "Acknowledged": Q(acknowledged__gt=0),
        "A message failed": Q(failed__gt=0),
    }
    if chase.asks(incident, audience):
        groups["Not acknowledged"] = Q(asked__gt=0, acknowledged=0)
    found = []
    for title, wanted in groups.items():
        group = people.filter(wanted)
        if count := group.count():
            listed = group.order_by("recipient__name", "address")[:NAMED_AT_MOST]
            found.append(Names(title, [one["recipient__name"] or one["address"] for one in listed], count))
    return found
