"""Downtime: intervals per affected service, opened by declaring, ended by restoring."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from incidents import events
from incidents.actions import clocks, steps
from incidents.actions.locking import check_not_future, check_open, lock_incident
from incidents.errors import ClockOrder, Duplicate, Invalid
from incidents.models import AffectedService, DowntimeInterval, MajorIncident, Service, User
from incidents.permissions import require
from incidents.process import EventKind


def open_for(incident: MajorIncident, services: Iterable[Service], *, at: datetime, follows_clocks: bool) -> None:
    """One open interval per service on the locked incident, from `at`."""
    DowntimeInterval.objects.bulk_create(
        DowntimeInterval(incident=incident, service=service, started_at=at, follows_clocks=follows_clocks)
        for service in services
    )


def sync_restored(incident: MajorIncident, *, actor: User | None, at: datetime) -> None:
    """restored_at is the end of the last interval once none is open; without intervals it is left as it is."""
    intervals = list(incident.downtime.all())
    if not intervals:
        return
    ends = [interval.ended_at for interval in intervals]
    restored = None if None in ends else max(end for end in ends if end is not None)
    if clocks.enter(incident, "restored_at", restored, actor=actor, at=at):
        clocks.check_order(incident.clocks)
        incident.save(update_fields=["restored_at", "updated_at"])


@transaction.atomic
def restore(incident_id: int, *, services: Iterable[Service] | None = None, actor: User, at: datetime) -> MajorIncident:
    """Service is back: ends the open downtime of these services, of all when None is given.

    Raises Invalid, ClockOrder, Duplicate (nothing is down any more), WrongStage or NotAccountable.
    """
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_open(incident, "restoring")
    check_not_future("at", at)
    open_now = list(incident.downtime.filter(ended_at__isnull=True).select_related("service"))
    chosen = _choose(open_now, services)
    if not chosen and (incident.restored_at is not None or incident.downtime.exists()):
        raise Duplicate(f"Nothing is down any more on {incident.ref}; correct the clock if the time was wrong.")
    for interval in chosen:
        if at < interval.started_at:
            raise ClockOrder(
                f"Downtime began at {interval.started_at:%Y-%m-%d %H:%M:%S} UTC; it cannot end before.",
                earlier="started_at",
                later="restored_at",
            )
        interval.ended_at = at
        interval.save(update_fields=["ended_at"])
    if incident.downtime.exists():
        sync_restored(incident, actor=actor, at=at)
    elif clocks.enter(incident, "restored_at", at, actor=actor, at=at):
        clocks.check_order(incident.clocks)
        incident.save(update_fields=["restored_at", "updated_at"])
    names = [interval.service.name for interval in chosen if interval.service]
    kind = EventKind.RESTORED if incident.restored_at else EventKind.DOWNTIME_ENDED
    events.record(kind, incident, actor=actor, at=at, services=names, restored_at=at.isoformat())
    steps.refresh(incident, actor=actor, at=at)
    return incident


def _choose(open_now: list[DowntimeInterval], services: Iterable[Service] | None) -> list[DowntimeInterval]:
    if services is None:
        return open_now
    wanted = {service.pk: service for service in services}
    chosen = [interval for interval in open_now if interval.service_id in wanted]
    if missing := [service.name for pk, service in wanted.items() if pk not in {c.service_id for c in chosen}]:
        raise Invalid(services=f"Not down on this incident: {', '.join(missing)}.")
    return chosen


def _check_interval(incident: MajorIncident, interval: DowntimeInterval) -> None:
    """Raises Invalid when it ends before it begins, lies before the impact, or overlaps another of its service."""
    check_not_future("started_at", interval.started_at)
    check_not_future("ended_at", interval.ended_at)
    if interval.ended_at is not None and interval.ended_at < interval.started_at:
        raise Invalid(ended_at="Downtime cannot end before it began.")
    others = incident.downtime.filter(service=interval.service).exclude(pk=interval.pk)
    overlaps = others.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=interval.started_at))
    if interval.ended_at is not None:
        overlaps = overlaps.filter(started_at__lt=interval.ended_at)
    if other := overlaps.first():
        raise Invalid(started_at=f"Overlaps the downtime that began at {other.started_at:%Y-%m-%d %H:%M} UTC.")


@transaction.atomic
def add(
    incident_id: int,
    *,
    service: Service | None,
    started_at: datetime,
    ended_at: datetime | None = None,
    actor: User,
    at: datetime,
) -> DowntimeInterval:
    """A service went down (again) during this incident; it becomes affected if it was not."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_open(incident, "adding downtime")
    interval = DowntimeInterval(
        incident=incident, service=service, started_at=started_at, ended_at=ended_at, follows_clocks=False
    )
    _check_interval(incident, interval)
    interval.save()
    if service is not None:
        AffectedService.objects.get_or_create(incident=incident, service=service, defaults={"added_at": at})
    sync_restored(incident, actor=actor, at=at)
    events.record(
        EventKind.DOWNTIME_OPENED, incident, actor=actor, at=at, service=service.name if service else None,
        started_at=started_at.isoformat(), ended_at=ended_at and ended_at.isoformat(),
    )  # fmt: skip
    steps.refresh(incident, actor=actor, at=at)
    return interval


@transaction.atomic
def correct(interval_id: int, *, changes: dict[str, datetime | None], actor: User, at: datetime) -> DowntimeInterval:
    """Corrects `started_at` or `ended_at` of an interval, until closing."""
    incident = lock_incident(DowntimeInterval.objects.values_list("incident", flat=True).get(pk=interval_id))
    require(actor, "command", incident)
    check_open(incident, "correcting downtime")
    interval = DowntimeInterval.objects.select_related("service").get(pk=interval_id)
    if "started_at" in changes:
        if changes["started_at"] is None:
            raise Invalid(started_at="Downtime needs a beginning.")
        interval.started_at, interval.follows_clocks = changes["started_at"], False
    if "ended_at" in changes:
        interval.ended_at = changes["ended_at"]
    _check_interval(incident, interval)
    interval.save()
    sync_restored(incident, actor=actor, at=at)
    events.record(
        EventKind.DOWNTIME_CORRECTED, incident, actor=actor, at=at,
        service=interval.service.name if interval.service else None, started_at=interval.started_at.isoformat(),
        ended_at=interval.ended_at and interval.ended_at.isoformat(),
    )  # fmt: skip
    steps.refresh(incident, actor=actor, at=at)
    return interval
