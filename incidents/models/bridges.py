"""What a new conference bridge is made from."""

from django.db import models
from django.db.models import Q


class BridgeKind(models.TextChoices):
    JITSI = "jitsi", "Jitsi"
    TEAMS = "teams", "Microsoft Teams"
    ZOOM = "zoom", "Zoom"
    MEET = "meet", "Google Meet"
    DIAL_IN = "dial_in", "Telephone"
    OTHER = "other", "Other"


class BridgeProvider(models.Model):
    """A pattern an administrator set: the link with its placeholders, the number to dial, or both.

    The first of those switched on is offered first. One that is in use by a plan cannot be removed.
    """

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=BridgeKind.choices, default=BridgeKind.OTHER)
    join_pattern = models.CharField(max_length=400, blank=True)
    dial_in = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(join_pattern="") | ~Q(dial_in=""), name="bridge_provider_with_a_link_or_a_number"
            )
        ]

    def __str__(self) -> str:
        return self.name
