"""Who belongs to each of the four audiences, as one query."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower, Now

from incidents.models import AudienceMembership, MajorIncident, RoleHeld, Seat, Ticket, User
from incidents.process import DEFAULT_AUDIENCES, Audience, SeatState
from notifications.models import StatusSubscriber, Subscription
from notifications.status.subscribers import followers

LIVE_SEATS = (SeatState.INVITED, SeatState.ACCEPTED)


@dataclass(frozen=True)
class Membership:
    """`empty_reason` is why nobody is to be told, when an administrator said so."""

    roles: tuple[str, ...]
    empty_reason: str = ""


def memberships() -> dict[str, Membership]:
    """The setting of each audience, the defaults where an administrator made none. One query."""
    saved = {row.audience: Membership(tuple(row.roles), row.empty_reason) for row in AudienceMembership.objects.all()}
    return {audience: saved.get(audience) or Membership(DEFAULT_AUDIENCES[audience]) for audience in Audience.values}


def is_reachable() -> Q:
    """Active people whose access has not ended."""
    return Q(is_active=True) & (Q(access_expires_at__isnull=True) | Q(access_expires_at__gt=Now()))


def everybody_in(
    audiences: tuple[str, ...], incident: MajorIncident | None, *, joining: Mapping[str, Collection[int]] | None = None
) -> QuerySet[User]:
    """Reachable people in any of the audiences, each once, with a flag `in_<audience>` for each of the four.

    A drill reaches only seated people. The order is by id, so that batches can be resumed. `joining` are people
    whom an incident that is not saved yet would add to an audience.
    """
    joining = joining or {}
    people = _flagged(audiences, incident, joining).filter(is_reachable())
    if incident is not None and incident.is_drill:
        people = people.filter(pk__in=seated(incident) if incident.pk else joining.get(Audience.TECHNICAL, ()))
    return people.order_by("pk")


def left_out(audiences: tuple[str, ...], incident: MajorIncident) -> QuerySet[User]:
    """Who belongs to the audiences and is not told: no access any more, or no seat in a drill. Flags as above."""
    people = _flagged(audiences, incident, {})
    if incident.is_drill:
        return people.filter(~is_reachable() | ~Q(pk__in=seated(incident))).order_by("name")
    return people.exclude(is_reachable()).order_by("name")


def _flagged(
    audiences: tuple[str, ...], incident: MajorIncident | None, joining: Mapping[str, Collection[int]]
) -> QuerySet[User]:
    settings = memberships()
    flags: dict[str, Any] = {
        f"in_{name}": _flag(name, settings[name], incident, joining.get(name, ())) for name in Audience.values
    }
    wanted = Q()
    for name in audiences:
        wanted |= Q(**{f"in_{name}": True})
    people = User.objects.annotate(**flags)
    return people.filter(wanted) if audiences else people.none()


def addresses_without_account(incident: MajorIncident | None, *, after: str = "") -> QuerySet[Any, str]:
    """Lower-case e-mail addresses that follow the incident as users do and belong to no account, in order.

    `after` leaves out what is not greater, so that batches can be resumed.
    """
    if incident is None or incident.is_drill or incident.pk is None:
        return User.objects.none().values_list("email", flat=True)
    known = User.objects.filter(email__iexact=OuterRef("address"))
    ended = StatusSubscriber.objects.filter(email=OuterRef("address"), ended_at__isnull=False)
    reported = (
        Ticket.objects.filter(major_incident=incident, requester__isnull=True)
        .exclude(requester_email="")
        .annotate(address=Lower("requester_email"))
    )
    subscribed = Subscription.objects.filter(incident=incident, user__isnull=True).annotate(address=Lower("email"))
    found, *others = (
        rows.filter(~Exists(known), ~Exists(ended), Q(address__gt=after)).order_by().values_list("address", flat=True)
        for rows in (reported, subscribed, followers(incident))
    )
    return found.union(*others).order_by("address")


def seated(incident: MajorIncident) -> QuerySet[Any, int]:
    """Ids of people holding or invited to a seat."""
    return Seat.objects.filter(incident=incident, state__in=LIVE_SEATS).values_list("user", flat=True)


def flags_of(person: User) -> list[str]:
    """The audiences of a person found by `everybody_in`, the most detailed first."""
    return [name for name in Audience.values if getattr(person, f"in_{name}")]


def _flag(
    audience: str, membership: Membership, incident: MajorIncident | None, joining: Collection[int]
) -> ExpressionWrapper:
    through = AudienceMembership.people.through
    by_role = RoleHeld.objects.filter(role__in=membership.roles).values("user")
    by_name = through._default_manager.filter(audiencemembership__audience=audience).values("user")
    condition = Q(pk__in=Subquery(by_role)) | Q(pk__in=Subquery(by_name))
    if joining:
        condition |= Q(pk__in=joining)
    if incident is not None and incident.pk is not None:
        if audience == Audience.TECHNICAL:
            condition |= Q(pk__in=seated(incident))
        if audience == Audience.USERS:
            requesters = Ticket.objects.filter(major_incident=incident, requester__isnull=False).values("requester")
            followers = Subscription.objects.filter(incident=incident, user__isnull=False).values("user")
            condition |= Q(pk__in=requesters) | Q(pk__in=followers)
    return ExpressionWrapper(condition, output_field=BooleanField())
