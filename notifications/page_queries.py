"""Reading pages: whom something waits for, who was paged when, how it was answered, and who would be next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from incidents.models import Candidate, MajorIncident, Team, User, people_with_role
from incidents.permissions import DESK_ROLES, is_staff
from incidents.process import AccountRole
from incidents.queries.rotas import ROLES_ON_CALL
from notifications.escalation_policy import SHIPPED, SHIPPED_REPEAT, Wanted, wanted
from notifications.models import (
    CallState,
    ChannelKey,
    Delivery,
    EscalationPolicy,
    Occasion,
    Page,
    PageCall,
    PageState,
)

PAGES_SHOWN, CALLS_SHOWN = 3, 60


@dataclass(frozen=True)
class Way:
    """One message of a call: the channel in words, what became of it and when it was accepted (None: not yet)."""

    channel: str
    state: str
    at: datetime | None
    reason: str
    pk: int


@dataclass(frozen=True)
class Call:
    call: PageCall
    ways: list[Way]


@dataclass(frozen=True)
class PageShown:
    """A page with its calls, the newest first. `waits_for` are those called last; `next_people` would be called at
    `page.due_at` as things stand now."""

    page: Page
    calls: list[Call]
    waits_for: list[User]
    since: datetime | None
    next_people: list[User]
    may_answer: bool = False

    @property
    def is_paging(self) -> bool:
        return self.page.state == PageState.PAGING


def pages_of(record: Candidate | MajorIncident, reader: User) -> list[PageShown]:
    """The newest pages of a candidate or incident. A constant number of queries, however many calls."""
    about: dict[str, Any] = {"candidate": record} if isinstance(record, Candidate) else {"incident": record}
    pages = list(Page.objects.filter(**about).select_related("answered_by").order_by("-id")[:PAGES_SHOWN])
    calls = list(PageCall.objects.filter(page__in=pages).select_related("person").order_by("-id")[:CALLS_SHOWN])
    ways = _ways(calls)
    return [_shown(page, [one for one in calls if one.page_id == page.pk], ways, reader) for page in pages]


def _shown(page: Page, calls: Sequence[PageCall], ways: dict[tuple[int, int], list[Way]], reader: User) -> PageShown:
    last = [one for one in calls if (one.round, one.step) == (calls[0].round, calls[0].step)] if calls else []
    waiting = [one for one in last if one.state in (CallState.CALLED, CallState.KNOWS)]
    is_paging = page.state == PageState.PAGING
    called = {one.person_id for one in calls if one.state in (CallState.CALLED, CallState.KNOWS)}
    return PageShown(
        page=page,
        calls=[Call(one, ways.get((one.event_id or 0, one.person_id), [])) for one in calls],
        waits_for=[one.person for one in waiting] if is_paging else [],
        since=waiting[0].called_at if waiting and is_paging else None,
        next_people=[one.person for one in next_wanted(page, calls)] if is_paging else [],
        may_answer=is_paging and reader.pk in called,
    )


def _ways(calls: Iterable[PageCall]) -> dict[tuple[int, int], list[Way]]:
    events = {one.event_id for one in calls if one.event_id}
    found: dict[tuple[int, int], list[Way]] = {}
    rows = Delivery.objects.filter(event__in=events) if events else Delivery.objects.none()
    for row in rows.order_by("channel"):
        way = Way(str(ChannelKey(row.channel).label), row.state, row.delivered_at, row.reason, row.pk)
        found.setdefault((row.event_id, row.recipient_id or 0), []).append(way)
    return found


def next_wanted(page: Page, calls: Sequence[PageCall]) -> list[Wanted]:
    """Who would be called when the page is due: the first step ahead that means somebody. Empty when it would end."""
    gone = {one.person_id for one in calls if one.state == CallState.PASSED_ON}
    at, steps = page.due_at or page.started_at, page.plan["steps"]
    here = frozenset(gone | {one.person_id for one in calls if one.round == page.round})
    for step in steps[page.step :]:
        if not (step.get("if_nobody") and here) and (people := wanted(step["who"], at=at, but=here)):
            return people
    if page.round >= page.plan["repeat"]:
        return []
    for step in steps:
        if people := wanted(step["who"], at=at, but=frozenset(gone)):
            return people
    return []


def pages_for(reader: User) -> QuerySet[Page]:
    """All pages, for people who read the desk."""
    rows = Page.objects.select_related("answered_by", "candidate", "incident").prefetch_related("calls__person")
    return rows if is_staff(reader) else rows.none()


# --- Policies ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class StepShown:
    """One step in words, and whom it would mean now."""

    who: list[str]
    minutes: int
    people: list[User]


@dataclass(frozen=True)
class PolicyShown:
    """`changed_at` is None while the shipped policy counts."""

    occasion: str
    label: str
    steps: list[StepShown]
    plain_steps: list[dict[str, Any]]
    repeat: int
    changed_by: User | None
    changed_at: datetime | None


def policies_shown(*, at: datetime) -> list[PolicyShown]:
    """One for each occasion, in their order. Queries grow with the number of steps, of which there are few."""
    rows = {row.occasion: row for row in EscalationPolicy.objects.select_related("changed_by")}
    words = dict(target_words())
    people = _Now(at)
    found = []
    for occasion in Occasion:
        row = rows.get(occasion.value)
        steps, repeat = (row.steps, row.repeat) if row else (list(SHIPPED), SHIPPED_REPEAT)
        shown = [
            StepShown(
                [words.get(word, "Somebody who is not here any more") for word in step["who"]],
                max(step["wait_seconds"] // 60, 1),
                people.of(tuple(step["who"])),
            )
            for step in steps
        ]
        found.append(
            PolicyShown(
                occasion.value,
                str(occasion.label),
                shown,
                list(steps),
                repeat,
                row.changed_by if row else None,
                row.changed_at if row else None,
            )
        )
    return found


class _Now:
    """Whom a step means at one moment, asked once however many policies have the same step."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.known: dict[tuple[str, ...], list[User]] = {}

    def of(self, who: tuple[str, ...]) -> list[User]:
        if who not in self.known:
            self.known[who] = [one.person for one in wanted(who, at=self.at, but=frozenset())]
        return self.known[who]


_IN_LINE = ((1, "first in line"), (2, "backup"), (3, "third in line"))


def target_words() -> list[tuple[str, str]]:
    """Everybody a step can mean, in words, in the order in which they are offered. Two queries."""
    found: list[tuple[str, str]] = []
    for role in ROLES_ON_CALL:
        found += [(f"on_call:{role}:{place}", f"On call: {role.label}, {words}") for place, words in _IN_LINE]
    teams = list(Team.objects.all())
    for team in teams:
        found += [(f"team:{team.pk}:{place}", f"On call: {team.name}, {words}") for place, words in _IN_LINE]
    everybody = (*ROLES_ON_CALL, AccountRole.ADMINISTRATOR)
    found += [(f"all:{role}", f"Everybody: {AccountRole(role).label}") for role in everybody]
    found += [(f"team-all:{team.pk}", f"Everybody: {team.name}") for team in teams]
    people = people_with_role(*DESK_ROLES).filter(is_guest=False)
    return found + [(f"person:{person.pk}", person.display_name) for person in people]
