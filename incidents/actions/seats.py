"""The team of one incident: invited, accepted, declined, released; command taken over."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from incidents import events
from incidents.actions import guests, steps
from incidents.actions.locking import check_open, lock_incident
from incidents.errors import Duplicate, Invalid, NotAccountable, WrongStage
from incidents.models import MajorIncident, Seat, User
from incidents.permissions import LIVE_SEATS, is_usable, require, require_step
from incidents.process import SINGLE_HOLDER_ROLES, AccountRole, EventKind, Role, SeatState


@transaction.atomic
def invite(
    incident_id: int,
    *,
    role: str,
    user: User | None = None,
    guest_email: str = "",
    message: str = "",
    access_hours: int | None = None,
    actor: User,
    at: datetime,
) -> Seat:
    """Offers a seat; guarded by the step "assemble". Inviting oneself is accepting.

    A `guest_email` without an account makes a guest account as external consultant, which sees only this incident, by
    a link that ends after `access_hours` (None: 14 days).
    Raises Invalid, Duplicate, WrongStage or NotAccountable.
    """
    incident = lock_incident(incident_id)
    require_step(actor, incident, "assemble")
    check_open(incident, "inviting")
    if role not in Role.values:
        raise Invalid(role=f"“{role}” is not a role. Known: {', '.join(Role.values)}.")
    ends_at = guests.end_of(access_hours, at=at)
    person = user or _guest(guest_email, role=role, ends_at=ends_at)
    if access_hours is not None and not person.is_guest:
        raise Invalid(access_hours=f"{person.display_name} is no guest: access does not end by itself.")
    return _offer(incident, person, role, message=message, ends_at=ends_at, actor=actor, at=at)


def _offer(
    incident: MajorIncident,
    person: User,
    role: str,
    *,
    message: str,
    ends_at: datetime,
    instead_of: Seat | None = None,
    actor: User,
    at: datetime,
) -> Seat:
    _check_seatable(incident, person, role, instead_of=instead_of)
    seat = Seat.objects.create(
        incident=incident, role=role, user=person, invited_by=actor, invited_at=at, message=message.strip(),
        stands_in_for=instead_of,
    )  # fmt: skip
    if person.is_guest:
        guests.give_pass(seat, ends_at=ends_at, at=at)
    events.record(
        EventKind.SEAT_INVITED, incident, actor=actor, at=at, seat_id=seat.pk, user_id=person.pk, role=role,
        person=person.display_name, message=seat.message,
        instead_of=instead_of.user.display_name if instead_of else None,
    )  # fmt: skip
    if person == actor:
        return _accept(incident, seat, actor=actor, at=at)
    steps.refresh(incident, actor=actor, at=at)
    return seat


@transaction.atomic
def name_stand_in(seat_id: int, *, user: User, message: str = "", actor: User, at: datetime) -> Seat:
    """Asks somebody to take over a seat: once they accept, the former holder is released; until then nothing changes.

    By the holder, or by R and A of the step "assemble". Command is handed over instead (`handovers.offer`).
    """
    incident, seat = lock_seat(seat_id)
    require(actor, "name_stand_in", incident)
    if seat.user_id != actor.pk:
        require_step(actor, incident, "assemble")
    check_open(incident, "naming a stand-in")
    if seat.state not in LIVE_SEATS:
        raise WrongStage(f"This seat was {seat.get_state_display().lower()} already.", state=seat.state)
    if seat.role == Role.MAJOR_INCIDENT_MANAGER:
        raise Invalid(user="Command is handed over, with a summary both confirm. Use “Hand over command”.")
    if user.pk in (seat.user_id, actor.pk):
        raise Invalid(user="Name somebody else.")
    if user.is_guest and not seat.user.is_guest:
        raise Invalid(user="Somebody from outside is invited by whoever assembles the team, not as a stand-in.")
    ends_at = seat.guest_pass.expires_at if hasattr(seat, "guest_pass") else guests.end_of(None, at=at)
    return _offer(incident, user, seat.role, message=message, ends_at=ends_at, instead_of=seat, actor=actor, at=at)


def _guest(email: str, *, role: str, ends_at: datetime) -> User:
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid(guest_email="Give a person with an account, or a valid e-mail address of a guest.") from None
    if known := User.objects.filter(email__iexact=email).first():
        if known.is_guest and not known.has_usable_password() and not is_usable(known):
            known.access_expires_at = ends_at  # a disabled account stays so
            known.save(update_fields=["access_expires_at"])
        return known
    if role != Role.EXTERNAL_CONSULTANT:
        raise Invalid(role="Somebody without an account can only be invited as external consultant.")
    guest = User.objects.create_user(email, None, name=email.split("@")[0], is_guest=True, access_expires_at=ends_at)
    guest.role_rows.create(role=AccountRole.EXTERNAL_CONSULTANT)
    return guest


def _check_seatable(incident: MajorIncident, person: User, role: str, *, instead_of: Seat | None = None) -> None:
    if not is_usable(person):
        raise Invalid(user=f"{person.display_name}’s account is disabled or has expired.")
    if role == Role.MAJOR_INCIDENT_MANAGER and not person.has_role(AccountRole.MAJOR_INCIDENT_MANAGER):
        raise Invalid(user=f"{person.display_name} does not have the major incident manager role.")
    live = Seat.objects.filter(incident=incident, role=role, state__in=LIVE_SEATS).select_related("user")
    for seat in live:
        if seat.user_id == person.pk:
            raise Duplicate(f"{person.display_name} is {seat.state} as {Role(role).label.lower()} already.")
        if role in SINGLE_HOLDER_ROLES and seat.state == SeatState.ACCEPTED and seat != instead_of:
            raise Duplicate(f"{seat.user.display_name} holds this seat. Release it first, or take over command.")


def lock_seat(seat_id: int) -> tuple[MajorIncident, Seat]:
    incident = lock_incident(Seat.objects.values_list("incident", flat=True).get(pk=seat_id))
    return incident, Seat.objects.select_related("user", "stands_in_for__user").get(pk=seat_id)


@transaction.atomic
def accept(seat_id: int, *, actor: User, at: datetime) -> Seat:
    """The invited person takes the seat; from now on it counts."""
    incident, seat = lock_seat(seat_id)
    _check_invited(incident, seat, actor)
    return _accept(incident, seat, actor=actor, at=at)


def _check_invited(incident: MajorIncident, seat: Seat, actor: User) -> None:
    if seat.user_id != actor.pk:
        raise NotAccountable("Only the invited person answers an invitation.", who_may=[seat.user.email])
    check_open(incident, "answering an invitation")
    if seat.state != SeatState.INVITED:
        raise WrongStage(f"This invitation was {seat.get_state_display().lower()} already.", state=seat.state)


def _accept(incident: MajorIncident, seat: Seat, *, actor: User, at: datetime) -> Seat:
    former = seat.stands_in_for
    if former is not None and former.state in LIVE_SEATS:
        end_seat(incident, former, actor=actor, at=at)
    seat.state, seat.answered_at = SeatState.ACCEPTED, at
    try:
        with transaction.atomic():
            seat.save(update_fields=["state", "answered_at"])
    except IntegrityError:
        raise Duplicate(f"Somebody else holds the seat of the {Role(seat.role).label.lower()} already.") from None
    events.record(
        EventKind.SEAT_ACCEPTED, incident, actor=actor, at=at, seat_id=seat.pk, role=seat.role,
        person=seat.user.display_name,
    )  # fmt: skip
    steps.refresh(incident, actor=actor, at=at)
    steps.ask_consults(incident, at=at, only=seat.user)
    return seat


@transaction.atomic
def decline(seat_id: int, *, reason: str = "", actor: User, at: datetime) -> Seat:
    """The invited person says no."""
    incident, seat = lock_seat(seat_id)
    _check_invited(incident, seat, actor)
    seat.state, seat.answered_at = SeatState.DECLINED, at
    seat.save(update_fields=["state", "answered_at"])
    guests.revoke_pass(seat, actor=actor, at=at)
    events.record(
        EventKind.SEAT_DECLINED, incident, actor=actor, at=at, text=reason, seat_id=seat.pk, role=seat.role,
        person=seat.user.display_name,
    )  # fmt: skip
    return seat


@transaction.atomic
def release(seat_id: int, *, actor: User, at: datetime) -> Seat:
    """Ends a seat or withdraws an invitation; guarded by "assemble", except for leaving one's own seat."""
    incident, seat = lock_seat(seat_id)
    if seat.user_id != actor.pk:
        require_step(actor, incident, "assemble")
    check_open(incident, "releasing somebody")
    if seat.state not in LIVE_SEATS:
        raise WrongStage(f"This seat was {seat.get_state_display().lower()} already.", state=seat.state)
    end_seat(incident, seat, actor=actor, at=at)
    steps.refresh(incident, actor=actor, at=at)
    return seat


def end_seat(incident: MajorIncident, seat: Seat, *, actor: User, at: datetime) -> None:
    """Part of every way a seat ends, once it may."""
    seat.state, seat.released_at = SeatState.RELEASED, at
    seat.save(update_fields=["state", "released_at"])
    guests.revoke_pass(seat, actor=actor, at=at)
    events.record(
        EventKind.SEAT_RELEASED, incident, actor=actor, at=at, seat_id=seat.pk, user_id=seat.user_id, role=seat.role,
        person=seat.user.display_name,
    )  # fmt: skip


def seat_manager(incident: MajorIncident, person: User, *, actor: User | None, at: datetime) -> Seat:
    """Seats the manager of a new incident at once, without an invitation."""
    return Seat.objects.create(
        incident=incident, role=Role.MAJOR_INCIDENT_MANAGER, user=person, state=SeatState.ACCEPTED,
        invited_by=actor, invited_at=at, answered_at=at,
    )  # fmt: skip


@transaction.atomic
def take_command(incident_id: int, *, actor: User, at: datetime) -> Seat:
    """Any account with the major incident manager role may take command; the former manager is released."""
    incident = lock_incident(incident_id)
    require(actor, "take_command", incident)
    check_open(incident, "taking command")
    role = Role.MAJOR_INCIDENT_MANAGER
    live = list(Seat.objects.filter(incident=incident, role=role, state__in=LIVE_SEATS).select_related("user"))
    if any(seat.user_id == actor.pk and seat.state == SeatState.ACCEPTED for seat in live):
        raise Duplicate("You are in command already.")
    former = [seat.user.display_name for seat in live if seat.state == SeatState.ACCEPTED]
    for seat in live:
        if seat.state == SeatState.ACCEPTED or seat.user_id == actor.pk:
            end_seat(incident, seat, actor=actor, at=at)
    seat = seat_manager(incident, actor, actor=actor, at=at)
    events.record(
        EventKind.COMMAND_TAKEN, incident, actor=actor, at=at, person=actor.display_name,
        former=", ".join(former) or None,
    )  # fmt: skip
    steps.refresh(incident, actor=actor, at=at)
    return seat
