"""Reading changes: the list, one change, and what it would collide with."""

from django.db.models import Q, QuerySet

from incidents.models import Change, ChangeStatus, ServiceDependency, User
from incidents.permissions import visible_changes
from incidents.queries.words import matching, reference_number

LIVE_CHANGES = (
    ChangeStatus.DRAFT,
    ChangeStatus.AWAITING_APPROVAL,
    ChangeStatus.APPROVED,
    ChangeStatus.IMPLEMENTING,
)


def filtered_changes(user: User, *, status: str, q: str = "", type: str = "", mine: str = "") -> QuerySet[Change]:
    """Changes the person may see: `status` is "open", "all" or one state; `mine` is "vote" for those to vote on."""
    rows = visible_changes(user).select_related("owner", "requester").prefetch_related("services")
    if q and (number := reference_number(q, "CHG")) is not None:
        return rows.filter(pk=number)
    if q:
        rows = matching(rows, q, "title", "description", "plan")
    if type:
        rows = rows.filter(type=type)
    if mine == "vote":
        rows = rows.filter(approvals__approver=user, approvals__vote="pending")
    if status == "open":
        return rows.filter(status__in=(*LIVE_CHANGES, ChangeStatus.IMPLEMENTED))
    return rows.filter(status=status) if status in ChangeStatus.values else rows


def change_for(user: User, change_id: int) -> Change:
    """Raises Change.DoesNotExist when there is none, or none the person may see."""
    rows = visible_changes(user).select_related("owner", "requester", "implementer", "accepted_by")
    return rows.prefetch_related("services", "problems", "approvals__approver", "links__incident").get(pk=change_id)


def collisions(change: Change) -> list[Change]:
    """Other live changes in an overlapping window on the same services, or on ones they need or that need them.

    Empty while the change has no window or no service.
    """
    mine = {service.pk for service in change.services.all()}
    if not mine or change.window_start is None or change.window_end is None:
        return []
    edges = ServiceDependency.objects.filter(Q(service__in=mine) | Q(needs__in=mine)).values_list("service", "needs")
    near = mine.union(*[set(edge) for edge in edges])
    rows = Change.objects.filter(
        status__in=LIVE_CHANGES,
        services__in=near,
        window_start__lt=change.window_end,
        window_end__gt=change.window_start,
    )
    return list(rows.exclude(pk=change.pk).distinct().prefetch_related("services").order_by("window_start")[:20])
