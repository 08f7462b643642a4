"""The major incident process as data: roles, stages, the ten steps and the RACI letters.

Reads like the tables it comes from, so that a reviewer can lay both side by side. No ORM.
"""

from dataclasses import dataclass

from django.db.models import TextChoices


class AccountRole(TextChoices):
    """What a person may do in general."""

    REQUESTER = "requester", "Requester"
    KEY_STAKEHOLDER = "key_stakeholder", "Key stakeholder"
    SERVICE_DESK_TECHNICIAN = "service_desk_technician", "Service desk technician"
    TECHNICAL_STAFF = "technical_staff", "Technical staff"
    MAJOR_INCIDENT_MANAGER = "major_incident_manager", "Major incident manager"
    CHANGE_MANAGER = "change_manager", "Change manager"
    PROBLEM_MANAGER = "problem_manager", "Problem manager"
    EXTERNAL_CONSULTANT = "external_consultant", "External consultant"
    MANAGEMENT = "management", "Management"
    SERVICE_DESK_MANAGER = "service_desk_manager", "Service desk manager"
    ADMINISTRATOR = "administrator", "Administrator"


class Role(TextChoices):
    """The seven seats on one major incident: the columns of the RACI matrix, in its order."""

    SERVICE_DESK_TECHNICIAN = "service_desk_technician", "Service desk technician"
    MAJOR_INCIDENT_MANAGER = "major_incident_manager", "Major incident manager"
    MIT = "mit", "Major incident team"
    TECHNICAL_STAFF = "technical_staff", "Technical staff"
    CHANGE_MANAGER = "change_manager", "Change manager"
    PROBLEM_MANAGER = "problem_manager", "Problem manager"
    EXTERNAL_CONSULTANT = "external_consultant", "External consultant"


SPAN_OF_CONTROL = 7
"""More people than these answer to nobody well; the room warns and asks for leads in between."""

SINGLE_HOLDER_ROLES = (Role.MAJOR_INCIDENT_MANAGER, Role.CHANGE_MANAGER, Role.PROBLEM_MANAGER)
"""One holder each on an incident, and the only columns that may carry A."""

ROLE_ABBREVIATIONS = dict(zip(Role, ("SDT", "MIM", "MIT", "Tech", "ChgM", "PrbM", "Ext"), strict=True))


class Audience(TextChoices):
    """The four groups that must be informed, the most detailed message first."""

    TECHNICAL = "technical", "Technical team"
    MANAGEMENT = "management", "Management"
    KEY_STAKEHOLDERS = "key_stakeholders", "Key stakeholders"
    USERS = "users", "Users"


DEFAULT_AUDIENCES: dict[str, tuple[str, ...]] = {
    Audience.TECHNICAL: (
        AccountRole.TECHNICAL_STAFF,
        AccountRole.SERVICE_DESK_TECHNICIAN,
        AccountRole.MAJOR_INCIDENT_MANAGER,
    ),
    Audience.MANAGEMENT: (AccountRole.MANAGEMENT,),
    Audience.KEY_STAKEHOLDERS: (AccountRole.KEY_STAKEHOLDER,),
    Audience.USERS: (AccountRole.REQUESTER,),
}
"""Roles of each audience until an administrator says otherwise."""


class Stage(TextChoices):
    IDENTIFICATION = "identification", "Identification"
    CONTAINMENT = "containment", "Containment"
    RESOLUTION = "resolution", "Resolution"
    MAINTENANCE = "maintenance", "Maintenance"
    CLOSED = "closed", "Closed"
    STOOD_DOWN = "stood_down", "Stood down"


STAGE_ORDER = (Stage.IDENTIFICATION, Stage.CONTAINMENT, Stage.RESOLUTION, Stage.MAINTENANCE, Stage.CLOSED)
OPEN_STAGES = STAGE_ORDER[:-1]


class StepState(TextChoices):
    PENDING = "pending", "Pending"
    OPEN = "open", "Open"
    DONE = "done", "Done"
    WAIVED = "waived", "Waived"


class SeatState(TextChoices):
    INVITED = "invited", "Invited"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    RELEASED = "released", "Released"


@dataclass(frozen=True)
class Step:
    """One row of the matrix. `letters` maps each role to a set of R, A, C, I."""

    key: str
    stage: Stage
    title: str
    letters: dict[Role, frozenset[str]]


def parse_letters(cells: str) -> dict[Role, frozenset[str]]:
    """Seven cells in column order, `R/A` for two letters in one cell. Raises ValueError otherwise."""
    return {role: frozenset(cell.split("/")) for role, cell in zip(Role, cells.split(), strict=True)}


def _step(key: str, stage: Stage, title: str, cells: str) -> Step:
    return Step(key, stage, title, parse_letters(cells))


STEPS = (
    #                                               SDT MIM MIT Tech ChgM PrbM Ext
    _step("declare", Stage.IDENTIFICATION, "Declaring the major incident", "C A R C I I I"),
    _step("inform", Stage.IDENTIFICATION, "Informing stakeholders", "C A R I I I I"),
    _step("assemble", Stage.CONTAINMENT, "Assembling the MIT", "I R/A C C I C I"),
    _step("bridge", Stage.CONTAINMENT, "Setting up a conference bridge", "I A R C I C I"),
    _step("war_room", Stage.CONTAINMENT, "Preparing a designated war room", "I A R I I C I"),
    _step("problem", Stage.CONTAINMENT, "Creating a problem ticket to identify underlying issues", "I A R C I I I"),
    _step("change", Stage.RESOLUTION, "Implementing the resolution plan as a change", "I I I R A C C"),
    _step("review", Stage.MAINTENANCE, "Performing post-implementation review", "I C I R A C I"),
    _step("document", Stage.MAINTENANCE, "Producing clear documentation", "C A R C C C C"),
    _step("measure", Stage.MAINTENANCE, "Measuring metrics", "I A R I I I C"),
)
STEP_BY_KEY = {step.key: step for step in STEPS}
STEP_CHOICES = [(step.key, step.title) for step in STEPS]

GATES: dict[str, tuple[str, ...]] = {
    "begin_containment": ("declare", "inform"),
    "begin_resolution": ("assemble", "bridge", "war_room", "problem"),
    "confirm_resolution": ("change",),
    "close": ("review", "document", "measure"),
}
"""Which steps each transition waits for."""

RENEWED_BY_REOPENING = ("change", "review", "document", "measure")
"""Steps that need new evidence after the incident came back."""

GUARDED_ACTS = {
    "declare": "declare",
    "inform": "publish an update",
    "assemble": "invite or release",
    "bridge": "set the bridge",
    "war_room": "open the war room",
    "problem": "link the problem",
    "change": "start, implement or roll back the change",
    "review": "complete the review",
    "document": "publish the document",
    "measure": "mark a clock not applicable",
}

CLOCKS = (
    "started_at",
    "detected_at",
    "reported_at",
    "acknowledged_at",
    "declared_at",
    "contained_at",
    "restored_at",
    "resolved_at",
    "closed_at",
)
CLOCK_ORDER = (
    ("started_at", "detected_at"),
    ("detected_at", "reported_at"),
    ("reported_at", "acknowledged_at"),
    ("detected_at", "declared_at"),
    ("started_at", "contained_at"),
    ("started_at", "restored_at"),
    ("restored_at", "resolved_at"),
    ("resolved_at", "closed_at"),
)
"""Pairs that must not be reversed. A chain skips clocks without a value (see `chain_of`)."""

CLOCK_CHAINS = (
    ("started_at", "detected_at", "reported_at", "acknowledged_at"),
    ("started_at", "detected_at", "declared_at"),
    ("started_at", "contained_at"),
    ("started_at", "restored_at", "resolved_at", "closed_at"),
)
"""The same order as chains: nulls are skipped, so the neighbours on both sides of one are compared."""

REQUIRED_CLOCKS = ("started_at", "detected_at", "reported_at", "acknowledged_at", "declared_at", "resolved_at")
"""What the KPI row needs before "measure" is done: a value, or "not applicable" with a reason."""


class EventKind(TextChoices):
    """Every act in the product, as it is written in the timeline."""

    # tickets
    TICKET_OPENED = "ticket_opened", "Ticket opened"
    TICKET_EDITED = "ticket_edited", "Ticket edited"
    TICKET_COMMENTED = "ticket_commented", "Comment"
    TICKET_ATTACHED = "ticket_attached", "File attached"
    TICKET_ACKNOWLEDGED = "ticket_acknowledged", "Ticket acknowledged"
    TICKET_ASSIGNED = "ticket_assigned", "Ticket assigned"
    TICKET_STATUS_CHANGED = "ticket_status_changed", "Ticket status changed"
    TICKET_ESCALATED = "ticket_escalated", "Ticket escalated"
    TICKET_LINKED = "ticket_linked", "Ticket linked"
    TICKET_UNLINKED = "ticket_unlinked", "Ticket unlinked"
    ALERT_ATTACHED = "alert_attached", "Alert attached"
    TICKET_GATHERED = "ticket_gathered", "Joined a candidate"
    AFFECTED_COUNTED = "affected_counted", "People affected"
    TICKET_MERGED = "ticket_merged", "Ticket merged"
    TICKET_UNMERGED = "ticket_unmerged", "Merge undone"
    TICKET_SPLIT = "ticket_split", "Ticket split"
    TICKET_KEPT_OPEN = "ticket_kept_open", "Kept open"
    SLA_WARNED = "sla_warned", "Promise about to be late"
    SLA_BREACHED = "sla_breached", "Promise broken"
    # candidates
    CANDIDATE_FLAGGED = "candidate_flagged", "Candidate raised"
    CANDIDATE_EVIDENCE_ADDED = "candidate_evidence_added", "Evidence added"
    CANDIDATE_ACKNOWLEDGED = "candidate_acknowledged", "Candidate acknowledged"
    CANDIDATE_DECLARED = "candidate_declared", "Candidate declared"
    CANDIDATE_LINKED = "candidate_linked", "Candidate linked"
    CANDIDATE_DISMISSED = "candidate_dismissed", "Candidate dismissed"
    # alerts of a ticket, candidate or major incident
    ALERTS_JOINED = "alerts_joined", "Alerts joined"
    ALERTS_RESOLVED = "alerts_resolved", "All alerts resolved"
    ALERTS_FIRE_AGAIN = "alerts_fire_again", "Alerts fire again"
    # paging and on call
    PAGED = "paged", "Paged"
    PAGE_ANSWERED = "page_answered", "Page answered"
    PAGE_PASSED_ON = "page_passed_on", "Page passed on"
    PAGE_UNANSWERED = "page_unanswered", "Nobody answered the page"
    PAGE_LATE = "page_late", "Paging is late"
    ON_CALL_CHANGED = "on_call_changed", "On call changed"
    # the life of a major incident
    DECLARED = "declared", "Declared"
    STAGE_CHANGED = "stage_changed", "Stage changed"
    CONTAINED = "contained", "Contained"
    RESTORED = "restored", "Restored"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"
    REOPENED = "reopened", "Reopened"
    STOOD_DOWN = "stood_down", "Stood down"
    REINSTATED = "reinstated", "Stand-down reversed"
    MERGED = "merged", "Merged"
    INCIDENT_EDITED = "incident_edited", "Incident corrected"
    CLOCK_SET = "clock_set", "Clock set"
    CLOCK_CORRECTED = "clock_corrected", "Clock corrected"
    CLOCK_NOT_APPLICABLE = "clock_not_applicable", "Clock not applicable"
    DOWNTIME_OPENED = "downtime_opened", "Downtime began"
    DOWNTIME_CORRECTED = "downtime_corrected", "Downtime corrected"
    DOWNTIME_ENDED = "downtime_ended", "Downtime ended"
    # steps
    STEP_OPENED = "step_opened", "Step opened"
    STEP_DONE = "step_done", "Step done"
    STEP_REOPENED = "step_reopened", "Step needs new evidence"
    STEP_WAIVED = "step_waived", "Step waived"
    STEP_REASSIGNED = "step_reassigned", "Step handed over"
    CONSULT_ASKED = "consult_asked", "Consult asked"
    CONSULT_ANSWERED = "consult_answered", "Consult answered"
    CONSULT_UNANSWERED = "consult_unanswered", "Consult unanswered"
    # people
    SEAT_INVITED = "seat_invited", "Invited"
    SEAT_ACCEPTED = "seat_accepted", "Accepted"
    SEAT_DECLINED = "seat_declined", "Declined"
    SEAT_RELEASED = "seat_released", "Released"
    COMMAND_TAKEN = "command_taken", "Command taken"
    COMMAND_OFFERED = "command_offered", "Command offered"
    COMMAND_HANDED_OVER = "command_handed_over", "Command handed over"
    COMMAND_KEPT = "command_kept", "Handover of command ended"
    GUEST_ENTERED = "guest_entered", "Guest came in by link"
    GUEST_ACCESS_CHANGED = "guest_access_changed", "Guest access changed"
    BRIDGE_SET = "bridge_set", "Bridge set"
    BRIDGE_CANCELLED = "bridge_cancelled", "Bridge cancelled"
    BRIDGE_JOINED = "bridge_joined", "Joined the bridge"
    WAR_ROOM_OPENED = "war_room_opened", "War room opened"
    WAR_ROOM_ENTERED = "war_room_entered", "Entered the war room"
    WAR_ROOM_LEFT = "war_room_left", "Left the war room"
    # work
    NOTE = "note", "Note"
    DECISION = "decision", "Decision"
    DECISION_OBJECTED = "decision_objected", "Strong objection"
    DECISION_STANDS = "decision_stands", "Decision stands"
    DECISION_WITHDRAWN = "decision_withdrawn", "Decision withdrawn"
    ENTRY_MARKED = "entry_marked", "Entry marked"
    ENTRY_UNMARKED = "entry_unmarked", "Mark taken off"
    SITUATION_CHANGED = "situation_changed", "Situation updated"
    TASK_ADDED = "task_added", "Task added"
    TASK_CHANGED = "task_changed", "Task changed"
    TASK_CALLED_BACK = "task_called_back", "Time is up"
    CHECKLIST_STARTED = "checklist_started", "Checklist started"
    UPDATE_PUBLISHED = "update_published", "Update published"
    PROMISE_MADE = "promise_made", "Next update promised"
    PROMISE_OVERDUE = "promise_overdue", "Next update overdue"
    PROMISE_WITHDRAWN = "promise_withdrawn", "Promise withdrawn"
    UPDATE_UNDONE = "update_undone", "Update taken back"
    ACKNOWLEDGEMENT_REMINDED = "acknowledgement_reminded", "Asked again to acknowledge"
    ACKNOWLEDGEMENT_MISSING = "acknowledgement_missing", "Not acknowledged"
    MESSAGES_RESENT = "messages_resent", "Message sent again"
    STATUS_SUBSCRIPTION_ASKED = "status_subscription_asked", "Subscription to the status page asked"
    WEBHOOK_SWITCHED_OFF = "webhook_switched_off", "Webhook switched off"
    APPROVAL_ASKED = "approval_asked", "Decision asked of management"
    APPROVAL_DECIDED = "approval_decided", "Decision given"
    # learning
    PROBLEM_OPENED = "problem_opened", "Problem opened"
    PROBLEM_EDITED = "problem_edited", "Problem edited"
    PROBLEM_LINKED = "problem_linked", "Problem linked"
    PROBLEM_STATUS_CHANGED = "problem_status_changed", "Problem status changed"
    CHANGE_OPENED = "change_opened", "Change opened"
    CHANGE_EDITED = "change_edited", "Change edited"
    CHANGE_LINKED = "change_linked", "Change linked"
    CHANGE_STATUS_CHANGED = "change_status_changed", "Change status changed"
    CHANGE_VOTED = "change_voted", "Change approval"
    CHANGE_FLAGGED = "change_flagged", "Emergency change without approval"
    CHANGE_LOGGED = "change_logged", "Implementation log"
    CHANGE_CHECKED = "change_checked", "Change checked"
    PROBLEM_CAME_BACK = "problem_came_back", "Looked whether it came back"
    PLAN_USED = "plan_used", "Plan of a past incident used"
    PLAN_JUDGED = "plan_judged", "Plan judged"
    REVIEW_OPENED = "review_opened", "Review opened"
    REVIEW_EDITED = "review_edited", "Review edited"
    REVIEW_SUBMITTED = "review_submitted", "Review ready for sign-off"
    REVIEW_COMPLETED = "review_completed", "Review completed"
    REVIEW_ACTION_DUE = "review_action_due", "Action due"
    REVIEW_ACTION_OVERDUE = "review_action_overdue", "Action overdue"
    DOCUMENT_GENERATED = "document_generated", "Document generated"
    DOCUMENT_EDITED = "document_edited", "Document edited"
    DOCUMENT_PUBLISHED = "document_published", "Document published"
    MEASURED = "measured", "Figures computed"
    TICKETS_CASCADED = "tickets_cascaded", "Linked tickets updated"


class EventGroup(TextChoices):
    """What the timeline can be filtered by."""

    NOTES = "notes", "Notes"
    DECISIONS = "decisions", "Decisions"
    UPDATES = "updates", "Updates"
    PEOPLE = "people", "People"
    SYSTEM = "system", "System"


_PEOPLE = ("seat_", "guest_", "command_", "bridge_", "war_room_", "consult_", "page", "on_call_")
_UPDATES = ("update_", "promise_", "acknowledgement_", "messages_")


def group_of(kind: str) -> EventGroup:
    if kind in (EventKind.NOTE, EventKind.SITUATION_CHANGED, EventKind.TICKET_COMMENTED):
        return EventGroup.NOTES
    if kind.startswith("decision") or kind in (EventKind.APPROVAL_ASKED, EventKind.APPROVAL_DECIDED):
        return EventGroup.DECISIONS
    if kind.startswith(_UPDATES):
        return EventGroup.UPDATES
    if kind.startswith(_PEOPLE):
        return EventGroup.PEOPLE
    return EventGroup.SYSTEM
