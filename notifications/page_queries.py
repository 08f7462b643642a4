"""Reading pages: whom something waits for, who was paged when, how it was answered, and who would be next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from incidents.models import Candidate, MajorIncident, User
from incidents.permissions import is_staff
from notifications.escalation_policy import Wanted, wanted
from notifications.models import CallState, ChannelKey, Delivery, Page, PageCall, PageState

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
