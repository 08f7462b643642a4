"""What an outage has cost so far, from downtime and the services' cost per hour."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from incidents.models import DowntimeInterval, Service
from incidents.queries.sla import current_rules


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
    """Each service's cost per hour times its own downtime; None when no affected service has a cost.

    Time outside the service hours counts with the service's share for it.
    """
    parts = [
        row.service.cost_per_hour * Decimal(_counted_seconds(row.service, row.started_at, row.ended_at or now)) / 3600
        for row in intervals
        if row.service is not None and row.service.cost_per_hour
    ]
    return sum(parts, Decimal(0)) if parts else None


def cost_per_hour_now(intervals: Iterable[DowntimeInterval], now: datetime | None = None) -> Decimal | None:
    """What an hour costs while what is down stays down, by day or by night as it is now; None when that is unknown."""
    at = now or timezone.now()
    rates = [
        row.service.cost_per_hour * Decimal(str(_share_at(row.service, at)))
        for row in intervals
        if row.ended_at is None and row.service
    ]
    return sum(rates, Decimal(0)) or None


def _counted_seconds(service: Service, start: datetime, end: datetime) -> float:
    whole = max((end - start).total_seconds(), 0.0)
    if service.off_hours_percent == 100:
        return whole
    open_for = current_rules().hours_for(service.pk).seconds_between(start, end)
    return open_for + (whole - open_for) * service.off_hours_percent / 100


def _share_at(service: Service, at: datetime) -> float:
    """Of the cost of an hour, which share an hour costs at this moment."""
    if service.off_hours_percent == 100 or current_rules().hours_for(service.pk).is_open(at):
        return 1.0
    return service.off_hours_percent / 100
