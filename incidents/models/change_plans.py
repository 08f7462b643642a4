"""What changes are planned with: templates of standard changes, steps with their times, freezes."""

from django.db import models
from django.db.models import F, Q

from incidents.models.changes import Change, Risk
from incidents.models.people import User
from incidents.models.services import Service


class ChangeTemplate(models.Model):
    """A change that is done often and always the same way: approved once, here, by a change manager."""

    name = models.CharField(max_length=120, unique=True)
    title = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    plan = models.TextField(blank=True)
    test_plan = models.TextField(blank=True)
    backout_plan = models.TextField(blank=True)
    risk = models.CharField(max_length=6, choices=Risk.choices, default=Risk.LOW)
    services = models.ManyToManyField(Service, blank=True, related_name="change_templates")
    is_active = models.BooleanField(default=True)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ChangeStep(models.Model):
    """One step of the plan, of the test or of the way back. `minutes` is how long it is planned to take."""

    class Part(models.TextChoices):
        PLAN = "plan", "Plan"
        TEST = "test", "Test"
        BACK = "back", "Way back"

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="steps")
    part = models.CharField(max_length=4, choices=Part.choices, default=Part.PLAN)
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=250)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["part", "position", "id"]

    def __str__(self) -> str:
        return self.title


class FreezeWindow(models.Model):
    """Nothing but emergency changes begins in it. Without services it holds for all of them."""

    name = models.CharField(max_length=120)
    reason = models.TextField(blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    services = models.ManyToManyField(Service, blank=True, related_name="freezes")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["starts_at", "ends_at"], name="freezes_in_the_calendar")]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="freeze_ends_after_start")]

    def __str__(self) -> str:
        return self.name
