"""What a major incident manager has on the board: candidates that wait, incidents that are open."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.db.models import Count

from incidents.models import OPEN_CANDIDATE_STATUSES, Candidate, CandidateStatus, Ticket, TimelineEvent, User
from incidents.on_call import on_call
from incidents.permissions import last_resort, visible_candidates
from incidents.process import AccountRole
from incidents.queries.affected import of_candidate
from incidents.queries.major_incidents import Wanted, narrowed
from incidents.queries.war_room import Room, open_incidents


@dataclass(frozen=True)
class Waiting:
    """An open candidate and whom it waits for."""

    candidate: Candidate
    waits_for: str
    tickets: int


@dataclass(frozen=True)
class Board:
    candidates: list[Waiting]
    rooms: list[Room]
    on_call: list[User]


def waiting_candidates(user: User) -> list[Candidate]:
    """Open candidates, unacknowledged first, with how many tickets each has (`ticket_count`)."""
    rows = (
        visible_candidates(user)
        .filter(status__in=OPEN_CANDIDATE_STATUSES)
        .select_related("service", "raised_by", "acknowledged_by")
        .annotate(ticket_count=Count("tickets"))
    )
    return sorted(rows, key=lambda row: (row.status != CandidateStatus.OPEN, row.raised_at))


def board(user: User, now: datetime, wanted: Wanted) -> Board:
    """Everything Command shows, in a constant number of queries; `wanted` narrows the incidents, never what waits."""
    duty = on_call(AccountRole.MAJOR_INCIDENT_MANAGER, now)
    nobody_seen = ", ".join(person.display_name for person in duty) or "any major incident manager"
    waiting = []
    for row in waiting_candidates(user):
        seen_by = row.acknowledged_by.display_name if row.acknowledged_by else ""
        waiting.append(Waiting(row, seen_by or nobody_seen, row.ticket_count))  # type: ignore[attr-defined]
    stand_ins = cache(lambda: last_resort(now))
    return Board(
        waiting, [Room(incident, user, now, stand_ins) for incident in narrowed(open_incidents(user), wanted)], duty
    )


@dataclass(frozen=True)
class EvidenceOf:
    """What speaks for a candidate: its newest tickets, all of them in number, and their arrival. `people` say without
    a ticket that they are affected."""

    tickets: list[Ticket]
    total: int
    events: list[TimelineEvent]
    waits_for: str
    people: int = 0


SHOWN_TICKETS = 30


def evidence_of(candidate: Candidate, now: datetime) -> EvidenceOf:
    """In a constant number of queries."""
    children = Ticket.objects.filter(candidate=candidate)
    newest = list(children.select_related("requester", "service").order_by("-reported_at", "-pk")[:SHOWN_TICKETS])
    duty = on_call(AccountRole.MAJOR_INCIDENT_MANAGER, now)
    seen_by = candidate.acknowledged_by.display_name if candidate.acknowledged_by else ""
    waits_for = seen_by or ", ".join(person.display_name for person in duty) or "any major incident manager"
    events = list(candidate.events.select_related("actor").order_by("-pk")[:20])
    return EvidenceOf(newest, children.count(), events, waits_for, of_candidate(candidate.pk).count())
