"""What comes back: problems thought to be resolved, and reports that repeat without anybody looking for the cause."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.functions import Left

from incidents.alike import BODY_CHARACTERS, Cluster, nearest, terms_of
from incidents.models import MajorIncident, Problem, Service, Ticket, TicketKind
from incidents.process import Stage
from incidents.queries.look_alike import Asked, ranked

LOOK_BACK = timedelta(days=30)
READ = 3_000
"""The newest tickets that are read."""
LEAST, JOINS = 5, 0.3
"""How many alike reports are worth a problem, and how alike one must be to join."""
ALIKE = 0.3


def came_back(problem: Problem) -> tuple[list[MajorIncident], list[Ticket]]:
    """Major incidents and tickets after it was resolved that are linked to it, or on the same services in its words."""
    since = problem.resolved_at
    if since is None:
        return [], []
    services = set(problem.major_incidents.values_list("services", flat=True)) - {None}
    services |= set(problem.tickets.values_list("service", flat=True)) - {None}
    asked = Asked.of(problem.title, f"{problem.description} {problem.root_cause}")
    rows = MajorIncident.objects.filter(declared_at__gt=since, is_drill=False, merged_into=None)
    rows = rows.exclude(stage=Stage.STOOD_DOWN)
    linked = list(rows.filter(problems=problem))
    near = (
        rows.filter(services__in=services).exclude(pk__in=[one.pk for one in linked]).distinct().order_by("-pk")[:200]
    )
    found = ranked(asked, near, text=lambda row: (row.title, row.description), least=ALIKE)
    tickets = list(problem.tickets.filter(reported_at__gt=since).order_by("pk")[:50])
    return [*linked, *(one.record for one in found)], tickets


@dataclass(frozen=True)
class Repeat:
    """Alike reports that belong to no problem yet: `tickets` newest first, at most twenty of `count`."""

    words: list[str]
    service: Service | None
    count: int
    people: int
    tickets: list[Ticket]
    last_at: datetime


def repeats(now: datetime, *, least: int = LEAST) -> list[Repeat]:
    """Groups of at least `least` alike incident tickets of the last 30 days without a problem, the largest first.

    Three queries; the newest 3,000 tickets are read, so the work is bounded.
    """
    rows = Ticket.objects.filter(
        reported_at__gte=now - LOOK_BACK, kind=TicketKind.INCIDENT, problems=None, major_incident__problems=None
    )
    rows = rows.annotate(opening=Left("description", BODY_CHARACTERS)).defer("description").order_by("-pk")[:READ]
    vocabulary = Asked.of("").words
    groups: list[tuple[Cluster, list[Ticket]]] = []
    for ticket in rows:
        vector = vocabulary.vector(terms_of(ticket.title, ticket.opening))
        if not vector:
            continue
        best, alike = nearest(vector, (cluster for cluster, _ in groups))
        members = next((tickets for cluster, tickets in groups if cluster is best), None)
        if members is None or alike < JOINS:
            if len(groups) >= 300:
                continue
            best, members = Cluster(), []
            groups.append((best, members))
        assert best is not None
        best.take(vector, ticket.service_id)
        members.append(ticket)
    large = [(cluster, tickets) for cluster, tickets in groups if len(tickets) >= least]
    services = Service.objects.in_bulk([pk for cluster, _ in large if (pk := cluster.service())])
    found = [
        Repeat(
            cluster.words(most=4),
            services.get(cluster.service() or 0),
            len(tickets),
            _people(tickets),
            tickets[:20],
            tickets[0].reported_at,
        )  # fmt: skip
        for cluster, tickets in large
    ]
    return sorted(found, key=lambda one: (-one.count, -one.tickets[0].pk))[:30]


def _people(tickets: list[Ticket]) -> int:
    return len(Counter(ticket.requester_id or ticket.requester_email or f"#{ticket.pk}" for ticket in tickets))
