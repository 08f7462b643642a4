"""What follows from an influx: the candidate with its evidence, and later tickets that join it or the incident."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from incidents import events, live
from incidents.actions import candidates, clocks
from incidents.actions.children import adopt
from incidents.actions.input import TITLE
from incidents.actions.locking import lock_incident
from incidents.detection import Minute as Counted
from incidents.detection import Thresholds, Verdict, Window, minute_of, said, window_of
from incidents.models import (
    OPEN_TICKET_STATUSES,
    Alert,
    Arrival,
    Candidate,
    CandidateSource,
    Service,
    TextCluster,
    Ticket,
    TicketKind,
)
from incidents.process import EventKind
from incidents.queries import influx as queries
from incidents.replay import service_of

MOST_TICKETS = 500
Growth = Callable[[int | None], Verdict | None]


def raise_for_service(service_id: int, verdict: Verdict, thresholds: Thresholds, *, at: datetime) -> Candidate | None:
    """Proposes the service, or adds to its open candidate. None when an incident was declared in the meantime."""
    if queries.what_is_open({service_id}, {}).incidents:
        return None
    service = Service.objects.get(pk=service_id)
    counted = Arrival.objects.filter(service=service_id, at__gte=verdict.window.begins_at).values("ticket")
    tickets = _free_tickets(verdict.window).filter(Q(service=service_id) | Q(service=None, pk__in=counted))
    found = dict(tickets.order_by("-reported_at").values_list("pk", "title")[:MOST_TICKETS])
    groups, beside = _groups_of(found, verdict.window)
    candidate = _gather(
        title=f"Many reports about {service.name}"[:TITLE],
        service=service,
        verdict=verdict,
        thresholds=thresholds,
        titles=found | beside,
        at=at,
    )
    TextCluster.objects.filter(pk__in=groups).update(candidate=candidate)
    _take_alerts(candidate, verdict.window)
    return candidate


def raise_for_cluster(
    cluster: TextCluster, arrived: Sequence[Arrival], verdict: Verdict, thresholds: Thresholds, *, at: datetime
) -> Candidate | None:
    """Proposes what a group of alike tickets is about: the service most of them name, else the group itself."""
    free = [
        one.ticket for one in arrived
        if one.ticket.major_incident_id is None and not (one.ticket.candidate and one.ticket.candidate.is_open)
    ]  # fmt: skip
    if len(free) < thresholds.least_arrivals:
        return None
    named = service_of([ticket.service_id for ticket in free])
    service = Service.objects.get(pk=named) if named else None
    if service is not None and queries.what_is_open({service.pk}, {}).incidents:
        return None
    candidate = _gather(
        title=f"Many reports: “{_most_typical(free)}”"[:TITLE],
        service=service,
        cluster=cluster,
        verdict=verdict,
        thresholds=thresholds,
        titles={ticket.pk: ticket.title for ticket in free},
        at=at,
    )
    TextCluster.objects.filter(pk=cluster.pk).update(candidate=candidate)
    return candidate


def _gather(
    *,
    title: str,
    service: Service | None,
    verdict: Verdict,
    thresholds: Thresholds,
    titles: dict[int, str],
    at: datetime,
    cluster: TextCluster | None = None,
) -> Candidate:
    reasons, evidence = _words(verdict, list(titles.values()))
    evidence |= {"window_minutes": thresholds.window_minutes, "cluster": cluster.pk if cluster else None}
    candidate = candidates.gather(
        title=title,
        source=CandidateSource.INFLUX,
        service=service,
        cluster=cluster.words if cluster else "",
        reasons=reasons,
        evidence={"influx": evidence},
        ticket_ids=list(titles),
        actor=None,
        at=at,
    )
    live.changed("desk", EventKind.CANDIDATE_FLAGGED)
    return candidate


def _words(verdict: Verdict, titles: Collection[str]) -> tuple[list[str], dict[str, Any]]:
    """The reasons of the candidate, and the figures behind them as JSON."""
    window = verdict.window
    named = [(word, min(times, window.tickets)) for word, times in queries.mentions(titles)] if window.tickets else []
    reasons = said(verdict, named)
    return reasons, {
        "tickets": window.tickets,
        "alerts": window.alerts,
        "requesters": window.requesters,
        "minutes": window.lasted,
        "expected": round(verdict.expected, 3),
        "tail": verdict.tail,
        "words": [list(pair) for pair in queries.mentions(titles, most=8)],
        "reasons": reasons,
    }


def _free_tickets(window: Window) -> Any:
    """Incident tickets of the window that belong to no major incident."""
    return Ticket.objects.filter(
        kind=TicketKind.INCIDENT,
        major_incident=None,
        reported_at__gte=window.begins_at,
        reported_at__lt=window.ends_at + timedelta(minutes=1),
    )


def _groups_of(tickets: Collection[int], window: Window) -> tuple[list[int], dict[int, str]]:
    """Text clusters that are mostly about these tickets, and the other tickets of those clusters in the window."""
    held = Arrival.objects.filter(ticket__in=tickets, cluster__isnull=False).values_list("cluster", flat=True)
    mine = Counter(held)
    if not mine:
        return [], {}
    rows = Arrival.objects.filter(
        cluster__in=mine, at__gte=window.begins_at, at__lt=window.ends_at + timedelta(minutes=1)
    ).values_list("cluster", "ticket", "ticket__title", "ticket__major_incident")[: 2 * MOST_TICKETS]
    everything = list(rows)
    sizes = Counter(cluster for cluster, *_ in everything)
    kept = [cluster for cluster, times in mine.items() if times >= 2 and 2 * times >= sizes[cluster]]
    beside = {pk: title for cluster, pk, title, parent in everything if cluster in kept and parent is None}
    return kept, beside


def _most_typical(tickets: Sequence[Ticket]) -> str:
    """The title most of them bear; the latest when all differ."""
    title, times = Counter(ticket.title for ticket in tickets).most_common(1)[0]
    return title if times > 1 else tickets[0].title


def _take_alerts(candidate: Candidate, window: Window) -> None:
    if not window.alerts or candidate.service_id is None:
        return
    free = Alert.objects.filter(
        service=candidate.service_id,
        started_at__range=(window.begins_at, window.ends_at + timedelta(minutes=1)),
        candidate=None,
        major_incident=None,
        is_drill=False,
        in_maintenance=False,
    )
    Alert.objects.filter(pk__in=list(free.order_by("pk").values_list("pk", flat=True)[:MOST_TICKETS])).update(
        candidate=candidate
    )


# --- While it is open -------------------------------------------------------------------------
@transaction.atomic
def adopt_further(incident_id: int, ticket_ids: Sequence[int], *, at: datetime) -> int:
    """Later tickets of an outage become its children, which tells their requesters. How many did."""
    incident = lock_incident(incident_id)
    if not incident.is_open or incident.restored_at is not None:
        return 0
    count = adopt(_open_tickets(ticket_ids), incident, actor=None, at=at)
    if count:
        clocks.recompute(incident, actor=None, at=at)
    return count


@transaction.atomic
def attach_further(candidate_id: int, ticket_ids: Sequence[int], *, growth: Growth, at: datetime) -> int:
    """Later tickets become evidence of an open candidate; their requesters hear that it is being looked at."""
    candidate = candidates.locked(candidate_id)
    if not candidate.is_open:
        return 0
    joined = [ticket for ticket in _open_tickets(ticket_ids) if ticket.candidate_id != candidate.pk]
    for ticket in joined:
        ticket.candidate = candidate
        ticket.save(update_fields=["candidate", "updated_at"])
        events.record(
            EventKind.TICKET_GATHERED,
            ticket,
            actor=None,
            at=at,
            candidate=candidate.ref,
            service=ticket.service.name if ticket.service else None,
        )
    if joined:
        _grow(
            candidate, [ticket.ref for ticket in joined], growth(candidate.service_id) or _of_cluster(candidate, at), at
        )
    return len(joined)


def _open_tickets(ticket_ids: Sequence[int]) -> list[Ticket]:
    """Under lock: still open, of no major incident, and no evidence of another open candidate."""
    rows = Ticket.objects.select_for_update(of=("self",)).filter(
        pk__in=list(ticket_ids), major_incident=None, status__in=OPEN_TICKET_STATUSES
    )
    found = rows.select_related("service", "candidate", "requester").order_by("pk")
    return [ticket for ticket in found if not (ticket.candidate and ticket.candidate.is_open)]


def _grow(candidate: Candidate, joined: list[str], verdict: Verdict | None, at: datetime) -> None:
    """The figures and the sentences made of them are those of now; what people wrote stays as it is."""
    before = candidate.evidence.get("influx", {})
    fresh: list[str] = []
    if verdict is not None and (before or verdict.proposes):
        titles = Ticket.objects.filter(candidate=candidate).order_by("-pk").values_list("title", flat=True)
        fresh, evidence = _words(verdict, list(titles[:MOST_TICKETS]))
        candidate.reasons = [*fresh, *(one for one in candidate.reasons if one not in before.get("reasons", []))]
        candidate.evidence = {**candidate.evidence, "influx": {**before, **evidence}}
    candidate.save(update_fields=["reasons", "evidence", "updated_at"])
    events.record(EventKind.CANDIDATE_EVIDENCE_ADDED, candidate, actor=None, at=at, reasons=fresh[:1], tickets=joined)


def _of_cluster(candidate: Candidate, at: datetime) -> Verdict | None:
    """What the group of a candidate without a service looks like now; the usual is that of when it was raised."""
    before = candidate.evidence.get("influx", {})
    if not before.get("cluster"):
        return None
    length = int(before.get("window_minutes", Thresholds().window_minutes))
    held = queries.arrivals_of(before["cluster"], at - timedelta(minutes=length))
    minutes = [Counted(minute_of(one.at), 1, 0, frozenset([one.source])) for one in held]
    window = window_of(minutes, at, length)
    return Verdict(True, window, float(before["expected"]), float(before["tail"])) if window.arrived else None
