"""Reading problems: the list and one problem."""

from django.db.models import Count, QuerySet

from incidents.models import Problem, ProblemStatus, User
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
