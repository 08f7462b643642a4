"""Reading targets and service hours. What they say is kept in this process until one of them changes."""

import uuid
from functools import lru_cache
from zoneinfo import ZoneInfo

from incidents.models import Holiday, Organisation, Service, ServiceHours, SlaTarget
from incidents.priority import Priority
from incidents.service_hours import Hours, around_the_clock, tidy
from incidents.sla import DEFAULT_TARGETS, Rules, Target


def current_rules(organisation: Organisation | None = None) -> Rules:
    """One query, none when the caller has read the organisation already; four more after a change."""
    row = organisation or Organisation.current()
    return _rules(row.sla_stamp, row.time_zone)


@lru_cache(maxsize=4)
def _rules(stamp: uuid.UUID, zone_name: str) -> Rules:
    zone = ZoneInfo(zone_name)
    free = frozenset(Holiday.objects.values_list("day", flat=True))
    hours = {row.pk: hours_of(row, zone, free) for row in ServiceHours.objects.all()}
    default = ServiceHours.objects.filter(is_default=True).values_list("pk", flat=True).first()
    targets = {
        (row.service_id, row.priority): Target(row.response_minutes, row.resolution_minutes, row.around_the_clock)
        for row in SlaTarget.objects.all()
    }
    own = Service.objects.filter(hours__isnull=False).values_list("pk", "hours")
    return Rules(
        stamp=stamp,
        targets=targets,
        hours_of={service: hours[pk] for service, pk in own},
        default_hours=hours[default] if default else Hours(zone, holidays=free),
        always=around_the_clock(zone),
    )


def hours_of(row: ServiceHours, zone: ZoneInfo, free: frozenset) -> Hours:
    """The row as something to count with."""
    week = tuple(tidy((start, end) for start, end in day) for day in row.week)
    own = ZoneInfo(row.time_zone) if row.time_zone else zone
    return Hours(own, week, free if row.observes_holidays else frozenset())


def targets_of(service: Service | None) -> dict[str, tuple[Target, bool]]:
    """By priority: what counts, and whether it was set for just this service (or, without one, at all)."""
    rows = SlaTarget.objects.filter(service=service)
    own = {row.priority: Target(row.response_minutes, row.resolution_minutes, row.around_the_clock) for row in rows}
    inherited = {key: target for key, (target, _) in targets_of(None).items()} if service else DEFAULT_TARGETS
    return {key: (own.get(key, inherited[key]), key in own) for key in Priority.values}


def services_with_targets() -> list[Service]:
    """Services with promises or hours of their own."""
    rows = Service.objects.filter(sla_targets__isnull=False) | Service.objects.filter(hours__isnull=False)
    return list(rows.select_related("hours").distinct())
