"""Where a message to a person goes: the channels of the plan, the order the person chose, quiet hours, what works.

In the product always. A page goes to the e-mail address at once and to each address the person gave, after as long as
they chose for it. Anything else goes to the first address of their order that works; the next one is for when it fails
(`fallback.py`).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from incidents.models import Organisation, TimelineEvent, User
from notifications.channels.kinds import KINDS
from notifications.models import ChannelAccount, ChannelKey, ContactPoint, ContactSettings, Destination
from notifications.quiet_hours import end_of_quiet

PAGES = ("page", "page_unanswered", "page_late")
ON_EVERY_CHANNEL = (*PAGES, "seat_invited", "command_offered")
"""Moments that ring on every address somebody gave: pages, and what a person is asked to take on at once."""
TOP_SEVERITY = "SEV1"


@dataclass(frozen=True)
class Place:
    """One address on one channel. `not_before` (aware UTC) None is at once; `why_later` says why it waits."""

    channel: str
    address: str
    contact: ContactPoint | None = None
    destination: Destination | None = None
    not_before: datetime | None = None
    why_later: str = ""


@dataclass(frozen=True)
class Person:
    """The verified addresses of one person on channels that are switched on, in their order."""

    points: tuple[ContactPoint, ...] = ()
    email_position: int = 0
    quiet_from: time | None = None
    quiet_until: time | None = None
    zone: str = "UTC"


@dataclass
class Router:
    """Made once per event or batch: two queries at most, however many people."""

    people: dict[int, Person] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()

    @classmethod
    def of(cls, users: Iterable[User], now: datetime) -> "Router":
        ids = [user.pk for user in users]
        if not ids:
            return cls()
        points = (
            ContactPoint.objects.filter(user__in=ids, verified_at__isnull=False)
            .select_related("user", "user__contact_settings")
            .order_by("user", "position", "id")
        )
        found = list(points)
        if not found:
            return cls()
        accounts = {row.channel: row for row in ChannelAccount.objects.all()}
        zone = Organisation.current().time_zone if any(not point.user.time_zone for point in found) else "UTC"
        people: dict[int, list[ContactPoint]] = {}
        for point in found:
            if is_on(point.channel, accounts):
                people.setdefault(point.user_id, []).append(point)
        failing = frozenset(key for key in KINDS if _is_avoided(key, accounts, now))
        return cls({pk: _person(mine, zone) for pk, mine in people.items()}, failing)

    def places(
        self,
        user: User | None,
        email: str,
        *,
        moment: str,
        severity: str,
        now: datetime,
        channels: Collection[str] = (),
    ) -> list[Place]:
        """Every place at which this message is to arrive. `channels` are those a plan names; empty is as the person
        prefers. `severity` "" is unknown, and counts as the top one."""
        if user is None:
            return [Place(ChannelKey.EMAIL, email)] if email else []
        inside = Place(ChannelKey.IN_APP, f"user-{user.pk}")
        person = self.people.get(user.pk, Person())
        if moment in ON_EVERY_CHANNEL:
            return [*_mail(email), *self._ring(person, severity, now), inside]
        order = in_order(person, email)
        if channels:
            named = [place for place in order if place.channel in channels]
            return [*([one for one in named if not _is_quiet(one, person, now)] or order[:1]), inside]
        wanted = [one for one in order if one.contact is None or one.contact.takes_messages]
        awake = [one for one in wanted if not _is_quiet(one, person, now)]
        well = [one for one in awake if not self._is_avoided(one, now)]
        return [*(well or awake or wanted)[:1], inside]

    def _ring(self, person: Person, severity: str, now: datetime) -> list[Place]:
        places = []
        for point in person.points:
            after = now + timedelta(minutes=point.page_after_minutes)
            quiet = end_of_quiet(after, person.zone, person.quiet_from, person.quiet_until)
            is_held = quiet is not None and severity not in ("", TOP_SEVERITY) and KINDS[point.channel].is_noisy
            why = f"Quiet hours until {quiet:%H:%M} UTC." if is_held and quiet else ""
            later = quiet if is_held else after if point.page_after_minutes else None
            places.append(Place(point.channel, address_of(point), point, None, later, why))
        return places

    def _is_avoided(self, place: Place, now: datetime) -> bool:
        """Whether the provider or this very address failed lately, again and again."""
        return place.channel in self.failing or place.contact is not None and place.contact.is_avoided(now)


def in_order(person: Person, email: str) -> list[Place]:
    """All addresses of a person in the order they chose, the e-mail of the account at its place."""
    places = [(point.position, 1, Place(point.channel, address_of(point), point)) for point in person.points]
    places += [(person.email_position, 0, place) for place in _mail(email)]
    return [place for *_, place in sorted(places, key=lambda one: one[:2])]


def address_of(point: ContactPoint) -> str:
    """As deliveries name it: the number where that is the address, the row where the address is secret."""
    if point.channel in (ChannelKey.SMS, ChannelKey.VOICE):
        return point.address
    return f"contact-{point.pk}"


def destinations(event: TimelineEvent, told: Collection[str]) -> list[tuple[Destination, tuple[str, ...]]]:
    """The places many read that hear of this event, each with the audiences it stands for. Drills stay among people."""
    if not told or event.incident is not None and event.incident.is_drill:
        return []
    found = list(
        Destination.objects.filter(is_enabled=True, audiences__overlap=list(told)).prefetch_related("services")
    )
    if not found:
        return []
    accounts = {row.channel: row for row in ChannelAccount.objects.all()}
    return [
        (one, tuple(name for name in told if name in one.audiences))
        for one in found
        if is_on(one.channel, accounts) and _concerns(one, event)
    ]


def _concerns(place: Destination, event: TimelineEvent) -> bool:
    incident, candidate = event.incident, event.candidate
    if incident is not None and place.severities and incident.severity not in place.severities:
        return False
    wanted = {service.pk for service in place.services.all()}
    if not wanted:
        return True
    if incident is not None:
        return bool(wanted & set(incident.services.values_list("pk", flat=True)))
    return candidate is not None and candidate.service_id in wanted


def is_on(channel: str, accounts: dict[str, ChannelAccount]) -> bool:
    """Whether an administrator has set the channel up; those that need no account are on unless switched off."""
    kind = KINDS[channel]
    row = accounts.get(kind.account_key)
    return row.is_enabled if row is not None else not kind.needs_account


def _is_avoided(channel: str, accounts: dict[str, ChannelAccount], now: datetime) -> bool:
    row = accounts.get(KINDS[channel].account_key)
    return row is not None and row.is_avoided(now)


def _person(points: list[ContactPoint], zone: str) -> Person:
    user = points[0].user
    chosen: ContactSettings | None = getattr(user, "contact_settings", None)
    if chosen is None:
        return Person(tuple(points), zone=user.time_zone or zone)
    return Person(
        tuple(points), chosen.email_position, chosen.quiet_from, chosen.quiet_until, zone=user.time_zone or zone
    )


def _is_quiet(place: Place, person: Person, now: datetime) -> bool:
    if not KINDS[place.channel].is_noisy:
        return False
    return end_of_quiet(now, person.zone, person.quiet_from, person.quiet_until) is not None


def _mail(email: str) -> list[Place]:
    return [Place(ChannelKey.EMAIL, email)] if email else []
