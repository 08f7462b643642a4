"""Approving a change: votes, conditions, delegates, votes taken back. A quorum decides, or everybody named."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from incidents import permissions
from incidents.actions.change_rows import (
    advance,
    awaits_votes,
    locked_with_incidents,
    record_status,
    record_vote,
    votes_of,
)
from incidents.actions.input import clean_person, clean_text
from incidents.errors import Invalid, NotAccountable, WrongStage
from incidents.models import ApprovalState, Change, ChangeApproval, ChangeStatus, MajorIncident, User

Vote = ChangeApproval.Vote


@transaction.atomic
def vote(change_id: int, *, approve: bool, comment: str = "", condition: str = "", actor: User, at: datetime) -> Change:
    """A vote of one's own, else for whoever made one the delegate. May be changed until it is decided.

    The quorum decides, or all of them where none is set; what makes it unreachable rejects. An approval under a
    `condition` counts, but the change begins (an emergency change closes) only once the condition is met. On an
    emergency change under way the vote is given after the fact and moves only `approval_state`.
    """
    change, incidents = locked_with_incidents(change_id)
    permissions.require(actor, "approve_change", change)
    text, under = clean_text("comment", comment), clean_text("condition", condition)
    if under and not approve:
        raise Invalid(condition="A condition belongs to an approval. Write the reason of a rejection as comment.")
    _require_undecided(change)
    given = {"vote": Vote.APPROVE if approve else Vote.REJECT, "comment": text, "condition": under}
    _rows_of(change, actor).update(**given, voted_at=at, voted_by=actor, condition_met_at=None, condition_met_by=None)
    return _conclude(change, incidents, actor=actor, at=at, text=text, approve=bool(approve), condition=under)


@transaction.atomic
def withdraw_vote(change_id: int, *, actor: User, at: datetime) -> Change:
    """Takes a vote back while nothing is decided. Without one there is nothing to take back."""
    change, incidents = locked_with_incidents(change_id)
    permissions.require(actor, "approve_change", change)
    _require_undecided(change)
    empty = {"comment": "", "condition": "", "voted_at": None, "voted_by": None}
    none_met = {"condition_met_at": None, "condition_met_by": None}
    if not _rows_of(change, actor).exclude(vote=Vote.PENDING).update(vote=Vote.PENDING, **empty, **none_met):
        raise WrongStage(f"You have not voted on {change.ref}.", status=change.status)
    return _conclude(change, incidents, actor=actor, at=at, withdrawn=True)


@transaction.atomic
def delegate_vote(change_id: int, *, to: User | None, actor: User, at: datetime) -> Change:
    """Lets somebody else vote in one's place, None takes it back. The approver may vote all the same.

    Never the requester, the implementer, or somebody who votes already.
    """
    change, incidents = locked_with_incidents(change_id)
    mine = change.approvals.filter(approver=actor)
    if not permissions.is_usable(actor) or not mine.exists():
        who_may = [row.approver.email for row in change.approvals.select_related("approver")]
        raise NotAccountable("Only a named approver hands over a vote.", who_may=who_may)
    _require_undecided(change)
    if to is not None:
        _check_delegate(change, to)
    mine.update(delegate=to)
    record_vote(change, incidents, actor=actor, at=at, delegate=to.email if to else None)
    return change


def _check_delegate(change: Change, person: User) -> None:
    clean_person("to", person)
    if not permissions.is_staff(person):
        raise Invalid(to=f"{person.email} does not work here. Choose somebody of the desk or of management.")
    if person.pk in (change.requester_id, change.implementer_id):
        raise Invalid(to=f"{person.email} is the requester or the implementer and cannot approve.")
    if change.approvals.filter(approver=person).exists():
        raise Invalid(to=f"{person.email} votes already. Choose somebody else.")


@transaction.atomic
def meet_condition(change_id: int, *, approver: User, note: str = "", actor: User, at: datetime) -> Change:
    """The condition of that approver is met. Said by the approver, the delegate or a change manager."""
    change, incidents = locked_with_incidents(change_id)
    row = change.approvals.select_related("approver").filter(approver=approver).exclude(condition="").first()
    if row is None:
        raise Invalid(approver=f"{approver.email} set no condition on {change.ref}.")
    is_theirs = permissions.is_usable(actor) and actor.pk in (row.approver_id, row.delegate_id)
    if not is_theirs and not (permissions.is_change_manager(actor) and actor.pk != change.implementer_id):
        raise NotAccountable("Who set a condition, or the change manager, says that it is met.",
                             who_may=[row.approver.email])  # fmt: skip
    text = clean_text("note", note)
    if row.condition_met_at is None:
        row.condition_met_at, row.condition_met_by = at, actor
        row.save(update_fields=["condition_met_at", "condition_met_by"])
        record_vote(change, incidents, actor=actor, at=at, text=text, condition_met=row.condition)
    return change


def _rows_of(change: Change, actor: User) -> QuerySet[ChangeApproval]:
    """The own vote; who has none votes for those whose delegate he is."""
    mine = change.approvals.filter(approver=actor)
    return mine if mine.exists() else change.approvals.filter(delegate=actor)


def _require_undecided(change: Change) -> None:
    if not awaits_votes(change):
        raise WrongStage(
            f"{change.ref} is {change.get_status_display().lower()}, its approval "
            f"{change.get_approval_state_display().lower()}: there is nothing to vote on.",
            status=change.status,
        )


def _conclude(
    change: Change, incidents: list[MajorIncident], *, actor: User, at: datetime, text: str = "", **said: object
) -> Change:
    before = settle(change)
    change.save(update_fields=["status", "approval_state", "updated_at"])
    said = {name: value for name, value in said.items() if value not in ("", None)}
    record_vote(change, incidents, actor=actor, at=at, text=text, **said)
    if before != change.status:
        record_status(change, before, incidents, actor=actor, at=at)
    return change


def settle(change: Change) -> str:
    """Draws the conclusion from the votes of a locked change; answers the state before."""
    before = change.status
    waiting = before == ChangeStatus.AWAITING_APPROVAL
    votes = votes_of(change)
    if votes.is_rejected:
        change.approval_state = ApprovalState.REJECTED
        if waiting:
            advance(change, "to_rejected", "rejected")
    elif votes.is_approved:
        change.approval_state = ApprovalState.APPROVED
        if waiting:
            advance(change, "to_approved", "approved")
    return before
