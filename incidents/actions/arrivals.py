"""Counts what arrives, one statement however many there are. Service requests, drills and planned work do not count.

A ticket is noted with a row of its own in the statement that files it, so that nobody waits for a hot counter; the
detector folds these rows into the counters. Alerts are counted directly, a batch a statement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from incidents.detection import MOST_SOURCES
from incidents.models import Arrival, ArrivalCount, Ticket, TicketKind
from incidents.queries.influx import source_number, source_of
from incidents.wake_up import wake_for
from incidents.written_together import KEY_OF_FIRST

LOOK = "incidents.tasks.look_for_influx"


@dataclass(frozen=True)
class Arrived:
    """`service_id` None: no service was named. `at` is when it was reported (aware).

    `sources` are who reported, see `source_number`; alerts counted without one are told apart by their host later.
    """

    service_id: int | None
    at: datetime
    tickets: int = 0
    alerts: int = 0
    sources: frozenset[int] = frozenset()


def note(arrived: Iterable[Arrived]) -> None:
    """Adds to the counter rows, which are made as needed; two writers at once both count. Wakes the detector."""
    sums: dict[tuple[int | None, datetime], tuple[list[int], set[int]]] = {}
    for one in arrived:
        counts, sources = sums.setdefault((one.service_id, one.at.replace(second=0, microsecond=0)), ([0, 0], set()))
        counts[0] += one.tickets
        counts[1] += one.alerts
        sources |= one.sources
    if not sums:
        return
    keys = sorted(sums, key=lambda key: (key[0] or 0, key[1]))  # one order for everybody: no deadlock
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {ArrivalCount._meta.db_table} AS had "  # noqa: S608
            "(service_id, minute, tickets, alerts, sources, looked) "
            "SELECT service, minute, tickets, alerts, sources::bigint[], false "
            "FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[], %s::int[], %s::text[]) "
            "AS new(service, minute, tickets, alerts, sources) "
            "ON CONFLICT (service_id, minute) DO UPDATE "
            "SET tickets = had.tickets + excluded.tickets, alerts = had.alerts + excluded.alerts, looked = false, "
            "sources = ARRAY(SELECT DISTINCT unnest(had.sources || excluded.sources) LIMIT %s)",
            [
                [key[0] for key in keys],
                [key[1] for key in keys],
                [sums[key][0][0] for key in keys],
                [sums[key][0][1] for key in keys],
                [f"{{{','.join(map(str, sorted(sums[key][1])[:MOST_SOURCES]))}}}" for key in keys],
                MOST_SOURCES,
            ],
        )
    ring()


def arrival_of(ticket: Ticket) -> Arrival | None:
    """What the detector is to look at, for a caller who writes it together with the ticket and rings after.

    None for a service request.
    """
    if ticket.kind != TicketKind.INCIDENT:
        return None
    said = source_of(ticket)
    source = source_number(said) if said != f"ticket {ticket.pk}" else ticket.pk or KEY_OF_FIRST
    return Arrival(ticket=ticket, at=ticket.reported_at, source=source)


def filed_anew(ticket: Ticket) -> None:
    """A ticket whose service or kind was corrected is looked at once more, at its old moment."""
    if (arrival := arrival_of(ticket)) is None:
        return
    Arrival.objects.bulk_create(
        [arrival],
        update_conflicts=True,
        unique_fields=["ticket"],
        update_fields=["at", "source", "service", "cluster", "counted", "looked_at"],
    )
    ring()


def ring() -> None:
    """After the commit, asks a worker to look; several rings at once are one, and a sweep finds what none reached."""
    wake_for(LOOK)
