"""What the desk shows now: the queue, what looks alike, what is promised next."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.models import (
    OPEN_CANDIDATE_STATUSES,
    OPEN_TICKET_STATUSES,
    Candidate,
    MajorIncident,
    Service,
    Ticket,
    TicketKind,
    User,
)
from incidents.process import OPEN_STAGES
from incidents.queries.affected import count_of_candidate, count_of_incident
from incidents.queries.tickets import ORDERS, TicketFilter, filtered_tickets

WINDOW = timedelta(hours=2)
QUEUE = 60
SAMPLE = 300
ALIKE_SHARE = 0.5
_SHORT_WORDS = frozenset(
    (
        "and",
        "are",
        "at",
        "by",
        "cannot",
        "for",
        "from",
        "in",
        "is",
        "it",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "the",
        "to",
    )
)


@dataclass(frozen=True)
class Alike:
    """Open tickets that may be the same outage. `shared` are the words most of them have in common."""

    tickets: list[Ticket]
    service: Service | None
    shared: list[str]

    @property
    def ids(self) -> str:
        return ",".join(str(ticket.pk) for ticket in self.tickets)

    @property
    def requesters(self) -> int:
        """From how many distinct people; reports without a requester count as one each."""
        return len({ticket.requester_id or ticket.requester_email or -ticket.pk for ticket in self.tickets})


def queue(asked: TicketFilter, user: User, *, most: int = QUEUE) -> list[Ticket]:
    """Tickets that wait for somebody, or what the view lets through; the newest first unless it says otherwise."""
    waiting = filtered_tickets(asked, user)
    related = waiting.select_related("service", "assignee", "team", "major_incident", "requester")
    return list(related.order_by(*ORDERS[asked.sort])[:most])


def looks_alike(*, at: datetime) -> list[Alike]:
    """Groups among the recent open incident tickets that belong to no major incident yet; the largest first."""
    recent = Ticket.objects.filter(
        status__in=OPEN_TICKET_STATUSES, kind=TicketKind.INCIDENT, major_incident=None, reported_at__gte=at - WINDOW
    )
    sample = list(recent.select_related("service").order_by("-reported_at")[:SAMPLE])
    return group_alike(sample)


def words_of(title: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w{2,}", title.lower()) if word not in _SHORT_WORDS)


def group_alike(tickets: Iterable[Ticket]) -> list[Alike]:
    """Same service, or half of the words of the titles shared; groups of two and more."""
    groups: list[list[Ticket]] = []
    for ticket in tickets:
        home = next((group for group in groups if _belongs(ticket, group[0])), None)
        if home is None:
            groups.append([ticket])
        else:
            home.append(ticket)
    found = [Alike(group, _service(group), _shared(group)) for group in groups if len(group) > 1]
    return sorted(found, key=lambda group: -len(group.tickets))


def _belongs(ticket: Ticket, first: Ticket) -> bool:
    if ticket.service_id and ticket.service_id == first.service_id:
        return True
    mine, theirs = words_of(ticket.title), words_of(first.title)
    either = mine | theirs
    return bool(either) and len(mine & theirs) / len(either) >= ALIKE_SHARE


def _service(group: Sequence[Ticket]) -> Service | None:
    return next((ticket.service for ticket in group if ticket.service), None)


def _shared(group: Sequence[Ticket]) -> list[str]:
    counted = Counter(word for ticket in group for word in words_of(ticket.title))
    return [word for word, times in counted.most_common(4) if times > len(group) / 2]


def promised_next() -> list[MajorIncident]:
    """Open major incidents, the one whose update is due first on top; those without a promise last.

    Each with `people`: how many say that they are affected.
    """
    rows = MajorIncident.objects.filter(stage__in=OPEN_STAGES).annotate(people=count_of_incident())
    rows = rows.prefetch_related("services")
    return sorted(rows[:50], key=lambda one: (one.next_update_at is None, one.next_update_at or one.created_at))


def waiting_candidates() -> list[Candidate]:
    """Each with `people`: how many say that they are affected."""
    waiting = Candidate.objects.filter(status__in=OPEN_CANDIDATE_STATUSES).annotate(people=count_of_candidate())
    return list(waiting.select_related("service")[:20])
