"""Candidates: evidence that a major incident may be under way."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import transition

from incidents.models.people import User
from incidents.models.services import Service
from incidents.models.state_field import StateField


class CandidateStatus(models.TextChoices):
    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    DECLARED = "declared", "Declared"
    LINKED = "linked", "Linked"
    DISMISSED = "dismissed", "Dismissed"


OPEN_CANDIDATE_STATUSES = [CandidateStatus.OPEN, CandidateStatus.ACKNOWLEDGED]
_C = CandidateStatus


class CandidateSource(models.TextChoices):
    PROPOSED = "proposed", "Proposed by a technician"
    ALERT_RULE = "alert_rule", "Alert rule"
    INFLUX = "influx", "Influx of tickets"
    HOTLINE = "hotline", "Hotline"


class Candidate(models.Model):
    """CAN-n. Waits for a major incident manager's verdict. One open candidate per service."""

    title = models.CharField(max_length=250)
    source = models.CharField(max_length=12, choices=CandidateSource.choices)
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.PROTECT, related_name="candidates")
    cluster = models.CharField(max_length=120, blank=True, help_text="Text cluster when no service is known.")
    reasons = ArrayField(models.TextField(), default=list, help_text="The evidence in plain words.")
    evidence = models.JSONField(default=dict)
    business_impact = models.TextField(blank=True)
    status = StateField(max_length=12, choices=CandidateStatus.choices, default=CandidateStatus.OPEN, protected=True)
    raised_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    raised_at = models.DateTimeField()
    acknowledged_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    dismiss_reason = models.TextField(blank=True)
    alerts_resolved_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when none of its alerts fires; None while one does, or without any."
    )
    major_incident = models.ForeignKey(
        "MajorIncident", null=True, blank=True, on_delete=models.PROTECT, related_name="candidates"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "-id"], name="candidates_waiting"),
            models.Index(fields=["-decided_at"], name="candidates_by_verdict"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["service"],
                condition=Q(status__in=["open", "acknowledged"], service__isnull=False),
                name="one_open_candidate_per_service",
            ),
            models.UniqueConstraint(
                fields=["cluster"],
                condition=Q(status__in=["open", "acknowledged"], service__isnull=True) & ~Q(cluster=""),
                name="one_open_candidate_per_cluster",
            ),
            models.CheckConstraint(
                condition=~Q(status="dismissed") | ~Q(dismiss_reason=""), name="dismissed_with_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["declared", "linked"]) | Q(major_incident__isnull=False),
                name="verdict_names_the_incident",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    @property
    def ref(self) -> str:
        return f"CAN-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_CANDIDATE_STATUSES

    @transition(field=status, source=_C.OPEN, target=_C.ACKNOWLEDGED)
    def to_acknowledged(self) -> None:
        """A manager has seen it."""

    @transition(field=status, source=[_C.OPEN, _C.ACKNOWLEDGED], target=_C.DECLARED)
    def to_declared(self) -> None:
        """It became a major incident."""

    @transition(field=status, source=[_C.OPEN, _C.ACKNOWLEDGED], target=_C.LINKED)
    def to_linked(self) -> None:
        """It belongs to a major incident that was open already."""

    @transition(field=status, source=[_C.OPEN, _C.ACKNOWLEDGED], target=_C.DISMISSED)
    def to_dismissed(self) -> None:
        """It was nothing; `dismiss_reason` says why."""
