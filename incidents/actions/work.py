"""Who does what until when: tasks with a time box, the same work caught before it is done twice, checklists."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from incidents import events
from incidents.actions.input import clean_choice, clean_number, clean_text, clean_title
from incidents.actions.locking import check_open, lock_incident
from incidents.errors import Duplicate, Invalid
from incidents.models import (
    OPEN_TASK_STATUSES,
    Checklist,
    ChecklistKind,
    MajorIncident,
    Service,
    Task,
    TaskStatus,
    User,
)
from incidents.permissions import require
from incidents.process import EventKind
from incidents.queries.work import doing_it, twin_of

LONGEST_BOX = 24 * 60
"""Minutes a time box has at most."""
LONGEST_TARGET = 120
MOST_ITEMS = 40


def _minutes(value: int | None) -> int | None:
    return None if value is None else clean_number("minutes", value, least=1, most=LONGEST_BOX)


def _refuse_twin(incident: MajorIncident, title: str, target: str, at: datetime, besides: int | None = None) -> None:
    """Raises Duplicate naming who does it and how much of their time is left."""
    if twin := twin_of(incident, title, target, at=at, besides=besides):
        raise Duplicate(doing_it(twin, at), task=twin.pk)


@transaction.atomic
def add_task(
    incident_id: int,
    *,
    title: str,
    target: str = "",
    assignee: User | None = None,
    minutes: int | None = None,
    due_at: datetime | None = None,
    different: bool = False,
    actor: User,
    at: datetime,
) -> Task:
    """A piece of work. Somebody's with a time box begins at once and is due when the box is over.

    Raises Duplicate when the same action, or one on the same target, is under way or was just done, unless the person
    says that this one is `different`.
    """
    incident = lock_incident(incident_id)
    require(actor, "contribute", incident)
    title, target = clean_title(title), clean_text("target", target, LONGEST_TARGET)
    minutes = _minutes(minutes)
    if not different:
        _refuse_twin(incident, title, target, at)
    task = Task(
        incident=incident, title=title, target=target, assignee=assignee, minutes=minutes, due_at=due_at,
        created_by=actor, created_at=at,
    )  # fmt: skip
    if assignee is not None and minutes is not None:
        _begin(task, at)
    task.save(force_insert=True)
    _record(EventKind.TASK_ADDED, task, incident, actor, at)
    return task


def _begin(task: Task, at: datetime) -> None:
    """The time box starts to run."""
    task.status, task.started_at = TaskStatus.IN_PROGRESS, at
    if task.minutes is not None:
        task.due_at = at + timedelta(minutes=task.minutes)
    task.called_back_at = None


@transaction.atomic
def change_task(task_id: int, *, changes: dict[str, Any], actor: User, at: datetime) -> Task:
    """Changes `title`, `target`, `assignee`, `minutes`, `due_at`, `status` or `result` of a task.

    `minutes` of a running one is more time from now on. Without an assignee it waits for somebody to take it.
    `different` in the changes says that it is not the same as a task it now reads like.
    """
    incident = lock_incident(Task.objects.values_list("incident", flat=True).get(pk=task_id))
    require(actor, "contribute", incident)
    task = Task.objects.select_related("assignee", "incident").get(pk=task_id)
    former, was = task.assignee_id, task.status
    if "title" in changes:
        task.title = clean_title(changes["title"])
    if "target" in changes:
        task.target = clean_text("target", changes["target"], LONGEST_TARGET)
    if {"title", "target"} & set(changes) and not changes.get("different"):
        _refuse_twin(incident, task.title, task.target, at, besides=task.pk)
    if "assignee" in changes:
        task.assignee = changes["assignee"]
    if "result" in changes:
        task.result = clean_text("result", changes["result"])
    if "minutes" in changes:
        task.minutes = _minutes(changes["minutes"])
    if "due_at" in changes:
        task.due_at, task.called_back_at = changes["due_at"], None
    if "status" in changes:
        task.status = clean_choice("status", changes["status"], TaskStatus.values)
        task.done_at = at if task.status == TaskStatus.DONE else None
    if task.status == TaskStatus.IN_PROGRESS and (was != task.status or {"minutes", "assignee"} & set(changes)):
        _begin(task, at)
    if task.assignee is None and task.status == TaskStatus.IN_PROGRESS:
        task.status, task.started_at = TaskStatus.OPEN, None
        task.due_at = None if task.minutes is not None else task.due_at
    task.save()
    is_handed_over = task.assignee_id is not None and task.assignee_id != former
    _record(EventKind.TASK_CHANGED, task, incident, actor, at, is_handed_over=is_handed_over)
    return task


def _record(
    kind: EventKind, task: Task, incident: MajorIncident, actor: User | None, at: datetime, **more: Any
) -> None:
    events.record(
        kind, incident, actor=actor, at=at, text=task.result if task.status == TaskStatus.DONE else "",
        task_id=task.pk, title=task.title, target=task.target, status=task.status, minutes=task.minutes,
        assignee_id=task.assignee_id, assignee=task.assignee and task.assignee.display_name,
        due_at=task.due_at and task.due_at.isoformat(), **more,
    )  # fmt: skip


def call_back(*, at: datetime, limit: int = 200) -> int:
    """Asks the owner of every task whose time is over how it stands, once. Returns how many. Safe to run twice."""
    due = Task.objects.filter(due_at__lte=at, called_back_at__isnull=True, status__in=OPEN_TASK_STATUSES)
    called = 0
    for task_id, incident_id in due.values_list("pk", "incident_id").order_by("due_at")[:limit]:
        with transaction.atomic():
            incident = lock_incident(incident_id)
            if not due.filter(pk=task_id).update(called_back_at=at):
                continue
            if not incident.is_open:
                continue
            task = Task.objects.select_related("assignee").get(pk=task_id)
            _record(EventKind.TASK_CALLED_BACK, task, incident, None, at)
            called += 1
    return called


# --- Checklists -----------------------------------------------------------------------------------------
@transaction.atomic
def start_checklist(
    incident_id: int, *, checklist: Checklist, actor: User, at: datetime
) -> tuple[list[Task], list[str]]:
    """Its items become tasks that wait for somebody; what is under way already is left out and named."""
    incident = lock_incident(incident_id)
    require(actor, "contribute", incident)
    check_open(incident, "starting a checklist")
    return add_together(incident, checklist.items, checklist.name, actor=actor, at=at)


def add_together(
    incident: MajorIncident, items: Iterable[Mapping[str, Any]], name: str, *, actor: User, at: datetime
) -> tuple[list[Task], list[str]]:
    """Tasks of one origin, its `name`, with `title`, `target` and `minutes` each; answers those made, and the titles
    left out because somebody is at it. Part of a transaction that holds the incident."""
    made, left_out = [], []
    for item in items:
        title, target = item["title"], item.get("target") or ""
        if twin_of(incident, title, target, at=at):
            left_out.append(title)
            continue
        made.append(
            Task.objects.create(
                incident=incident,
                title=title,
                target=target,
                minutes=item.get("minutes"),
                checklist=name,
                created_by=actor,
                created_at=at,
            )  # fmt: skip
        )
    events.record(
        EventKind.CHECKLIST_STARTED, incident, actor=actor, at=at, name=name, tasks=[task.title for task in made],
        left_out=left_out,
    )  # fmt: skip
    return made, left_out


def _items(given: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    items = [
        {
            "title": clean_title(item.get("title"), "items"),
            "target": clean_text("items", item.get("target") or "", LONGEST_TARGET),
            "minutes": _minutes(item.get("minutes")),
        }
        for item in given
    ]
    if not items or len(items) > MOST_ITEMS:
        raise Invalid(items=f"Give 1 to {MOST_ITEMS} tasks.")
    return items


@transaction.atomic
def keep_checklist(
    checklist: Checklist | None,
    *,
    name: str,
    items: Iterable[dict[str, Any]],
    kind: str = ChecklistKind.ANY,
    service: Service | None = None,
    actor: User,
    at: datetime,
) -> Checklist:
    """A new template, or the new content of one. Incidents that started it keep the tasks they have."""
    require(actor, "keep_checklists")
    kept = checklist or Checklist()
    kept.name = " ".join(clean_text("name", name, LONGEST_TARGET, required=True).split())
    kept.kind = clean_choice("kind", kind, ChecklistKind.values)
    kept.service, kept.items, kept.changed_by, kept.changed_at = service, _items(items), actor, at
    twins: QuerySet[Checklist] = Checklist.objects.filter(name__iexact=kept.name).exclude(pk=kept.pk)
    if twins.exists():
        raise Duplicate(f"There is a checklist called “{kept.name}” already. Change that one, or choose another name.")
    kept.save()
    return kept


@transaction.atomic
def remove_checklist(checklist: Checklist, *, actor: User, at: datetime) -> None:
    """Tasks that came from it stay."""
    require(actor, "keep_checklists")
    checklist.delete()
