"""Who is doing what: tasks of one incident in the order they matter, and the same work found among them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from incidents.models import OPEN_TASK_STATUSES, Checklist, MajorIncident, Task, TaskStatus
from incidents.twins import first_twin

JUST_DONE = timedelta(minutes=15)
"""What was done within this time is not done again without a word."""
SHOWN = 6


def twin_of(
    incident: MajorIncident, title: str, target: str = "", *, at: datetime, besides: int | None = None
) -> Task | None:
    """The task of this incident that is the same work: under way first, then open, then just done. One query."""
    lately = Q(status=TaskStatus.DONE, done_at__gt=at - JUST_DONE)
    rows = incident.tasks.select_related("assignee").filter(Q(status__in=OPEN_TASK_STATUSES) | lately)
    order = {TaskStatus.IN_PROGRESS: 0, TaskStatus.OPEN: 1, TaskStatus.DONE: 2}
    found = {
        row.pk: row for row in sorted(rows.exclude(pk=besides or 0), key=lambda row: order[TaskStatus(row.status)])
    }
    twin = first_twin(title, target, ((row.pk, row.title, row.target) for row in found.values()))
    return found[twin] if twin is not None else None


def doing_it(task: Task, now: datetime) -> str:
    """Who is at it and how long still, in one sentence: "Dana is at “Restart web-3”, 4 min left."."""
    who = task.assignee.display_name if task.assignee else ""
    named = f"“{task.title}”" + (f" on {task.target}" if task.target else "")
    if task.status == TaskStatus.DONE:
        ago = _minutes(now - task.done_at) if task.done_at else ""
        said = f" It came to: {task.result[:200]}" if task.result else ""
        return f"{who or 'Somebody'} did {named} {ago or 'less than 1 min'} ago.{said}"
    if not who:
        return f"{named} is on the list already and nobody has taken it yet. Take that one."
    if task.due_at is None:
        return f"{who} is at {named} already, without a time."
    left = task.due_at - now
    if left < timedelta(0):
        return f"{who} is at {named} already and should have been back {_minutes(-left) or 'less than 1 min'} ago."
    return f"{who} is at {named} already, {_minutes(left) or 'less than 1 min'} left."


def _minutes(span: timedelta) -> str:
    whole = int(span.total_seconds() // 60)
    return f"{whole} min" if whole else ""


@dataclass(frozen=True)
class Work:
    """Tasks as the room lists them: `running` by the end of their time, `waiting` for somebody, the last `done`."""

    running: list[Task]
    waiting: list[Task]
    done: list[Task]
    total_done: int

    @property
    def rows(self) -> list[Task]:
        return [*self.running, *self.waiting]

    @property
    def shown(self) -> list[Task]:
        return self.rows[:SHOWN]

    @property
    def rest(self) -> list[Task]:
        return self.rows[SHOWN:]


def work_of(tasks: Iterable[Task], now: datetime) -> Work:
    """Sorts the tasks of an incident; asks for nothing."""
    rows = list(tasks)
    far = datetime.max.replace(tzinfo=now.tzinfo)
    by_end = sorted((row for row in rows if row.is_open), key=lambda row: (row.due_at or far, row.pk))
    done = sorted((row for row in rows if row.status == TaskStatus.DONE), key=lambda row: row.pk, reverse=True)
    running = [row for row in by_end if row.status == TaskStatus.IN_PROGRESS or row.assignee_id]
    return Work(running, [row for row in by_end if row not in running], done[:5], len(done))


def fitting_checklists(incident: MajorIncident) -> QuerySet[Checklist]:
    """For the affected services and for every service; those of the services first."""
    services = incident.affected.values("service")
    rows = Checklist.objects.filter(Q(service=None) | Q(service__in=services)).select_related("service")
    return rows.order_by("service__name", "name")
