"""Kept months: ten years are 120 rows and the days between them, instead of every incident again.

A month is kept when it is over and every incident of it is kept. Whatever moves a figure notes it in its own
transaction (`keeping_months`); a month that a note touches is computed from its incidents until the sweep has made it
anew. So what is read is never out of date, only slower. What a process has read of a kept month it remembers by the
month's version, which is another one each time the month is made.
"""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from itertools import pairwise
from threading import Lock
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

import orjson
from django.db import connection, transaction
from django.db.models import Min
from django.db.models.functions import Coalesce

from incidents.models import DowntimeInterval, MajorIncident, Organisation
from metrics import month_blocks, month_sql
from metrics.asking import parameters
from metrics.models import MonthFigures
from metrics.month_blocks import Block, Outages
from metrics.periods import Scope, month_starts, zone_of

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The last few things asked for, by their key. Safe between threads."""

    def __init__(self, most: int) -> None:
        self.most, self.lock = most, Lock()
        self.found: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        with self.lock:
            if key in self.found:
                self.found.move_to_end(key)
            return self.found.get(key)

    def put(self, key: K, value: V) -> V:
        with self.lock:
            self.found[key] = value
            self.found.move_to_end(key)
            while len(self.found) > self.most:
                self.found.popitem(last=False)
        return value

    def all(self) -> dict[K, V]:
        """As they are at this moment."""
        with self.lock:
            return dict(self.found)

    def clear(self) -> None:
        with self.lock:
            self.found.clear()


_BLOCKS: Recent[str, Block] = Recent(400)
_ROWS: Recent[str, dict[str, Any]] = Recent(400)
_UNITED: Recent[tuple[str, ...], Block] = Recent(8)
"""By versions. Ten years of 20,000 incidents take about a megabyte each."""


def forget_what_was_read() -> None:
    """Empties the memory of this process; nothing but speed depends on it."""
    for memory in (_BLOCKS, _ROWS, _UNITED):
        memory.clear()


# --- Reading ----------------------------------------------------------------------------------
def summary_rows(scope: Scope, at: datetime) -> list[dict[str, Any]]:
    """As `sql.SUMMARY` answers: the whole period first, then each month with an incident. One query."""
    kept, found = _ask(month_sql.SUMMARY, scope, at)
    live = {name: month_blocks.read(content) for kind, name, content in found if kind == "live"}
    targets = next((content for kind, _, content in found if kind == "targets"), None)
    whole = month_blocks.row(_united(kept), month_blocks.united(list(live.values())))
    whole |= {"month": None, "targets": orjson.loads(targets) if targets else None}
    rows = [_ROWS.get(version) or _ROWS.put(version, month_blocks.row(block) | {"month": name, "version": version})
            for name, version, block in kept]  # fmt: skip
    return [whole, *rows, *(month_blocks.row(block) | {"month": name} for name, block in live.items())]


def service_rows(scope: Scope, at: datetime) -> list[dict[str, Any]]:
    """As `sql.SERVICES` answers, in its order. One query."""
    kept, found = _ask(month_sql.SERVICES, scope, at)
    before = _united(kept).outages
    services = [orjson.loads(content) for kind, _, content in found if kind == "service" and content]
    return [_service_row(one, before) for one in sorted(services, key=lambda one: one["place"])]


def _service_row(one: dict[str, Any], before: dict[int, Outages]) -> dict[str, Any]:
    whole = sum((Outages(*numbers) for numbers in one["live"] or ()), before.get(one["id"], Outages()))
    return one | {
        "failures": whole.failures, "gaps": max(whole.failures - 1, 0), "gap_seconds": whole.gap_seconds,
        "downtime_seconds": whole.seconds, "cost": whole.cost,
    }  # fmt: skip


Kept = tuple[str, str, Block]
"""Name, version and content of a kept month."""


def _ask(statement: str, scope: Scope, at: datetime) -> tuple[list[Kept], list[tuple[str, str, str]]]:
    """The kept months that stand, in their order, and the other rows. What was read before is not sent again."""
    known = _BLOCKS.all()
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters(scope, at) | {"known": list(known)})
        rows = cursor.fetchall()
    kept = [
        (name, version, known[version] if content is None else _BLOCKS.put(version, month_blocks.read(content)))
        for kind, name, version, content in sorted(row for row in rows if row[0] == "kept")
    ]
    return kept, [(kind, name, content) for kind, name, _, content in rows if kind != "kept"]


def _united(kept: list[Kept]) -> Block:
    versions = tuple(version for _, version, _ in kept)
    return _UNITED.get(versions) or _UNITED.put(versions, month_blocks.united([block for _, _, block in kept]))


# --- Keeping ----------------------------------------------------------------------------------
LOCK = 0x4D4F4E5448  # “MONTH”: one sweep at a time
MOST_AT_ONCE = 24


@transaction.atomic
def keep(*, at: datetime, most: int = MOST_AT_ONCE) -> int | None:
    """Takes away what has moved and makes up to `most` months that are over, the newest first.

    Returns how many were made; None when another one is at it. Nobody who writes is waited for or made to wait: a
    change that is committed meanwhile leaves its note behind.
    """
    zone = zone_of(Organisation.current())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(month_sql.FORGET, {"zone": zone.key})
        months = _missing(zone, at)
        if not months:
            return 0
        asked = parameters(Scope(at, at, zone), at) | {
            "starts": [first for first, _ in months], "ends": [after for _, after in months], "most": most,
        }  # fmt: skip
        cursor.execute(month_sql.BUILD, asked)
        return int(cursor.rowcount)


def _missing(zone: ZoneInfo, at: datetime) -> list[tuple[datetime, datetime]]:
    """First moment and the one after of each month that is over and not kept, since anything was recorded."""
    belongs = MajorIncident.objects.aggregate(first=Min(Coalesce("declared_at", "reported_at")))["first"]
    down = DowntimeInterval.objects.aggregate(first=Min("started_at"))["first"]
    began = min((one for one in (belongs, down) if one is not None), default=at)
    kept = set(MonthFigures.objects.values_list("starts_at", flat=True))
    edges = month_starts(began, at, zone)
    return [(first, after) for first, after in pairwise(edges) if first not in kept]
