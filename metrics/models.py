"""The KPI row: what one major incident measured, kept so that the step "measure" has evidence."""

from django.db import models

from incidents.models import MajorIncident


class IncidentFigures(models.Model):
    """One row per incident. Seconds; None where a clock is unknown. `stale_since` asks the sweep to recompute it."""

    incident = models.OneToOneField(MajorIncident, on_delete=models.CASCADE, related_name="+")
    mttd_seconds = models.FloatField(null=True)
    mtta_seconds = models.FloatField(null=True)
    mttr_seconds = models.FloatField(null=True)
    time_to_declare_seconds = models.FloatField(null=True)
    time_to_contain_seconds = models.FloatField(null=True)
    time_to_restore_seconds = models.FloatField(null=True)
    downtime_seconds = models.FloatField(null=True)
    cost = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    is_complete = models.BooleanField(default=False, help_text="Every clock needed has a value or is not applicable.")
    computed_at = models.DateTimeField(null=True, blank=True)
    stale_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "incident figures"
        indexes = [
            models.Index(
                fields=["stale_since"], name="figures_to_compute", condition=models.Q(stale_since__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"Figures of MI-{self.incident_id}"
