"""What the process saves: outages of the period against the median outage before it. An estimate, told as one."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from metrics.kpis import Statistic, incident_rows, summarise
from metrics.periods import Scope

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Savings:
    """`before` is the downtime of every incident before the period. Seconds; negative when outages became longer.

    `cost` values each second saved at what a second of the period's downtime cost; None where that is unknown.
    """

    before: Statistic
    incidents: int
    seconds: float | None
    cost: float | None

    @property
    def longer(self) -> float:
        return -(self.seconds or 0.0)


def saved_by_the_process(scope: Scope, *, at: datetime) -> Savings:
    """Sum over the incidents of the period of (median downtime before − own downtime). Two queries.

    None where nothing was measured before, or nothing in the period.
    """
    earlier, _ = summarise(replace(scope, start=EARLIEST, end=scope.start, grain=scope.grain), at=at, with_pieces=False)
    before = earlier.statistics["average_downtime"]
    rows = [row for row in incident_rows(scope, at=at) if row["average_downtime"] is not None]
    if before.median_seconds is None or not rows:
        return Savings(before, len(rows), None, None)
    seconds = sum(before.median_seconds - row["average_downtime"] for row in rows)
    down = sum(row["average_downtime"] for row in rows)
    costs = [row["cost"] for row in rows if row["cost"] is not None]
    return Savings(before, len(rows), seconds, seconds * sum(costs) / down if costs and down else None)
