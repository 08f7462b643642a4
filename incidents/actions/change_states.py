"""The life of a change: submitted, started, implemented, rolled back, closed, cancelled."""

from datetime import datetime, timedelta

from django.db import transaction

from incidents import events, permissions
from incidents.actions import steps
from incidents.actions.change_rows import (
    advance,
    ensure_approvers,
    locked_with_incidents,
    record_status,
    record_vote,
    require_implementing,
)
from incidents.actions.freezes import refuse_frozen
from incidents.actions.input import clean_text
from incidents.actions.locking import check_not_future
from incidents.actions.ticket_states import allow
from incidents.errors import Invalid, WrongStage
from incidents.models import ApprovalState, Change, ChangeApproval, ChangeStatus, ChangeType, MajorIncident, User
from incidents.process import EventKind

APPROVAL_AFTER_THE_FACT = timedelta(hours=24)


@transaction.atomic
def submit(change_id: int, *, actor: User, at: datetime) -> Change:
    """A standard change is approved by that; any other waits for its approvers, the change manager by default."""
    change, incidents = locked_with_incidents(change_id)
    allow(actor, "work_change", change)
    refuse_frozen(change)
    if change.type == ChangeType.STANDARD:
        before = advance(change, "to_approved", "submitted") if change.status == "draft" else _refuse_again(change)
        change.approval_state = ApprovalState.APPROVED
    else:
        before = advance(change, "to_awaiting_approval", "submitted")
        change.approval_state = ApprovalState.PENDING
        if not ensure_approvers(change, at):
            raise Invalid(approvers="Name at least one approver besides the requester and the implementer.")
        _check_quorum(change)
    change.save(update_fields=["status", "approval_state", "updated_at"])
    record_status(change, before, incidents, actor=actor, at=at)
    return change


def _check_quorum(change: Change) -> None:
    named = change.approvals.count()
    if change.quorum is not None and change.quorum > named:
        raise Invalid(quorum=f"{change.quorum} must approve, but {named} can. Name more approvers or lower the quorum.")


def _refuse_again(change: Change) -> str:
    raise WrongStage(f"{change.ref} is {change.get_status_display().lower()} already.", status=change.status)


@transaction.atomic
def start(change_id: int, *, actor: User, at: datetime) -> Change:
    """Implementation begins at `at`. An emergency change may begin unapproved: its approval is due 24 h later.

    Whoever starts a change without an implementer is it, unless named as approver.
    """
    change, incidents = locked_with_incidents(change_id)
    require_implementing(actor, change, incidents)
    check_not_future("at", at)
    before = advance(change, "to_implementing", "started")
    if change.type != ChangeType.EMERGENCY:
        refuse_frozen(change, at=at)
        _refuse_conditions(change, before, "started")
    if change.implementer_id is None and not change.approvals.filter(approver=actor).exists():
        change.implementer = actor
    if change.approval_state != ApprovalState.APPROVED:
        change.approval_state = ApprovalState.PENDING
        change.approval_due_at = at + APPROVAL_AFTER_THE_FACT
        ensure_approvers(change, at)
    change.started_at = at
    change.save(
        update_fields=["status", "implementer", "approval_state", "approval_due_at", "started_at", "updated_at"]
    )
    record_status(change, before, incidents, actor=actor, at=at)
    return change


def _refuse_conditions(change: Change, status: str, verb: str) -> None:
    """An approval under a condition holds once the condition is met."""
    unmet = change.approvals.filter(vote=ChangeApproval.Vote.APPROVE, condition_met_at=None).exclude(condition="")
    if said := [f"{row.approver}: {row.condition}" for row in unmet.select_related("approver")]:
        raise WrongStage(
            f"{change.ref} is approved under conditions and cannot be {verb} before they are met. {' '.join(said)}",
            status=status,
        )


@transaction.atomic
def implement(change_id: int, *, actor: User, at: datetime) -> Change:
    """In place since `at`, which may lie back but never before it was started."""
    change, incidents = locked_with_incidents(change_id)
    require_implementing(actor, change, incidents)
    check_not_future("at", at)
    before = advance(change, "to_implemented", "marked implemented")
    if change.started_at and at < change.started_at:
        raise Invalid(at=f"{change.ref} was started at {change.started_at:%Y-%m-%d %H:%M:%S} UTC, after this time.")
    change.implemented_at = at
    change.save(update_fields=["status", "implemented_at", "updated_at"])
    record_status(change, before, incidents, actor=actor, at=at)
    _prove(incidents, actor=actor, at=at)
    return change


@transaction.atomic
def roll_back(change_id: int, *, reason: str, actor: User, at: datetime) -> Change:
    """Taken back; a step it was the evidence for is open again."""
    change, incidents = locked_with_incidents(change_id)
    require_implementing(actor, change, incidents)
    check_not_future("at", at)
    text = clean_text("reason", reason, required=True)
    before = advance(change, "to_rolled_back", "rolled back")
    if change.started_at and at < change.started_at:
        raise Invalid(at=f"{change.ref} was started at {change.started_at:%Y-%m-%d %H:%M:%S} UTC, after this time.")
    change.rolled_back_at, change.roll_back_reason = at, text
    change.save(update_fields=["status", "rolled_back_at", "roll_back_reason", "updated_at"])
    record_status(change, before, incidents, actor=actor, at=at, text=text)
    _prove(incidents, actor=actor, at=at)
    return change


def _prove(incidents: list[MajorIncident], *, actor: User, at: datetime) -> None:
    for incident in incidents:
        steps.refresh(incident, actor=actor, at=at)


@transaction.atomic
def close(change_id: int, *, actor: User, at: datetime) -> Change:
    """Nothing left to do. An emergency change needs its approval first; a rejected one was rolled back, or
    management accepted it."""
    change, incidents = locked_with_incidents(change_id)
    allow(actor, "run_change", change)
    before = advance(change, "to_closed", "closed")
    if before != ChangeStatus.ROLLED_BACK:
        if change.approval_state == ApprovalState.PENDING:
            raise WrongStage(f"{change.ref} still waits for its approval. Its approvers vote first.", status=before)
        if change.approval_state == ApprovalState.REJECTED and change.accepted_at is None:
            raise WrongStage(
                f"{change.ref} was rejected after the fact. Roll it back, or let management accept it.", status=before
            )
        _refuse_conditions(change, before, "closed")
    change.closed_at = at
    change.save(update_fields=["status", "closed_at", "updated_at"])
    record_status(change, before, incidents, actor=actor, at=at)
    return change


@transaction.atomic
def cancel(change_id: int, *, reason: str = "", actor: User, at: datetime) -> Change:
    """Not needed any more; only before it is started."""
    change, incidents = locked_with_incidents(change_id)
    allow(actor, "run_change", change)
    text = clean_text("reason", reason)
    before = advance(change, "to_cancelled", "cancelled")
    change.save(update_fields=["status", "updated_at"])
    record_status(change, before, incidents, actor=actor, at=at, text=text)
    return change


@transaction.atomic
def accept_rejected(change_id: int, *, reason: str = "", actor: User, at: datetime) -> Change:
    """Management lives with an emergency change that was rejected after the fact."""
    change, incidents = locked_with_incidents(change_id)
    permissions.require(actor, "accept_rejected_change", change)
    text = clean_text("reason", reason)
    is_under_way = change.status in (ChangeStatus.IMPLEMENTING, ChangeStatus.IMPLEMENTED)
    if change.approval_state != ApprovalState.REJECTED or not is_under_way or change.accepted_at is not None:
        raise WrongStage(f"{change.ref} is not an emergency change waiting for acceptance.", status=change.status)
    change.accepted_by, change.accepted_at = actor, at
    change.save(update_fields=["accepted_by", "accepted_at", "updated_at"])
    record_vote(change, incidents, actor=actor, at=at, text=text, accepted_by_management=True)
    return change


def flag_late_approvals(*, at: datetime, limit: int = 200) -> int:
    """Flags emergency changes whose approval is not there 24 h after they began. Counts them; safe to run twice."""
    due = Change.objects.filter(
        approval_state=ApprovalState.PENDING, approval_due_at__lte=at, flagged_at__isnull=True
    ).exclude(status__in=[ChangeStatus.ROLLED_BACK, ChangeStatus.CLOSED, ChangeStatus.CANCELLED])
    flagged = 0
    for change_id in list(due.order_by("approval_due_at").values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            change, incidents = locked_with_incidents(change_id)
            if not due.filter(pk=change_id).update(flagged_at=at):
                continue
            events.record(
                EventKind.CHANGE_FLAGGED,
                change,
                actor=None,
                at=at,
                incident=incidents[0] if incidents else None,
                change=change.ref,
                title=change.title,
                due_at=change.approval_due_at.isoformat() if change.approval_due_at else None,
                approvers=[row.approver.email for row in change.approvals.select_related("approver")],
            )
            flagged += 1
    return flagged
