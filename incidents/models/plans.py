"""Communication plans: which incidents one is for, and every version of what it says."""

from django.db import models
from django.db.models import Q

from incidents.models.bridges import BridgeProvider
from incidents.models.people import User
from incidents.models.services import Service
from incidents.priority import Severity


class CommunicationPlan(models.Model):
    """Which incidents it is for: those of a severity, or of a severity and one service or tier, which goes first.

    `key` stands in addresses and never changes. One that is withdrawn keeps its versions and counts no more.
    """

    key = models.SlugField(max_length=160, unique=True)
    severity = models.CharField(max_length=4, choices=Severity.choices)
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    tier = models.PositiveSmallIntegerField(null=True, blank=True, choices=Service.Tier.choices)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["severity", "service__name", "tier"]
        constraints = [
            models.UniqueConstraint(
                fields=["severity", "service", "tier"], name="one_plan_per_scope", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(service=None) | Q(tier=None), name="plan_for_a_service_or_a_tier"),
        ]

    def __str__(self) -> str:
        return f"{self.severity}, {self.scope}" if self.is_particular else self.severity

    @property
    def is_particular(self) -> bool:
        return self.service_id is not None or self.tier is not None

    @property
    def scope(self) -> str:
        """For which of its severity; "every service" for the plan of the severity itself."""
        if self.service_id is not None:
            return str(self.service)
        return str(Service.Tier(self.tier).label) if self.tier else "every service"


class PlanVersion(models.Model):
    """What a plan said from `created_at` (aware UTC) until the next version. An incident keeps the one it was
    declared under. `content` as in `communication.py`."""

    plan = models.ForeignKey(CommunicationPlan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    bridge = models.ForeignKey(
        BridgeProvider, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="What the conference bridge is made from when an incident is declared; none: somebody sets it.",
    )  # fmt: skip
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once")]

    def __str__(self) -> str:
        return f"{self.plan}, version {self.number}"
