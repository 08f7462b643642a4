"""The world around an outage: who reports it, and what looked like it (what depends on it: `radius`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Value, prefetch_related_objects
from django.db.models.functions import TruncMinute

from incidents.models import Alert, ChangeLink, MajorIncident, Ticket
from incidents.process import Stage
from incidents.queries.affected import count_of_incident

ARRIVAL_WINDOW = timedelta(minutes=60)
ARRIVAL_BUCKETS = 30
SHOWN = 4


@dataclass(frozen=True)
class Arrivals:
    """Tickets linked to the incident: how many, and how many arrived in each two minutes, oldest first.

    `people` say without a ticket that they are affected. `alerts` are counted the same way as `counts`.
    """

    total: int
    open: int
    counts: list[int]
    lately: int
    people: int
    alerts: list[int]


def arrivals(incident: MajorIncident, now: datetime) -> Arrivals:
    """Two queries whatever the number of tickets and alerts. The window ends when the incident did."""
    end = min(filter(None, (now, incident.resolved_at, incident.closed_at)))
    first = (incident.started_at or incident.reported_at or incident.declared_at or end) - timedelta(minutes=10)
    begin = max(first, end - ARRIVAL_WINDOW) if end - first > ARRIVAL_WINDOW else end - ARRIVAL_WINDOW
    children = Ticket.objects.filter(major_incident=incident)
    waiting = Count("tickets", filter=~Q(tickets__status__in=["resolved", "closed"]))
    reported = MajorIncident.objects.annotate(total=Count("tickets"), waiting=waiting, people=count_of_incident())
    totals = reported.values("total", "waiting", "people").get(pk=incident.pk)
    reports = _by_minute(children, "reported_at", begin, end)
    alerts = _by_minute(Alert.objects.filter(major_incident=incident), "first_received_at", begin, end)
    counts, fired = [0] * ARRIVAL_BUCKETS, [0] * ARRIVAL_BUCKETS
    for of, minute, number in reports.union(alerts, all=True):
        place = min(max(int((minute - begin) / (ARRIVAL_WINDOW / ARRIVAL_BUCKETS)), 0), ARRIVAL_BUCKETS - 1)
        (counts if of == "reported_at" else fired)[place] += number
    return Arrivals(totals["total"], totals["waiting"], counts, sum(counts[-3:]), totals["people"], fired)


def _by_minute(rows: QuerySet[Any], field: str, begin: datetime, end: datetime) -> QuerySet[Any]:
    """The field, each minute of the window in which something arrived, and how much."""
    within = rows.order_by().filter(**{f"{field}__gt": begin, f"{field}__lte": end})
    counted = within.annotate(of=Value(field), minute=TruncMinute(field)).values("of", "minute").annotate(n=Count("pk"))
    return counted.values_list("of", "minute", "n")


def with_fixes(rows: Iterable[MajorIncident]) -> list[MajorIncident]:
    """Past incidents that are over, each with `fix`, the change that worked, and `cause`, when they are known."""
    found = [row for row in rows if row.stage in (Stage.CLOSED, Stage.MAINTENANCE)][:SHOWN]
    prefetch_related_objects(found, "change_links__change", "problems")
    for row in found:
        fixes = [link.change for link in row.change_links.all() if link.relation == ChangeLink.Relation.FIX]
        worked = (change for change in fixes if change.implemented_at and not change.rolled_back_at)
        row.fix = next(worked, None)  # type: ignore[attr-defined]
        causes = (problem.root_cause for problem in row.problems.all() if problem.root_cause)
        row.cause = next(causes, "")  # type: ignore[attr-defined]
    return found
