"""What every act on a change begins and ends with: locks, refusals, approvers, the record."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django_fsm import TransitionNotAllowed, can_proceed

from incidents import events, permissions
from incidents.actions.input import clean_person
from incidents.actions.locking import lock_incident
from incidents.errors import Invalid, NotAccountable, WrongStage
from incidents.models import (
    ApprovalState,
    Change,
    ChangeLink,
    ChangeStatus,
    ChangeType,
    MajorIncident,
    Seat,
    User,
    people_with_role,
)
from incidents.on_call import on_call
from incidents.process import OPEN_STAGES, AccountRole, EventKind, Role, SeatState
from incidents.votes import Tally, tally

_POSSIBLE = (
    ("submit", "to_awaiting_approval"),
    ("start", "to_implementing"),
    ("implement", "to_implemented"),
    ("roll back", "to_rolled_back"),
    ("close", "to_closed"),
    ("cancel", "to_cancelled"),
)


def locked_with_incidents(change_id: int) -> tuple[Change, list[MajorIncident]]:
    """The open incidents it is to fix, locked in order, then the change itself. Raises Change.DoesNotExist."""
    incidents = [lock_incident(pk) for pk in _open_fixes(change_id)]
    change = Change.objects.select_for_update(of=("self",)).get(pk=change_id)
    known = {incident.pk for incident in incidents}
    incidents += [lock_incident(pk) for pk in _open_fixes(change_id) if pk not in known]
    return change, incidents


def _open_fixes(change_id: int) -> list[int]:
    links = ChangeLink.objects.filter(
        change=change_id, relation=ChangeLink.Relation.FIX, incident__stage__in=OPEN_STAGES
    )
    return list(links.order_by("incident_id").values_list("incident", flat=True))


def require_implementing(actor: User | None, change: Change, incidents: Iterable[MajorIncident]) -> None:
    """Start, implement, roll back: R or A of the step "change" on an incident it is to fix; for any other change
    technical staff, whoever runs it, or the change manager. Raises NotAccountable."""
    refusal: NotAccountable | None = None
    for incident in incidents:
        try:
            permissions.require_step(actor, incident, "change")
            return
        except NotAccountable as error:
            refusal = error
    if refusal is not None:
        raise refusal
    permissions.require(actor, "implement_change", change)


def advance(change: Change, name: str, verb: str) -> str:
    """Does the transition; answers the state before it. Raises WrongStage naming what is possible.

    Only an emergency change is implemented without having been approved.
    """
    before = change.status
    needs_approval = change.type != ChangeType.EMERGENCY and before in (
        ChangeStatus.DRAFT,
        ChangeStatus.AWAITING_APPROVAL,
    )
    if name == "to_implementing" and needs_approval:
        raise WrongStage(
            f"{change.ref} is {change.get_status_display().lower()}: a {change.type} change starts once approved. "
            "Submit it, or make it an emergency change.",
            status=before,
        )
    try:
        getattr(change, name)()
    except TransitionNotAllowed:
        possible = [verb for verb, method in _POSSIBLE if can_proceed(getattr(change, method))]
        raise WrongStage(
            f"{change.ref} is {change.get_status_display().lower()} and cannot be {verb}. "
            f"Possible now: {', '.join(possible) or 'nothing'}.",
            status=before,
            possible=possible,
        ) from None
    return before


def record_status(
    change: Change, before: str, incidents: list[MajorIncident], *, actor: User | None, at: datetime, text: str = ""
) -> None:
    """On the change, and on the timeline of each incident it is to fix."""
    payload: dict[str, Any] = {"from": before, "to": change.status, "change": change.ref, "title": change.title}
    payload["approval_state"] = change.approval_state
    for incident in incidents or [None]:  # type: ignore[list-item]
        events.record(
            EventKind.CHANGE_STATUS_CHANGED, change, actor=actor, at=at, incident=incident, text=text, **payload
        )


def name_approvers(change: Change, people: Iterable[User], at: datetime) -> None:
    """Exactly these approve; votes already given by them stay. Requester and implementer never approve."""
    wanted = list(dict.fromkeys(people))
    for person in wanted:
        clean_person("approvers", person)
        if person.pk in (change.requester_id, change.implementer_id):
            role = "requester" if person.pk == change.requester_id else "implementer"
            raise Invalid(approvers=f"{person.email} is the {role} and cannot approve. Name somebody else.")
    change.approvals.exclude(approver__in=wanted).delete()
    change.approvals.filter(delegate__in=wanted).update(delegate=None)  # whoever votes for himself stands in for nobody
    present = set(change.approvals.values_list("approver_id", flat=True))
    for person in wanted:
        if person.pk not in present:
            change.approvals.create(approver=person, asked_at=at)


def ensure_approvers(change: Change, at: datetime) -> bool:
    """Names the change manager when nobody is named: the seated one, else the one on call, else all of them.

    Answers whether anybody can approve.
    """
    if change.approvals.exists():
        return True
    barred = {change.requester_id, change.implementer_id}
    for people in (_seated(change), on_call(AccountRole.CHANGE_MANAGER, at), _all_change_managers()):
        found = [person for person in people if person.pk not in barred]
        if found:
            name_approvers(change, found, at)
            return True
    return False


def _seated(change: Change) -> list[User]:
    seats = Seat.objects.filter(
        role=Role.CHANGE_MANAGER,
        state=SeatState.ACCEPTED,
        incident__change_links__change=change,
        incident__stage__in=OPEN_STAGES,
    )
    return [seat.user for seat in seats.select_related("user")]


def _all_change_managers() -> list[User]:
    return list(people_with_role(AccountRole.CHANGE_MANAGER))


def default_owner(incident: MajorIncident | None, actor: User | None, at: datetime) -> User | None:
    """The incident's change manager, else whoever opens it when that is one, else the one on call."""
    if incident is not None:
        seats = Seat.objects.filter(incident=incident, role=Role.CHANGE_MANAGER, state=SeatState.ACCEPTED)
        if seat := seats.select_related("user").first():
            return seat.user
    if actor is not None and actor.has_role(AccountRole.CHANGE_MANAGER):
        return actor
    return next(iter(on_call(AccountRole.CHANGE_MANAGER, at)), None)


def votes_of(change: Change) -> Tally:
    """The votes as they stand in the database."""
    return tally(change.approvals.values_list("vote", flat=True), change.quorum)


def awaits_votes(change: Change) -> bool:
    """Submitted, or an emergency change under way whose approval is still to come."""
    return change.status == ChangeStatus.AWAITING_APPROVAL or (
        change.approval_state == ApprovalState.PENDING
        and change.status in (ChangeStatus.IMPLEMENTING, ChangeStatus.IMPLEMENTED)
    )


def record_vote(
    change: Change, incidents: list[MajorIncident], *, actor: User, at: datetime, text: str = "", **said: object
) -> None:
    """What was said about the approval of a locked change, on its page and in the room of its first incident."""
    first = incidents[0] if incidents else None
    events.record(
        EventKind.CHANGE_VOTED, change, actor=actor, at=at, incident=first, text=text, change=change.ref,
        approval_state=change.approval_state, **said,
    )  # fmt: skip
