"""Reading the organisation: its audiences, its holidays, who is on call and where nobody is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from incidents.models import AudienceMembership, Holiday, OnCallShift, RoleHeld, User
from incidents.process import DEFAULT_AUDIENCES, AccountRole, Audience

AUDIENCE_WORDS = {
    Audience.TECHNICAL: "Also everybody seated on the incident.",
    Audience.MANAGEMENT: "Hears of every step, and is asked for decisions.",
    Audience.KEY_STAKEHOLDERS: "Department heads and service-level business management.",
    Audience.USERS: "Also the requesters of linked tickets and whoever subscribed.",
}


@dataclass(frozen=True)
class AudienceRow:
    """One audience as it is set. `members` are active people, each once; `is_saved` is False while the default
    stands."""

    key: str
    label: str
    words: str
    roles: list[str]
    role_labels: list[str]
    people: list[User]
    empty_reason: str
    members: int
    is_saved: bool


def audience_rows() -> list[AudienceRow]:
    """The four audiences, the most detailed first. Three queries."""
    saved = {row.audience: row for row in AudienceMembership.objects.prefetch_related("people")}
    roles = {key: list(saved[key].roles) if key in saved else list(DEFAULT_AUDIENCES[key]) for key in Audience.values}
    people = {key: list(saved[key].people.all()) if key in saved else [] for key in Audience.values}
    counts = _members(roles, people)
    return [
        AudienceRow(
            key=audience.value,
            label=audience.label,
            words=AUDIENCE_WORDS[audience],
            roles=roles[audience],
            role_labels=[AccountRole(role).label for role in roles[audience]],
            people=people[audience],
            empty_reason=saved[audience].empty_reason if audience in saved else "",
            members=counts[audience],
            is_saved=audience in saved,
        )
        for audience in Audience
    ]


def _members(roles: dict[str, list[str]], people: dict[str, list[User]]) -> dict[str, int]:
    reachable = User.objects.filter(is_active=True).exclude(access_expires_at__lte=Now())
    sums = {
        key: Count(
            "pk",
            filter=Q(pk__in=RoleHeld.objects.filter(role__in=roles[key]).values("user"))
            | Q(pk__in=[person.pk for person in people[key]]),
        )
        for key in Audience.values
    }
    return reachable.aggregate(**sums)


def holidays(today: date) -> QuerySet[Holiday]:
    """From the beginning of this year on."""
    return Holiday.objects.filter(day__year__gte=today.year)[:200]


# --- On call ------------------------------------------------------------------------------------
DAYS = 14
MUST_BE_COVERED = (AccountRole.MAJOR_INCIDENT_MANAGER, AccountRole.SERVICE_DESK_MANAGER)
"""Roles that are paged for a candidate (process: Candidates); a gap leaves it unanswered."""
ROLES_ON_CALL = (
    AccountRole.MAJOR_INCIDENT_MANAGER,
    AccountRole.SERVICE_DESK_MANAGER,
    AccountRole.TECHNICAL_STAFF,
    AccountRole.CHANGE_MANAGER,
    AccountRole.PROBLEM_MANAGER,
)


@dataclass(frozen=True)
class Gap:
    starts_at: datetime
    ends_at: datetime

    @property
    def seconds(self) -> float:
        return (self.ends_at - self.starts_at).total_seconds()


@dataclass(frozen=True)
class Span:
    """Days in a row on which the same people are first in line for most of the day; `width` is how many. `is_gap`:
    for some of the time nobody is."""

    people: tuple[str, ...]
    is_gap: bool
    width: int
    starts_on: date


@dataclass(frozen=True)
class Turn:
    """One role of the rota. `now` are those on call, the first to be paged first; `until` is when the first goes."""

    role: str
    label: str
    now: list[User]
    until: datetime | None
    spans: list[Span]
    gaps: list[Gap]
    is_needed: bool


@dataclass(frozen=True)
class Rota:
    days: list[date]
    turns: list[Turn]
    upcoming: list[OnCallShift]
    later: int

    @property
    def gaps(self) -> list[tuple[Turn, Gap]]:
        found = [(turn, gap) for turn in self.turns if turn.is_needed for gap in turn.gaps]
        return sorted(found, key=lambda pair: pair[1].starts_at)


def rota(at: datetime) -> Rota:
    """The next 14 days in the reader's zone. One query."""
    first = timezone.localtime(at).date()
    ends = _midnight(first + timedelta(days=DAYS))
    rows = OnCallShift.objects.filter(ends_at__gt=at, person__is_active=True).select_related("person")
    shifts = list(rows.order_by("starts_at", "rank", "id")[:1000])
    roles = [*ROLES_ON_CALL, *sorted({shift.role for shift in shifts} - set(ROLES_ON_CALL))]
    days = [first + timedelta(days=n) for n in range(DAYS)]
    turns = [_turn(role, [one for one in shifts if one.role == role], days, at, ends) for role in roles]
    soon = [one for one in shifts if one.starts_at < ends]
    return Rota(days, turns, soon[:100], len(shifts) - len(soon[:100]))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())


def _turn(role: str, shifts: list[OnCallShift], days: list[date], at: datetime, ends: datetime) -> Turn:
    present = sorted((one for one in shifts if one.starts_at <= at), key=lambda one: (one.rank, one.starts_at))
    gaps = uncovered(shifts, at, ends)
    return Turn(
        role=role,
        label=str(AccountRole(role).label),
        now=list(dict.fromkeys(one.person for one in present)),
        until=present[0].ends_at if present else None,
        spans=_spans(shifts, gaps, days, at),
        gaps=gaps,
        is_needed=role in MUST_BE_COVERED or bool(shifts),
    )


def uncovered(shifts: Iterable[OnCallShift], since: datetime, until: datetime) -> list[Gap]:
    """When nobody is on call between the two moments, whatever the rank; whole minutes only."""
    gaps, reached = [], since
    for shift in sorted(shifts, key=lambda one: one.starts_at):
        if shift.starts_at >= until:
            break
        if shift.starts_at - reached >= timedelta(minutes=1):
            gaps.append(Gap(reached, shift.starts_at))
        reached = max(reached, shift.ends_at)
    if until - reached >= timedelta(minutes=1):
        gaps.append(Gap(reached, until))
    return gaps


def _spans(shifts: list[OnCallShift], gaps: list[Gap], days: list[date], at: datetime) -> list[Span]:
    spans: list[Span] = []
    for day in days:
        begins, ends = max(_midnight(day), at), _midnight(day + timedelta(days=1))
        here = [one for one in shifts if one.starts_at < ends and one.ends_at > begins]
        people = _mostly(here, begins, ends)
        is_gap = any(gap.starts_at < ends and gap.ends_at > begins for gap in gaps)
        if spans and (spans[-1].people, spans[-1].is_gap) == (people, is_gap):
            spans[-1] = Span(people, is_gap, spans[-1].width + 1, spans[-1].starts_on)
        else:
            spans.append(Span(people, is_gap, 1, day))
    return spans


def _mostly(shifts: list[OnCallShift], begins: datetime, ends: datetime) -> tuple[str, ...]:
    """Who is first in line for two fifths of the time or more, in the order of shifts; else whoever is longest."""
    first = min((one.rank for one in shifts), default=0)
    held: dict[str, float] = {}
    for one in shifts:
        if one.rank == first:
            name = one.person.display_name
            seconds = (min(one.ends_at, ends) - max(one.starts_at, begins)).total_seconds()
            held[name] = held.get(name, 0.0) + seconds
    enough = (ends - begins).total_seconds() * 0.4
    longest = sorted(held, key=lambda name: -held[name])[:1]
    return tuple(name for name in held if held[name] >= enough) or tuple(longest)
