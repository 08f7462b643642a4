"""How each state looks: icon, tone and words, as data. Meaning is never carried by colour alone."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Look:
    """One badge: `tone` is a class of the stylesheet, `label` what it says."""

    icon: str
    tone: str
    label: str


SEVERITY = {
    1: Look("alert-octagon", "sev-1", "SEV1"),
    2: Look("alert-triangle", "sev-2", "SEV2"),
    3: Look("alert-circle", "sev-3", "SEV3"),
    4: Look("info-circle", "sev-4", "SEV4"),
}
PRIORITY = {
    1: Look("chevron-up", "tone-strong", "P1"),
    2: Look("arrow-narrow-up", "", "P2"),
    3: Look("equal", "", "P3"),
    4: Look("arrow-narrow-down", "", "P4"),
}
STAGE = {
    "identification": Look("search", "tone-info", "Identification"),
    "containment": Look("shield", "tone-info", "Containment"),
    "resolution": Look("tool", "tone-info", "Resolution"),
    "maintenance": Look("clipboard-check", "tone-info", "Maintenance"),
    "closed": Look("circle-check", "", "Closed"),
    "stood_down": Look("circle-minus", "", "Stood down"),
}
STEP = {
    "pending": Look("circle-dashed", "", "Not open yet"),
    "open": Look("circle-dot", "tone-info", "Open"),
    "done": Look("circle-check", "tone-good", "Done"),
    "waived": Look("circle-minus", "tone-warn", "Waived"),
}
STATUS = {
    # tickets
    "new": Look("circle-dot", "tone-info", "New"),
    "assigned": Look("user-check", "", "Assigned"),
    "in_progress": Look("player-play", "tone-info", "In progress"),
    "on_hold": Look("clock-pause", "tone-warn", "On hold"),
    "resolved": Look("circle-check", "tone-good", "Resolved"),
    "closed": Look("archive", "", "Closed"),
    "reopened": Look("rotate-2", "tone-warn", "Reopened"),
    # candidates
    "open": Look("circle-dot", "tone-info", "Open"),
    "acknowledged": Look("eye", "tone-info", "Acknowledged"),
    "declared": Look("flame", "tone-strong", "Declared"),
    "linked": Look("link", "", "Linked"),
    "dismissed": Look("circle-x", "", "Dismissed"),
    # problems
    "investigating": Look("search", "tone-info", "Investigating"),
    "known_error": Look("bulb", "tone-warn", "Known error"),
    # changes and approvals
    "draft": Look("pencil", "", "Draft"),
    "awaiting_approval": Look("hourglass", "tone-warn", "Awaiting approval"),
    "approved": Look("check", "tone-good", "Approved"),
    "implementing": Look("player-play", "tone-info", "Implementing"),
    "implemented": Look("circle-check", "tone-good", "Implemented"),
    "rolled_back": Look("arrow-back-up", "tone-bad", "Rolled back"),
    "rejected": Look("x", "tone-bad", "Rejected"),
    "cancelled": Look("circle-x", "", "Cancelled"),
    "pending": Look("hourglass", "tone-warn", "Pending"),
    # seats, consult requests
    "invited": Look("mail", "tone-warn", "Invited"),
    "accepted": Look("user-check", "tone-good", "Accepted"),
    "declined": Look("user-x", "", "Declined"),
    "released": Look("user-minus", "", "Released"),
    "answered": Look("message-circle", "tone-good", "Answered"),
    "unanswered": Look("clock-exclamation", "tone-warn", "Unanswered"),
    # tasks, decisions, votes
    "done": Look("circle-check", "tone-good", "Done"),
    "proposed": Look("bulb", "tone-info", "Proposed"),
    "withdrawn": Look("circle-x", "", "Withdrawn"),
    "refused": Look("x", "tone-bad", "Refused"),
    "not_asked": Look("circle-dashed", "", "Not asked"),
    # deliveries and promises
    "queued": Look("clock", "", "Queued"),
    "sending": Look("send", "tone-info", "Sending"),
    "sent": Look("mail-check", "tone-good", "Sent"),
    "delivered": Look("mail-check", "tone-good", "Delivered"),
    "retrying": Look("refresh", "tone-warn", "Retrying"),
    "failed": Look("alert-circle", "tone-bad", "Failed"),
    "suppressed": Look("bell-off", "", "Suppressed"),
    "overdue": Look("clock-exclamation", "tone-bad", "Overdue"),
    "kept": Look("check", "tone-good", "Kept"),
    "broken": Look("alert-triangle", "tone-bad", "Broken"),
    # review, document
    "in_review": Look("eye", "tone-info", "In review"),
    "completed": Look("circle-check", "tone-good", "Completed"),
    "published": Look("world", "tone-good", "Published"),
    # payloads and integrations
    "working": Look("circle-check", "tone-good", "Working"),
    "silent": Look("circle-dashed", "", "Nothing yet"),
    "failing": Look("alert-triangle", "tone-warn", "Refuses"),
    "late": Look("clock-exclamation", "tone-bad", "Late"),
    "off": Look("circle-minus", "", "Off"),
    # channels and places
    "not_set_up": Look("circle-dashed", "", "Not set up"),
    "ready": Look("circle-check", "", "On, not used yet"),
    "works": Look("circle-check", "tone-good", "On"),
    "unsteady": Look("alert-triangle", "tone-warn", "On, failed last"),
    "fails": Look("alert-octagon", "tone-bad", "Failing"),
    # alerts and services
    "firing": Look("bell-ringing", "tone-bad", "Firing"),
    "operational": Look("circle-check", "tone-good", "Operational"),
    "degraded": Look("activity", "tone-warn", "Degraded"),
    "down": Look("circle-x", "tone-bad", "Down"),
    "outage": Look("circle-x", "tone-bad", "Outage"),
    "maintenance_window": Look("calendar-time", "", "Maintenance"),
    # mail that came in
    "waiting": Look("hourglass", "tone-info", "Waiting"),
    "ticket": Look("ticket", "tone-good", "Ticket"),
    "comment": Look("message-circle", "tone-good", "Comment"),
    "ignored": Look("bell-off", "", "Ignored"),
    "quarantined": Look("shield-x", "tone-warn", "In quarantine"),
    "parked": Look("player-pause", "tone-warn", "Parked"),
    # accounts and keys
    "active": Look("circle-check", "tone-good", "Active"),
    "inactive": Look("circle-minus", "", "Inactive"),
    "disabled": Look("lock", "", "Disabled"),
    "expired": Look("clock-exclamation", "tone-warn", "Expired"),
    "revoked": Look("x", "", "Revoked"),
}
GRADE = {
    "critical": Look("alert-octagon", "tone-bad", "Critical"),
    "error": Look("alert-triangle", "tone-warn", "Error"),
    "warning": Look("alert-circle", "", "Warning"),
    "info": Look("info-circle", "", "Info"),
}
"""How bad a monitoring tool says it is; no severity of ours, which a person decides."""
SLA = {
    "running": Look("clock", "tone-info", "Running"),
    "paused": Look("clock-pause", "", "Paused"),
    "met": Look("circle-check", "tone-good", "In time"),
    "missed": Look("clock-exclamation", "tone-bad", "Too late"),
    "breached": Look("clock-exclamation", "tone-bad", "Overdue"),
}
OUTCOME = {
    "waiting": Look("hourglass", "", "Waiting"),
    "done": Look("circle-check", "tone-good", "Done"),
    "unchanged": Look("circle-minus", "", "Unchanged"),
    "failed": Look("alert-circle", "tone-bad", "Failed"),
}
KINDS: dict[str, dict[int, Look] | dict[str, Look]] = {
    "grade": GRADE,
    "severity": SEVERITY,
    "priority": PRIORITY,
    "stage": STAGE,
    "step": STEP,
    "status": STATUS,
    "sla": SLA,
    "outcome": OUTCOME,
}


def look_of(kind: str, value: object) -> Look | None:
    """The look of one value; None for None or an empty value.

    Severity and priority are read from 1, "1", "SEV1" or "P1". A value the tables do not know gets a
    neutral badge with its own words, so that a new state is legible before it is pretty.
    """
    plain = value.value if isinstance(value, Enum) else value
    if plain is None or plain == "":
        return None
    key: object = str(plain).strip().lower()
    if kind in ("severity", "priority"):
        digits = "".join(letter for letter in str(key) if letter.isdigit())
        key = int(digits) if digits else key
    table: dict = KINDS.get(kind, STATUS)
    words = str(plain).replace("_", " ")
    return table.get(key) or Look("circle", "", words[:1].upper() + words[1:])
