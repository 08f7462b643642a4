"""Ninety days after a problem was resolved the product looks whether it came back, and tells its owner."""

from datetime import datetime

from django.db import transaction

from incidents import events
from incidents.actions.problems import locked
from incidents.models import Problem, ProblemStatus
from incidents.process import EventKind
from incidents.queries.repeats import came_back


def check_recurrences(*, at: datetime, limit: int = 100) -> int:
    """Counts the problems looked at; each once. Whether it is closed or opened again its owner decides."""
    due = Problem.objects.filter(
        status=ProblemStatus.RESOLVED, recurrence_check_at__lte=at, recurrence_checked_at__isnull=True
    )
    looked = 0
    for pk in list(due.order_by("recurrence_check_at").values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            problem = locked(pk)
            if not due.filter(pk=pk).exists():
                continue
            incidents, tickets = came_back(problem)
            problem.recurrence_checked_at, problem.recurrences = at, len(incidents) + len(tickets)
            problem.save(update_fields=["recurrence_checked_at", "recurrences", "updated_at"])
            found = [one.ref for one in incidents] + [ticket.ref for ticket in tickets]
            events.record(EventKind.PROBLEM_CAME_BACK, problem, actor=None, at=at, problem=problem.ref,
                          title=problem.title, user_id=problem.owner_id, count=len(found),
                          found=found[:20])  # fmt: skip
            looked += 1
    return looked
