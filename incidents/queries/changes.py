"""Reading changes: the list, one change, and how often they succeed."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from incidents.models import Change, ChangeApproval, ChangeLink, ChangeStatus, CheckResult, User
from incidents.permissions import visible_changes
from incidents.queries.words import matching, reference_number

_SHOWN = ("services", "problems", "approvals__approver", "approvals__delegate", "approvals__voted_by",
          "approvals__condition_met_by", "links__incident", "steps__done_by")  # fmt: skip
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
        rows = rows.filter(pk__in=_to_vote_on(user))
    if status == "open":
        return rows.filter(status__in=(*LIVE_CHANGES, ChangeStatus.IMPLEMENTED))
    return rows.filter(status=status) if status in ChangeStatus.values else rows


def change_for(user: User, change_id: int) -> Change:
    """Raises Change.DoesNotExist when there is none, or none the person may see."""
    rows = visible_changes(user).select_related(
        "owner", "requester", "implementer", "accepted_by", "template", "checked_by", "freeze_waived_by"
    )
    return rows.prefetch_related(*_SHOWN).get(pk=change_id)


def _to_vote_on(user: User) -> QuerySet:
    """Where a vote of the person, or of somebody whose delegate the person is, is still missing."""
    rows = ChangeApproval.objects.filter(Q(approver=user) | Q(delegate=user), vote=ChangeApproval.Vote.PENDING)
    return rows.values("change")


@dataclass(frozen=True)
class Success:
    """Of the changes begun in a period and over by now: how many did what they should."""

    ended: int
    succeeded: int
    rolled_back: int
    check_failed: int
    caused: int

    @property
    def rate(self) -> float | None:
        """0 to 1; None while none has ended."""
        return self.succeeded / self.ended if self.ended else None

    @property
    def percent(self) -> int | None:
        return None if self.rate is None else round(self.rate * 100)


def success(since: datetime, until: datetime, *, type: str = "") -> Success:
    """A change fails when it is rolled back, its check fails, or it is marked as the cause of a major incident."""
    rows = Change.objects.filter(started_at__gte=since, started_at__lt=until).exclude(status__in=LIVE_CHANGES)
    if type:
        rows = rows.filter(type=type)
    is_cause = Exists(ChangeLink.objects.filter(change=OuterRef("pk"), relation=ChangeLink.Relation.CAUSE))
    rows = rows.annotate(is_cause=is_cause)
    back, failed, cause = (
        Q(rolled_back_at__isnull=False),
        Q(check_result=CheckResult.FAILED),
        Q(is_cause=True),
    )
    counted = rows.aggregate(
        ended=Count("pk"),
        succeeded=Count("pk", filter=~(back | failed | cause)),
        rolled_back=Count("pk", filter=back),
        check_failed=Count("pk", filter=failed),
        caused=Count("pk", filter=cause),
    )
    return Success(**counted)
