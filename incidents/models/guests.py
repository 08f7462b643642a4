"""People from outside: the link that lets one in, and what was seen through it."""

import secrets

from django.db import models

from incidents.models.major_incidents import Seat
from incidents.models.people import User


def new_nonce() -> str:
    return secrets.token_urlsafe(24)


class GuestPass(models.Model):
    """Lets a guest in by a link: to the one incident of the seat, until it ends or is revoked.

    The link bears the signed `nonce`; another one makes every link given out before worthless. `seen_seq` is the
    newest entry of the timeline the guest has had on the screen. All times aware UTC.
    """

    seat = models.OneToOneField(Seat, on_delete=models.CASCADE, related_name="guest_pass")
    nonce = models.CharField(max_length=48, default=new_nonce)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(null=True, blank=True, help_text="The first time.")
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_seq = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"pass of seat {self.seat_id}"


class GuestView(models.Model):
    """One page a guest opened, as long as it was the same one in a row: from `at` to `last_at`, aware UTC."""

    guest_pass = models.ForeignKey(GuestPass, on_delete=models.CASCADE, related_name="views")
    path = models.CharField(max_length=300)
    at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.path
