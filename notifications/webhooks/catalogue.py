"""The names of what webhooks hear of, as data. Other software depends on them: a name stays what it is.

A name is the record, a full stop, and what happened to it: `ticket.opened`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from incidents.process import EventKind

E = EventKind
TEST = "webhook.test"


@dataclass(frozen=True)
class Told:
    """One event. `meaning` is what a subscriber reads when choosing."""

    name: str
    kind: EventKind
    meaning: str


@dataclass(frozen=True)
class Group:
    key: str
    title: str
    events: tuple[Told, ...]


def _group(key: str, title: str, prefix: str, *rows: tuple[EventKind, str]) -> Group:
    return Group(key, title, tuple(Told(_name(prefix, kind), kind, meaning) for kind, meaning in rows))


def _name(prefix: str, kind: EventKind) -> str:
    return f"{prefix}.{kind.value.removeprefix(f'{prefix}_').removeprefix('incident_')}"


GROUPS = (
    _group(
        "life",
        "Major incidents: their life",
        "major_incident",
        (E.DECLARED, "A major incident is declared."),
        (E.STAGE_CHANGED, "It enters another of the four stages."),
        (E.CONTAINED, "The damage no longer grows."),
        (E.RESTORED, "The services work again."),
        (E.RESOLVED, "The resolution is confirmed."),
        (E.CLOSED, "Review, document and figures are done."),
        (E.REOPENED, "It came back."),
        (E.STOOD_DOWN, "It was a false alarm."),
        (E.REINSTATED, "It was none: the stand-down is reversed."),
        (E.MERGED, "It is part of another major incident."),
        (E.INCIDENT_EDITED, "Texts, severity or services are corrected."),
        (E.CLOCK_SET, "One of its clocks gets its time."),
        (E.CLOCK_CORRECTED, "The time of a clock is corrected."),
        (E.CLOCK_NOT_APPLICABLE, "A clock does not apply, with a reason."),
        (E.DOWNTIME_OPENED, "A service is down."),
        (E.DOWNTIME_CORRECTED, "The times of a downtime are corrected."),
        (E.DOWNTIME_ENDED, "A service is up again."),
    ),
    _group(
        "process",
        "Major incidents: steps",
        "major_incident",
        (E.STEP_OPENED, "A step of the process may begin."),
        (E.STEP_DONE, "A step has its evidence."),
        (E.STEP_REOPENED, "A step needs new evidence."),
        (E.STEP_WAIVED, "A step is waived by who is accountable."),
        (E.STEP_REASSIGNED, "A step is handed over."),
        (E.CONSULT_ASKED, "Somebody is asked for advice."),
        (E.CONSULT_ANSWERED, "The advice is given."),
        (E.CONSULT_UNANSWERED, "The advice did not come in time."),
        (E.REVIEW_OPENED, "The review begins."),
        (E.REVIEW_SUBMITTED, "The review waits for its signature."),
        (E.REVIEW_ACTION_DUE, "What a review promised is due."),
        (E.REVIEW_ACTION_OVERDUE, "What a review promised is late."),
        (E.PLAN_USED, "The plan of a past incident is taken over."),
        (E.PLAN_JUDGED, "Whether that plan worked."),
        (E.REVIEW_EDITED, "The review is edited."),
        (E.REVIEW_COMPLETED, "The review is complete."),
        (E.DOCUMENT_GENERATED, "The document is written from the record."),
        (E.DOCUMENT_EDITED, "The document is edited."),
        (E.DOCUMENT_PUBLISHED, "The document is published."),
        (E.MEASURED, "The figures are computed."),
    ),
    _group(
        "work",
        "Major incidents: people and work",
        "major_incident",
        (E.UPDATE_PUBLISHED, "A status update is published; its texts come along."),
        (E.PROMISE_MADE, "The next update is promised."),
        (E.PROMISE_OVERDUE, "A promised update did not come."),
        (E.NOTE, "A note on the timeline."),
        (E.DECISION, "A decision on the timeline."),
        (E.SITUATION_CHANGED, "Conditions, actions or needs are summed up anew."),
        (E.TASK_ADDED, "A task is given."),
        (E.TASK_CHANGED, "A task is changed or done."),
        (E.APPROVAL_ASKED, "Management is asked for a decision."),
        (E.APPROVAL_DECIDED, "Management has decided."),
        (E.SEAT_INVITED, "Somebody is invited to the team."),
        (E.SEAT_ACCEPTED, "An invitation is accepted."),
        (E.SEAT_DECLINED, "An invitation is declined."),
        (E.SEAT_RELEASED, "Somebody leaves the team."),
        (E.COMMAND_TAKEN, "Somebody takes command."),
        (E.COMMAND_HANDED_OVER, "Command is handed over, confirmed by both."),
        (E.GUEST_ENTERED, "A guest comes in by a link."),
        (E.BRIDGE_SET, "The conference bridge is set."),
        (E.BRIDGE_CANCELLED, "The conference bridge is over."),
        (E.WAR_ROOM_OPENED, "The war room is open."),
        (E.TICKETS_CASCADED, "Linked tickets are updated together."),
    ),
    _group(
        "candidate",
        "Candidates",
        "candidate",
        (E.CANDIDATE_FLAGGED, "Reports or alerts look like one outage."),
        (E.CANDIDATE_EVIDENCE_ADDED, "More evidence joins it."),
        (E.CANDIDATE_ACKNOWLEDGED, "Somebody looks at it."),
        (E.CANDIDATE_DECLARED, "A major incident is declared from it."),
        (E.CANDIDATE_LINKED, "It belongs to an open major incident."),
        (E.CANDIDATE_DISMISSED, "It is no major incident."),
    ),
    _group(
        "page",
        "Paging",
        "page",
        (E.PAGED, "People are paged for a candidate or a major incident."),
        (E.PAGE_ANSWERED, "Somebody answered the page."),
        (E.PAGE_PASSED_ON, "Somebody passed it on."),
        (E.PAGE_UNANSWERED, "Nobody answered, all steps are taken."),
        (E.PAGE_LATE, "A step of paging is late."),
    ),
    _group(
        "alerts",
        "Alerts of a record",
        "alerts",
        (E.ALERTS_JOINED, "Alerts join a ticket, candidate or major incident."),
        (E.ALERTS_RESOLVED, "None of its alerts fires any more."),
        (E.ALERTS_FIRE_AGAIN, "They fire again."),
    ),
    _group(
        "ticket",
        "Tickets",
        "ticket",
        (E.TICKET_OPENED, "A report came in, by whatever channel."),
        (E.TICKET_EDITED, "Its fields are changed."),
        (E.TICKET_COMMENTED, "A comment, public or internal (the payload says which)."),
        (E.TICKET_ATTACHED, "A file is attached."),
        (E.TICKET_ACKNOWLEDGED, "Somebody looks at it."),
        (E.TICKET_ASSIGNED, "It is given to a person or a team."),
        (E.TICKET_STATUS_CHANGED, "It is worked on, on hold, resolved, closed or open again."),
        (E.TICKET_ESCALATED, "It goes to another tier or to a manager."),
        (E.TICKET_LINKED, "It is linked to a major incident."),
        (E.TICKET_UNLINKED, "The link is taken away."),
        (E.TICKET_MERGED, "It is a duplicate of another ticket."),
        (E.TICKET_UNMERGED, "It is none after all."),
        (E.TICKET_SPLIT, "A part of it is a ticket of its own."),
    ),
    _group(
        "promise",
        "Service levels of tickets",
        "sla",
        (E.SLA_WARNED, "Three quarters of the promised time are over."),
        (E.SLA_BREACHED, "The promised time is over."),
    ),
    _group(
        "problem",
        "Problems",
        "problem",
        (E.PROBLEM_OPENED, "A cause is looked for."),
        (E.PROBLEM_EDITED, "Cause, workaround or other fields are changed."),
        (E.PROBLEM_LINKED, "It is linked to a major incident or a ticket."),
        (E.PROBLEM_CAME_BACK, "Ninety days later the product looked whether it came back."),
        (E.PROBLEM_STATUS_CHANGED, "It is investigated, a known error, resolved or closed."),
    ),
    _group(
        "change",
        "Changes",
        "change",
        (E.CHANGE_OPENED, "A change is planned."),
        (E.CHANGE_EDITED, "Its plan is changed."),
        (E.CHANGE_LINKED, "It is linked to a major incident as its fix or its cause."),
        (E.CHANGE_STATUS_CHANGED, "It is submitted, approved, under way, implemented, rolled back or closed."),
        (E.CHANGE_VOTED, "An approver has voted."),
        (E.CHANGE_LOGGED, "A step is done, or something is noted while it is under way."),
        (E.CHANGE_CHECKED, "It was looked at afterwards: it works, or does not."),
        (E.CHANGE_FLAGGED, "An emergency change still waits for its approval."),
    ),
)
NAME_OF: dict[str, str] = {told.kind: told.name for group in GROUPS for told in group.events}
NAMES: tuple[str, ...] = tuple(told.name for group in GROUPS for told in group.events)
KIND_OF: dict[str, EventKind] = {told.name: told.kind for group in GROUPS for told in group.events}


def choices() -> Iterator[tuple[str, str]]:
    for group in GROUPS:
        for told in group.events:
            yield told.name, told.meaning
