"""Which other changes are planned at the same time on the same service, or on one that depends on it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import combinations

from django.db.models import Q, QuerySet

from incidents.models import Change, ChangeStatus, ServiceDependency

_OVER = (ChangeStatus.CLOSED, ChangeStatus.CANCELLED, ChangeStatus.REJECTED, ChangeStatus.ROLLED_BACK)


def collisions(change: Change) -> QuerySet[Change]:
    """Changes whose window overlaps that of `change` and that touch the same or a directly dependent service.

    Empty without a whole window or without services. A window without an end lasts until it is over.
    """
    if change.window_start is None or change.window_end is None:
        return Change.objects.none()
    own = set(change.services.values_list("pk", flat=True))
    edges = ServiceDependency.objects.filter(Q(service__in=own) | Q(needs__in=own)).values_list("service", "needs")
    touched = own.union(*edges)
    return (
        Change.objects.filter(services__in=touched, window_start__lt=change.window_end)
        .filter(Q(window_end__gt=change.window_start) | Q(window_end__isnull=True))
        .exclude(pk=change.pk)
        .exclude(status__in=_OVER)
        .distinct()
        .order_by("window_start", "pk")
    )


def colliding(changes: Sequence[Change]) -> set[int]:
    """Those of these changes (services prefetched) that collide with another of them. One query."""
    near: set[tuple[int, int]] = set()
    for service, needs in ServiceDependency.objects.values_list("service", "needs"):
        near |= {(service, needs), (needs, service)}
    found: set[int] = set()
    live = [change for change in changes if change.status not in _OVER]
    for one, other in combinations(live, 2):
        if _overlap(one, other) and _touch(_services(one), _services(other), near):
            found |= {one.pk, other.pk}
    return found


def _services(change: Change) -> Iterable[int]:
    return [service.pk for service in change.services.all()]


def _overlap(one: Change, other: Change) -> bool:
    def ends_after(change: Change, moment: datetime | None) -> bool:
        return moment is not None and (change.window_end is None or change.window_end > moment)

    return ends_after(one, other.window_start) and ends_after(other, one.window_start)


def _touch(some: Iterable[int], others: Iterable[int], near: set[tuple[int, int]]) -> bool:
    return any(one == other or (one, other) in near for one in some for other in others)
