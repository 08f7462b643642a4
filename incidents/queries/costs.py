"""What an outage has cost so far, from downtime and the services' cost per hour."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from incidents.models import DowntimeInterval


def downtime_seconds(intervals: Iterable[DowntimeInterval], now: datetime) -> float:
    """Seconds during which at least one service was down: the union of the intervals, open ones up to `now`."""
    total, reached = 0.0, None
    for start, end in sorted((row.started_at, row.ended_at or now) for row in intervals):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total += (end - begin).total_seconds()
        reached = end if reached is None else max(reached, end)
    return total


def cost_of_downtime(intervals: Iterable[DowntimeInterval], now: datetime) -> Decimal | None:
    """Each service's cost per hour times its own downtime; None when no affected service has a cost."""
    parts = [
        row.service.cost_per_hour * Decimal(max(((row.ended_at or now) - row.started_at).total_seconds(), 0)) / 3600
        for row in intervals
        if row.service is not None and row.service.cost_per_hour
    ]
    return sum(parts, Decimal(0)) if parts else None


def cost_per_hour_now(intervals: Iterable[DowntimeInterval]) -> Decimal | None:
    """What an hour costs while what is down stays down; None when that is unknown."""
    rates = [row.service.cost_per_hour for row in intervals if row.ended_at is None and row.service]
    return sum(rates, Decimal(0)) or None
