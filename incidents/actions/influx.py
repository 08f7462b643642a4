"""The influx detector: every new incident ticket is counted, grouped with those that say the same, and judged.

One detector works at a time (an advisory lock), a batch a turn: its cost does not depend on how much there is in the
database. Counting and judging are two transactions, so that nobody who counts waits for somebody who judges.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction

from incidents.actions import arrivals, influx_candidates
from incidents.actions.arrivals import Arrived
from incidents.alike import Cluster, Vocabulary, nearest, terms_of
from incidents.detection import (
    LEAST_EXPECTED,
    Minute,
    Repeated,
    Usual,
    Verdict,
    Window,
    assess,
    minute_of,
    reaches_floors,
    repeated_in,
    window_of,
)
from incidents.models import Arrival, ArrivalCount, TextCluster
from incidents.queries import influx as queries

BATCH = 200
MOST_CLUSTERS = 300
"""How many recent groups a text is compared with."""
LOOKS_BACK = timedelta(minutes=60)
"""Arrivals that reach the detector later than this are counted and propose nothing."""
_LANE = 0x494E46  # names the advisory lock: one detector at a time
_log = logging.getLogger(__name__)


def look(*, at: datetime) -> int:
    """Counts and judges whatever waits; returns how many tickets it looked at. Safe to run twice and in parallel."""
    looked = 0
    while queries.waits():
        counted = count_waiting(at=at)
        judged = judge_waiting(at=at)
        looked += judged
        if not counted and not judged and not ArrivalCount.objects.filter(looked=False).exists():
            break
    return looked


def _take_lane() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LANE])


# --- Counting ---------------------------------------------------------------------------------
@transaction.atomic
def count_waiting(*, at: datetime) -> int:
    """Puts the tickets that wait into a group and into the counters; how many there were."""
    _take_lane()
    waiting = Arrival.objects.filter(looked_at__isnull=True, counted=False).order_by("ticket")
    batch = list(waiting.select_related("ticket__major_incident").defer("ticket__resolution")[:BATCH])
    if not batch:
        return 0
    planned = queries.in_maintenance((one.ticket.service_id, one.at) for one in batch)
    by_alert = set(queries.opened_by_alerts([one.ticket_id for one in batch]))
    counting = [one for one in batch if _counts(one, planned) and one.ticket_id not in by_alert]
    _group(counting, at=at)
    arrivals.note(Arrived(one.service_id, one.at, tickets=1, sources=frozenset([one.source])) for one in counting)
    for one in batch:
        one.counted = True
    Arrival.objects.bulk_update(batch, ["counted", "cluster", "service"])
    return len(batch)


def _counts(arrival: Arrival, planned: set[tuple[int, datetime]]) -> bool:
    """Neither of a drill nor inside planned work."""
    parent = arrival.ticket.major_incident
    return not (parent and parent.is_drill) and (arrival.ticket.service_id, arrival.at) not in planned


def _group(batch: list[Arrival], *, at: datetime) -> None:
    """Each ticket joins the group it is most alike to, or begins one. Compares with recent groups only.

    A ticket that names no service counts for the one that others in the same words name.
    """
    for one in batch:
        one.service_id = one.ticket.service_id
    recent = [one for one in batch if one.at >= at - LOOKS_BACK]
    if not recent:
        return
    words, similar = queries.vocabulary(), queries.in_force().default.similarity
    rows = list(TextCluster.objects.filter(last_at__gte=at - LOOKS_BACK).order_by("-last_at")[:MOST_CLUSTERS])
    known = [(_Held(row), row) for row in rows]
    touched: dict[int, tuple[_Held, TextCluster]] = {}
    for one in recent:
        vector = words.vector(terms_of(one.ticket.title, one.ticket.description))
        if not vector:
            continue
        found, alike = nearest(vector, (held for held, _ in known))
        if not isinstance(found, _Held) or alike < similar:
            found = _Held(TextCluster.objects.create(words="", first_at=one.at, last_at=one.at))
            known.append((found, found.row))
        found.take(vector, one.service_id)
        one.service_id = one.service_id or found.service()
        found.row.last_at = max(found.row.last_at, one.at)
        one.cluster = found.row
        touched[found.row.pk] = (found, found.row)
    for held, row in touched.values():
        row.weights = {term: round(weight, 4) for term, weight in held.weights.items()}
        row.counts, row.members = held.counts, held.members
        row.services = {str(service): times for service, times in held.services.items()}
        row.words = " ".join(held.words())[:120]
    TextCluster.objects.bulk_update(
        [row for _, row in touched.values()], ["weights", "counts", "services", "members", "words", "last_at"]
    )


class _Held(Cluster):
    """A group as it is in the database."""

    def __init__(self, row: TextCluster) -> None:
        services = {int(service): times for service, times in row.services.items()}
        super().__init__(dict(row.weights), dict(row.counts), row.members, services)
        self.row = row


# --- Judging ----------------------------------------------------------------------------------
@transaction.atomic
def judge_waiting(*, at: datetime) -> int:
    """Attaches tickets to what is open for them, and judges every service and group that got new ones."""
    _take_lane()
    waiting = Arrival.objects.filter(looked_at__isnull=True, counted=True).order_by("ticket")
    batch = list(waiting.select_related("ticket", "cluster")[: 2 * BATCH])
    rows = list(ArrivalCount.objects.filter(looked=False).order_by("minute")[:2000])
    if not batch and not rows:
        return 0
    turn = _Turn(batch, rows, at)
    _safely("attach", turn.attach)
    for service in turn.services_to_judge():
        _safely("service", lambda service=service: turn.judge_service(service))  # type: ignore[misc]
    for cluster in turn.clusters_to_judge():
        _safely("cluster", lambda cluster=cluster: turn.judge_cluster(cluster))  # type: ignore[misc]
    Arrival.objects.filter(pk__in=[one.pk for one in batch]).update(looked_at=at)
    _looked(rows)
    return len(batch)


def _safely(what: str, act: Callable[[], Any]) -> None:
    """One subject that cannot be judged must not hold up the others. A deadlock or a lost connection ends the turn,
    which is taken again whole."""
    try:
        with transaction.atomic():
            act()
    except OperationalError:
        raise
    except Exception:
        _log.exception("influx: not judged", extra={"subject": what})


def _looked(rows: Iterable[ArrivalCount]) -> None:
    """Marks the counters as seen, unless they grew meanwhile; never waits for somebody who is counting."""
    seen = {row.pk: row.tickets + row.alerts for row in rows}
    if not seen:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {ArrivalCount._meta.db_table} AS had SET looked = true "  # noqa: S608
            "FROM unnest(%s::bigint[], %s::int[]) AS new(id, total) WHERE had.id = new.id "
            "AND had.tickets + had.alerts = new.total AND had.id IN "
            f"(SELECT id FROM {ArrivalCount._meta.db_table} WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED)",
            [list(seen), list(seen.values()), list(seen)],
        )


class _Turn:
    """What one turn of the detector knows, read in a constant number of queries."""

    def __init__(self, batch: list[Arrival], rows: list[ArrivalCount], at: datetime) -> None:
        self.at, self.batch = at, batch
        self.since = at - LOOKS_BACK
        self.touched: dict[int, list[datetime]] = {}
        for row in rows:
            if row.service_id and row.minute >= self.since:
                self.touched.setdefault(row.service_id, []).append(row.minute)
        named = {one.service_id for one in batch if one.service_id}
        self.services = named | set(self.touched)
        self.clusters: dict[int, TextCluster] = {
            one.cluster.pk: one.cluster for one in batch if one.cluster is not None
        }
        self.evidence_of = {pk: cluster.candidate_id for pk, cluster in self.clusters.items()}
        self.thresholds = queries.in_force()
        self.calendar = queries.calendar()
        self.open = queries.what_is_open(self.services, self.evidence_of)
        self.judged_until = queries.judged_until(self.touched, self.since)
        longest = max([self.thresholds.default, *self.thresholds.services.values()], key=lambda one: one.window_minutes)
        first = min([at for minutes in self.touched.values() for at in minutes] + [at])
        begins = minute_of(min(first, self.since)) - timedelta(minutes=longest.window_minutes)
        self.minutes = queries.minutes_of(self.services, begins, minute_of(at) + timedelta(minutes=2))
        hours = {self.calendar.hour(begins + timedelta(minutes=step)) for step in range(0, 240, 30)}
        self.usual = queries.usual({None, *self.services}, hours)
        self.vocabulary: Vocabulary = queries.vocabulary()

    def attach(self) -> None:
        """Tickets whose outage is known already go there; their requesters hear of it at once."""
        homes: dict[tuple[str, int], list[Arrival]] = {}
        for one in self.batch:
            own = self.thresholds.of(one.service_id)
            home = self.open.home_of(one.service_id, one.cluster_id)
            if home and own.attaches and one.ticket.major_incident_id is None:
                homes.setdefault(home, []).append(one)
        for (kind, pk), found in sorted(homes.items(), key=lambda item: (item[0][0] != "incident", item[0][1])):
            ids = [one.ticket_id for one in found]
            if kind == "incident":
                influx_candidates.adopt_further(pk, ids, at=self.at)
            else:
                influx_candidates.attach_further(pk, ids, growth=self.growth, at=self.at)

    def growth(self, service_id: int | None) -> Verdict | None:
        """What the latest window of the candidate's service looks like; None without a service."""
        return self.verdict_of_service(service_id, minute_of(self.at)) if service_id in self.minutes else None

    def services_to_judge(self) -> list[int]:
        taken = {*self.open.incidents, *self.open.candidates}
        return [service for service in sorted(self.touched) if service not in taken]

    def verdict_of_service(self, service_id: int | None, ends_at: datetime) -> Verdict:
        own = self.thresholds.of(service_id)
        minutes = self.minutes[service_id or 0]
        window = window_of(minutes, ends_at, own.window_minutes, after=self.judged_until.get(service_id or 0))
        if window.alerts and window.arrived >= own.least_arrivals and service_id:
            minutes = _with_hosts(minutes, queries.alert_sources(service_id, window.begins_at, window.ends_at))
            window = window_of(minutes, ends_at, own.window_minutes, after=self.judged_until.get(service_id))
        expected = self._expected(service_id, window.begins_at, window.ends_at)
        repeated = self._repeated(service_id, window) if reaches_floors(window, own) else None
        return assess(window, expected, own, repeated=repeated)

    def _repeated(self, service_id: int | None, window: Window) -> Repeated:
        """How many of the window's tickets say the same as another; asked only once the floors are reached."""
        usual = self._expected(None, window.begins_at, window.ends_at)
        groups = queries.groups_of_service(service_id, window.begins_at, window.ends_at)
        rows = TextCluster.objects.in_bulk([pk for pk, number in groups.items() if number > 1])
        return repeated_in((groups[pk], usual * _Held(row).usual_share(self.vocabulary)) for pk, row in rows.items())

    def _expected(self, service_id: int | None, begins_at: datetime, ends_at: datetime) -> float:
        known = self.usual.get(service_id) or Usual()
        return known.expected(begins_at, ends_at, self.calendar)

    def judge_service(self, service_id: int) -> None:
        verdict = _latest(self.verdict_of_service(service_id, minute) for minute in self.touched[service_id])
        if verdict is not None:
            influx_candidates.raise_for_service(service_id, verdict, self.thresholds.of(service_id), at=self.at)

    def clusters_to_judge(self) -> list[TextCluster]:
        """Groups that got a ticket and are evidence for nothing open."""
        fresh = TextCluster.objects.in_bulk(self.clusters)
        taken = {*self.open.cluster_incidents, *self.open.cluster_candidates}
        return [
            one for pk, one in sorted(fresh.items()) if pk not in taken and one.candidate_id == self.evidence_of[pk]
        ]

    def judge_cluster(self, cluster: TextCluster) -> None:
        own = self.thresholds.default
        if cluster.members < own.least_arrivals:
            return
        after = queries.clusters_judged_until(self.evidence_of).get(cluster.pk)
        held = queries.arrivals_of(cluster.pk, self.since - timedelta(minutes=own.window_minutes))
        minutes = [Minute(minute_of(one.at), 1, 0, frozenset([one.source])) for one in held]
        share = _Held(cluster).usual_share(self.vocabulary)
        verdicts = []
        for ends_at in sorted({minute_of(one.at) for one in self.batch if one.cluster_id == cluster.pk}):
            window = window_of(minutes, ends_at, own.window_minutes, after=after)
            expected = max(self._expected(None, window.begins_at, window.ends_at) * share, LEAST_EXPECTED)
            verdicts.append(assess(window, expected, own))
        verdict = _latest(verdicts)
        if verdict is not None:
            inside = [one for one in held if verdict.window.begins_at <= minute_of(one.at) <= verdict.window.ends_at]
            influx_candidates.raise_for_cluster(cluster, inside, verdict, own, at=self.at)


def _latest(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The last that proposes, over everything since the first that did: what came in one turn is one influx."""
    proposing = [verdict for verdict in verdicts if verdict.proposes]
    if not proposing:
        return None
    begins_at = min(verdict.window.begins_at for verdict in proposing)
    return replace(proposing[-1], window=replace(proposing[-1].window, begins_at=begins_at))


def _with_hosts(minutes: list[Minute], hosts: dict[datetime, frozenset[str]]) -> list[Minute]:
    """Counter rows with the hosts of their alerts among the sources."""
    return [
        Minute(
            one.at,
            one.tickets,
            one.alerts,
            one.sources | {queries.source_number(f"host {host}") for host in hosts.get(one.at, ())},
        )
        for one in minutes
    ]


# --- Forgetting -------------------------------------------------------------------------------
KEPT_ARRIVALS = timedelta(days=2)
KEPT_COUNTS = timedelta(weeks=14)
KEPT_CLUSTERS = timedelta(days=7)


@transaction.atomic
def forget(*, at: datetime) -> int:
    """Deletes what is no longer compared with anything; the tickets themselves stay. Returns the number of rows."""
    gone, _ = Arrival.objects.filter(at__lt=at - KEPT_ARRIVALS, looked_at__lt=at - KEPT_ARRIVALS).delete()
    counts, _ = ArrivalCount.objects.filter(minute__lt=at - KEPT_COUNTS).delete()
    groups, _ = TextCluster.objects.filter(last_at__lt=at - KEPT_CLUSTERS).delete()
    return gone + counts + groups
