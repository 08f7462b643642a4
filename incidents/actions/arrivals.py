"""Counts what arrives, one statement however many there are. Service requests, drills and planned work do not count."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from incidents.models import ArrivalCount


@dataclass(frozen=True)
class Arrived:
    """`service_id` None: no service was named. `at` is when it reached us (aware)."""

    service_id: int | None
    at: datetime
    tickets: int = 0
    alerts: int = 0


def note(arrived: Iterable[Arrived]) -> None:
    """Adds to the counter rows, which are made as needed; two writers at once both count."""
    sums: dict[tuple[int | None, datetime], list[int]] = {}
    for one in arrived:
        row = sums.setdefault((one.service_id, one.at.replace(second=0, microsecond=0)), [0, 0])
        row[0] += one.tickets
        row[1] += one.alerts
    if not sums:
        return
    keys = sorted(sums, key=lambda key: (key[0] or 0, key[1]))  # one order for everybody: no deadlock
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {ArrivalCount._meta.db_table} AS had (service_id, minute, tickets, alerts) "  # noqa: S608
            "SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[], %s::int[]) "
            "ON CONFLICT (service_id, minute) DO UPDATE "
            "SET tickets = had.tickets + excluded.tickets, alerts = had.alerts + excluded.alerts",
            [
                [key[0] for key in keys],
                [key[1] for key in keys],
                [sums[key][0] for key in keys],
                [sums[key][1] for key in keys],
            ],
        )
