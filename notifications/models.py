"""The outbox, what people read inside the product, and who follows what."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from incidents.models import Candidate, MajorIncident, Service, TimelineEvent, User
from incidents.process import Audience


class ChannelKey(models.TextChoices):
    EMAIL = "email", "E-mail"
    IN_APP = "in_app", "In the product"


class DeliveryState(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    SUPPRESSED = "suppressed", "Suppressed"


WAITING_STATES = [DeliveryState.QUEUED, DeliveryState.SENDING]


class Message(models.Model):
    """The wording of one event for one audience, made when the first of its deliveries leaves, then kept.

    `audience` is empty for what is said to one person.
    """

    event = models.ForeignKey(TimelineEvent, on_delete=models.PROTECT, related_name="+")
    moment = models.CharField(max_length=32)
    audience = models.CharField(max_length=20, blank=True)
    subject = models.CharField(max_length=250)
    summary = models.TextField(blank=True, help_text="The body alone, for the inbox.")
    short = models.TextField(blank=True, help_text="One line with its link, for SMS and chat.")
    text = models.TextField()
    html = models.TextField()
    url = models.CharField(max_length=500, blank=True)
    worded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "moment", "audience"], name="one_wording_per_event_and_audience")
        ]

    def __str__(self) -> str:
        return self.subject


class Delivery(models.Model):
    """One message to one address on one channel: the outbox, and afterwards the record of who was told.

    Written in the transaction of the event. `audiences` are all it counts for, `audience` the one whose
    words it uses. `delivered_at` is when the channel accepted it (SMTP 250), aware UTC.
    """

    event = models.ForeignKey(TimelineEvent, on_delete=models.PROTECT, related_name="+")
    incident = models.ForeignKey(MajorIncident, null=True, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=254, help_text="E-mail address, or user-N inside the product.")
    channel = models.CharField(max_length=8, choices=ChannelKey.choices)
    moment = models.CharField(max_length=32)
    audience = models.CharField(max_length=20, choices=Audience.choices, blank=True)
    audiences = ArrayField(models.CharField(max_length=20, choices=Audience.choices), default=list)
    wording = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, related_name="deliveries")
    message_id = models.CharField(max_length=120, help_text="The same however often it is sent.")
    priority = models.PositiveSmallIntegerField(default=5, help_text="0 leaves first.")
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    queued_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    valid_until = models.DateTimeField(help_text="Not sent any more after this.")
    lease = models.UUIDField(null=True, help_text="Who is sending it.")
    lease_until = models.DateTimeField(null=True, help_text="Somebody else may send it after this.")
    held_until = models.DateTimeField(null=True, help_text="Held back in a storm; goes out in a digest then.")
    acknowledgement_wanted_by = models.DateTimeField(
        null=True, help_text="By when the communication plan wants it acknowledged."
    )
    delivered_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True, help_text="What the provider said last.")
    reason = models.TextField(blank=True, help_text="Why it failed, waits or was held back, in words.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["channel", "priority", "next_attempt_at"],
                name="deliveries_to_send",
                condition=Q(state__in=["queued", "sending"]),
            ),
            models.Index(fields=["incident", "moment", "state"], name="deliveries_of_an_incident"),
            models.Index(fields=["recipient", "-id"], name="deliveries_of_a_person"),
            models.Index(fields=["state", "-id"], name="deliveries_by_state"),
            models.Index(fields=["address", "channel", "-delivered_at"], name="deliveries_in_a_storm"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "channel", "address"], name="told_once_per_event_and_address"),
            models.CheckConstraint(
                condition=~Q(state="delivered") | Q(delivered_at__isnull=False), name="delivered_has_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.moment} to {self.address} by {self.channel}: {self.state}"

    @property
    def moment_in_words(self) -> str:
        return self.moment.replace("_", " ").capitalize()

    @property
    def audiences_in_words(self) -> str:
        return ", ".join(str(Audience(name).label) for name in self.audiences)


class FanOut(models.Model):
    """The rest of a large audience of one event, written in batches; resumes after `after_user`, `after_address`."""

    event = models.OneToOneField(TimelineEvent, on_delete=models.PROTECT, related_name="+")
    after_user = models.BigIntegerField(default=0)
    after_address = models.CharField(max_length=254, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], name="fan_outs_to_finish", condition=Q(finished_at__isnull=True))]

    def __str__(self) -> str:
        return f"Fan-out of event {self.event_id}"


class Notice(models.Model):
    """What one person reads in the inbox of the product."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(TimelineEvent, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=250)
    text = models.TextField()
    url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"], name="inbox_of_a_person"),
            models.Index(fields=["user"], name="unread_of_a_person", condition=Q(read_at__isnull=True)),
        ]
        constraints = [models.UniqueConstraint(fields=["event", "user"], name="one_notice_per_event_and_person")]

    def __str__(self) -> str:
        return self.title

    @property
    def path(self) -> str:
        """Where it leads within the product; empty when it leads elsewhere (a bridge)."""
        ours = f"{settings.PUBLIC_URL}/"
        return self.url[len(ours) - 1 :] if self.url.startswith(ours) else ""


class Subscription(models.Model):
    """Somebody asked to hear about an incident as its users do: a person, or an address without an account."""

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "user"], condition=Q(user__isnull=False), name="person_subscribes_once"
            ),
            models.UniqueConstraint(
                fields=["incident", "email"], condition=Q(user__isnull=True), name="address_subscribes_once"
            ),
            models.CheckConstraint(condition=Q(user__isnull=False) | ~Q(email=""), name="subscriber_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.email or self.user_id} follows {self.incident_id}"


class QueuedMail(models.Model):
    """A mail to one address that belongs to no event: an invitation, a reset of a password.

    `sealed` is the whole mail, empty once it was sent or given up: it holds links that open an account.
    """

    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=250)
    sealed = models.TextField(blank=True)
    queued_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"],
                name="mails_to_send",
                condition=Q(sent_at__isnull=True, given_up_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {self.address}"


class StatusSubscriber(models.Model):
    """An address that asked on the status page to hear of disruptions; hears nothing before it confirmed.

    No `services` means all that are public. `ended_at`: it wants no such mails any more, whatever made it follow.
    """

    email = models.EmailField(unique=True, help_text="In small letters.")
    services = models.ManyToManyField(Service, blank=True, related_name="+")
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["email"]
        indexes = [
            models.Index(
                fields=["asked_at"],
                name="subscribers_to_forget",
                condition=Q(confirmed_at__isnull=True, ended_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.email


class Heartbeat(models.Model):
    """When a part of the machinery last showed that it is alive."""

    name = models.CharField(max_length=32, unique=True)
    beaten_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.beaten_at:%F %T}"


class Occasion(models.TextChoices):
    """What somebody is paged for."""

    CANDIDATE = "candidate", "A candidate is raised"
    HOTLINE = "hotline", "The hotline suspects a major incident"
    COMMAND = "command", "A major incident has no manager, or was declared automatically"


class TemplateVersion(models.Model):
    """Words of the organisation's own for one moment and audience (empty for messages to one person).

    The newest version counts; one that `is_shipped` says that the shipped words count again. `failure` is why it
    could not be used when a message was worded; the shipped words went out instead.
    """

    moment = models.CharField(max_length=32)
    audience = models.CharField(max_length=20, choices=Audience.choices, blank=True)
    number = models.PositiveIntegerField()
    subject = models.TextField(blank=True)
    short = models.TextField(blank=True)
    text = models.TextField(blank=True)
    is_shipped = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    failed_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["moment", "audience", "number"], name="template_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.moment}, {self.audience or 'person'}, version {self.number}"


class EscalationPolicy(models.Model):
    """Who is paged on an occasion, and who next when nobody answers. Without a row the shipped policy counts.

    A step is {"who": [target, …], "wait_seconds": n}; `escalation_policy.py` reads targets.
    """

    occasion = models.CharField(max_length=12, choices=Occasion.choices, unique=True)
    steps = models.JSONField(default=list)
    repeat = models.PositiveSmallIntegerField(default=0, help_text="How often it begins again from the first step.")
    changed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.get_occasion_display())


class PageState(models.TextChoices):
    PAGING = "paging", "Paging"
    ANSWERED = "answered", "Answered"
    ENDED = "ended", "Ended"
    UNANSWERED = "unanswered", "Nobody answered"


class Page(models.Model):
    """One escalation: people are called step by step until somebody answers. `plan` is the policy as it was at the
    beginning; `due_at` (aware UTC) is when the next step is taken, None once it is over."""

    occasion = models.CharField(max_length=12, choices=Occasion.choices)
    event = models.OneToOneField(TimelineEvent, on_delete=models.PROTECT, related_name="+")
    candidate = models.ForeignKey(Candidate, null=True, on_delete=models.PROTECT, related_name="+")
    incident = models.ForeignKey(MajorIncident, null=True, on_delete=models.PROTECT, related_name="+")
    plan = models.JSONField()
    state = models.CharField(max_length=10, choices=PageState.choices, default=PageState.PAGING)
    round = models.PositiveSmallIntegerField(default=0)
    step = models.PositiveSmallIntegerField(default=0, help_text="Taken next.")
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it ended, in words.")
    alarmed_at = models.DateTimeField(null=True, help_text="When somebody was told that a step is late.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], name="pages_due", condition=Q(state="paging")),
            models.Index(fields=["candidate", "-id"], name="pages_of_a_candidate"),
            models.Index(fields=["incident", "-id"], name="pages_of_an_incident"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["candidate"], condition=Q(state="paging"), name="one_page_at_a_time_per_candidate"
            ),
            models.UniqueConstraint(
                fields=["incident"], condition=Q(state="paging"), name="one_page_at_a_time_per_incident"
            ),
            models.CheckConstraint(
                condition=Q(candidate__isnull=False, incident__isnull=True)
                | Q(candidate__isnull=True, incident__isnull=False),
                name="page_about_one_record",
            ),
            models.CheckConstraint(
                condition=Q(state="paging", due_at__isnull=False) | ~Q(state="paging") & Q(due_at__isnull=True),
                name="paging_has_a_due_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.occasion} {self.ref}: {self.state}"

    @property
    def ref(self) -> str:
        return f"CAN-{self.candidate_id}" if self.candidate_id else f"MI-{self.incident_id}"


class CallState(models.TextChoices):
    CALLED = "called", "Called"
    KNOWS = "knows", "Knows already"
    ANSWERED = "answered", "Answered"
    PASSED_ON = "passed_on", "Passed on"


class PageCall(models.Model):
    """One person called in one step of a page. `why` says as what; `event` is the entry its messages belong to."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="calls")
    round = models.PositiveSmallIntegerField()
    step = models.PositiveSmallIntegerField()
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=CallState.choices, default=CallState.CALLED)
    called_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    event = models.ForeignKey(TimelineEvent, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["event", "person"], name="calls_of_an_event")]
        constraints = [models.UniqueConstraint(fields=["page", "round", "step", "person"], name="called_once_per_step")]

    def __str__(self) -> str:
        return f"{self.person} on {self.page_id}: {self.state}"
