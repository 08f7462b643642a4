"""The life of a ticket: acknowledged, assigned, worked on, held, resolved, closed, reopened."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django_fsm import TransitionNotAllowed, can_proceed

from incidents import events, permissions
from incidents.actions.duplicates import say_solved
from incidents.actions.input import clean_person, clean_text
from incidents.actions.sla_follow import follow
from incidents.errors import Invalid, WrongStage
from incidents.models import Team, Ticket, TicketStatus, User
from incidents.process import EventKind, Stage

_POSSIBLE = (
    ("assign", Ticket.to_assigned),
    ("start work", Ticket.to_in_progress),
    ("hold", Ticket.to_on_hold),
    ("resolve", Ticket.to_resolved),
    ("close", Ticket.to_closed),
    ("reopen", Ticket.to_reopened),
)


def locked(ticket_id: int) -> Ticket:
    """The ticket under its row lock. Raises Ticket.DoesNotExist."""
    return Ticket.objects.select_for_update(of=("self",)).get(pk=ticket_id)


def allow(actor: User | None, act: str, record: object = None) -> None:
    """Asks the permissions; `actor` None is the product itself (a cascade, a rule) and passes."""
    if actor is not None:
        permissions.require(actor, act, record)


def advance(ticket: Ticket, move: Callable[[], None], verb: str) -> None:
    """Does the transition. Raises WrongStage naming the state and what is possible in it."""
    try:
        move()
    except TransitionNotAllowed:
        possible = [name for name, method in _POSSIBLE if can_proceed(getattr(ticket, method.__name__))]
        raise WrongStage(
            f"{ticket.ref} is {ticket.get_status_display().lower()} and cannot be {verb}. "
            f"Possible now: {', '.join(possible)}.",
            status=ticket.status,
            possible=possible,
        ) from None


def note_acknowledgement(ticket: Ticket, actor: User | None, at: datetime) -> list[str]:
    """The first person who acknowledges, takes or works it; an acknowledgement before the report counts as the report.

    Returns the names of the fields it set, for `save(update_fields=…)`.
    """
    if actor is None or ticket.acknowledged_at is not None:
        return []
    ticket.acknowledged_at = max(at, ticket.reported_at)
    ticket.acknowledged_by = actor
    return ["acknowledged_at", "acknowledged_by"]


def record_status(ticket: Ticket, before: str, *, actor: User | None, at: datetime, **payload: Any) -> None:
    """Writes the change of state. The text of a reason goes to `text` by the keyword `reason`."""
    text = str(payload.pop("reason", ""))
    events.record(
        EventKind.TICKET_STATUS_CHANGED,
        ticket,
        actor=actor,
        at=at,
        text=text,
        **{"from": before, "to": ticket.status},
        **payload,
    )


@transaction.atomic
def acknowledge(ticket_id: int, *, actor: User, at: datetime) -> Ticket:
    """Somebody has seen it. Doing it again changes nothing: the first one counts."""
    ticket = locked(ticket_id)
    allow(actor, "work_ticket", ticket)
    if not ticket.is_open and ticket.acknowledged_at is None:
        raise WrongStage(
            f"{ticket.ref} is {ticket.get_status_display().lower()}. Reopen it before acknowledging it.",
            status=ticket.status,
        )
    fields = note_acknowledgement(ticket, actor, at)
    if fields:
        ticket.save(update_fields=[*fields, *follow(ticket, at=at), "updated_at"])
        events.record(EventKind.TICKET_ACKNOWLEDGED, ticket, actor=actor, at=at)
    return ticket


@transaction.atomic
def assign(
    ticket_id: int, *, assignee: User | None = None, team: Team | None = None, actor: User | None, at: datetime
) -> Ticket:
    """Gives it to a person, a team or both. Taking it oneself is an acknowledgement.

    A new ticket becomes assigned; one already worked on or on hold keeps its state.
    """
    ticket = locked(ticket_id)
    allow(actor, "work_ticket", ticket)
    clean_person("assignee", assignee)
    if assignee is None and team is None:
        raise Invalid(assignee="Name a person or a team.")
    if assignee is not None and not permissions.can(assignee, "work_ticket", ticket):
        raise Invalid(assignee=f"{assignee.email} does not work on tickets. Choose a technician or technical staff.")
    if not ticket.is_open:
        advance(ticket, ticket.to_assigned, "assigned")
    before = ticket.status
    if ticket.status == TicketStatus.NEW:
        advance(ticket, ticket.to_assigned, "assigned")
    ticket.team = team or (assignee.team if assignee else None) or ticket.team
    ticket.assignee = assignee
    fields = note_acknowledgement(ticket, actor, at) if actor is not None and actor == assignee else []
    if fields:
        fields += follow(ticket, at=at)
    ticket.save(update_fields=["status", "team", "assignee", *fields, "updated_at"])
    events.record(
        EventKind.TICKET_ASSIGNED,
        ticket,
        actor=actor,
        at=at,
        assignee=assignee.email if assignee else None,
        team=ticket.team.name if ticket.team else None,
        **{"from": before, "to": ticket.status},
    )
    return ticket


@transaction.atomic
def start_work(ticket_id: int, *, actor: User, at: datetime) -> Ticket:
    """Somebody works on it; a ticket nobody had becomes theirs."""
    ticket = locked(ticket_id)
    allow(actor, "work_ticket", ticket)
    before = ticket.status
    advance(ticket, ticket.to_in_progress, "worked on")
    ticket.hold_reason = ""
    if ticket.assignee is None:
        ticket.assignee = actor
    fields = note_acknowledgement(ticket, actor, at)
    fields += follow(ticket, at=at)
    ticket.save(update_fields=["status", "hold_reason", "assignee", *fields, "updated_at"])
    record_status(ticket, before, actor=actor, at=at)
    return ticket


@transaction.atomic
def hold(ticket_id: int, *, reason: str, actor: User, at: datetime) -> Ticket:
    """It waits for somebody else; the reason says for whom."""
    ticket = locked(ticket_id)
    allow(actor, "work_ticket", ticket)
    text = clean_text("reason", reason, required=True)
    before = ticket.status
    advance(ticket, ticket.to_on_hold, "put on hold")
    ticket.hold_reason = text
    fields = note_acknowledgement(ticket, actor, at)
    fields += follow(ticket, at=at)
    ticket.save(update_fields=["status", "hold_reason", *fields, "updated_at"])
    record_status(ticket, before, actor=actor, at=at, reason=text)
    return ticket


@transaction.atomic
def resolve(ticket_id: int, *, resolution: str, actor: User | None, at: datetime) -> Ticket:
    """It works again as far as the desk knows; `resolution` tells the requester what was done."""
    ticket = locked(ticket_id)
    allow(actor, "work_ticket", ticket)
    text = clean_text("resolution", resolution, required=True)
    before = ticket.status
    advance(ticket, ticket.to_resolved, "resolved")
    ticket.resolved_at, ticket.resolution, ticket.hold_reason = max(at, ticket.reported_at), text, ""
    fields = note_acknowledgement(ticket, actor, at)
    fields += follow(ticket, at=at)
    ticket.save(update_fields=["status", "resolved_at", "resolution", "hold_reason", *fields, "updated_at"])
    record_status(ticket, before, actor=actor, at=at, reason=text)
    say_solved(ticket, before, actor=actor, at=at)
    return ticket


@transaction.atomic
def reopen(ticket_id: int, *, reason: str, actor: User | None, at: datetime, by_requester: bool = False) -> Ticket:
    """Still broken. On a ticket of a major incident that is counted as such an answer (see cascades).

    `by_requester`: a requester without an account said so by mail; `actor` is None then.
    """
    ticket = locked(ticket_id)
    allow(actor, "reopen_ticket", ticket)
    text = clean_text("reason", reason, required=True)
    before = ticket.status
    if ticket.merged_into_id:
        raise WrongStage(
            f"{ticket.ref} was merged into INC-{ticket.merged_into_id}. Reopen that one, or undo the merge first.",
            status=ticket.status,
        )
    advance(ticket, ticket.to_reopened, "reopened")
    ticket.resolved_at = ticket.closed_at = None
    ticket.save(update_fields=["status", "resolved_at", "closed_at", *follow(ticket, at=at), "updated_at"])
    incident = ticket.major_incident
    said_by_person = actor is not None or by_requester
    is_answer = said_by_person and incident is not None and incident.stage in (Stage.MAINTENANCE, Stage.CLOSED)
    record_status(ticket, before, actor=actor, at=at, reason=text, still_broken=is_answer)
    return ticket


@transaction.atomic
def close(ticket_id: int, *, actor: User | None, at: datetime) -> Ticket:
    """The requester agreed that it works, or the desk takes it so."""
    ticket = locked(ticket_id)
    allow(actor, "reopen_ticket", ticket)
    before = ticket.status
    advance(ticket, ticket.to_closed, "closed")
    ticket.closed_at = at if ticket.resolved_at is None else max(at, ticket.resolved_at)
    ticket.save(update_fields=["status", "closed_at", "updated_at"])
    record_status(ticket, before, actor=actor, at=at)
    return ticket


def answer_whether_it_works(
    ticket_id: int, *, works: bool, text: str = "", actor: User | None, at: datetime, by_requester: bool = False
) -> Ticket:
    """The requester's answer to "works / still broken": closes the ticket or reopens it.

    `actor` None with `by_requester`: somebody without an account, by the link in a mail.
    """
    if works:
        return close(ticket_id, actor=actor, at=at)
    return reopen(ticket_id, reason=text or "Still broken.", actor=actor, at=at, by_requester=by_requester)
