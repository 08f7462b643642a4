"""Who can be told of what, as data; the communication plan of an incident says who is.

One entry per kind of event: the moment (which names the templates), the audiences that hear of it, and
the people addressed by name (`to`, a word of `addressees.py`). Kinds that are not listed tell nobody.
Everybody seated belongs to the technical team, so the seats with letter I hear of every step that is done.
"""

from dataclasses import dataclass, field

from incidents.process import STEPS, Audience, EventKind, Stage

TECHNICAL, MANAGEMENT, STAKEHOLDERS, USERS = Audience
EVERYBODY = (TECHNICAL, MANAGEMENT, STAKEHOLDERS, USERS)

URGENT, NORMAL, BULK = 0, 3, 5
PRIORITY_OF_AUDIENCE = {TECHNICAL: 1, MANAGEMENT: 2, STAKEHOLDERS: 4, USERS: BULK}


@dataclass(frozen=True)
class Rule:
    """`only_when` maps payload keys to the values with which the event is told at all.

    `named_as` is the audience whose words people addressed by name read; empty for words of their own.
    `unless_paged` leaves out people who are paged for the same candidate.
    """

    moment: str
    audiences: tuple[Audience, ...] = ()
    to: str = ""
    named_as: str = ""
    valid_hours: int = 24
    unless_paged: bool = False
    only_when: dict[str, tuple[object, ...]] = field(default_factory=dict)

    def applies(self, payload: dict[str, object]) -> bool:
        return all(payload.get(key) in values for key, values in self.only_when.items())


RULES: dict[str, Rule] = {
    # a major incident, to its audiences
    EventKind.DECLARED: Rule("declared", EVERYBODY),
    EventKind.STAGE_CHANGED: Rule(
        "stage_changed",
        EVERYBODY,
        # The other transitions are told as resolved, closed, reopened and stood down.
        only_when={
            "from": (Stage.IDENTIFICATION, Stage.CONTAINMENT, Stage.RESOLUTION),
            "to": (Stage.CONTAINMENT, Stage.RESOLUTION),
        },
    ),
    EventKind.CONTAINED: Rule("contained", EVERYBODY),
    EventKind.UPDATE_PUBLISHED: Rule("update", EVERYBODY, valid_hours=6),  # cut to the audiences of the update
    EventKind.RESTORED: Rule("restored", EVERYBODY),
    EventKind.RESOLVED: Rule("resolved", EVERYBODY),
    EventKind.CLOSED: Rule("closed", EVERYBODY),
    EventKind.REOPENED: Rule("reopened", EVERYBODY),
    EventKind.STOOD_DOWN: Rule("stood_down", EVERYBODY, to="told_before", named_as=USERS),
    EventKind.REINSTATED: Rule("reinstated", EVERYBODY),
    EventKind.STEP_DONE: Rule(
        "step_done",
        (TECHNICAL, MANAGEMENT),
        # "declare" is done by the declaration itself, which everybody is told of at that moment.
        only_when={"step": tuple(step.key for step in STEPS if step.key != "declare")},
    ),
    EventKind.STEP_WAIVED: Rule("step_waived", (TECHNICAL, MANAGEMENT)),
    # a candidate, to managers and the technical team only
    EventKind.CANDIDATE_FLAGGED: Rule("candidate", (TECHNICAL,), to="incident_managers", unless_paged=True),
    # paging
    EventKind.PAGED: Rule("page", to="people_paged", valid_hours=1),
    EventKind.PAGE_UNANSWERED: Rule("page_unanswered", to="managers_and_administrators", valid_hours=4),
    EventKind.PAGE_LATE: Rule("page_late", to="administrators", valid_hours=4),
    EventKind.ON_CALL_CHANGED: Rule("on_call_changed", to="people_on_call_changed", valid_hours=48),
    # people by name
    EventKind.SEAT_INVITED: Rule("seat_invited", to="person_in_payload"),
    EventKind.GUEST_ACCESS_CHANGED: Rule("guest_link", to="person_in_payload"),
    EventKind.SEAT_ACCEPTED: Rule("bridge", to="actor_when_bridge_is_set"),
    EventKind.BRIDGE_SET: Rule("bridge", to="accepted_seats"),
    EventKind.BRIDGE_CANCELLED: Rule("bridge_cancelled", to="accepted_seats"),
    EventKind.SEAT_RELEASED: Rule("seat_released", to="person_in_payload"),
    EventKind.COMMAND_OFFERED: Rule("command_offered", to="person_in_payload", valid_hours=4),
    EventKind.CONSULT_ASKED: Rule("consult_asked", to="person_in_payload", valid_hours=4),
    EventKind.STEP_REASSIGNED: Rule("step_reassigned", to="new_accountable"),
    EventKind.APPROVAL_ASKED: Rule("approval_asked", to="approver"),
    EventKind.APPROVAL_DECIDED: Rule("approval_decided", to="asker_of_approval"),
    EventKind.NOTE: Rule("mentioned", to="people_mentioned"),
    EventKind.DECISION: Rule("decision_round", to="asked_about_decision", valid_hours=2),
    EventKind.DECISION_OBJECTED: Rule("decision_objected", to="commander", valid_hours=2),
    EventKind.TASK_ADDED: Rule("task_added", to="task_assignee"),
    EventKind.TASK_CHANGED: Rule("task_added", to="task_assignee", only_when={"is_handed_over": (True,)}),
    EventKind.TASK_CALLED_BACK: Rule("task_called_back", to="task_owner", valid_hours=2),
    EventKind.ACKNOWLEDGEMENT_REMINDED: Rule("acknowledgement_reminded", to="people_paged", valid_hours=4),
    EventKind.ACKNOWLEDGEMENT_MISSING: Rule("acknowledgement_missing", to="told_of_silence", valid_hours=4),
    EventKind.PROMISE_OVERDUE: Rule("promise_overdue", to="promise_owner_and_service_desk_managers", valid_hours=4),
    EventKind.TICKET_OPENED: Rule("ticket_opened", to="requester", valid_hours=72),
    EventKind.TICKET_COMMENTED: Rule(
        "ticket_commented",
        to="requester",
        valid_hours=72,
        # What came in through a duplicate is the other requester's and is not passed on.
        only_when={"public": (True,), "origin": (None,)},
    ),
    EventKind.TICKET_STATUS_CHANGED: Rule(
        "ticket_resolved", to="requester", valid_hours=72, only_when={"to": ("resolved",)}
    ),
    EventKind.TICKET_LINKED: Rule("ticket_linked", to="requester_not_told_yet", valid_hours=12),
    EventKind.TICKET_GATHERED: Rule("ticket_gathered", to="requester_not_told_of_candidate", valid_hours=4),
    EventKind.TICKET_MERGED: Rule("ticket_merged", to="requester_of_duplicate", valid_hours=72),
    EventKind.TICKET_UNMERGED: Rule("ticket_unmerged", to="requester_of_duplicate", valid_hours=72),
    EventKind.TICKET_ESCALATED: Rule("ticket_escalated", to="person_escalated_to"),
    EventKind.SLA_WARNED: Rule("sla_warned", to="people_on_the_ticket", valid_hours=8),
    EventKind.TICKET_ASSIGNED: Rule("ticket_assigned", to="ticket_assignee"),
    EventKind.CHANGE_STATUS_CHANGED: Rule(
        "change_approval_asked",
        to="change_approvers",  # of an emergency change after the fact: once it has begun
        valid_hours=72,
        only_when={"to": ("awaiting_approval", "implementing")},
    ),
    EventKind.STATUS_SUBSCRIPTION_ASKED: Rule("status_subscription", to="status_subscriber", valid_hours=72),
    EventKind.WEBHOOK_SWITCHED_OFF: Rule("webhook_off", to="administrators", valid_hours=72),
    EventKind.REVIEW_ACTION_DUE: Rule("review_action_due", to="person_in_payload", valid_hours=72),
    EventKind.REVIEW_ACTION_OVERDUE: Rule("review_action_overdue", to="above_the_owner", valid_hours=72),
    EventKind.REVIEW_SUBMITTED: Rule("review_submitted", to="signers_of_the_review", valid_hours=72),
    EventKind.PROBLEM_CAME_BACK: Rule("problem_came_back", to="person_in_payload", valid_hours=72),
    EventKind.CHANGE_FLAGGED: Rule("change_flagged", to="change_managers", valid_hours=72),
}

PUBLIC_MOMENTS: tuple[str, ...] = (
    "ticket_opened",
    "ticket_commented",
    "ticket_resolved",
    "ticket_linked",
    "ticket_gathered",
    "ticket_merged",
    "ticket_unmerged",
    "status_subscription",
)
"""Said to requesters: nothing of the incident's own record is in them."""

CHANGES_THE_STATUS_PAGE = frozenset(
    {
        EventKind.DECLARED,
        EventKind.CONTAINED,
        EventKind.RESTORED,
        EventKind.RESOLVED,
        EventKind.CLOSED,
        EventKind.REOPENED,
        EventKind.STOOD_DOWN,
        EventKind.REINSTATED,
        EventKind.MERGED,
        EventKind.UPDATE_PUBLISHED,
        EventKind.UPDATE_UNDONE,
        EventKind.DOCUMENT_PUBLISHED,
        EventKind.PROMISE_MADE,
        EventKind.PROMISE_WITHDRAWN,
        EventKind.INCIDENT_EDITED,
        EventKind.CLOCK_CORRECTED,
        EventKind.DOWNTIME_OPENED,
        EventKind.DOWNTIME_CORRECTED,
        EventKind.DOWNTIME_ENDED,
    }
)
"""After these the public may read something else; the page is written anew at once."""

PROMISE_DUE_SOON = Rule("promise_due_soon", to="promise_owner", valid_hours=1)
"""Said of the event that made the promise, five minutes before it is due."""
