"""The acts of the room about work, decisions and the record, as data (see `room_acts`)."""

from typing import Any

from incidents.actions import marks, response, rounds, work
from incidents.errors import Duplicate
from incidents.forms import work as forms
from incidents.models import DecisionRound, Task, TaskStatus, TimelineEvent
from incidents.process import EventKind
from incidents.views.doing import Act, Doing


def task_of(d: Doing) -> Task:
    return d.mine(Task)


def _round_of(d: Doing) -> DecisionRound:
    return d.mine(DecisionRound)


def _add(d: Doing) -> Any:
    names = ("title", "target", "assignee", "minutes", "due_at", "different")
    return work.add_task(d.pk, **{name: d.given[name] for name in names}, **d.by)


def _take(d: Doing) -> Any:
    """The time begins to run; one without a time box gets the usual one."""
    task = task_of(d)
    if task.status == TaskStatus.IN_PROGRESS and task.assignee_id not in (None, d.actor.pk):
        raise Duplicate(work.doing_it(task, d.at))
    box = {} if task.minutes or task.due_at else {"minutes": forms.USUAL_BOX}
    changes = {"assignee": d.actor, "status": TaskStatus.IN_PROGRESS, **box}
    return work.change_task(task.pk, changes=changes, **d.by)


def _report(d: Doing) -> Any:
    task = task_of(d)
    changes = forms.ReportForm.changes_of(d.given, task.minutes)
    return work.change_task(task.pk, changes=changes, **d.by)


def _mark(kind: str, label: str, said: str, off: str) -> dict[str, Act]:
    return {
        f"mark-{kind}": Act(
            label, lambda d: marks.mark(d.mine(TimelineEvent).pk, kind=kind, **d.by), said, label, needs="contribute"
        ),
        f"unmark-{kind}": Act(
            off, lambda d: marks.unmark(d.mine(TimelineEvent).pk, kind=kind, **d.by), "Taken off.", off,
            needs="contribute",
        ),
    }  # fmt: skip


WORK_ACTS: dict[str, Act] = {
    "note": Act(
        "Note",
        lambda d: response.post_note(
            d.pk, text=d.given["text"], files=d.given["attachments"], key=d.given["key"], **d.by
        ),
        "Posted.",
        "Post note",
        forms.NoteForm,
        "contribute",
    ),
    "decision": Act(
        "Decision",
        lambda d: response.record_decision(
            d.pk, **{n: d.given[n] for n in ("text", "rationale", "objections", "objections_within")}, **d.by
        ),
        "Recorded.",
        "Record decision",
        forms.DecisionForm,
        "contribute",
    ),
    "task": Act("Task", _add, "Task added.", "Add task", forms.TaskForm, "contribute"),
    "take-task": Act("Take the task", _take, "It is yours; the time runs.", "Take", needs="contribute"),
    "finish-task": Act(
        "Finish the task",
        lambda d: work.change_task(task_of(d).pk, changes={"status": "done"}, **d.by),
        "Done.",
        "Done",
        needs="contribute",
    ),
    "report-task": Act(
        "How does it stand?",
        _report,
        "Everybody sees it.",
        "Say so",
        forms.ReportForm,
        "contribute",
    ),
    "checklist": Act(
        "Start a checklist",
        lambda d: work.start_checklist(d.pk, checklist=d.given["checklist"], **d.by),
        "Its tasks are on the list.",
        "Start",
        forms.StartChecklistForm,
        "contribute",
        "Every item becomes a task that waits for somebody. What is under way already is left out.",
    ),
    "object-strongly": Act(
        "Strong objection",
        lambda d: rounds.object_to(_round_of(d).pk, text=d.given["text"], **d.by),
        "Your objection is in the record; whoever commands decides.",
        "Object",
        forms.ObjectionForm,
        "contribute",
        "Only when it would do harm: the decision then waits for whoever commands.",
        danger=True,
    ),
    "decision-stands": Act(
        "The decision stands",
        lambda d: rounds.stand(_round_of(d).pk, reason=d.given["reason"], **d.by),
        "It stands.",
        "It stands",
        forms.StandForm,
        "contribute",
    ),
    "withdraw-decision": Act(
        "Withdraw the decision",
        lambda d: rounds.withdraw(_round_of(d).pk, reason=d.given["reason"], **d.by),
        "Withdrawn.",
        "Withdraw",
        forms.ReasonForm,
        "contribute",
    ),
    **_mark("fact", "Pin as a known fact", "Pinned above the timeline.", "Unpin"),
    **_mark("public", "Offer to the next update", "The next update is offered it.", "No public draft"),
}


def subject_of_work(act: str, d: Doing) -> str:
    """What the dialog is about; "" for acts of others."""
    if act == "report-task":
        task = task_of(d)
        return f"{task.title}" + (f" → {task.target}" if task.target else "")
    if act in ("object-strongly", "decision-stands", "withdraw-decision"):
        return _round_of(d).event.text[:200]
    if act in ("mark-fact", "unmark-fact", "mark-public", "unmark-public"):
        event = d.mine(TimelineEvent)
        return event.text[:200] if event.kind in (EventKind.NOTE, EventKind.DECISION) else event.get_kind_display()
    return ""
