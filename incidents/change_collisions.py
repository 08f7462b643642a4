"""Which other changes are planned at the same time on the same service, or on one that depends on it."""

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
