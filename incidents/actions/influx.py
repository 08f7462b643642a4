"""The influx detector: every new incident ticket is counted, grouped with those that say the same, and judged.

One detector works at a time (an advisory lock), a batch a turn: its cost does not depend on how much there is in the
database. Counting and judging are two transactions, so that nobody who counts waits for somebody who judges.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import orjson
from django.db import OperationalError, connection, transaction

from incidents.actions import arrivals, influx_candidates
from incidents.actions.arrivals import Arrived
from incidents.alike import Cluster, Vocabulary, nearest, terms_of
from incidents.detection import (
    LEAST_EXPECTED,
    Calendar,
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
MOST_COUNTS = 2_000
"""Counter rows that one turn looks at."""
MOST_CLUSTERS = 300
"""How many recent groups a text is compared with."""
LOOKS_BACK = timedelta(minutes=60)
"""Arrivals that reach the detector later than this are counted and propose nothing."""
_LANE = 0x494E46  # names the advisory lock: one detector at a time
_log = logging.getLogger(__name__)


def look(*, at: datetime) -> int:
    """Counts and judges whatever waits; returns how many tickets it looked at. Safe to run twice and in parallel.

    What comes meanwhile is left to the next look, which it has rung for: ten looks a second at many tickets each cost
    a fraction of a look at every ticket.
    """
    looked = 0
    is_more = queries.waits()
    while is_more:
        is_more = count_waiting(at=at) == BATCH
        judged, is_more_to_judge = judge_waiting(at=at)
        looked += judged
        is_more = is_more or is_more_to_judge
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
    _write_counted(batch)
    return len(batch)


def _write_counted(batch: Sequence[Arrival]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Arrival._meta.db_table} AS had SET counted = true, cluster_id = new.cluster, "  # noqa: S608
            "service_id = new.service FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) "
            "AS new(ticket, cluster, service) WHERE had.ticket_id = new.ticket",
            [[one.pk for one in batch], [one.cluster_id for one in batch], [one.service_id for one in batch]],
        )


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
    known = _groups.latest(at - LOOKS_BACK)
    joined: list[tuple[Arrival, _Held]] = []
    for one in recent:
        vector = words.vector(terms_of(one.ticket.title, one.ticket.description))
        if not vector:
            continue
        found, alike = nearest(vector, known)
        if not isinstance(found, _Held) or alike < similar:
            found = _Held(TextCluster(first_at=one.at, last_at=one.at))
            known.append(found)
        found.take(vector, one.service_id)
        one.service_id = one.service_id or found.service()
        found.row.last_at = max(found.row.last_at, one.at)
        joined.append((one, found))
    _groups.save(known, {id(held): held for _, held in joined}.values())
    for one, held in joined:
        one.cluster = held.row


class _Groups:
    """The recent groups, kept by this process between its turns: what has not grown since is not read again.

    Only who holds the lane comes here. Between `latest` and `save` nothing is kept, so that a turn that fails leaves
    nothing behind; where its commit fails, the number of members tells.
    """

    def __init__(self) -> None:
        self._held: dict[int, _Held] = {}

    def latest(self, since: datetime) -> "list[_Held]":
        """Those that got a ticket since then, the latest first. One small query, and one for what changed."""
        rows = TextCluster.objects.filter(last_at__gte=since).order_by("-last_at")
        members = dict(rows.values_list("pk", "members")[:MOST_CLUSTERS])
        held, self._held = self._held, {}
        found = {pk: held[pk] for pk, number in members.items() if pk in held and held[pk].members == number}
        if changed := members.keys() - found.keys():
            found |= {pk: _Held(row) for pk, row in TextCluster.objects.in_bulk(changed).items()}
        return [found[pk] for pk in members if pk in found]

    def save(self, known: "Sequence[_Held]", touched: "Iterable[_Held]") -> None:
        """Of those touched, the new ones in one statement, those that grew in another."""
        new: list[TextCluster] = []
        grown: list[TextCluster] = []
        for one in touched:
            one.write()
            (new if one.row.pk is None else grown).append(one.row)
        if new:
            TextCluster.objects.bulk_create(new)
        if grown:
            _write_grown(grown)
        self._held = {one.row.pk: one for one in known}


def _write_grown(rows: Sequence[TextCluster]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {TextCluster._meta.db_table} AS had SET weights = new.weights::jsonb, "  # noqa: S608
            "counts = new.counts::jsonb, services = new.services::jsonb, members = new.members, words = new.words, "
            "last_at = new.last_at FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::int[], "
            "%s::varchar[], %s::timestamptz[]) AS new(id, weights, counts, services, members, words, last_at) "
            "WHERE had.id = new.id",
            [
                [row.pk for row in rows],
                [orjson.dumps(row.weights).decode() for row in rows],
                [orjson.dumps(row.counts).decode() for row in rows],
                [orjson.dumps(row.services).decode() for row in rows],
                [row.members for row in rows],
                [row.words for row in rows],
                [row.last_at for row in rows],
            ],
        )


class _Held(Cluster):
    """A group as it is in the database."""

    def __init__(self, row: TextCluster) -> None:
        services = {int(service): times for service, times in row.services.items()}
        super().__init__(dict(row.weights), dict(row.counts), row.members, services)
        self.row = row

    def write(self) -> None:
        """Puts what it has become into its row, unsaved."""
        self.row.weights = {term: round(weight, 4) for term, weight in self.weights.items()}
        self.row.counts, self.row.members = self.counts, self.members
        self.row.services = {str(service): times for service, times in self.services.items()}
        self.row.words = " ".join(self.words())[:120]


_groups = _Groups()


# --- Judging ----------------------------------------------------------------------------------
@transaction.atomic
def judge_waiting(*, at: datetime) -> tuple[int, bool]:
    """Attaches tickets to what is open for them, and judges every service and group that got new ones. How many
    tickets there were, and whether there may be more than one turn looks at."""
    _take_lane()
    waiting = Arrival.objects.filter(looked_at__isnull=True, counted=True).order_by("ticket")
    words = ("cluster__weights", "cluster__counts", "cluster__services")
    batch = list(waiting.select_related("ticket", "cluster").defer("ticket__description", *words)[: 2 * BATCH])
    rows = list(ArrivalCount.objects.filter(looked=False).order_by("minute")[:MOST_COUNTS])
    if not batch and not rows:
        return 0, False
    turn = _Turn(batch, rows, at)
    _safely("attach", turn.attach)
    for service in turn.services_to_judge():
        _safely("service", lambda service=service: turn.judge_service(service))  # type: ignore[misc]
    for cluster in turn.clusters_to_judge():
        _safely("cluster", lambda cluster=cluster: turn.judge_cluster(cluster))  # type: ignore[misc]
    Arrival.objects.filter(pk__in=[one.pk for one in batch]).update(looked_at=at)
    _looked(rows)
    return len(batch), len(batch) == 2 * BATCH or len(rows) == MOST_COUNTS


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
        self.open = queries.what_is_open(self.services, self.evidence_of)
        longest = max([self.thresholds.default, *self.thresholds.services.values()], key=lambda one: one.window_minutes)
        first = min([at for minutes in self.touched.values() for at in minutes] + [at])
        self.begins = minute_of(min(first, self.since)) - timedelta(minutes=longest.window_minutes)
        self.minutes = queries.minutes_of(self.services, self.begins, minute_of(at) + timedelta(minutes=2))

    # What is asked only when something reaches the floors, which is seldom.
    @cached_property
    def calendar(self) -> Calendar:
        return queries.calendar()

    @cached_property
    def judged_until(self) -> dict[int, datetime]:
        return queries.judged_until(self.touched, self.since)

    @cached_property
    def usual(self) -> dict[int | None, Usual]:
        hours = {self.calendar.hour(self.begins + timedelta(minutes=step)) for step in range(0, 240, 30)}
        return queries.usual({None, *self.services}, hours)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return queries.vocabulary()

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
        return [one for one in sorted(self.touched) if one not in taken and self._may_propose(one)]

    def _may_propose(self, service_id: int) -> bool:
        """Whether any window that ends in a new minute reaches the floors, whatever was judged before: a look at
        counters that are here already. The hosts of alerts are counted only when it comes to a verdict."""
        own = self.thresholds.of(service_id)
        for minute in self.touched[service_id]:
            window = window_of(self.minutes[service_id], minute, own.window_minutes)
            if window.arrived >= own.least_arrivals and (window.alerts or window.requesters >= own.least_requesters):
                return True
        return False

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
        least = self.thresholds.default.least_arrivals
        enough = [pk for pk, cluster in self.clusters.items() if cluster.members >= least]
        fresh = TextCluster.objects.in_bulk(enough) if enough else {}
        taken = {*self.open.cluster_incidents, *self.open.cluster_candidates}
        return [
            one for pk, one in sorted(fresh.items()) if pk not in taken and one.candidate_id == self.evidence_of[pk]
        ]

    def judge_cluster(self, cluster: TextCluster) -> None:
        own = self.thresholds.default
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
