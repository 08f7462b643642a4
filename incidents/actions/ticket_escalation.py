"""Handing a ticket on: functional to another skill, hierarchical up the line."""

from datetime import datetime

from django.db import transaction

from incidents import events, on_call, permissions
from incidents.actions.input import clean_choice, clean_number, clean_person, clean_text
from incidents.actions.sla_follow import follow
from incidents.actions.ticket_states import advance, allow, locked, note_acknowledgement
from incidents.errors import Invalid, WrongStage
from incidents.models import Team, Ticket, TicketEscalation, User, people_with_role
from incidents.process import AccountRole, EventKind

_KIND = TicketEscalation.Kind


@transaction.atomic
def escalate(
    ticket_id: int,
    *,
    kind: str,
    reason: str,
    to_user: User | None = None,
    to_team: Team | None = None,
    to_tier: int | None = None,
    actor: User | None,
    at: datetime,
) -> Ticket:
    """Functional: to another team, tier or person, who then has it. Hierarchical: up the line, whoever works on it
    keeps it; to the assignee's line manager unless `to_user` says otherwise, else the service desk manager.
    """
    ticket = locked(ticket_id)
    allow(actor, "work_ticket", ticket)
    clean_choice("kind", kind, _KIND.values)
    text = clean_text("reason", reason, required=True)
    clean_person("to", to_user)
    if not ticket.is_open:
        raise WrongStage(
            f"{ticket.ref} is {ticket.get_status_display().lower()}. Reopen it before escalating it.",
            status=ticket.status,
        )
    fields = note_acknowledgement(ticket, actor, at)
    if kind == _KIND.FUNCTIONAL:
        fields += _hand_over(ticket, to_user, to_team, to_tier)
    else:
        to_user, to_team, to_tier = to_user or _next_in_line(ticket, at), None, None
    if fields:
        fields += follow(ticket, at=at)
    escalation = ticket.escalations.create(
        kind=kind, to_user=to_user, to_team=to_team, to_tier=to_tier, reason=text, escalated_by=actor, escalated_at=at
    )
    ticket.save(update_fields=[*fields, "updated_at"])
    events.record(
        EventKind.TICKET_ESCALATED,
        ticket,
        actor=actor,
        at=at,
        text=text,
        kind=kind,
        escalation_id=escalation.pk,
        to_user=to_user.email if to_user else None,
        to_user_id=to_user.pk if to_user else None,
        to_team=to_team.name if to_team else None,
        to_tier=to_tier,
    )
    return ticket


def _hand_over(ticket: Ticket, to_user: User | None, to_team: Team | None, to_tier: int | None) -> list[str]:
    """The other team, tier or person has it now; nobody of them has begun."""
    if to_user is None and to_team is None and to_tier is None:
        raise Invalid(to="Name the team, the tier or the person it goes to.")
    if to_tier is not None:
        clean_number("to", to_tier, least=1, most=9)
    if to_user is not None and not permissions.can(to_user, "work_ticket", ticket):
        raise Invalid(to=f"{to_user.email} does not work on tickets. Choose a technician or technical staff.")
    advance(ticket, ticket.to_assigned, "escalated")
    ticket.assignee = to_user
    ticket.team = to_team or (to_user.team if to_user else None) or ticket.team
    ticket.support_tier = to_tier or (to_team.support_tier if to_team else None) or _tier_of(to_user, ticket)
    ticket.hold_reason = ""
    return ["status", "assignee", "team", "support_tier", "hold_reason"]


def _tier_of(person: User | None, ticket: Ticket) -> int:
    return (person.support_tier if person else None) or ticket.support_tier


def _next_in_line(ticket: Ticket, at: datetime) -> User:
    """The assignee's line manager, else the service desk manager on call, else any. Invalid when there is none."""
    boss = ticket.assignee.line_manager if ticket.assignee else None
    if boss is not None and boss.is_active:
        return boss
    role = AccountRole.SERVICE_DESK_MANAGER
    found = next(iter(on_call.on_call(role, at)), None) or people_with_role(role).first()
    if found is None:
        raise Invalid(to="The assignee has no line manager and nobody is service desk manager. Name the person.")
    return found
