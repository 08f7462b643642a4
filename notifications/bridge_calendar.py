"""The conference bridge as an entry in people's calendars: sent, changed and taken out again (RFC 5545, RFC 5546).

One entry a person and incident: its UID never changes, and its SEQUENCE is the number of the timeline entry that
caused the message, so that a calendar knows the newest whatever order mails arrive in.
"""

from datetime import UTC, timedelta

from django.conf import settings
from icalendar import Calendar, Event, vCalAddress, vText

from incidents import mail_reference
from incidents.models import Seat
from incidents.process import SeatState
from notifications.models import Delivery

INVITES, CANCELS = ("bridge",), ("bridge_cancelled", "seat_released")
EXPECTED = timedelta(hours=4)
PRODUCT = "-//MIM//Conference bridge//EN"


def entry_of(row: Delivery) -> tuple[str, bytes] | None:
    """Method and text of the calendar entry that goes with a mail; None for every other message."""
    if row.moment not in (*INVITES, *CANCELS) or row.incident is None or row.event_id is None:
        return None
    bridge = getattr(row.incident, "bridge", None)
    if bridge is None or row.moment == "seat_released" and _still_seated(row):
        return None
    method = "REQUEST" if row.moment in INVITES else "CANCEL"
    incident, event = row.incident, Event()
    where = ", ".join(filter(None, (bridge.join_url, bridge.dial_in)))
    event.add("uid", f"bridge-{incident.ref.lower()}@{mail_reference.own_host()}")
    event.add("sequence", row.event.seq or 0)
    event.add("dtstamp", row.event.recorded_at.astimezone(UTC))
    event.add("dtstart", bridge.set_at.astimezone(UTC))
    event.add("dtend", (bridge.set_at + EXPECTED).astimezone(UTC))
    drill = "DRILL: " if incident.is_drill else ""
    event.add("summary", f"{drill}{incident.ref} {incident.severity}: conference bridge")
    event.add("location", where)
    room = f"{settings.PUBLIC_URL}/major-incidents/{incident.ref}/"
    event.add("description", "\n".join(filter(None, (incident.title, f"Join: {where}", f"War room: {room}"))))
    if bridge.join_url:
        event.add("url", bridge.join_url)
    event.add("status", "CONFIRMED" if method == "REQUEST" else "CANCELLED")
    event.add("organizer", _address(mail_reference.desk_address(), "Major incident desk"), encode=False)
    name = row.recipient.display_name if row.recipient else row.address
    attendee = _address(row.address, name)
    attendee.params["partstat"] = vText("ACCEPTED")
    attendee.params["rsvp"] = vText("FALSE")
    event.add("attendee", attendee, encode=False)
    calendar = Calendar()
    for key, value in (("prodid", PRODUCT), ("version", "2.0"), ("method", method)):
        calendar.add(key, value)
    calendar.add_component(event)
    return method, calendar.to_ical()


def _still_seated(row: Delivery) -> bool:
    """Released from one seat and holding another: the bridge stays in the calendar."""
    return Seat.objects.filter(
        incident=row.incident_id, user=row.recipient_id, state=SeatState.ACCEPTED
    ).exists()  # fmt: skip


def _address(email: str, name: str) -> vCalAddress:
    found = vCalAddress(f"mailto:{email}")
    found.params["cn"] = vText(name)
    return found
