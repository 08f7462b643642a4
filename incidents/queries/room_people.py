"""The people of one room: who is here, who is on the bridge, who has not answered, who came in from outside."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from incidents import here
from incidents.models import CommandHandover, GuestPass, GuestView, MajorIncident, Seat, TimelineEvent, User
from incidents.process import SPAN_OF_CONTROL, EventKind, SeatState
from incidents.queries.war_room import Room

MOST_VIEWS, MOST_ACTS = 30, 50


@dataclass(frozen=True)
class Called:
    """One person at the roll-call: on the bridge since `joined_at`; else in the room, or neither."""

    seat_id: int
    person: User
    roles: str
    joined_at: datetime | None
    is_present: bool
    marked_by: str = ""

    @property
    def answers(self) -> bool:
        return self.joined_at is not None or self.is_present


@dataclass(frozen=True)
class RollCall:
    called: list[Called]

    @property
    def here(self) -> int:
        return sum(one.answers for one in self.called)

    @property
    def missing(self) -> list[Called]:
        return [one for one in self.called if not one.answers]


def roll_call(room: Room) -> RollCall:
    """Everybody with an accepted seat. "Joined" is a press of the button, or somebody who said so for them, since the
    bridge stands; being in the room counts as well. One query besides the room's own."""
    bridge = room.bridge
    joined: dict[int, tuple[datetime, str]] = {}
    if bridge is not None:
        rows = TimelineEvent.objects.filter(
            incident=room.incident, kind=EventKind.BRIDGE_JOINED, at__gte=bridge.set_at
        ).select_related("actor")
        for event in rows.order_by("seq"):
            person = int(event.payload.get("user_id") or event.actor_id or 0)
            by = event.actor.display_name if event.actor and person != event.actor_id else ""
            joined.setdefault(person, (event.at, by))
    seats: dict[int, list[Seat]] = {}
    for seat in room.accepted_seats:
        seats.setdefault(seat.user_id, []).append(seat)
    called = [
        Called(
            seat_id=mine[0].pk,
            person=mine[0].user,
            roles=", ".join(seat.get_role_display() for seat in mine),
            joined_at=joined.get(pk, (None, ""))[0],
            is_present=pk in room.present,
            marked_by=joined.get(pk, (None, ""))[1],
        )
        for pk, mine in seats.items()
    ]
    return RollCall(sorted(called, key=lambda one: one.answers))


@dataclass(frozen=True)
class Span:
    """How many people answer to the manager; `is_wide` above seven."""

    people: int

    @property
    def is_wide(self) -> bool:
        return self.people > SPAN_OF_CONTROL


def span_of_control(room: Room) -> Span:
    """The accepted without the manager, each person once."""
    manager = room.manager
    return Span(len({seat.user_id for seat in room.accepted_seats if manager is None or seat.user_id != manager.pk}))


def open_handover(incident: MajorIncident) -> CommandHandover | None:
    rows = CommandHandover.objects.select_related("giver", "taker")
    return rows.filter(incident=incident, state=CommandHandover.State.OFFERED).first()


def draft_of_handover(room: Room) -> str:
    """The summary to begin with: what the record knows, for the giver to correct."""
    incident, lines = room.incident, []
    for label, text in (
        ("Conditions", incident.conditions), ("Actions", incident.actions_summary), ("Needs", incident.needs)
    ):  # fmt: skip
        lines.append(f"{label}: {text or 'not written yet'}")
    stage = room.current
    missing = ", ".join(row.title for row in stage.missing) if stage else ""
    lines.append(f"Stage: {incident.get_stage_display()}" + (f"; waits for {missing}" if missing else ""))
    if room.open_downtime:
        lines.append("Down: " + ", ".join(row.service.name if row.service else "unknown" for row in room.open_downtime))
    if incident.next_update_at:
        lines.append(f"Next update promised for {incident.next_update_at:%H:%M} UTC")
    tasks = [task for task in room.tasks if task.status != "done"]
    if tasks:
        lines.append("Open tasks:")
        lines += [f"- {task.title} ({task.assignee.display_name if task.assignee else 'nobody yet'})" for task in tasks]
    waiting = [one for one in room.approvals if one.state == "pending"]
    lines += [f"Management is asked: {one.question}" for one in waiting]
    return "\n".join(lines)


# --- Guests -----------------------------------------------------------------------------------
def passes(incident: MajorIncident) -> QuerySet[GuestPass]:
    """Everybody from outside who was ever let in, the last first."""
    rows = GuestPass.objects.filter(seat__incident=incident)
    return rows.select_related("seat__user", "seat__invited_by", "revoked_by").order_by("-id")


@dataclass(frozen=True)
class RoomPeople:
    """What the page shows of the people besides the seats themselves. `open_pages` are ids of people."""

    span: Span
    handover: CommandHandover | None
    guests: list[GuestPass]
    open_pages: frozenset[int]

    @property
    def guest_of_seat(self) -> dict[int, GuestPass]:
        return {held.seat_id: held for held in self.guests}


def people_of(room: Room) -> RoomPeople:
    """No query while nobody from outside is here and command is not on offer; and one question to the broker."""
    has_guests = any(seat.user.is_guest for seat in room.seats)
    return RoomPeople(
        span_of_control(room),
        open_handover(room.incident) if getattr(room.incident, "command_is_offered", True) else None,
        reading_along(room) if has_guests else [],
        here.open_pages(room.incident.pk) if room.incident.is_open else frozenset(),
    )


def reading_along(room: Room) -> list[GuestPass]:
    """Guests whose access is open now."""
    live = passes(room.incident).filter(
        revoked_at=None, expires_at__gt=room.now, seat__state__in=(SeatState.INVITED, SeatState.ACCEPTED)
    )
    return list(live)


@dataclass(frozen=True)
class GuestRecord:
    """What one guest saw and did."""

    held: GuestPass
    views: list[GuestView]
    acts: list[TimelineEvent]


def guest_record(incident: MajorIncident, seat_id: int) -> GuestRecord | None:
    """None when the seat is not a guest's of this incident."""
    held = passes(incident).filter(seat=seat_id).first()
    if held is None:
        return None
    acts = TimelineEvent.objects.filter(incident=incident, actor=held.seat.user_id, at__gte=held.issued_at)
    return GuestRecord(held, list(held.views.order_by("-id")[:MOST_VIEWS]), list(acts.order_by("-seq")[:MOST_ACTS]))
