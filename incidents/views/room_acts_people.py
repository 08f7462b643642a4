"""Acts of the war room about its people and its bridge, as data."""

from typing import Any

from incidents.actions import bridges, guests, handovers, response, seats
from incidents.forms import room as forms
from incidents.forms import room_people as people_forms
from incidents.models import CommandHandover, Seat
from incidents.views.doing import Act, Doing


def _invite(d: Doing) -> Any:
    names = ("role", "user", "guest_email", "message")
    person = d.given["user"]
    hours = d.given["access_hours"] or 24 if person is None or person.is_guest else None
    return seats.invite(d.pk, access_hours=hours, **{name: d.given[name] for name in names}, **d.by)


def _offered(d: Doing) -> CommandHandover:
    return d.mine(CommandHandover)


def _guest_now(d: Doing) -> dict[str, Any]:
    d.mine(Seat, incident=d.room.incident, guest_pass__isnull=False)
    return {}


PEOPLE_ACTS: dict[str, Act] = {
    "invite": Act(
        "Invite to the team",
        _invite,
        "Invited, on every channel the person has.",
        "Invite",
        forms.InviteForm,
        "assemble",
        "A seat counts once it is accepted.",
        initial=lambda d: d.asked,
    ),
    "stand-in": Act(
        "Name a stand-in",
        lambda d: seats.name_stand_in(d.mine(Seat).pk, user=d.given["user"], message=d.given["message"], **d.by),
        "Asked. The seat stays as it is until the stand-in accepts.",
        "Ask",
        people_forms.StandInForm,
        "name_stand_in",
        "The seat changes hands once the stand-in accepts.",
    ),
    "hand-over-command": Act(
        "Hand over command",
        lambda d: handovers.offer(d.pk, taker=d.given["taker"], summary=d.given["summary"], **d.by),
        "Offered. You stay in command until it is confirmed.",
        "Offer command",
        people_forms.HandOverCommandForm,
        "command",
        "Command changes hands when the other confirms this summary. Until then you stay in command.",
    ),
    "confirm-command": Act(
        "Confirm the summary and take command",
        lambda d: handovers.confirm(_offered(d).pk, **d.by),
        "You are in command.",
        "Take command",
    ),
    "decline-command": Act(
        "Decline command",
        lambda d: handovers.decline(_offered(d).pk, reason=d.given["reason"], **d.by),
        "Declined.",
        "Decline",
        people_forms.DeclineForm,
    ),
    "withdraw-command": Act(
        "Withdraw the offer",
        lambda d: handovers.withdraw(_offered(d).pk, **d.by),
        "Withdrawn. You stay in command.",
        "Withdraw",
    ),
    "guest-access": Act(
        "Access of a guest",
        lambda d: guests.change_access(d.mine(Seat).pk, hours=d.given["hours"], new_link=d.given["new_link"], **d.by),
        "Changed.",
        "Save",
        people_forms.GuestAccessForm,
        "assemble",
        "To end it at once, release the seat.",
        initial=_guest_now,
    ),
    "bridge": Act(
        "Conference bridge",
        lambda d: response.set_bridge(
            d.pk, join_url=d.given["join_url"], provider=d.given["provider"], dial_in=d.given["dial_in"], **d.by
        ),
        "The bridge is set; the team is being invited.",
        "Set bridge",
        people_forms.BridgeForm,
        "bridge",
        "Everybody seated gets the link and an entry for the calendar; those who come later as well.",
    ),
    "join-bridge": Act(
        "Join the bridge", lambda d: response.join_bridge(d.pk, **d.by), "You are on the roll-call.", "Join"
    ),
    "mark-joined": Act(
        "On the bridge",
        lambda d: bridges.mark_joined(d.mine(Seat).pk, **d.by),
        "On the roll-call.",
        "On the bridge",
        needs="contribute",
    ),
}
