"""Every act of the war room as data: its words, its form, and the one action it calls."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.forms import BaseForm
from django.shortcuts import get_object_or_404

from incidents.actions import (
    changes,
    clocks,
    downtime,
    major_incidents,
    problems,
    response,
    seats,
    steps,
    ticket_links,
    updates,
)
from incidents.forms import room as forms
from incidents.models import Approval, Consult, DowntimeInterval, Seat, Task, TimelineEvent, User
from incidents.process import CLOCKS, STEP_BY_KEY
from incidents.queries.war_room import Room


@dataclass(frozen=True)
class Doing:
    """One request to act: who, when, on what, with which input."""

    room: Room
    target: str
    given: dict[str, Any]
    actor: User
    at: datetime

    @property
    def by(self) -> dict[str, Any]:
        return {"actor": self.actor, "at": self.at}

    @property
    def when(self) -> dict[str, Any]:
        """As `by`, at the moment that was typed when there is one."""
        return {"actor": self.actor, "at": self.given.get("at") or self.at}

    @property
    def pk(self) -> int:
        return self.room.incident.pk

    def mine(self, model: Any, **path: Any) -> Any:
        """The target record when it belongs to this incident, 404 otherwise."""
        number = self.target if self.target.isdigit() and len(self.target) < 16 else "0"
        return get_object_or_404(model, pk=number, **(path or {"incident": self.room.incident}))


@dataclass(frozen=True)
class Act:
    """`needs` says who is shown the dialog: command, contribute, the key of a step, "A" (of the target step), or
    nobody in particular. The action itself decides in the end."""

    title: str
    run: Callable[[Doing], Any]
    said: str
    submit: str
    form: type[forms.RoomForm] = forms.NothingForm
    needs: str = ""
    text: str = ""
    danger: bool = False
    fragment: str = "incidents/acts/dialog.html"
    initial: Callable[[Doing], dict[str, Any]] = lambda doing: {}
    shape: Callable[[Doing, BaseForm], None] = lambda doing, form: None


def _move(name: str) -> Callable[[Doing], Any]:
    return lambda d: getattr(major_incidents, name)(d.pk, **d.when)


def _move_back(name: str) -> Callable[[Doing], Any]:
    return lambda d: getattr(major_incidents, name)(d.pk, reason=d.given["reason"], **d.when)


def _situation(d: Doing) -> Any:
    seen = d.given["seen_at"]
    texts = {name: d.given[name] for name in ("conditions", "actions_summary", "needs")}
    return response.set_situation(d.pk, **texts, seen_at=datetime.fromisoformat(seen) if seen else None, **d.by)


def _situation_now(d: Doing) -> dict[str, Any]:
    incident = d.room.incident
    seen = incident.situation_changed_at
    return {
        "conditions": incident.conditions,
        "actions_summary": incident.actions_summary,
        "needs": incident.needs,
        "seen_at": seen.isoformat() if seen else "",
    }


def _open_war_room(d: Doing) -> None:
    response.open_war_room(d.pk, location=d.given["location"], url=d.given["url"], **d.by)
    if d.given["enter"]:
        response.enter_war_room(d.pk, **d.by)


def _problem(d: Doing) -> Any:
    if known := d.given["existing"]:
        return problems.link_incident(known.pk, incident_id=d.pk, **d.by)
    return problems.open_problem(
        title=d.given["title"], description=d.given["description"], owner=d.given["owner"],
        major_incident=d.room.incident, **d.by,
    )  # fmt: skip


def _change(d: Doing) -> Any:
    if known := d.given["existing"]:
        return changes.link(known.pk, incident_id=d.pk, relation=d.given["relation"], **d.by)
    names = ("title", "type", "risk", "plan", "backout_plan", "approvers", "relation")
    services = [row["service"] for row in d.room.service_rows if row["service"]]
    fields = {name: d.given[name] for name in names}
    return changes.open_change(**fields, services=services, major_incident=d.room.incident, **d.by)


def _update(d: Doing) -> Any:
    names = ("texts", "audiences", "next_update_at")
    return updates.publish_update(d.pk, **{name: d.given[name] for name in names}, **d.by)


def _update_now(d: Doing) -> dict[str, Any]:
    """A first wording from the pinned situation."""
    incident = d.room.incident
    parts = [incident.conditions, incident.actions_summary]
    return {"text": "\n\n".join(part for part in parts if part), "next_in": "60" if incident.severity == "SEV3" else "30"}


def _restore(d: Doing) -> Any:
    services = d.given.get("services")
    return downtime.restore(d.pk, services=list(services) if services else None, **d.when)


def _task_of(d: Doing) -> Task:
    return d.mine(Task)


def _consult(d: Doing, text: str, agrees: bool | None) -> Any:
    consult = d.mine(Consult, step__incident=d.room.incident)
    return steps.answer_consult(consult.pk, text=text, agrees=agrees, **d.by)


def _object(d: Doing) -> Any:
    return _consult(d, d.given["text"], {"object": False, "agree": True}.get(d.given["verdict"]))


def _decide(approve: bool) -> Callable[[Doing], Any]:
    return lambda d: updates.decide_approval(
        d.mine(Approval).pk, approve=approve, chosen=d.given.get("chosen", ""), comment=d.given.get("comment", ""), **d.by
    )


def _options(d: Doing, form: BaseForm) -> None:
    form.fields["chosen"].choices = [(option, option) for option in d.mine(Approval).options]  # type: ignore[attr-defined]


def _clock_now(d: Doing) -> dict[str, Any]:
    return {"value": getattr(d.room.incident, d.target, None)} if d.target in CLOCKS else {}


def _interval_now(d: Doing) -> dict[str, Any]:
    interval = d.mine(DowntimeInterval)
    return {"started_at": interval.started_at, "ended_at": interval.ended_at}


def _correct_downtime(d: Doing) -> Any:
    """Only what was changed: the form shows minutes, and must not cut off the seconds of the other end."""
    interval = d.mine(DowntimeInterval)
    return downtime.correct(interval.pk, changes=d.given["changed"], **d.by)


def _reword_now(d: Doing) -> dict[str, Any]:
    event = d.mine(TimelineEvent)
    newest = event.edits.last()
    return {"text": newest.text if newest else event.text}


IN_ONE = "It is written into the record at once."
ACTS: dict[str, Act] = {
    # the team
    "invite": Act(
        "Invite to the team",
        lambda d: seats.invite(
            d.pk, role=d.given["role"], user=d.given["user"], guest_email=d.given["guest_email"],
            message=d.given["message"], **d.by,
        ),
        "Invited.", "Invite", forms.InviteForm, "assemble", "A seat counts once it is accepted.",
    ),
    "accept": Act("Accept the seat", lambda d: seats.accept(d.mine(Seat).pk, **d.by), "You are on the team.", "Accept"),
    "decline": Act("Decline the seat", lambda d: seats.decline(d.mine(Seat).pk, **d.by), "Declined.", "Decline"),
    "release": Act(
        "Release from the team", lambda d: seats.release(d.mine(Seat).pk, **d.by), "Released.", "Release",
        text="The seat ends now; the person hears of it. They can be invited again.",
    ),
    "take-command": Act(
        "Take command", lambda d: seats.take_command(d.pk, **d.by), "You are in command.", "Take command",
        needs="take_command",
        text="You become major incident manager of this incident; whoever is now is released. It is recorded.",
    ),
    "bridge": Act(
        "Conference bridge",
        lambda d: response.set_bridge(
            d.pk, join_url=d.given["join_url"], provider=d.given["provider"], dial_in=d.given["dial_in"], **d.by
        ),
        "The bridge is set; the team is being invited.", "Set bridge", forms.BridgeForm, "bridge",
        "Everybody seated gets the link, with an invitation.",
    ),
    "join-bridge": Act("Join the bridge", lambda d: response.join_bridge(d.pk, **d.by), "You are on the roll-call.", "Join"),
    "open-war-room": Act(
        "War room", _open_war_room, "The war room is open.", "Open war room", forms.WarRoomForm, "war_room",
        "A place for those on site, a link for the others. This page is the room as well.",
    ),
    "enter": Act("Enter the war room", lambda d: response.enter_war_room(d.pk, **d.by), "You are in the room.", "Enter"),
    "leave": Act("Leave the war room", lambda d: response.leave_war_room(d.pk, **d.by), "You left the room.", "Leave"),
    # the record
    "note": Act(
        "Note", lambda d: response.post_note(d.pk, text=d.given["text"], **d.by), "Posted.", "Post note",
        forms.TextForm, "contribute",
    ),
    "decision": Act(
        "Decision",
        lambda d: response.record_decision(
            d.pk, text=d.given["text"], rationale=d.given["rationale"], objections=d.given["objections"], **d.by
        ),
        "Recorded.", "Record decision", forms.DecisionForm, "contribute",
    ),
    "reword": Act(
        "Reword", lambda d: response.edit_entry(d.mine(TimelineEvent).pk, text=d.given["text"], **d.by), "Reworded.",
        "Save", forms.TextForm, "contribute", "Every earlier wording stays readable.", initial=_reword_now,
    ),
    "situation": Act(
        "Situation", _situation, "The situation is up to date.", "Save", forms.SituationForm, "contribute",
        "What everybody reads first. Short is better.", initial=_situation_now,
    ),
    "task": Act(
        "Task",
        lambda d: response.add_task(d.pk, title=d.given["title"], assignee=d.given["assignee"], due_at=d.given["due_at"], **d.by),
        "Task added.", "Add task", forms.TaskForm, "contribute",
    ),
    "take-task": Act(
        "Take the task",
        lambda d: response.change_task(_task_of(d).pk, changes={"assignee": d.actor, "status": "in_progress"}, **d.by),
        "It is yours.", "Take", needs="contribute",
    ),
    "finish-task": Act(
        "Finish the task", lambda d: response.change_task(_task_of(d).pk, changes={"status": "done"}, **d.by), "Done.", "Done",
        needs="contribute",
    ),
    "update": Act(
        "Publish an update", _update, "The update is on its way.", "Publish update", forms.UpdateForm, "inform",
        fragment="incidents/acts/update.html", initial=_update_now,
    ),
    # opinions and decisions
    "agree": Act("Agree", lambda d: _consult(d, "", True), "Your agreement is in the timeline.", "Agree"),
    "object": Act("Your opinion", _object, "Your opinion is in the timeline.", "Answer", forms.ObjectForm),
    "ask": Act(
        "Ask management for a decision",
        lambda d: updates.ask_approval(
            d.pk, **{n: d.given[n] for n in ("question", "approver", "options", "due_at", "cost_of_waiting")}, **d.by
        ),
        "Asked.", "Ask", forms.AskForm, "contribute",
    ),
    "approve": Act("Approve", _decide(True), "Approved.", "Approve"),
    "decide": Act("Your decision", _decide(True), "Decided.", "Decide", forms.DecideForm, shape=_options),
    "refuse": Act("Refuse", _decide(False), "Refused.", "Refuse", forms.CommentForm, danger=True),
    # steps
    "problem": Act(
        "Problem behind this incident", _problem, "The problem is linked.", "Link problem", forms.ProblemForm, "problem",
        "The step is done once a linked problem has an owner.",
    ),
    "change": Act(
        "Change", _change, "The change is linked.", "Link change", forms.ChangeForm, "work_change",
        "The step is done once a change linked as fix is implemented.",
    ),
    "waive": Act(
        "Waive the step", lambda d: steps.waive(d.pk, d.target, reason=d.given["reason"], **d.by), "Waived.", "Waive step",
        forms.ReasonForm, "A", "The gate lets it pass. The reason shows on the incident and in the review.", danger=True,
    ),
    "hand-over": Act(
        "Hand the step over", lambda d: steps.reassign(d.pk, d.target, seat_id=d.given["seat"], **d.by), "Handed over.",
        "Hand over", forms.HandOverForm, "A", "Whoever gets it signs for it from now on.",
    ),
    # stages
    "begin_containment": Act("Begin containment", _move("begin_containment"), "Containment has begun.", "Begin containment", forms.WhenForm, "command"),
    "begin_resolution": Act("Begin resolution", _move("begin_resolution"), "Resolution has begun.", "Begin resolution", forms.WhenForm, "command"),
    "confirm_resolution": Act(
        "Confirm resolution", _move("confirm_resolution"), "Resolved. The review is open.", "Confirm resolution",
        forms.WhenForm, "command", "The fix holds. Linked tickets are resolved and their requesters asked.",
    ),
    "close": Act("Close", _move("close"), "Closed.", "Close", forms.WhenForm, "command", "Reviewed, documented, measured."),
    "fall_back": Act(
        "Fall back to containment", _move_back("fall_back"), "Back in containment.", "Fall back", forms.ReasonWhenForm,
        "command", "The fix failed: a new one is needed before the resolution can be confirmed.",
    ),
    "reopen": Act(
        "It came back: reopen", _move_back("reopen"), "Reopened.", "Reopen", forms.ReasonWhenForm, "command",
        "Back to containment with a new downtime. Fix, review, document and figures need new evidence.",
    ),
    "stand_down": Act(
        "Stand down", _move_back("stand_down"), "Stood down.", "Stand down", forms.ReasonWhenForm, "command",
        "Declared in error. Everybody who was told hears that it was a false alarm, and it counts in no figure.", danger=True,
    ),
    "reinstate": Act(
        "Reverse the stand-down", _move_back("reinstate"), "Open again.", "Reverse", forms.ReasonWhenForm, "command"
    ),
    "merge": Act(
        "Merge into another incident",
        lambda d: major_incidents.merge_into(d.pk, target_id=d.given["target"].pk, **d.by),
        "Merged.", "Merge", forms.MergeForm, "command",
        "Tickets, problems, tasks and services move there; this one closes and its links lead there.", danger=True,
    ),
    "contain": Act(
        "Mark contained", _move("contain"), "Contained.", "Mark contained", forms.WhenForm, "command",
        "The spread is stopped, or a workaround is in place.",
    ),
    "restore": Act(
        "Service restored", _restore, "Downtime ended.", "Service is back", forms.RestoreForm, "command",
        "Ends the downtime of what you choose.",
    ),
    "edit": Act(
        "Correct the incident",
        lambda d: major_incidents.edit(d.pk, changes=d.given["changes"], reason=d.given["reason"], **d.by),
        "Corrected.", "Save", forms.EditForm, "command",
    ),
    "link-tickets": Act(
        "Link tickets",
        lambda d: ticket_links.link(d.given["tickets"], incident_id=d.pk, **d.by),
        "Linked.", "Link", forms.TicketsForm, "command",
        "They become its children: their requesters hear every public update.",
    ),
    # clocks
    "correct-clock": Act(
        "Correct a clock",
        lambda d: clocks.correct(d.pk, clock=d.target, value=d.given["value"], reason=d.given["reason"], **d.by),
        "Corrected.", "Save", forms.ClockForm, "command", "The old value stays in its history.", initial=_clock_now,
    ),
    "clock-not-applicable": Act(
        "Clock not applicable",
        lambda d: clocks.mark_not_applicable(d.pk, clock=d.target, reason=d.given["reason"], **d.by),
        "Marked.", "Mark not applicable", forms.ReasonForm, "measure", "It has no value and needs none.",
    ),
    "add-downtime": Act(
        "A service was down",
        lambda d: downtime.add(d.pk, **{n: d.given[n] for n in ("service", "started_at", "ended_at")}, **d.by),
        "Added.", "Add downtime", forms.DowntimeForm, "command",
    ),
    "correct-downtime": Act(
        "Correct downtime", _correct_downtime, "Corrected.", "Save", forms.DowntimeChangeForm, "command", initial=_interval_now
    ),
}  # fmt: skip
ABOUT_STEPS = ("waive", "hand-over")


def subject_of(act: str, doing: Doing) -> str:
    """What the dialog is about, for its title: the step, the clock, the person."""
    if act in ABOUT_STEPS:
        return STEP_BY_KEY[doing.target].title if doing.target in STEP_BY_KEY else ""
    if act in ("correct-clock", "clock-not-applicable"):
        return doing.target.replace("_", " ")
    if act == "release":
        seat = doing.mine(Seat)
        return f"{seat.user.display_name}, {seat.get_role_display().lower()}"
    if act in ("agree", "object"):
        return doing.mine(Consult, step__incident=doing.room.incident).step.title
    if act in ("approve", "refuse", "decide"):
        return doing.mine(Approval).question
    return ""
