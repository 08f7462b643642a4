"""Reading tickets: the list, one ticket, what looks like it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from incidents.models import (
    OPEN_TICKET_STATUSES,
    Channel,
    InboundMail,
    MailState,
    Service,
    Ticket,
    TicketComment,
    TicketKind,
    TicketStatus,
    TimelineEvent,
    User,
)
from incidents.permissions import is_staff, visible_tickets
from incidents.priority import Priority
from incidents.process import EventKind
from incidents.queries.words import matching, reference_number

ORDERS: dict[str, tuple[str, ...]] = {
    "newest": ("-reported_at", "-id"),
    "oldest": ("reported_at", "id"),
    "priority": ("priority", "-id"),
    "touched": ("-updated_at", "-id"),
}
SORT_WORDS = {"newest": "Newest", "oldest": "Oldest", "priority": "Priority", "touched": "Last touched"}


@dataclass(frozen=True)
class TicketFilter:
    """What the address of the list says. Unknown values count as not given, so an old link still opens."""

    status: str = "open"
    priority: str = ""
    service: str = ""
    assignee: str = ""
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
    if asked.incident.isdigit():
        rows = rows.filter(major_incident=asked.incident)
    return _of_assignee(rows, asked.assignee, user)


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
    mail: InboundMail | None = None


def ticket_for(user: User, ticket_id: int) -> Ticket:
    """Raises Ticket.DoesNotExist when there is none, or none the person may see."""
    people = ("assignee", "requester", "acknowledged_by", "created_by")
    rows = visible_tickets(user).select_related("service", "team", "major_incident", "candidate", *people)
    return rows.prefetch_related("watchers__user").get(pk=ticket_id)


def ticket_page(user: User, ticket_id: int) -> TicketPage:
    """Everything the ticket's page shows. Files of the desk are not for the requester, nor are internal words."""
    ticket = ticket_for(user, ticket_id)
    is_desk = bool(is_staff(user))
    unread = ("mail__raw", "mail__headers", "mail__text")
    comments = ticket.comments.select_related("author", "mail").defer(*unread)
    files = ticket.attachments.select_related("uploaded_by")
    if not is_desk:
        comments = comments.filter(public=True)
        files = files.filter(Q(uploaded_by=user) | Q(uploaded_by=ticket.requester_id))
    history = ticket.events.exclude(kind=EventKind.TICKET_COMMENTED).select_related("actor") if is_desk else []
    mail = _opened_by(ticket) if is_desk and ticket.channel == Channel.EMAIL else None
    return TicketPage(ticket, is_desk, list(comments), list(history), list(files), mail)


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
