"""What the influx detector reads: what waits, what is usual, what is open. Constant queries a batch."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, QuerySet

from incidents.alike import Vocabulary, words_of
from incidents.detection import HOURS, Calendar, InForce, Minute, Thresholds, Usual
from incidents.models import (
    OPEN_CANDIDATE_STATUSES,
    AffectedService,
    Alert,
    Arrival,
    ArrivalCount,
    Candidate,
    Channel,
    DowntimeInterval,
    Holiday,
    InfluxThresholds,
    MaintenanceWindow,
    MajorIncident,
    Organisation,
    StageEntry,
    Ticket,
    TicketVocabulary,
    UsualArrivals,
)
from incidents.process import Stage

UNDER_WAY = (Stage.IDENTIFICATION, Stage.CONTAINMENT, Stage.RESOLUTION)
"""While the impact lasts, later tickets of the same service are the same outage."""
HOST_LABELS = ("host", "hostname", "instance", "node", "pod", "server", "container", "device")
MOST_ALERTS = 500


# --- Settings ---------------------------------------------------------------------------------
def thresholds_from(values: Mapping[str, Any], base: Thresholds) -> Thresholds:
    """`base` with what was saved; names that are no threshold any more are passed over."""
    return replace(base, **{name: value for name, value in values.items() if name in Thresholds.__dataclass_fields__})


def in_force() -> InForce:
    """One query; the shipped thresholds while nobody has saved any."""
    newest = InfluxThresholds.objects.values("service").annotate(newest=Max("pk")).values("newest")
    rows = InfluxThresholds.objects.filter(pk__in=newest).values_list("service", "values")
    saved: dict[int | None, dict[str, Any]] = dict(rows)
    default = thresholds_from(saved.get(None, {}), Thresholds())
    own = {pk: thresholds_from(values, default) for pk, values in saved.items() if pk is not None and values}
    return InForce(default, own)


def calendar() -> Calendar:
    """Hours of the week in the organisation's zone, with its holidays. Two queries."""
    days = frozenset(Holiday.objects.values_list("day", flat=True))
    return Calendar(ZoneInfo(Organisation.current().time_zone), days)


def vocabulary() -> Vocabulary:
    """The newest; an empty one before the first was made. One small query, the words are kept by the process."""
    newest = TicketVocabulary.objects.order_by("-pk").values_list("pk", flat=True).first()
    return _vocabulary(newest) if newest else Vocabulary()


@lru_cache(maxsize=1)
def _vocabulary(pk: int) -> Vocabulary:
    row = TicketVocabulary.objects.filter(pk=pk).first()
    return Vocabulary(row.documents, row.counts) if row else Vocabulary()


# --- Who reported ------------------------------------------------------------------------------
def source_of(ticket: Ticket) -> str:
    """Who reported it. Reports nobody is named for count as one each, those of one program as one together."""
    if ticket.requester_id:
        return f"user {ticket.requester_id}"
    if ticket.requester_email:
        return f"mail {ticket.requester_email.lower()}"
    if ticket.channel in (Channel.API, Channel.MONITORING):
        return f"program {ticket.created_by_id}"
    return f"ticket {ticket.pk}"


def source_number(source: str) -> int:
    """The same number for the same words, so that counters can tell sources apart without keeping their names."""
    return int.from_bytes(hashlib.blake2b(source.encode(), digest_size=8).digest(), "big", signed=True)


# --- What arrived -----------------------------------------------------------------------------
def in_maintenance(pairs: Iterable[tuple[int | None, datetime]]) -> set[tuple[int, datetime]]:
    """Which of (service, moment) lie inside planned work. One query, none without a service."""
    wanted = {(service, at) for service, at in pairs if service}
    if not wanted:
        return set()
    first, last = min(at for _, at in wanted), max(at for _, at in wanted)
    windows = MaintenanceWindow.services.through.objects.filter(
        service__in={service for service, _ in wanted},
        maintenancewindow__starts_at__lte=last,
        maintenancewindow__ends_at__gt=first,
    ).values_list("service", "maintenancewindow__starts_at", "maintenancewindow__ends_at")
    planned = list(windows)
    return {
        (service, at) for service, at in wanted for held, start, end in planned if held == service and start <= at < end
    }


def minutes_of(services: Collection[int], since: datetime, until: datetime) -> dict[int, list[Minute]]:
    """Counter rows by service. One query."""
    rows = ArrivalCount.objects.filter(service__in=services, minute__range=(since, until))
    found: dict[int, list[Minute]] = {service: [] for service in services}
    for service, at, tickets, alerts, sources in rows.values_list("service", "minute", "tickets", "alerts", "sources"):
        found[service].append(Minute(at, tickets, alerts, frozenset(sources)))
    return found


def alert_sources(service_id: int, since: datetime, until: datetime) -> dict[datetime, frozenset[str]]:
    """The distinct hosts of the alerts that began in each minute: forty conditions of one host are one source.

    An alert that names no host counts as its integration. Drills and planned work are left out.
    """
    rows = Alert.objects.filter(
        service=service_id,
        started_at__range=(since, until + timedelta(minutes=1)),
        is_drill=False,
        in_maintenance=False,
    )
    found: dict[datetime, set[str]] = {}
    newest = rows.order_by("-started_at").values_list("started_at", "labels", "integration")[:MOST_ALERTS]
    for at, labels, integration in newest:
        host = next((str(labels[name]) for name in HOST_LABELS if labels.get(name)), f"integration {integration}")
        found.setdefault(at.replace(second=0, microsecond=0), set()).add(host)
    return {at: frozenset(hosts) for at, hosts in found.items()}


def usual(services: Collection[int | None], hours: Collection[int] = ()) -> dict[int | None, Usual]:
    """What is usual for each (None: all together), of the hours given or of all. One query.

    A service nobody has measured yet is left out: what is unknown is assumed for it.
    """
    named = Q(service__in=[one for one in services if one is not None])
    if None in services:
        named |= Q(service__isnull=True)
    rows = UsualArrivals.objects.filter(named)
    if hours:
        rows = rows.filter(hour__in=hours)
    tables: dict[int | None, list[float]] = {}
    observed: dict[int | None, int] = {}
    for service, hour, per_hour, weeks in rows.values_list("service", "hour", "per_hour", "observed"):
        tables.setdefault(service, list(Usual().per_hour))[hour] = per_hour
        observed[service] = max(observed.get(service, 0), weeks)
    return {service: Usual(tuple(table), observed[service]) for service, table in tables.items() if len(table) == HOURS}


# --- What is open, and what was judged --------------------------------------------------------
@dataclass(frozen=True)
class Open:
    """Where later tickets belong: by service and by text cluster, the major incident before the candidate."""

    incidents: Mapping[int, int]
    candidates: Mapping[int, int]
    cluster_incidents: Mapping[int, int]
    cluster_candidates: Mapping[int, int]
    cluster_services: Mapping[int, int | None]

    def home_of(self, service_id: int | None, cluster_id: int | None) -> tuple[str, int] | None:
        """("incident" or "candidate", id), or None when nothing is open for it.

        Words alone do not carry a ticket that names one service to what is open for another.
        """
        about = self.cluster_services.get(cluster_id or 0)
        by_words = cluster_id if service_id is None or about is None or about == service_id else None
        for kind, by_service, by_cluster in (
            ("incident", self.incidents, self.cluster_incidents),
            ("candidate", self.candidates, self.cluster_candidates),
        ):
            found = by_service.get(service_id or 0) or by_cluster.get(by_words or 0)
            if found:
                return kind, found
        return None


def what_is_open(services: Collection[int], clusters: Mapping[int, int | None]) -> Open:
    """`clusters` maps each cluster to the candidate it is evidence for. Three queries."""
    down = DowntimeInterval.objects.filter(service__in=services, ended_at__isnull=True, incident__in=_under_way())
    incidents = dict(down.order_by("incident").values_list("service", "incident"))
    waiting = Candidate.objects.filter(status__in=OPEN_CANDIDATE_STATUSES, service__in=services)
    candidates = dict(waiting.values_list("service", "pk"))
    known = {pk for pk in clusters.values() if pk}
    rows = Candidate.objects.filter(pk__in=known).values_list("pk", "status", "major_incident", "service")
    judged = {pk: (status, incident, service) for pk, status, incident, service in rows}
    running = set(
        _under_way()
        .filter(pk__in=[incident for _, incident, _ in judged.values() if incident])
        .values_list("pk", flat=True)
    )
    of_cluster = {one: judged[pk] for one, pk in clusters.items() if pk in judged}
    return Open(
        incidents,
        candidates,
        {one: incident for one, (_, incident, _) in of_cluster.items() if incident in running},
        {
            one: pk
            for one, (status, _, _) in of_cluster.items()
            if status in OPEN_CANDIDATE_STATUSES and (pk := clusters[one])
        },
        {one: service for one, (_, _, service) in of_cluster.items()},
    )


def _under_way() -> QuerySet[MajorIncident]:
    return MajorIncident.objects.filter(
        stage__in=UNDER_WAY, is_drill=False, is_imported=False, merged_into=None, restored_at=None
    )


def judged_until(services: Collection[int], since: datetime) -> dict[int, datetime]:
    """Up to which moment the arrivals of a service have been judged: a verdict on a candidate, an outage that ended.

    Three queries, about what happened after `since` only.
    """
    found: dict[int, datetime] = {}
    verdicts = Candidate.objects.filter(service__in=services, decided_at__gte=since).values_list(
        "service", "decided_at"
    )
    ended = DowntimeInterval.objects.filter(service__in=services, ended_at__gte=since, incident__is_drill=False)
    stopped = AffectedService.objects.filter(
        service__in=services,
        incident__in=StageEntry.objects.filter(at__gte=since, to_stage=Stage.STOOD_DOWN).values("incident"),
        incident__is_drill=False,
    ).annotate(stopped_at=Max("incident__stage_entries__at"))
    for service, at in [
        *verdicts,
        *ended.values_list("service", "ended_at"),
        *stopped.values_list("service", "stopped_at"),
    ]:
        found[service] = max(found.get(service, at), at)
    return found


def clusters_judged_until(clusters: Mapping[int, int | None]) -> dict[int, datetime]:
    """The same for text clusters, by the candidate each was evidence for. One query, none without candidates."""
    known = {pk for pk in clusters.values() if pk}
    if not known:
        return {}
    rows = Candidate.objects.filter(pk__in=known).values_list("pk", "decided_at", "major_incident__restored_at")
    moments = {pk: max((at for at in (decided, restored) if at), default=None) for pk, decided, restored in rows}
    return {one: at for one, pk in clusters.items() if pk and (at := moments.get(pk)) is not None}


def mentions(titles: Collection[str], *, most: int = 2) -> list[tuple[str, int]]:
    """Words that at least a third of the titles use, with in how many; the most frequent first."""
    counted: dict[str, int] = {}
    for title in titles:
        for word in set(words_of(title)):
            counted[word] = counted.get(word, 0) + 1
    named = [(word, times) for word, times in counted.items() if times >= max(2, len(titles) / 3)]
    return sorted(named, key=lambda item: (-item[1], item[0]))[:most]


def waits() -> bool:
    """Whether the detector has anything to do."""
    return Arrival.objects.filter(looked_at__isnull=True).exists() or ArrivalCount.objects.filter(looked=False).exists()


def opened_by_alerts(ticket_ids: Collection[int]) -> list[int]:
    """Tickets that rules made of alerts: their alerts are counted, not they. One query."""
    return list(Alert.objects.filter(ticket__in=ticket_ids).values_list("ticket", flat=True).distinct())


MOST_OF_A_CLUSTER = 500


def arrivals_of(cluster_id: int, since: datetime) -> list[Arrival]:
    """The newest tickets of a text cluster. One query."""
    rows = Arrival.objects.filter(cluster=cluster_id, at__gte=since).select_related("ticket__candidate")
    return list(rows.order_by("-at")[:MOST_OF_A_CLUSTER])


def groups_of_service(service_id: int | None, since: datetime, until: datetime) -> dict[int, int]:
    """From how many distinct requesters each text cluster has tickets of the service. One query, the newest 500."""
    rows = Arrival.objects.filter(
        service=service_id, at__gte=since, at__lt=until + timedelta(minutes=1), cluster__isnull=False
    )
    sources: dict[int, set[int]] = {}
    for cluster, source in rows.order_by("-at").values_list("cluster", "source")[:MOST_OF_A_CLUSTER]:
        sources.setdefault(cluster, set()).add(source)
    return {cluster: len(held) for cluster, held in sources.items()}
