"""Command handed over: offered with a summary, and theirs once the other confirms the same words."""

from datetime import datetime

from django.db import transaction

from incidents import events
from incidents.actions import steps
from incidents.actions.input import clean_text
from incidents.actions.locking import check_open, lock_incident
from incidents.actions.seats import end_seat, seat_manager
from incidents.errors import Duplicate, Invalid, NotAccountable, WrongStage
from incidents.models import CommandHandover, MajorIncident, Seat, User
from incidents.permissions import LIVE_SEATS, commanders, is_usable, require
from incidents.process import AccountRole, EventKind, Role, SeatState

State = CommandHandover.State


@transaction.atomic
def offer(incident_id: int, *, taker: User, summary: str, actor: User, at: datetime) -> CommandHandover:
    """Whoever commands offers it; until the other confirms nothing changes. Raises Invalid, Duplicate, WrongStage or
    NotAccountable."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_open(incident, "handing over command")
    said = clean_text("summary", summary, 10_000, required=True)
    if not is_usable(taker) or taker.is_guest or not taker.has_role(AccountRole.MAJOR_INCIDENT_MANAGER):
        raise Invalid(taker="Command goes to somebody with the major incident manager role.")
    if taker.pk == actor.pk or taker in commanders(incident)[0]:
        raise Invalid(taker=f"{taker.display_name} is in command already.")
    if (
        waiting := CommandHandover.objects.select_related("taker")
        .filter(incident=incident, state=State.OFFERED)
        .first()
    ):
        raise Duplicate(f"Command is offered to {waiting.taker.display_name} already. Withdraw that first.")
    made = CommandHandover.objects.create(incident=incident, giver=actor, taker=taker, summary=said, offered_at=at)
    events.record(
        EventKind.COMMAND_OFFERED, incident, actor=actor, at=at, text=said, handover_id=made.pk, user_id=taker.pk,
        person=taker.display_name, giver=actor.display_name,
    )  # fmt: skip
    return made


@transaction.atomic
def confirm(handover_id: int, *, actor: User, at: datetime) -> CommandHandover:
    """The other has read the summary and takes command; the former manager is released in the same moment."""
    incident, made = _waiting(handover_id)
    _only(made.taker, actor)
    check_open(incident, "taking over command")
    if made.giver not in commanders(incident)[0]:
        raise WrongStage(f"{made.giver.display_name} is not in command any more. Take command, or ask whoever is.")
    live = Seat.objects.filter(incident=incident, role=Role.MAJOR_INCIDENT_MANAGER, state__in=LIVE_SEATS)
    for seat in live.select_related("user"):
        if seat.state == SeatState.ACCEPTED or seat.user_id == actor.pk:
            end_seat(incident, seat, actor=actor, at=at)
    seat_manager(incident, actor, actor=made.giver, at=at)
    _settle(made, State.CONFIRMED, at=at)
    events.record(
        EventKind.COMMAND_HANDED_OVER, incident, actor=actor, at=at, text=made.summary, handover_id=made.pk,
        person=actor.display_name, former=made.giver.display_name,
    )  # fmt: skip
    steps.refresh(incident, actor=actor, at=at)
    return made


@transaction.atomic
def decline(handover_id: int, *, reason: str = "", actor: User, at: datetime) -> CommandHandover:
    """The other does not take it; command stays where it is."""
    incident, made = _waiting(handover_id)
    _only(made.taker, actor)
    return _keep(incident, made, State.DECLINED, clean_text("reason", reason, 500), actor=actor, at=at)


@transaction.atomic
def withdraw(handover_id: int, *, actor: User, at: datetime) -> CommandHandover:
    """Whoever commands takes the offer back."""
    incident, made = _waiting(handover_id)
    if made.giver_id != actor.pk:
        require(actor, "command", incident)
    return _keep(incident, made, State.WITHDRAWN, "", actor=actor, at=at)


def _waiting(handover_id: int) -> tuple[MajorIncident, CommandHandover]:
    incident = lock_incident(CommandHandover.objects.values_list("incident", flat=True).get(pk=handover_id))
    made = CommandHandover.objects.select_related("giver", "taker").get(pk=handover_id)
    if made.state != State.OFFERED:
        raise WrongStage(f"This handover was {made.get_state_display().lower()} already.", state=made.state)
    return incident, made


def _only(person: User, actor: User) -> None:
    if person.pk != actor.pk:
        raise NotAccountable("Only the person command is offered to answers.", who_may=[person.email])


def _keep(
    incident: MajorIncident, made: CommandHandover, state: State, reason: str, *, actor: User, at: datetime
) -> CommandHandover:
    _settle(made, state, reason=reason, at=at)
    events.record(
        EventKind.COMMAND_KEPT, incident, actor=actor, at=at, handover_id=made.pk, state=state.value,
        person=made.taker.display_name, giver=made.giver.display_name, giver_id=made.giver_id, reason=reason,
    )  # fmt: skip
    return made


def _settle(made: CommandHandover, state: State, *, reason: str = "", at: datetime) -> None:
    made.state, made.settled_at, made.reason = state, at, reason
    made.save(update_fields=["state", "settled_at", "reason"])
