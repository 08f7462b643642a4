"""Tickets: one report each, from any channel."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q
from django_fsm import RETURN_VALUE, transition

from incidents.models.people import Team, User
from incidents.models.services import Service
from incidents.models.state_field import StateField
from incidents.priority import Level, Priority
from incidents.sealed import readable


class TicketKind(models.TextChoices):
    INCIDENT = "incident", "Incident"
    SERVICE_REQUEST = "service_request", "Service request"


class Channel(models.TextChoices):
    PORTAL = "portal", "Portal"
    EMAIL = "email", "E-mail"
    HOTLINE = "hotline", "Hotline"
    API = "api", "API"
    MONITORING = "monitoring", "Monitoring"


class TicketStatus(models.TextChoices):
    NEW = "new", "New"
    ASSIGNED = "assigned", "Assigned"
    IN_PROGRESS = "in_progress", "In progress"
    ON_HOLD = "on_hold", "On hold"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"


class SlaKind(models.TextChoices):
    RESPONSE = "response", "Response"
    RESOLUTION = "resolution", "Resolution"


OPEN_TICKET_STATUSES = [TicketStatus.NEW, TicketStatus.ASSIGNED, TicketStatus.IN_PROGRESS, TicketStatus.ON_HOLD]
_S = TicketStatus


class Ticket(models.Model):
    """INC-n. `reported_at` is when it reached the desk; it may be backdated by an import."""

    title = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=16, choices=TicketKind.choices, default=TicketKind.INCIDENT)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    requester = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets")
    requester_email = models.EmailField(blank=True)
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets")
    configuration_item = models.CharField(max_length=200, blank=True)
    impact = models.PositiveSmallIntegerField(choices=Level.choices, default=Level.MEDIUM)
    urgency = models.PositiveSmallIntegerField(choices=Level.choices, default=Level.MEDIUM)
    priority = models.CharField(max_length=2, choices=Priority.choices, default=Priority.P3)
    status = StateField(max_length=12, choices=TicketStatus.choices, default=TicketStatus.NEW, protected=True)
    assignee = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="assigned_tickets")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets")
    support_tier = models.PositiveSmallIntegerField(default=1)
    major_incident = models.ForeignKey(
        "MajorIncident", null=True, blank=True, on_delete=models.PROTECT, related_name="tickets"
    )
    candidate = models.ForeignKey("Candidate", null=True, blank=True, on_delete=models.PROTECT, related_name="tickets")
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged_tickets"
    )
    split_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="split_off")
    kept_open_reason = models.TextField(blank=True, help_text="Why it stays open when its major incident is resolved.")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField()
    began_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when it does not work, as the requester says; None: nobody said."
    )
    callback_sealed = models.TextField(blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    resolution = models.TextField(blank=True)
    hold_reason = models.TextField(blank=True)
    alerts_resolved_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when none of its alerts fires; None while one does, or without any."
    )
    sla_kind = models.CharField(max_length=10, choices=SlaKind.choices, blank=True)
    sla_warn_at = models.DateTimeField(null=True, blank=True)
    sla_due_at = models.DateTimeField(null=True, blank=True, help_text="The nearest promise; empty while none runs.")
    sla_stamp = models.UUIDField(null=True, blank=True, help_text="Under which targets its clocks were computed.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "-id"], name="ticket_queue_by_status"),
            models.Index(fields=["service", "-reported_at"], name="ticket_by_service"),
            models.Index(fields=["-reported_at", "-id"], name="ticket_by_arrival"),
            models.Index(
                fields=["assignee", "-id"], name="ticket_my_work", condition=~Q(status__in=["resolved", "closed"])
            ),
            models.Index(fields=["requester", "-id"], name="ticket_my_reports"),
            models.Index(fields=["priority", "-id"], name="ticket_by_priority"),
            models.Index(
                fields=["major_incident", "-id"], name="ticket_children", condition=Q(major_incident__isnull=False)
            ),
            GinIndex(SearchVector("title", "description", config="simple"), name="ticket_words"),
            models.Index(fields=["sla_due_at", "id"], name="ticket_by_promise", condition=Q(sla_due_at__isnull=False)),
            models.Index(
                fields=["sla_stamp"], name="ticket_clocks_to_renew", condition=~Q(status__in=["resolved", "closed"])
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(impact__range=(1, 4)) & Q(urgency__range=(1, 4)), name="ticket_levels_1_to_4"
            ),
            models.CheckConstraint(condition=Q(status__in=TicketStatus.values), name="ticket_status_known"),
            models.CheckConstraint(
                condition=~Q(status__in=["resolved", "closed"]) | Q(resolved_at__isnull=False),
                name="ticket_resolved_has_time",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(status="closed"), name="ticket_merged_is_closed"
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="ticket_not_merged_into_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    @property
    def ref(self) -> str:
        return f"INC-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_TICKET_STATUSES

    @property
    def callback_number(self) -> str:
        """Where to call back; "" when nobody said."""
        return readable(self.callback_sealed)

    @transition(field=status, source=[_S.NEW, _S.ASSIGNED, _S.IN_PROGRESS, _S.ON_HOLD], target=_S.ASSIGNED)
    def to_assigned(self) -> None:
        """Given to a person or team; nobody has begun."""

    @transition(field=status, source=[_S.NEW, _S.ASSIGNED, _S.ON_HOLD], target=_S.IN_PROGRESS)
    def to_in_progress(self) -> None:
        """Somebody works on it."""

    @transition(field=status, source=[_S.NEW, _S.ASSIGNED, _S.IN_PROGRESS], target=_S.ON_HOLD)
    def to_on_hold(self) -> None:
        """Waits for somebody else; `hold_reason` says for whom."""

    @transition(field=status, source=[_S.NEW, _S.ASSIGNED, _S.IN_PROGRESS, _S.ON_HOLD], target=_S.RESOLVED)
    def to_resolved(self) -> None:
        """Works again as far as the desk knows; sets `resolved_at` beforehand."""

    @transition(field=status, source=_S.RESOLVED, target=_S.CLOSED)
    def to_closed(self) -> None:
        """The requester agreed, or did not object in time."""

    @transition(field=status, source=[_S.RESOLVED, _S.CLOSED], target=_S.IN_PROGRESS)
    def to_reopened(self) -> None:
        """Still broken."""

    @transition(field=status, source=[*OPEN_TICKET_STATUSES, _S.RESOLVED, _S.CLOSED], target=_S.CLOSED)
    def to_merged(self) -> None:
        """A duplicate: everything about it is said in `merged_into`, which is set beforehand."""

    @transition(field=status, source=_S.CLOSED, target=RETURN_VALUE(*TicketStatus.values))
    def to_unmerged(self, before: str) -> str:
        """No duplicate after all: as it was before it was merged."""
        return before


class TicketComment(models.Model):
    """One entry of the conversation. `public` ones reach the requester."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    html = models.TextField(help_text="The text as sanitised HTML, made once on saving.")
    public = models.BooleanField(default=False)
    origin = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="Merged in with it."
    )
    became = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="Split off from here."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.text[:60]}"


class Attachment(models.Model):
    """A file on a ticket, stored under its UUID outside the web root and always served as a download."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="attachments")
    file = models.FileField(upload_to="attachments/%Y/%m", max_length=200)
    filename = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    uploaded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    origin = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="Merged in with it."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.filename


class TicketWatcher(models.Model):
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="watchers")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="watched_tickets")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="watches_once")]

    def __str__(self) -> str:
        return f"{self.user_id} watches {self.ticket_id}"


class TicketEscalation(models.Model):
    class Kind(models.TextChoices):
        FUNCTIONAL = "functional", "Functional"
        HIERARCHICAL = "hierarchical", "Hierarchical"

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="escalations")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    to_team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    to_user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    to_tier = models.PositiveSmallIntegerField(null=True, blank=True)
    reason = models.TextField()
    escalated_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    escalated_at = models.DateTimeField()

    class Meta:
        ordering = ["escalated_at", "id"]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.kind}"


class TicketMerge(models.Model):
    """A duplicate put into a surviving ticket, with what it takes to undo that."""

    source = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="merges")
    target = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+")
    reason = models.TextField(blank=True)
    merged_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    merged_at = models.DateTimeField()
    status_before = models.CharField(max_length=12, choices=TicketStatus.choices)
    resolved_before = models.DateTimeField(null=True, blank=True)
    closed_before = models.DateTimeField(null=True, blank=True)
    watchers_added = ArrayField(models.BigIntegerField(), default=list, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(undone_at__isnull=True), name="merged_into_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source_id} into {self.target_id}"


class ViewedList(models.TextChoices):
    """Lists whose filters can be kept under a name."""

    TICKETS = "tickets", "Tickets"
    INCIDENTS = "incidents", "Major incidents"


class SavedView(models.Model):
    """Filters of a list under a name: one person's, or also their team's."""

    screen = models.CharField(max_length=10, choices=ViewedList.choices, default=ViewedList.TICKETS)

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True, help_text="The filters as they stand in the address.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "screen", "name"], name="one_view_of_a_name")]

    def __str__(self) -> str:
        return self.name
