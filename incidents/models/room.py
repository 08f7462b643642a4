"""What the team adds to its room: checklists, strong objections to a decision, marks on entries, files."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django_fsm import transition

from incidents.models.major_incidents import MajorIncident
from incidents.models.people import User
from incidents.models.response import StatusUpdate
from incidents.models.services import Service
from incidents.models.state_field import StateField
from incidents.models.timeline import TimelineEvent


class ChecklistKind(models.TextChoices):
    """Of what kind of outage a checklist is for."""

    ANY = "any", "Any outage"
    DOWN = "down", "Service down"
    SLOW = "slow", "Slow or failing now and then"
    DATA = "data", "Data wrong or lost"
    SECURITY = "security", "Security"
    NETWORK = "network", "Network"
    PROVIDER = "provider", "Provider or cloud"
    CHANGE = "change", "After a change"


class Checklist(models.Model):
    """A template of tasks; `service` None is for every service. `items`: `[{"title", "minutes", "target"}]`."""

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=10, choices=ChecklistKind.choices, default=ChecklistKind.ANY)
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.CASCADE, related_name="checklists")
    items = models.JSONField(default=list)
    changed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RoundState(models.TextChoices):
    ASKING = "asking", "Any strong objections?"
    STANDS = "stands", "Stands"
    WITHDRAWN = "withdrawn", "Withdrawn"


class DecisionRound(models.Model):
    """A decision that waits for strong objections until `closes_at`. Silence is consent: without one it stands by
    itself; with one whoever commands says whether it stands all the same, and why."""

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="decision_rounds")
    event = models.OneToOneField(TimelineEvent, on_delete=models.PROTECT, related_name="round")
    state = StateField(max_length=9, choices=RoundState.choices, default=RoundState.ASKING, protected=True)
    closes_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, help_text="Why it stands against objections, or was withdrawn.")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["closes_at"], name="rounds_to_close", condition=Q(state="asking"))]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RoundState.values), name="round_state_known"),
            models.CheckConstraint(condition=Q(state="asking") | Q(settled_at__isnull=False), name="settled_has_time"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id}: {self.state}"

    @transition(field=state, source=RoundState.ASKING, target=RoundState.STANDS)
    def stand(self, at: datetime, by: User | None, reason: str) -> None:
        """It is done."""
        self.settled_at, self.settled_by, self.reason = at, by, reason

    @transition(field=state, source=RoundState.ASKING, target=RoundState.WITHDRAWN)
    def withdraw(self, at: datetime, by: User | None, reason: str) -> None:
        """It is not done."""
        self.settled_at, self.settled_by, self.reason = at, by, reason


class Objection(models.Model):
    """A strong objection: why this must not be done."""

    round = models.ForeignKey(DecisionRound, on_delete=models.CASCADE, related_name="objections")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["round", "person"], name="one_objection_per_person")]

    def __str__(self) -> str:
        return f"{self.person_id} against {self.round_id}"


class EntryMark(models.Model):
    """A mark on an entry of the record, which itself never changes: a known fact is pinned above the timeline, a public
    draft is offered to whoever writes the next status update (`used_in`, once it was)."""

    class Kind(models.TextChoices):
        FACT = "fact", "Known fact"
        PUBLIC = "public", "Public draft"

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="marks")
    event = models.ForeignKey(TimelineEvent, on_delete=models.PROTECT, related_name="marks")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    marked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    marked_at = models.DateTimeField()
    used_in = models.ForeignKey(StatusUpdate, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["event", "kind"], name="marked_once_as_each")]

    def __str__(self) -> str:
        return f"{self.event_id} {self.kind}"


class RoomFile(models.Model):
    """A file or screenshot of the room, stored under its UUID outside the web root."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="files")
    file = models.FileField(upload_to="rooms/%Y/%m", max_length=200)
    filename = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    uploaded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_picture(self) -> bool:
        """Of a kind every browser shows and none runs."""
        return self.content_type in PICTURES


PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
