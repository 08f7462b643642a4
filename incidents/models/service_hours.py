"""When a service is looked after, and how soon people are promised an answer and a solution."""

from django.db import models
from django.db.models import Q

from incidents.models.people import check_time_zone
from incidents.priority import Priority
from incidents.service_hours import WORKING_WEEK


def working_week() -> list[list[list[int]]]:
    return [[list(span) for span in day] for day in WORKING_WEEK]


class ServiceHours(models.Model):
    """The hours of a week in which clocks run. `week` holds seven days from Monday on, each a list of [from, until] in
    minutes after midnight, read on the clocks of `time_zone` (empty: the organisation's)."""

    name = models.CharField(max_length=120, unique=True)
    time_zone = models.CharField(max_length=64, blank=True, validators=[check_time_zone])
    week = models.JSONField(default=working_week)
    observes_holidays = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False, help_text="For services without hours of their own.")

    class Meta:
        ordering = ["-is_default", "name"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_of_hours")
        ]

    def __str__(self) -> str:
        return self.name


class SlaTarget(models.Model):
    """What is promised for tickets of one priority, of one service or (without one) of all that have no own targets."""

    service = models.ForeignKey("Service", null=True, blank=True, on_delete=models.CASCADE, related_name="sla_targets")
    priority = models.CharField(max_length=2, choices=Priority.choices)
    response_minutes = models.PositiveIntegerField()
    resolution_minutes = models.PositiveIntegerField()
    around_the_clock = models.BooleanField(default=False, help_text="Runs outside the service hours, too.")

    class Meta:
        ordering = ["service__name", "priority"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "priority"], name="one_target_per_service_and_priority", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(response_minutes__gt=0) & Q(resolution_minutes__gte=models.F("response_minutes")),
                name="answered_before_solved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.priority}: {self.response_minutes} / {self.resolution_minutes} min"
