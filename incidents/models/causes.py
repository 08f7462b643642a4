"""Why a problem happened, as a tree whose entries point at the timeline for their evidence."""

from django.db import models

from incidents.models.people import User
from incidents.models.problems import Problem
from incidents.models.timeline import TimelineEvent


class Factor(models.Model):
    """One thing that contributed. Its parent is what it contributed to; without one, to the problem itself."""

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="factors")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    text = models.TextField()
    is_root = models.BooleanField(default=False, help_text="Without it the outage would not have happened.")
    evidence = models.ManyToManyField(TimelineEvent, blank=True, related_name="+")
    added_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
