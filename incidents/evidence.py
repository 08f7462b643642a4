"""Finds out by itself whether a step is done: evidence, not tick boxes. Source: the evidence table of the process.

Each function reads the incident's own records. "inform", the delivery of the bridge invitation and "measure"
are reported from above (`actions.steps.record_evidence`), because deliveries and figures live there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from incidents.models import ChangeLink, ChangeStatus, IncidentStep, MajorIncident, Review, User
from incidents.permissions import accepted_people
from incidents.process import Role


@dataclass(frozen=True)
class Evidence:
    """`facts` prove the step, `missing` says in sentences what is lacking; complete when nothing is missing.

    `done_by` is the person whose act it was, None when the evidence does not name one.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    done_by: User | None = None


def _declare(incident: MajorIncident, step: IncidentStep) -> Evidence:
    declared = f"{incident.declared_at:%Y-%m-%dT%H:%M:%SZ}" if incident.declared_at else None
    by = incident.declared_by.email if incident.declared_by else "the system"
    return Evidence({"declared_at": declared, "declared_by": by}, [], incident.declared_by)


def _reported(incident: MajorIncident, step: IncidentStep) -> Evidence:
    """What deliveries or figures last said about the step."""
    missing = list(step.evidence.get("missing", [])) if step.evidence else [_NOT_REPORTED[step.key]]
    return Evidence(dict(step.evidence), missing, incident.declared_by if step.key == "inform" else None)


_NOT_REPORTED = {
    "inform": "No audience has been told yet.",
    "measure": "The figures have not been computed yet.",
}


def _assemble(incident: MajorIncident, step: IncidentStep) -> Evidence:
    people = accepted_people(incident)
    missing = []
    if not people[Role.MAJOR_INCIDENT_MANAGER]:
        missing.append("No major incident manager has accepted.")
    if not people[Role.TECHNICAL_STAFF]:
        missing.append("Nobody from the technical staff has accepted.")
    facts = {role: [person.email for person in found] for role, found in people.items() if found}
    inviters = [
        seat.invited_by
        for seat in incident.seats.all()
        if seat.role == Role.TECHNICAL_STAFF and seat.state == "accepted"
    ]
    return Evidence({"accepted": facts}, missing, inviters[0] if inviters else None)


def _bridge(incident: MajorIncident, step: IncidentStep) -> Evidence:
    bridge = getattr(incident, "bridge", None)
    delivered = list(step.evidence.get("invitation_delivered_to", []))
    if bridge is None:
        return Evidence({}, ["No join link is set."])
    seated = {person.email for people in accepted_people(incident).values() for person in people}
    others = seated - {bridge.set_by.email if bridge.set_by else ""}
    reached = sorted(others.intersection(delivered))
    missing = [] if reached else ["The invitation has not reached another accepted seat yet."]
    facts = {"join_url": bridge.join_url, "invitation_delivered_to": delivered}
    return Evidence(facts, missing, bridge.set_by)


def _war_room(incident: MajorIncident, step: IncidentStep) -> Evidence:
    room = getattr(incident, "war_room", None)
    if room is None:
        return Evidence({}, ["The war room is not open."])
    managers = {person.pk for person in accepted_people(incident)[Role.MAJOR_INCIDENT_MANAGER]}
    entered = [
        presence.entered_at
        for presence in incident.presences.all()
        if presence.user_id in managers and presence.entered_at >= room.opened_at
    ]
    facts = {"location": room.location, "url": room.url}
    if not entered:
        return Evidence(facts, ["The major incident manager has not entered it yet."], room.opened_by)
    return Evidence({**facts, "manager_entered_at": f"{min(entered):%Y-%m-%dT%H:%M:%SZ}"}, [], room.opened_by)


def _problem(incident: MajorIncident, step: IncidentStep) -> Evidence:
    problems = list(incident.problems.all())
    if not problems:
        return Evidence({}, ["No problem is linked."])
    owned = [problem for problem in problems if problem.owner_id]
    facts = {"problems": [problem.ref for problem in problems]}
    return Evidence(facts, [] if owned else [f"{problems[0].ref} has no owner."])


def _change(incident: MajorIncident, step: IncidentStep) -> Evidence:
    fixes = [link.change for link in incident.change_links.all() if link.relation == ChangeLink.Relation.FIX]
    if not fixes:
        return Evidence({}, ["No change is linked as fix."])
    reasons = []
    for change in fixes:
        if change.rolled_back_at is not None:
            reasons.append(f"{change.ref} was rolled back.")
        elif change.implemented_at is None or change.status not in (ChangeStatus.IMPLEMENTED, ChangeStatus.CLOSED):
            reasons.append(f"{change.ref} is not implemented yet.")
        elif incident.started_at and change.implemented_at < incident.started_at:
            reasons.append(f"{change.ref} was implemented before the impact began.")
        elif incident.fix_counts_from and change.implemented_at <= incident.fix_counts_from:
            reasons.append(f"{change.ref} was implemented before the last fall-back or reopening.")
        else:
            facts = {"change": change.ref, "implemented_at": f"{change.implemented_at:%Y-%m-%dT%H:%M:%SZ}"}
            return Evidence(facts, [], change.implementer)
    return Evidence({}, reasons)


def _review(incident: MajorIncident, step: IncidentStep) -> Evidence:
    review = getattr(incident, "review", None)
    if review is None or review.state != Review.State.COMPLETED:
        return Evidence({}, ["The review is not completed."])
    return Evidence({"completed_at": f"{review.completed_at:%Y-%m-%dT%H:%M:%SZ}"}, [], review.completed_by)


def _document(incident: MajorIncident, step: IncidentStep) -> Evidence:
    document = getattr(incident, "document", None)
    if document is None or document.published_at is None:
        return Evidence({}, ["The document is not published."])
    if incident.resolved_at is None or document.published_at < incident.resolved_at:
        return Evidence({}, ["The document was published before the incident was resolved."])
    return Evidence({"published_at": f"{document.published_at:%Y-%m-%dT%H:%M:%SZ}"}, [], document.published_by)


FINDERS: dict[str, Callable[[MajorIncident, IncidentStep], Evidence]] = {
    "declare": _declare,
    "inform": _reported,
    "assemble": _assemble,
    "bridge": _bridge,
    "war_room": _war_room,
    "problem": _problem,
    "change": _change,
    "review": _review,
    "document": _document,
    "measure": _reported,
}


def find(incident: MajorIncident, step: IncidentStep) -> Evidence:
    """The evidence of one step now."""
    return FINDERS[step.key](incident, step)
