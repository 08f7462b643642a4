"""Reading tickets: the list, one ticket, what looks like it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from incidents.models import (
    OPEN_TICKET_STATUSES,
    Channel,
    InboundMail,
    MailState,
    Service,
    Team,
    Ticket,
    TicketClock,
    TicketComment,
    TicketKind,
    TicketStatus,
    TimelineEvent,
    User,
)
from incidents.permissions import is_staff, visible_tickets
from incidents.priority import Priority
from incidents.process import EventKind
from incidents.queries.conversations import comments_for, files_for, relatives
from incidents.queries.words import matching, reference_number

ORDERS: dict[str, tuple[str, ...]] = {
    "newest": ("-reported_at", "-id"),
    "oldest": ("reported_at", "id"),
    "priority": ("priority", "-id"),
    "touched": ("-updated_at", "-id"),
    "due": ("sla_due_at", "id"),
}
SORT_WORDS = {
    "newest": "Newest",
    "oldest": "Oldest",
    "priority": "Priority",
    "touched": "Last touched",
    "due": "Due first",
}
SLA_WORDS = {"soon": "Breaching soon", "late": "Breached", "running": "Clock running"}
INCIDENT_WORDS = {"none": "Without one", "any": "Of any"}
NEW_AT_MOST = 99


@dataclass(frozen=True)
class TicketFilter:
    """What the address of the list says. Unknown values count as not given, so an old link still opens."""

    status: str = "open"
    priority: str = ""
    service: str = ""
    team: str = ""
    tier: str = ""
    assignee: str = ""
    sla: str = ""
    channel: str = ""
    kind: str = ""
    q: str = ""
    sort: str = "newest"
    incident: str = ""
    given: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "TicketFilter":
        known = {
            "status": ("open", "all", *TicketStatus.values),
            "priority": tuple(Priority.values),
            "channel": tuple(Channel.values),
            "kind": tuple(TicketKind.values),
            "sort": tuple(ORDERS),
            "sla": tuple(SLA_WORDS),
            "tier": tuple("123456789"),
        }
        given = {name: query.get(name, "").strip()[:200] for name in cls.__dataclass_fields__ if name != "given"}
        kept = {name: value for name, value in given.items() if value and value in known.get(name, (value,))}
        return cls(**kept, given={name: value for name, value in kept.items() if value})

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the order was asked for."""
        return bool(set(self.given) - {"sort"})


def filtered_tickets(asked: TicketFilter, user: User) -> QuerySet[Ticket]:
    """Tickets the person may see that the filter lets through, in no order yet."""
    rows = visible_tickets(user).select_related("service", "assignee", "team", "major_incident", "requester")
    if asked.q and (number := reference_number(asked.q, "INC")) is not None:
        return rows.filter(pk=number)
    if asked.q:
        rows = matching(rows, asked.q, "title", "description")
    if asked.status == "open":
        rows = rows.filter(status__in=OPEN_TICKET_STATUSES)
    elif asked.status != "all":
        rows = rows.filter(status=asked.status)
    for name in ("priority", "channel", "kind"):
        if value := getattr(asked, name):
            rows = rows.filter(**{name: value})
    if asked.service:
        rows = rows.filter(service__slug=asked.service) if asked.service != "none" else rows.filter(service=None)
    if asked.team:
        rows = rows.filter(team__slug=asked.team) if asked.team != "none" else rows.filter(team=None)
    if asked.tier:
        rows = rows.filter(support_tier=asked.tier)
    rows = _of_promise(_of_incident(rows, asked.incident), asked)
    return _of_assignee(rows, asked.assignee, user)


def _of_incident(rows: QuerySet[Ticket], incident: str) -> QuerySet[Ticket]:
    if incident in INCIDENT_WORDS:
        return rows.filter(major_incident__isnull=incident == "none")
    number = incident.upper().removeprefix("MI-")
    return rows.filter(major_incident=int(number)) if number.isdecimal() and len(number) < 15 else rows


def _of_promise(rows: QuerySet[Ticket], asked: TicketFilter) -> QuerySet[Ticket]:
    """Past three quarters of the promised time, past all of it, or anywhere in it. In the order of deadlines only
    tickets that have one are shown."""
    now = timezone.now()
    if asked.sla == "soon":
        return rows.filter(sla_warn_at__lte=now, sla_due_at__gt=now)
    if asked.sla == "late":
        return rows.filter(sla_due_at__lte=now)
    return rows.filter(sla_due_at__isnull=False) if asked.sla or asked.sort == "due" else rows


def arrived_since(asked: TicketFilter, user: User, since: datetime) -> int:
    """How many tickets the filter lets through have arrived since; counts no further than 100."""
    rows = filtered_tickets(asked, user).filter(reported_at__gt=since)
    return len(rows.order_by().values_list("pk")[: NEW_AT_MOST + 1])


def _of_assignee(rows: QuerySet[Ticket], assignee: str, user: User) -> QuerySet[Ticket]:
    if assignee == "me":
        return rows.filter(assignee=user)
    if assignee == "nobody":
        return rows.filter(assignee=None)
    return rows.filter(assignee=int(assignee)) if assignee.isdigit() and len(assignee) < 15 else rows


@dataclass(frozen=True)
class TicketPage:
    """One ticket as one reader may see it: `is_desk` readers see everything, others the public parts.

    `mail` is the one it was opened by, for the desk.
    """

    ticket: Ticket
    is_desk: bool
    comments: list[TicketComment]
    history: list[TimelineEvent]
    attachments: list[Any]
    clocks: list[TicketClock]
    relatives: list[Ticket]
    mail: InboundMail | None = None

    @property
    def merged(self) -> list[Ticket]:
        """Duplicates that were merged into it."""
        return [one for one in self.relatives if one.merged_into_id == self.ticket.pk]

    @property
    def split_off(self) -> list[Ticket]:
        return [one for one in self.relatives if one.split_from_id == self.ticket.pk]


def ticket_for(user: User, ticket_id: int) -> Ticket:
    """Raises Ticket.DoesNotExist when there is none, or none the person may see."""
    people = ("assignee", "requester", "acknowledged_by", "created_by")
    records = ("service", "team", "major_incident", "candidate", "merged_into", "split_from")
    rows = visible_tickets(user).select_related(*records, *people)
    return rows.prefetch_related("watchers__user").get(pk=ticket_id)


def ticket_page(user: User, ticket_id: int) -> TicketPage:
    """Everything the ticket's page shows. Files of the desk are not for the requester, nor are internal words."""
    ticket = ticket_for(user, ticket_id)
    is_desk = bool(is_staff(user))
    history = ticket.events.exclude(kind=EventKind.TICKET_COMMENTED).select_related("actor") if is_desk else []
    comments, files = list(comments_for(user, ticket)), list(files_for(user, ticket))
    clocks, family = (list(ticket.clocks.all()), relatives(ticket)) if is_desk else ([], [])
    mail = _opened_by(ticket) if is_desk and ticket.channel == Channel.EMAIL else None
    return TicketPage(ticket, is_desk, comments, list(history), files, clocks, family, mail)


def duplicate_of(user: User, ticket_id: int) -> int | None:
    """The number of the person's own report that was merged into the ticket named; None when there is none."""
    own = visible_tickets(user).filter(merged_into=ticket_id)
    return own.order_by("pk").values_list("pk", flat=True).first()


def _opened_by(ticket: Ticket) -> InboundMail | None:
    """The mail that became this ticket; None when it was made otherwise, by an import, say."""
    mails = ticket.mails.filter(state=MailState.TICKET).defer("raw", "headers", "text")
    return mails.order_by("id").first()


def counters(user: User, *, at: datetime) -> dict[str, int]:
    """The figures on the desk, of open tickets; one query."""
    held = visible_tickets(user).filter(status__in=OPEN_TICKET_STATUSES)
    return held.aggregate(
        new=Count("pk", filter=Q(status=TicketStatus.NEW)),
        urgent=Count("pk", filter=Q(priority__in=("P1", "P2"))),
        mine=Count("pk", filter=Q(assignee=user)),
        waiting=Count("pk", filter=Q(status=TicketStatus.ON_HOLD)),
        nobody=Count("pk", filter=Q(assignee=None)),
        last_hour=Count("pk", filter=Q(reported_at__gte=at - timedelta(hours=1))),
    )


def services_to_choose() -> list[Service]:
    return list(Service.objects.filter(is_active=True).only("pk", "name", "slug").order_by("name"))


def teams_to_choose() -> list[Team]:
    return list(Team.objects.only("pk", "name", "slug"))
