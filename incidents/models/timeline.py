"""The record: append-only. A trigger of the database refuses updates and deletions."""

from django.db import models
from django.db.models import Q

from incidents.models.candidates import Candidate
from incidents.models.changes import Change
from incidents.models.major_incidents import MajorIncident
from incidents.models.people import User
from incidents.models.problems import Problem
from incidents.models.tickets import Ticket
from incidents.process import EventGroup, EventKind


class TimelineEvent(models.Model):
    """One act. `at` is when it happened (may be backdated), `recorded_at` when it was written.

    `seq` counts without a gap per major incident; it is allocated under the incident's row lock.
    """

    incident = models.ForeignKey(MajorIncident, null=True, on_delete=models.PROTECT, related_name="events")
    ticket = models.ForeignKey(Ticket, null=True, on_delete=models.PROTECT, related_name="events")
    candidate = models.ForeignKey(Candidate, null=True, on_delete=models.PROTECT, related_name="events")
    problem = models.ForeignKey(Problem, null=True, on_delete=models.PROTECT, related_name="events")
    change = models.ForeignKey(Change, null=True, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveIntegerField(null=True)
    kind = models.CharField(max_length=28, choices=EventKind.choices)
    group = models.CharField(max_length=10, choices=EventGroup.choices)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    text = models.TextField(blank=True)
    html = models.TextField(blank=True, help_text="Text of people as sanitised HTML, made once.")
    payload = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["incident", "-at", "-id"], name="timeline_of_an_incident"),
            models.Index(fields=["ticket", "id"], name="timeline_of_a_ticket", condition=Q(ticket__isnull=False)),
            models.Index(fields=["problem", "id"], name="timeline_of_a_problem", condition=Q(problem__isnull=False)),
            models.Index(fields=["change", "id"], name="timeline_of_a_change", condition=Q(change__isnull=False)),
            models.Index(
                fields=["candidate", "id"], name="timeline_of_a_candidate", condition=Q(candidate__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "seq"], condition=Q(incident__isnull=False), name="timeline_without_twins"
            ),
            models.CheckConstraint(
                condition=Q(incident__isnull=True) | Q(seq__isnull=False), name="timeline_is_numbered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq or self.pk}: {self.kind}"


class TimelineEdit(models.Model):
    """A later wording of a note or decision; the first one stays readable."""

    event = models.ForeignKey(TimelineEvent, on_delete=models.PROTECT, related_name="edits")
    text = models.TextField()
    html = models.TextField()
    edited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.event_id} at {self.edited_at:%F %R}"
