"""Working together on one incident: bridge, war room, tasks, updates, promises, decisions of management."""

import re
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from incidents.models.bridges import BridgeKind
from incidents.models.major_incidents import MajorIncident
from incidents.models.people import User
from incidents.process import Audience


class Bridge(models.Model):
    """Where the team talks: a link, a number to dial, or both. `revision` grows with every change, and with the
    cancelling; the invitation in people's calendars carries it."""

    Provider = BridgeKind

    incident = models.OneToOneField(MajorIncident, on_delete=models.CASCADE, related_name="bridge")
    provider = models.CharField(max_length=8, choices=BridgeKind.choices, default=BridgeKind.OTHER)
    join_url = models.URLField(max_length=500, blank=True)
    dial_in = models.CharField(max_length=200, blank=True)
    set_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(join_url="") | ~Q(dial_in=""), name="bridge_with_a_link_or_a_number")
        ]

    def __str__(self) -> str:
        return self.join_url or self.dial_in

    @property
    def address(self) -> str:
        """What the join button opens: the link, else the telephone number."""
        return self.join_url or f"tel:{re.sub(r'[^0-9+]', '', self.dial_in.partition(',')[0])}"


class WarRoom(models.Model):
    incident = models.OneToOneField(MajorIncident, on_delete=models.CASCADE, related_name="war_room")
    location = models.CharField(max_length=200, blank=True, help_text="For those on site.")
    url = models.URLField(max_length=500, blank=True)
    opened_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.location or self.url


class Presence(models.Model):
    """Somebody entered the war room; open while `left_at` is None."""

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="presences")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["entered_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "user"], condition=Q(left_at__isnull=True), name="present_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.incident_id}"


class TaskStatus(models.TextChoices):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"


OPEN_TASK_STATUSES = (TaskStatus.OPEN, TaskStatus.IN_PROGRESS)


class Task(models.Model):
    """A piece of work. With a time box (`minutes`) its end is `due_at`, counted from when somebody took it; then its
    owner is called back once (`called_back_at`): done, more time, or given back."""

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=250)
    target = models.CharField(max_length=120, blank=True, help_text="What it is done to: a node, a table, a provider.")
    minutes = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The time box.")
    checklist = models.CharField(max_length=120, blank=True, help_text="The checklist it came from.")
    assignee = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="incident_tasks")
    due_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=TaskStatus.choices, default=TaskStatus.OPEN)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    called_back_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    result = models.TextField(blank=True, help_text="What came of it.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["assignee", "due_at"], name="tasks_of_a_person", condition=~Q(status="done")),
            models.Index(
                fields=["due_at"],
                name="tasks_to_call_back",
                condition=Q(called_back_at__isnull=True, status__in=["open", "in_progress"]),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_TASK_STATUSES


class UpdateQuerySet(models.QuerySet["StatusUpdate"]):
    def public(self, at: datetime) -> "UpdateQuerySet":
        """What users may read at `at`: written for them, past its waiting time, not taken back."""
        return self.filter(
            Q(leaves_at__isnull=True) | Q(leaves_at__lte=at), audiences__contains=[Audience.USERS], undone_at=None
        )


class StatusUpdate(models.Model):
    """What was told, per audience: `texts` maps audience to Markdown.

    It waits until `technical_leaves_at` for the technical team and until `leaves_at` for everybody else (None: it did
    not wait), and can be taken back until the later of those that concern it. `promised_before` is the next update
    that was owed when it was published. All aware UTC.
    """

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="updates")
    texts = models.JSONField()
    audiences = ArrayField(models.CharField(max_length=20, choices=Audience.choices))
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()
    next_update_at = models.DateTimeField(null=True, blank=True)
    leaves_at = models.DateTimeField(null=True, blank=True)
    technical_leaves_at = models.DateTimeField(null=True, blank=True)
    promised_before = models.DateTimeField(null=True, blank=True)
    corrects = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = UpdateQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-id"]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.published_at:%F %R}"

    def leaves_to(self, audience: str) -> datetime | None:
        """When it leaves for the audience; None: it did not wait."""
        return self.technical_leaves_at if audience == Audience.TECHNICAL else self.leaves_at

    @property
    def undo_until(self) -> datetime | None:
        """Until when something of it may be held back still; None when it never waited."""
        return max((at for at in map(self.leaves_to, self.audiences) if at), default=None)

    def can_be_undone(self, now: datetime) -> bool:
        return self.undone_at is None and self.undo_until is not None and now < self.undo_until

    @property
    def reached(self) -> list[str]:
        """The audiences whose waiting time was over before it was taken back; all when it was not."""
        if self.undone_at is None:
            return list(self.audiences)
        return [name for name in self.audiences if (self.leaves_to(name) or self.published_at) <= self.undone_at]


class UpdateDraft(models.Model):
    """A status update somebody is writing: what stands in the fields of the composer, saved as they type."""

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="update_drafts")
    author = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    content = models.JSONField(default=dict)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["-saved_at"]
        constraints = [models.UniqueConstraint(fields=["incident", "author"], name="one_draft_per_person_and_incident")]

    def __str__(self) -> str:
        return f"{self.incident_id} by {self.author_id}"


class UpdatePromise(models.Model):
    """The next update is due at a time. Kept when an update goes out by then."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        KEPT = "kept", "Kept"
        BROKEN = "broken", "Broken"
        WITHDRAWN = "withdrawn", "Withdrawn"

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="promises")
    due_at = models.DateTimeField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        StatusUpdate, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="Which update."
    )
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was moved or withdrawn.")
    nagged_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [models.Index(fields=["due_at"], name="promises_to_watch", condition=Q(state="open"))]
        constraints = [models.UniqueConstraint(fields=["incident"], condition=Q(state="open"), name="one_open_promise")]

    def __str__(self) -> str:
        return f"{self.incident_id} by {self.due_at:%F %R}"


class Approval(models.Model):
    """A decision asked of management."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="approvals")
    question = models.TextField()
    options = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    approver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="approvals_asked")
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    cost_of_waiting = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    chosen = models.CharField(max_length=200, blank=True)
    comment = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["approver", "due_at"], name="decisions_waiting", condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return self.question[:80]
