"""What waits for one person, by deadline."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db.models import Q
from django.utils import timezone

from incidents.models import (
    OPEN_TICKET_STATUSES,
    Approval,
    ChangeApproval,
    Consult,
    MajorIncident,
    Problem,
    ProblemStatus,
    ReviewAction,
    Seat,
    Task,
    TaskStatus,
    Ticket,
    User,
)
from incidents.permissions import last_resort, step_holders
from incidents.process import OPEN_STAGES, SeatState, StepState

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Waiting:
    """One thing to do. `kind` picks the fragment that shows it; `due_at` None means no deadline."""

    kind: str
    record: Any
    incident: MajorIncident | None
    since: datetime | None
    due_at: datetime | None
    letters: str = ""


def waiting_for(user: User) -> list[Waiting]:
    """Seats, steps, questions, tasks, votes, decisions and review actions; the nearest deadline first."""
    found = [
        *_seats(user),
        *_steps(user),
        *_consults(user),
        *_tasks(user),
        *_votes(user),
        *_decisions(user),
        *_review_actions(user),
        *_recurrences(user),
    ]
    return sorted(found, key=lambda one: (one.due_at or _NEVER, one.since or _NEVER))


def _seats(user: User) -> Iterator[Waiting]:
    rows = Seat.objects.filter(user=user, state=SeatState.INVITED, incident__stage__in=OPEN_STAGES)
    for seat in rows.select_related("incident", "invited_by"):
        yield Waiting("seat", seat, seat.incident, seat.invited_at, None)


def _steps(user: User) -> Iterator[Waiting]:
    """Open steps on which the person holds R or A now, fallbacks included."""
    stand_ins = cache(lambda: last_resort(timezone.now()))
    rows = MajorIncident.objects.filter(stage__in=OPEN_STAGES).select_related("matrix")
    for incident in rows.prefetch_related("seats__user", "steps__accountable_seat__user"):
        holders = step_holders(incident, stand_ins=stand_ins)
        for step in incident.steps.all():
            if step.state != StepState.OPEN:
                continue
            held = holders[step.key]
            letters = [
                letter
                for letter, people in (("R", held.responsible_people), ("A", held.accountable_people))
                if user in people
            ]
            if letters:
                yield Waiting("step", step, incident, step.opened_at, None, "/".join(letters))


def _consults(user: User) -> Iterator[Waiting]:
    rows = Consult.objects.filter(user=user, answered_at=None, step__incident__stage__in=OPEN_STAGES)
    for consult in rows.filter(step__state=StepState.OPEN).select_related("step__incident"):
        yield Waiting("consult", consult, consult.step.incident, consult.asked_at, consult.due_at)


def _tasks(user: User) -> Iterator[Waiting]:
    rows = Task.objects.filter(
        assignee=user, status__in=(TaskStatus.OPEN, TaskStatus.IN_PROGRESS), incident__stage__in=OPEN_STAGES
    )
    for task in rows.select_related("incident"):
        yield Waiting("task", task, task.incident, task.created_at, task.due_at)


def _votes(user: User) -> Iterator[Waiting]:
    rows = ChangeApproval.objects.filter(
        Q(approver=user) | Q(delegate=user), vote=ChangeApproval.Vote.PENDING, change__approval_state="pending",
        change__status__in=("awaiting_approval", "implementing", "implemented"),
    )  # fmt: skip
    for row in rows.select_related("change__requester"):
        yield Waiting("vote", row.change, None, row.asked_at, row.change.approval_due_at)


def _decisions(user: User) -> Iterator[Waiting]:
    rows = Approval.objects.filter(approver=user, state=Approval.State.PENDING)
    for approval in rows.select_related("incident", "asked_by"):
        yield Waiting("decision", approval, approval.incident, approval.asked_at, approval.due_at)


def _review_actions(user: User) -> Iterator[Waiting]:
    rows = ReviewAction.objects.filter(owner=user, done_at=None).select_related("review__incident")
    for action in rows:
        yield Waiting("review_action", action, action.review.incident, None, action.due_at)


def _recurrences(user: User) -> Iterator[Waiting]:
    """Problems of one's own that were looked at after ninety days: closed, or opened again."""
    rows = Problem.objects.filter(owner=user, status=ProblemStatus.RESOLVED, recurrence_checked_at__isnull=False)
    for problem in rows:
        yield Waiting("recurrence", problem, None, problem.recurrence_checked_at, None)


def my_tickets(user: User) -> list[Ticket]:
    """Open tickets assigned to the person, the most urgent first."""
    rows = Ticket.objects.filter(assignee=user, status__in=OPEN_TICKET_STATUSES).order_by("priority", "id")
    return list(rows.select_related("service", "major_incident", "requester", "assignee")[:100])
