"""Every act of the war room as data: its words, its form, and the one action it calls."""

from incidents.actions import clocks, downtime, major_incidents, response, seats, steps, ticket_links, updates
from incidents.forms import room as forms
from incidents.models import Approval, Consult, Seat, TimelineEvent
from incidents.process import STEP_BY_KEY
from incidents.views.doing import (
    Act,
    Doing,
    answer,
    answer_in_words,
    clock_now,
    correct_downtime,
    decide,
    interval_now,
    link_change,
    link_problem,
    move,
    move_with_reason,
    offer_options,
    open_war_room,
    restore,
    reword_now,
    set_situation,
    situation_now,
)
from incidents.views.room_acts_people import PEOPLE_ACTS
from incidents.views.work_acts import WORK_ACTS, subject_of_work

ACTS: dict[str, Act] = {
    **WORK_ACTS,
    # the team
    "accept": Act("Accept the seat", lambda d: seats.accept(d.mine(Seat).pk, **d.by), "You are on the team.", "Accept"),
    "decline": Act("Decline the seat", lambda d: seats.decline(d.mine(Seat).pk, **d.by), "Declined.", "Decline"),
    "release": Act(
        "Release from the team",
        lambda d: seats.release(d.mine(Seat).pk, **d.by),
        "Released.",
        "Release",
        text="The seat ends now; the person hears of it. They can be invited again.",
    ),
    "take-command": Act(
        "Take command",
        lambda d: seats.take_command(d.pk, **d.by),
        "You are in command.",
        "Take command",
        needs="take_command",
        text="You become major incident manager of this incident; whoever is now is released. It is recorded.",
    ),
    "open-war-room": Act(
        "War room",
        open_war_room,
        "The war room is open.",
        "Open war room",
        forms.WarRoomForm,
        "war_room",
        "A place for those on site, a link for the others. This page is the room as well.",
    ),
    "enter": Act(
        "Enter the war room", lambda d: response.enter_war_room(d.pk, **d.by), "You are in the room.", "Enter"
    ),
    "leave": Act("Leave the war room", lambda d: response.leave_war_room(d.pk, **d.by), "You left the room.", "Leave"),
    # the record
    "reword": Act(
        "Reword",
        lambda d: response.edit_entry(d.mine(TimelineEvent).pk, text=d.given["text"], **d.by),
        "Reworded.",
        "Save",
        forms.TextForm,
        "contribute",
        "Every earlier wording stays readable.",
        initial=reword_now,
    ),
    "situation": Act(
        "Situation",
        set_situation,
        "The situation is up to date.",
        "Save",
        forms.SituationForm,
        "contribute",
        "What everybody reads first. Short is better.",
        initial=situation_now,
    ),
    # opinions and decisions
    "agree": Act("Agree", lambda d: answer(d, "", True), "Your agreement is in the timeline.", "Agree"),
    "object": Act("Your opinion", answer_in_words, "Your opinion is in the timeline.", "Answer", forms.ObjectForm),
    "ask": Act(
        "Ask management for a decision",
        lambda d: updates.ask_approval(
            d.pk, **{n: d.given[n] for n in ("question", "approver", "options", "due_at", "cost_of_waiting")}, **d.by
        ),
        "Asked.",
        "Ask",
        forms.AskForm,
        "contribute",
    ),
    "approve": Act("Approve", decide(True), "Approved.", "Approve"),
    "decide": Act("Your decision", decide(True), "Decided.", "Decide", forms.DecideForm, shape=offer_options),
    "refuse": Act("Refuse", decide(False), "Refused.", "Refuse", forms.CommentForm, danger=True),
    # steps
    "problem": Act(
        "Problem behind this incident",
        link_problem,
        "The problem is linked.",
        "Link problem",
        forms.ProblemForm,
        "problem",
        "The step is done once a linked problem has an owner.",
    ),
    "change": Act(
        "Change",
        link_change,
        "The change is linked.",
        "Link change",
        forms.ChangeForm,
        "work_change",
        "The step is done once a change linked as fix is implemented.",
    ),
    "waive": Act(
        "Waive the step",
        lambda d: steps.waive(d.pk, d.target, reason=d.given["reason"], **d.by),
        "Waived.",
        "Waive step",
        forms.ReasonForm,
        "A",
        "The gate lets it pass. The reason shows on the incident and in the review.",
        danger=True,
    ),
    "hand-over": Act(
        "Hand the step over",
        lambda d: steps.reassign(d.pk, d.target, seat_id=d.given["seat"], **d.by),
        "Handed over.",
        "Hand over",
        forms.HandOverForm,
        "A",
        "Whoever gets it signs for it from now on.",
    ),
    # stages
    "begin_containment": Act(
        "Begin containment",
        move("begin_containment"),
        "Containment has begun.",
        "Begin containment",
        forms.WhenForm,
        "command",
    ),
    "begin_resolution": Act(
        "Begin resolution",
        move("begin_resolution"),
        "Resolution has begun.",
        "Begin resolution",
        forms.WhenForm,
        "command",
    ),
    "confirm_resolution": Act(
        "Confirm resolution",
        move("confirm_resolution"),
        "Resolved. The review is open.",
        "Confirm resolution",
        forms.WhenForm,
        "command",
        "The fix holds. Linked tickets are resolved and their requesters asked.",
    ),
    "close": Act(
        "Close", move("close"), "Closed.", "Close", forms.WhenForm, "command", "Reviewed, documented, measured."
    ),
    "fall_back": Act(
        "Fall back to containment",
        move_with_reason("fall_back"),
        "Back in containment.",
        "Fall back",
        forms.ReasonWhenForm,
        "command",
        "The fix failed: a new one is needed before the resolution can be confirmed.",
    ),
    "reopen": Act(
        "It came back: reopen",
        move_with_reason("reopen"),
        "Reopened.",
        "Reopen",
        forms.ReasonWhenForm,
        "command",
        "Back to containment with a new downtime. Fix, review, document and figures need new evidence.",
    ),
    "stand_down": Act(
        "Stand down",
        move_with_reason("stand_down"),
        "Stood down.",
        "Stand down",
        forms.ReasonWhenForm,
        "command",
        "Declared in error. Everybody who was told hears that it was a false alarm, and it counts in no figure.",
        danger=True,
    ),
    "reinstate": Act(
        "Reverse the stand-down",
        move_with_reason("reinstate"),
        "Open again.",
        "Reverse",
        forms.ReasonWhenForm,
        "command",
    ),
    "merge": Act(
        "Merge into another incident",
        lambda d: major_incidents.merge_into(d.pk, target_id=d.given["target"].pk, **d.by),
        "Merged.",
        "Merge",
        forms.MergeForm,
        "command",
        "Tickets, problems, tasks and services move there; this one closes and its links lead there.",
        danger=True,
    ),
    "contain": Act(
        "Mark contained",
        move("contain"),
        "Contained.",
        "Mark contained",
        forms.WhenForm,
        "command",
        "The spread is stopped, or a workaround is in place.",
    ),
    "restore": Act(
        "Service restored",
        restore,
        "Downtime ended.",
        "Service is back",
        forms.RestoreForm,
        "command",
        "Ends the downtime of what you choose.",
    ),
    "edit": Act(
        "Correct the incident",
        lambda d: major_incidents.edit(d.pk, changes=d.given["changes"], reason=d.given["reason"], **d.by),
        "Corrected.",
        "Save",
        forms.EditForm,
        "command",
    ),
    "link-tickets": Act(
        "Link tickets",
        lambda d: ticket_links.link(d.given["tickets"], incident_id=d.pk, **d.by),
        "Linked.",
        "Link",
        forms.TicketsForm,
        "command",
        "They become its children: their requesters hear every public update.",
    ),
    # clocks
    "correct-clock": Act(
        "Correct a clock",
        lambda d: clocks.correct(d.pk, clock=d.target, value=d.given["value"], reason=d.given["reason"], **d.by),
        "Corrected.",
        "Save",
        forms.ClockForm,
        "command",
        "The old value stays in its history.",
        initial=clock_now,
    ),
    "clock-not-applicable": Act(
        "Clock not applicable",
        lambda d: clocks.mark_not_applicable(d.pk, clock=d.target, reason=d.given["reason"], **d.by),
        "Marked.",
        "Mark not applicable",
        forms.ReasonForm,
        "measure",
        "It has no value and needs none.",
    ),
    "add-downtime": Act(
        "A service was down",
        lambda d: downtime.add(d.pk, **{n: d.given[n] for n in ("service", "started_at", "ended_at")}, **d.by),
        "Added.",
        "Add downtime",
        forms.DowntimeForm,
        "command",
    ),
    "correct-downtime": Act(
        "Correct downtime",
        correct_downtime,
        "Corrected.",
        "Save",
        forms.DowntimeChangeForm,
        "command",
        initial=interval_now,
    ),
}
ACTS |= PEOPLE_ACTS
ABOUT_STEPS = ("waive", "hand-over")


def subject_of(act: str, doing: Doing) -> str:
    """What the dialog is about, for its title: the step, the clock, the person."""
    if act in ABOUT_STEPS:
        return STEP_BY_KEY[doing.target].title if doing.target in STEP_BY_KEY else ""
    if act in ("correct-clock", "clock-not-applicable"):
        return doing.target.replace("_", " ")
    if act in ("release", "stand-in", "guest-access"):
        seat = doing.mine(Seat)
        return f"{seat.user.display_name}, {seat.get_role_display().lower()}"
    if act in ("agree", "object"):
        return doing.mine(Consult, step__incident=doing.room.incident).step.title
    if act in ("approve", "refuse", "decide"):
        return doing.mine(Approval).question
    return subject_of_work(act, doing)
