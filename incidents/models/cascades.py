"""One act on many tickets: a job, and what became of every single one."""

from django.db import models
from django.db.models import Q

from incidents.models.people import User
from incidents.models.tickets import Ticket


class CascadeJob(models.Model):
    """Work to be done on many tickets, resumable, one result row a ticket.

    With a major incident and nobody who asked for it, it follows from the incident itself (resolved, reopened) and
    takes every child; otherwise it takes the tickets that were chosen. `parameters` are what the act needs.
    """

    class Kind(models.TextChoices):
        RESOLVE = "resolve", "Resolve tickets"
        REOPEN = "reopen", "Reopen tickets"
        REPLY = "reply", "Reply to requesters"
        LINK = "link", "Link tickets"
        UNLINK = "unlink", "Unlink tickets"
        ASSIGN = "assign", "Assign tickets"
        CLOSE = "close", "Close tickets"
        SERVICE = "service", "Name the service of tickets"

    major_incident = models.ForeignKey(
        "MajorIncident", null=True, blank=True, on_delete=models.CASCADE, related_name="cascades"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    requested_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    parameters = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["id"], name="cascades_to_finish", condition=Q(finished_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.major_incident_id or self.requested_by_id}"

    @property
    def is_of_incident(self) -> bool:
        """Follows from the incident's own life, so it takes every child, whoever links one meanwhile."""
        return self.requested_by_id is None and self.major_incident_id is not None


class CascadeOutcome(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    UNCHANGED = "unchanged", "Unchanged"
    FAILED = "failed", "Failed"


class CascadeResult(models.Model):
    """What became of one ticket, and why. A failed one is tried again by itself before it stays `failed`."""

    job = models.ForeignKey(CascadeJob, on_delete=models.CASCADE, related_name="results")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=12, choices=CascadeOutcome.choices, default=CascadeOutcome.WAITING)
    detail = models.CharField(max_length=250, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["job", "outcome", "id"], name="cascade_results_by_outcome")]
        constraints = [
            models.UniqueConstraint(fields=["job", "ticket"], name="cascade_result_once_per_ticket"),
            models.CheckConstraint(condition=Q(outcome__in=CascadeOutcome.values), name="cascade_outcome_known"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.outcome}"
