"""Changes: additions, modifications or removals that can affect a service."""

from django.db import models
from django.db.models import F, Q
from django_fsm import transition

from incidents.models.major_incidents import MajorIncident
from incidents.models.people import User
from incidents.models.problems import Problem
from incidents.models.services import Service
from incidents.models.state_field import StateField


class ChangeType(models.TextChoices):
    STANDARD = "standard", "Standard"
    NORMAL = "normal", "Normal"
    EMERGENCY = "emergency", "Emergency"


class ChangeStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    AWAITING_APPROVAL = "awaiting_approval", "Awaiting approval"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    IMPLEMENTING = "implementing", "Implementing"
    IMPLEMENTED = "implemented", "Implemented"
    ROLLED_BACK = "rolled_back", "Rolled back"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


class ApprovalState(models.TextChoices):
    NOT_ASKED = "not_asked", "Not asked"
    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"


class Risk(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class CheckResult(models.TextChoices):
    PASSED = "passed", "It works"
    FAILED = "failed", "It does not work"


_C = ChangeStatus


class Change(models.Model):
    """CHG-n. `requester` and `implementer` never approve."""

    title = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    type = models.CharField(max_length=10, choices=ChangeType.choices, default=ChangeType.NORMAL)
    status = StateField(max_length=18, choices=ChangeStatus.choices, default=ChangeStatus.DRAFT, protected=True)
    approval_state = models.CharField(max_length=10, choices=ApprovalState.choices, default=ApprovalState.NOT_ASKED)
    approval_due_at = models.DateTimeField(
        null=True, blank=True, help_text="Emergency changes: approval after the fact is due by then."
    )
    flagged_at = models.DateTimeField(null=True, blank=True, help_text="When that time passed without approval.")
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(
        null=True, blank=True, help_text="Management accepted an emergency change although it was rejected."
    )
    plan = models.TextField(blank=True)
    backout_plan = models.TextField(blank=True)
    test_plan = models.TextField(blank=True)
    risk = models.CharField(max_length=6, choices=Risk.choices, default=Risk.MEDIUM)
    window_start = models.DateTimeField(null=True, blank=True)
    window_end = models.DateTimeField(null=True, blank=True)
    services = models.ManyToManyField(Service, blank=True, related_name="changes")
    problems = models.ManyToManyField(Problem, blank=True, related_name="fixes")
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="changes_owned")
    requester = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="changes_requested")
    implementer = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="changes_implemented"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    implemented_at = models.DateTimeField(null=True, blank=True)
    rolled_back_at = models.DateTimeField(null=True, blank=True)
    roll_back_reason = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    template = models.ForeignKey(
        "incidents.ChangeTemplate", null=True, blank=True, on_delete=models.SET_NULL, related_name="changes"
    )
    risk_answers = models.JSONField(default=dict, blank=True, help_text="Question of the questionnaire to points.")
    quorum = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How many approvers must approve; empty for all of them."
    )
    freeze_waived_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    freeze_waived_because = models.TextField(blank=True)
    check_result = models.CharField(max_length=6, choices=CheckResult.choices, blank=True)
    check_notes = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "-id"], name="changes_by_status"),
            models.Index(
                fields=["approval_due_at"],
                name="emergency_approvals_due",
                condition=Q(flagged_at__isnull=True, approval_state="pending"),
            ),
            models.Index(fields=["window_start", "window_end"], name="changes_in_the_calendar"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ChangeStatus.values), name="change_status_known"),
            models.CheckConstraint(
                condition=Q(window_start__isnull=True)
                | Q(window_end__isnull=True)
                | Q(window_end__gt=F("window_start")),
                name="change_window_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(status="implemented") | Q(implemented_at__isnull=False), name="implemented_has_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    @property
    def ref(self) -> str:
        return f"CHG-{self.pk}"

    @transition(field=status, source=_C.DRAFT, target=_C.AWAITING_APPROVAL)
    def to_awaiting_approval(self) -> None:
        """Submitted; approvers vote."""

    @transition(field=status, source=[_C.DRAFT, _C.AWAITING_APPROVAL], target=_C.APPROVED)
    def to_approved(self) -> None:
        """May be implemented; a standard change gets here by being submitted."""

    @transition(field=status, source=_C.AWAITING_APPROVAL, target=_C.REJECTED)
    def to_rejected(self) -> None:
        """Refused by its approvers."""

    @transition(field=status, source=[_C.APPROVED, _C.DRAFT, _C.AWAITING_APPROVAL], target=_C.IMPLEMENTING)
    def to_implementing(self) -> None:
        """Under way. Only an emergency change may come here without approval (checked by the action)."""

    @transition(field=status, source=_C.IMPLEMENTING, target=_C.IMPLEMENTED)
    def to_implemented(self) -> None:
        """In place."""

    @transition(field=status, source=[_C.IMPLEMENTING, _C.IMPLEMENTED], target=_C.ROLLED_BACK)
    def to_rolled_back(self) -> None:
        """Taken back."""

    @transition(field=status, source=[_C.IMPLEMENTED, _C.ROLLED_BACK], target=_C.CLOSED)
    def to_closed(self) -> None:
        """Nothing left to do."""

    @transition(field=status, source=[_C.DRAFT, _C.AWAITING_APPROVAL, _C.APPROVED], target=_C.CANCELLED)
    def to_cancelled(self) -> None:
        """Not needed any more."""


class ChangeApproval(models.Model):
    class Vote(models.TextChoices):
        PENDING = "pending", "Pending"
        APPROVE = "approve", "Approve"
        REJECT = "reject", "Reject"

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="approvals")
    approver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="change_votes")
    vote = models.CharField(max_length=8, choices=Vote.choices, default=Vote.PENDING)
    comment = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    voted_at = models.DateTimeField(null=True, blank=True)
    delegate = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="change_votes_for_others",
        help_text="Who may vote in the approver's place.",
    )  # fmt: skip
    voted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    condition = models.TextField(blank=True, help_text="The approval holds once this is met.")
    condition_met_at = models.DateTimeField(null=True, blank=True)
    condition_met_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["change", "approver"], name="one_vote_per_approver"),
            models.CheckConstraint(
                condition=Q(condition_met_at__isnull=True) | ~Q(condition=""), name="only_a_condition_can_be_met"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change_id}: {self.approver_id} {self.vote}"


class ChangeLink(models.Model):
    class Relation(models.TextChoices):
        FIX = "fix", "Fix"
        CAUSE = "cause", "Cause"

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="links")
    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="change_links")
    relation = models.CharField(max_length=5, choices=Relation.choices)
    linked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    linked_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["change", "incident", "relation"], name="change_linked_once_per_relation")
        ]

    def __str__(self) -> str:
        return f"{self.change_id} {self.relation} of {self.incident_id}"
