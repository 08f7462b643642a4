"""The link in an invitation: signed, each person's own, answered in one tap. For a guest it is also the way in.

For people with an account it answers and nothing else, for 72 hours. A guest's bears the number of the pass, so that
it works as long as the pass does and not a moment longer.
"""

from datetime import timedelta

from django.core import signing
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from incidents.models import GuestPass, Seat
from incidents.permissions import LIVE_SEATS, is_usable

VALID_FOR = timedelta(hours=72)
SESSION_KEY = "guest_pass"
_SALT = "incidents.seat-links"


def address(seat: Seat) -> str:
    """The path of the link. A guest's changes when the pass is given anew, and the old one is worthless then."""
    held = GuestPass.objects.filter(seat=seat).first()
    return reverse("seat_answer", args=[signing.dumps([seat.pk, held.nonce if held else ""], salt=_SALT)])


def read(token: str) -> Seat | None:
    """Whose seat the link is about; None when it was changed, is over, or was revoked."""
    try:
        pk, nonce = signing.loads(token, salt=_SALT)
        if not nonce:
            signing.loads(token, salt=_SALT, max_age=VALID_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    rows = Seat.objects.select_related("user", "incident", "invited_by", "guest_pass")
    seat = rows.filter(pk=pk).first()
    if seat is None or bool(nonce) != hasattr(seat, "guest_pass"):
        return None
    return seat if not nonce or _opens(seat.guest_pass, seat, nonce) else None


def pass_of(entry: object) -> GuestPass | None:
    """The pass a session came in by, as `entry` ([its number, its nonce]) says; None once it opens nothing any more."""
    if not isinstance(entry, list) or len(entry) != 2:
        return None
    held = GuestPass.objects.select_related("seat__user").filter(pk=entry[0]).first()
    return held if held is not None and _opens(held, held.seat, str(entry[1])) else None


def _opens(held: GuestPass, seat: Seat, nonce: str) -> bool:
    return (
        constant_time_compare(held.nonce, nonce)
        and held.revoked_at is None
        and held.expires_at > timezone.now()
        and seat.state in LIVE_SEATS
        and is_usable(seat.user)
    )
