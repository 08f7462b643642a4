"""Access of people from outside: given with the invitation, changed, revoked, and what was seen with it."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from incidents import events
from incidents.actions.locking import check_open, lock_incident
from incidents.errors import Invalid, WrongStage
from incidents.models import GuestPass, GuestView, MajorIncident, Seat, User
from incidents.models.guests import new_nonce
from incidents.permissions import LIVE_SEATS, require_step
from incidents.process import EventKind, SeatState

LONGEST_HOURS = 14 * 24
SAME_PAGE = timedelta(minutes=10)
REMEMBERED_EVERY = timedelta(seconds=20)


def end_of(hours: int | None, *, at: datetime) -> datetime:
    """When access for so many hours ends, counted from now even for what is entered later; None is as long as one may
    at most. Raises Invalid."""
    if hours is not None and not 1 <= hours <= LONGEST_HOURS:
        raise Invalid(access_hours=f"Give 1 to {LONGEST_HOURS} hours.")
    return max(at, timezone.now()) + timedelta(hours=LONGEST_HOURS if hours is None else hours)


def give_pass(seat: Seat, *, ends_at: datetime, at: datetime) -> GuestPass:
    """The pass of a new seat of a guest. Part of inviting."""
    return GuestPass.objects.create(seat=seat, issued_at=at, expires_at=_allowed(seat.user, ends_at))


def _allowed(person: User, ends_at: datetime) -> datetime:
    """Not beyond what an administrator set for an account with a password; one made for the link follows the link."""
    limit = person.access_expires_at
    if limit is not None and person.has_usable_password():
        return min(limit, ends_at)
    if limit is None or limit < ends_at:
        person.access_expires_at = ends_at
        person.save(update_fields=["access_expires_at"])
    return ends_at


def name_guest(person: User, name: str) -> None:
    """How the guest is to be called, said by themselves the first time."""
    said = " ".join(name.split())[:150]
    if said and not person.seats.filter(guest_pass__entered_at__isnull=False).exists():
        person.name = said
        person.save(update_fields=["name"])


@transaction.atomic
def enter(pass_id: int, *, name: str = "", at: datetime) -> GuestPass:
    """The guest comes in by the link; it is in the record. Raises WrongStage while the seat is not accepted."""
    held = GuestPass.objects.select_related("seat__user").get(pk=pass_id)
    incident = lock_incident(held.seat.incident_id)
    if held.seat.state not in LIVE_SEATS or held.revoked_at is not None or held.expires_at <= at:
        raise WrongStage("This access has ended.")
    if held.seat.state != SeatState.ACCEPTED:
        raise WrongStage("Accept the invitation first.")
    name_guest(held.seat.user, name)
    GuestPass.objects.filter(pk=pass_id, entered_at=None).update(entered_at=at)
    events.record(
        EventKind.GUEST_ENTERED, incident, actor=held.seat.user, at=at, seat_id=held.seat_id,
        person=held.seat.user.display_name, expires_at=held.expires_at.isoformat(),
    )  # fmt: skip
    return held


@transaction.atomic
def change_access(seat_id: int, *, hours: int, new_link: bool = False, actor: User, at: datetime) -> GuestPass:
    """From now on for `hours`, shorter or longer than before; with `new_link` the old link and whoever is in by it are
    out at once, and the guest is sent another. Guarded by the step "assemble"."""
    seat = Seat.objects.select_related("user").get(pk=seat_id)
    incident = lock_incident(seat.incident_id)
    require_step(actor, incident, "assemble")
    check_open(incident, "changing a guest’s access")
    held = GuestPass.objects.select_for_update().filter(seat=seat).first()
    if held is None or seat.state not in LIVE_SEATS:
        raise WrongStage("This is not the seat of a guest with access.")
    held.expires_at = _allowed(seat.user, end_of(hours, at=at))
    held.nonce = new_nonce() if new_link else held.nonce
    held.save(update_fields=["expires_at", "nonce"])
    events.record(
        EventKind.GUEST_ACCESS_CHANGED, incident, actor=actor, at=at, seat_id=seat.pk, user_id=seat.user_id,
        role=seat.role, person=seat.user.display_name, expires_at=held.expires_at.isoformat(), new_link=new_link,
    )  # fmt: skip
    return held


def revoke_pass(seat: Seat, *, actor: User | None, at: datetime) -> None:
    """Part of ending a seat: the link opens nothing any more, and whoever is in by it is out with the next request."""
    GuestPass.objects.filter(seat=seat, revoked_at=None).update(revoked_at=at, revoked_by=actor)


def note_view(held: GuestPass, path: str, *, is_page: bool, at: datetime) -> None:
    """Keeps what a guest had on the screen: each page, and up to which entry of the timeline."""
    newest = MajorIncident.objects.filter(pk=held.seat.incident_id).values("last_seq")[:1]
    if is_page:
        last = GuestView.objects.filter(guest_pass=held).first()
        if last is not None and last.path == path[:300] and at - last.last_at < SAME_PAGE:
            GuestView.objects.filter(pk=last.pk).update(last_at=at, times=F("times") + 1)
        else:
            GuestView.objects.create(guest_pass=held, path=path[:300], at=at, last_at=at)
    elif held.seen_at is not None and at - held.seen_at < REMEMBERED_EVERY and not path.endswith("/timeline/"):
        return
    GuestPass.objects.filter(pk=held.pk).update(seen_at=at, seen_seq=newest)
