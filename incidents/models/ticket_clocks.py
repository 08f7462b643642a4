"""The promises a ticket is under: answered in time, solved in time."""

from django.db import models
from django.db.models import Q

from incidents.models.tickets import SlaKind, Ticket


class TicketClock(models.Model):
    """One promise of one ticket, counted in service hours.

    Runs while `running_since` is set: by then `used_seconds` had been used up, and `due_at` is when the target will
    be. On hold nothing of that is set and only what was used is kept. `ended_at`: answered, or solved. `next_at` is
    the next moment at which the sweep has something to do: the warning, then the breach.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="clocks")
    kind = models.CharField(max_length=10, choices=SlaKind.choices)
    target_seconds = models.PositiveIntegerField()
    used_seconds = models.FloatField(default=0)
    running_since = models.DateTimeField(null=True, blank=True)
    warn_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["ticket", "-kind"]
        indexes = [models.Index(fields=["next_at"], name="clocks_to_watch", condition=Q(next_at__isnull=False))]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "kind"], name="one_clock_of_a_kind"),
            models.CheckConstraint(
                condition=Q(next_at__isnull=True) | Q(ended_at__isnull=True, running_since__isnull=False),
                name="only_a_running_clock_is_watched",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.kind} due {self.due_at}"

    @property
    def state(self) -> str:
        """`met`, `missed` (ended late), `breached` (late and not ended), `paused` or `running`."""
        if self.ended_at is not None:
            return "missed" if self.breached_at else "met"
        if self.breached_at is not None:
            return "breached"
        return "running" if self.running_since else "paused"
