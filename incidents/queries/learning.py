"""Management's view of learning: what was promised and is not done, what repeats, how changes go, what reuse brings."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.functions import TruncMonth

from incidents.models import CauseCategory, ChangeType, MajorIncident, Problem, ProblemStatus, Review, ReviewAction
from incidents.process import Stage
from incidents.queries.changes import Success, success
from incidents.queries.reuse import Reuse, reuse

PERIOD = timedelta(days=365)
SHOWN = 20


@dataclass(frozen=True)
class Cause:
    """How many major incidents had a cause of this category in the period, and in the one before."""

    key: str
    label: str
    count: int
    before: int

    @property
    def more(self) -> int:
        return self.count - self.before


@dataclass(frozen=True)
class Learning:
    since: datetime
    until: datetime
    overdue: list[ReviewAction]
    overdue_count: int
    open_actions: int
    done_in_time: int
    done: int
    reviews_due: list[Review]
    causes: list[Cause]
    monthly: list[dict[str, Any]]
    came_back: list[Problem]
    changes: Success
    changes_by_type: list[tuple[str, Success]]
    reuse: Reuse

    @property
    def most_causes(self) -> int:
        return max((one.count for one in self.causes), default=0)


def learning(now: datetime) -> Learning:
    """The last twelve months against the twelve before. A constant number of queries but for what reuse saved."""
    since = now - PERIOD
    actions = ReviewAction.objects.filter(review__incident__is_drill=False)
    late = actions.filter(done_at=None, due_at__lt=now)
    done = actions.filter(done_at__gte=since)
    reviews = Review.objects.exclude(state=Review.State.COMPLETED).filter(
        incident__stage=Stage.MAINTENANCE, incident__is_drill=False
    )
    back = Problem.objects.filter(recurrences__gt=0).exclude(status=ProblemStatus.CLOSED)
    return Learning(
        since=since,
        until=now,
        overdue=list(late.select_related("owner", "review__incident").order_by("due_at")[:SHOWN]),
        overdue_count=late.count(),
        open_actions=actions.filter(done_at=None).count(),
        done_in_time=done.filter(done_at__lte=F("due_at")).count(),
        done=done.count(),
        reviews_due=list(reviews.select_related("incident").order_by("opened_at")[:SHOWN]),
        causes=_causes(since, now),
        monthly=_monthly(since, now),
        came_back=list(back.select_related("owner").order_by("-recurrences", "-pk")[:SHOWN]),
        changes=success(since, now),
        changes_by_type=[(str(label), success(since, now, type=key)) for key, label in ChangeType.choices],
        reuse=reuse(since, now),
    )


def _incidents(since: datetime, until: datetime) -> Any:
    rows = MajorIncident.objects.filter(declared_at__gte=since, declared_at__lt=until, is_drill=False, merged_into=None)
    return rows.exclude(stage=Stage.STOOD_DOWN).filter(problems__isnull=False)


def _causes(since: datetime, until: datetime) -> list[Cause]:
    counted = [
        dict(
            _incidents(begin, end)
            .order_by()
            .values_list("problems__cause_category")
            .annotate(n=Count("pk", distinct=True))
        )
        for begin, end in ((since, until), (since - PERIOD, since))
    ]
    found = [
        Cause(key, str(label), counted[0].get(key, 0), counted[1].get(key, 0)) for key, label in CauseCategory.choices
    ]
    return sorted((one for one in found if one.count or one.before), key=lambda one: (-one.count, one.label))


def _monthly(since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Major incidents with a known cause by month and category, the oldest month first."""
    rows = _incidents(since, until).filter(~Q(problems__cause_category=CauseCategory.UNKNOWN))
    counted = rows.order_by().annotate(month=TruncMonth("declared_at")).values("month", "problems__cause_category")
    months: dict[datetime, dict[str, int]] = {}
    for row in counted.annotate(n=Count("pk", distinct=True)):
        months.setdefault(row["month"], {})[row["problems__cause_category"]] = row["n"]
    labels = dict(CauseCategory.choices)
    return [
        {
            "month": month,
            "total": sum(found.values()),
            "causes": [(str(labels[key]), n) for key, n in sorted(found.items(), key=lambda pair: -pair[1])],
        }
        for month, found in sorted(months.items())
    ]
