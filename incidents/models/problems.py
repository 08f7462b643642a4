"""Problems: the cause, or potential cause, of one or more incidents."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import transition

from incidents.models.major_incidents import MajorIncident
from incidents.models.people import User
from incidents.models.state_field import StateField
from incidents.models.tickets import Ticket


class ProblemStatus(models.TextChoices):
    OPEN = "open", "Open"
    INVESTIGATING = "investigating", "Investigating"
    KNOWN_ERROR = "known_error", "Known error"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"


class CauseCategory(models.TextChoices):
    CHANGE = "change", "A change"
    SOFTWARE = "software", "Software defect"
    HARDWARE = "hardware", "Hardware failure"
    CAPACITY = "capacity", "Capacity"
    NETWORK = "network", "Network"
    SUPPLIER = "supplier", "Supplier"
    SECURITY = "security", "Security"
    HUMAN = "human", "Procedure or training"
    OTHER = "other", "Other"
    UNKNOWN = "unknown", "Unknown"


_P = ProblemStatus


class Problem(models.Model):
    """PRB-n. Owned by a problem manager."""

    title = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    status = StateField(max_length=14, choices=ProblemStatus.choices, default=ProblemStatus.OPEN, protected=True)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="problems_owned")
    cause_category = models.CharField(max_length=10, choices=CauseCategory.choices, default=CauseCategory.UNKNOWN)
    root_cause = models.TextField(blank=True)
    contributing_factors = models.TextField(blank=True)
    five_whys = ArrayField(models.TextField(), default=list, blank=True)
    workaround = models.TextField(blank=True)
    major_incidents = models.ManyToManyField(MajorIncident, blank=True, related_name="problems")
    tickets = models.ManyToManyField(Ticket, blank=True, related_name="problems")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    recurrence_check_at = models.DateTimeField(null=True, blank=True, help_text="90 days after it was resolved.")
    recurrence_checked_at = models.DateTimeField(null=True, blank=True, help_text="When the product looked.")
    recurrences = models.PositiveIntegerField(
        null=True, blank=True, help_text="Incidents and tickets that look like it since it was resolved."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "-id"], name="problems_by_status"),
            models.Index(
                fields=["recurrence_check_at"],
                name="problems_to_look_at_again",
                condition=Q(status="resolved", recurrence_checked_at__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ProblemStatus.values), name="problem_status_known"),
            models.CheckConstraint(
                condition=~Q(status__in=["known_error", "resolved"]) | ~Q(root_cause="") | ~Q(workaround=""),
                name="known_error_says_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    @property
    def ref(self) -> str:
        return f"PRB-{self.pk}"

    @transition(field=status, source=[_P.OPEN, _P.RESOLVED], target=_P.INVESTIGATING)
    def to_investigating(self) -> None:
        """Somebody looks for the cause; again when it came back."""

    @transition(field=status, source=_P.INVESTIGATING, target=_P.KNOWN_ERROR)
    def to_known_error(self) -> None:
        """The cause or a workaround is known."""

    @transition(field=status, source=[_P.INVESTIGATING, _P.KNOWN_ERROR], target=_P.RESOLVED)
    def to_resolved(self) -> None:
        """The permanent fix is in place."""

    @transition(field=status, source=_P.RESOLVED, target=_P.CLOSED)
    def to_closed(self) -> None:
        """It did not come back."""
