"""The links of seats in messages: an invitation is answered by it, a guest comes in by it.

As with pages, the kept wording bears a link of nobody; each person's own is put in just before the message leaves.
"""

import copy

from django.conf import settings

from incidents import seat_links
from incidents.models import Seat
from incidents.permissions import LIVE_SEATS
from notifications.models import ChannelKey, Delivery, Message

INVITATION = "seat_invited"
PATH_OF_NOBODY = "/seats/link-of-the-recipient/"


def personal(message: Message, row: Delivery) -> Message:
    """The message with the recipient's own link, where there is one. The kept wording stays untouched."""
    seat = _seat(row)
    if seat is None:
        return message
    room = f"{settings.PUBLIC_URL}/major-incidents/MI-{seat.incident_id}/"
    own = copy.copy(message)
    if row.channel == ChannelKey.IN_APP:  # read by somebody who is signed in
        own.url = room if row.moment == INVITATION else message.url
        return own
    link = f"{settings.PUBLIC_URL}{seat_links.address(seat)}"
    nobody = f"{settings.PUBLIC_URL}{PATH_OF_NOBODY}"
    for part in ("text", "html", "short"):
        said = getattr(message, part).replace(nobody, link)
        # A guest has no password: whatever leads into the room leads through the guest's own door.
        setattr(own, part, said.replace(room, link) if seat.user.is_guest else said)
    leads_in = message.url == nobody or message.url == room and seat.user.is_guest
    own.url = link if leads_in else message.url
    return own


def _seat(row: Delivery) -> Seat | None:
    """The invitation's seat; for whatever else is told to a guest, the seat with the pass."""
    seats = Seat.objects.select_related("user")
    if row.moment == INVITATION:
        return seats.filter(pk=row.event.payload.get("seat_id"), user=row.recipient_id).first()
    if row.incident_id is None or row.recipient is None or not row.recipient.is_guest:
        return None
    mine = seats.filter(incident=row.incident_id, user=row.recipient_id, state__in=LIVE_SEATS)
    return mine.filter(guest_pass__isnull=False).order_by("-id").first()
