"""Command handed from one person to the next, with a summary both stand for."""

from django.db import models
from django.db.models import Q

from incidents.models.major_incidents import MajorIncident
from incidents.models.people import User


class CommandHandover(models.Model):
    """Offered by whoever commands, and complete once the other confirms the same summary. Times aware UTC."""

    class State(models.TextChoices):
        OFFERED = "offered", "Offered"
        CONFIRMED = "confirmed", "Confirmed"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="handovers")
    giver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    taker = models.ForeignKey(User, on_delete=models.PROTECT, related_name="command_offers")
    summary = models.TextField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.OFFERED)
    offered_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was declined.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident"], condition=Q(state="offered"), name="one_offer_of_command_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.giver_id} → {self.taker_id} {self.state}"
