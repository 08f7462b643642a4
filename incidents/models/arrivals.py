"""How many reports arrived, per service and minute: what the influx detector compares with the usual."""

from django.db import models

from incidents.models.services import Service


class ArrivalCount(models.Model):
    """Incident tickets and newly firing alerts of one service (None: no service named) in one minute (UTC)."""

    service = models.ForeignKey(Service, null=True, on_delete=models.CASCADE, related_name="+")
    minute = models.DateTimeField(help_text="The beginning of the minute.")
    tickets = models.PositiveIntegerField(default=0)
    alerts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "minute"], name="one_count_per_service_and_minute", nulls_distinct=False
            )
        ]
        indexes = [models.Index(fields=["minute"], name="arrivals_by_minute")]

    def __str__(self) -> str:
        return f"{self.service_id} {self.minute:%F %R}: {self.tickets} tickets, {self.alerts} alerts"
