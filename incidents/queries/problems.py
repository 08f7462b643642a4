"""Reading problems: the list and one problem."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from incidents.models import Factor, Problem, ProblemStatus, TimelineEvent, User
from incidents.permissions import visible_problems
from incidents.queries.words import matching, reference_number

OPEN_PROBLEMS = (ProblemStatus.OPEN, ProblemStatus.INVESTIGATING, ProblemStatus.KNOWN_ERROR)


def filtered_problems(user: User, *, status: str, q: str = "", cause: str = "") -> QuerySet[Problem]:
    """Problems the person may see: `status` is "open", "all" or one state."""
    rows = visible_problems(user).select_related("owner")
    incident_count, fix_count = Count("major_incidents", distinct=True), Count("fixes", distinct=True)
    rows = rows.annotate(incident_count=incident_count, fix_count=fix_count)
    if q and (number := reference_number(q, "PRB")) is not None:
        return rows.filter(pk=number)
    if q:
        rows = matching(rows, q, "title", "description", "root_cause", "workaround")
    if cause:
        rows = rows.filter(cause_category=cause)
    if status == "open":
        return rows.filter(status__in=OPEN_PROBLEMS)
    return rows.filter(status=status) if status in ProblemStatus.values else rows


def problem_for(user: User, problem_id: int) -> Problem:
    """Raises Problem.DoesNotExist when there is none, or none the person may see."""
    rows = visible_problems(user).select_related("owner", "created_by")
    return rows.prefetch_related("major_incidents", "tickets__service", "fixes").get(pk=problem_id)


@dataclass(frozen=True)
class Branch:
    """One factor, its evidence, and what contributed to it."""

    factor: Factor
    below: list["Branch"]


def tree_of(problem: Problem) -> list[Branch]:
    """The tree of causes from the problem downwards. Two queries."""
    branches: dict[int, Branch] = {}
    roots: list[Branch] = []
    for factor in problem.factors.prefetch_related("evidence__incident").select_related("added_by"):
        branch = branches[factor.pk] = Branch(factor, [])
        above = branches.get(factor.parent_id or 0)
        (above.below if above else roots).append(branch)
    return roots


def evidence_for(problem: Problem) -> QuerySet[TimelineEvent]:
    """Entries of the incidents it caused: what a factor may point at."""
    return TimelineEvent.objects.filter(incident__problems=problem).select_related("incident").order_by("at", "id")
