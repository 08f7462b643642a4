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


# --- Webhooks ----------------------------------------------------------------------------------------------
class Webhook(models.Model):
    """An address of somebody's program that is told what happens. Its messages are what `owner` may see.

    `events` holds names of `webhooks/catalogue.py`; empty lists and no services mean all. Two secrets are good until
    `old_secret_until`. `failing_since` and `failures` count since the last message that was taken; `not_before` is
    when the endpoint asked to be left alone until. `is_public` ones follow the status page and have no owner.
    """

    name = models.CharField(max_length=120)
    url = models.CharField(max_length=2000)
    sealed_secret = models.TextField()
    old_sealed_secret = models.TextField(blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    events = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    severities = ArrayField(models.CharField(max_length=4), default=list, blank=True)
    services = models.ManyToManyField(Service, blank=True, related_name="+")
    include_drills = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=300, blank=True, help_text="Why it was switched off by itself.")
    is_public = models.BooleanField(default=False, help_text="A subscription of the status page.")
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    last_tried_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP; None: nobody answered.")
    last_answer = models.CharField(max_length=300, blank=True, help_text="What went wrong last, in words.")
    last_delivered_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=Q(is_public=False), name="webhook_has_its_own_name"),
            models.UniqueConstraint(fields=["url"], condition=Q(is_public=True), name="endpoint_follows_once"),
            models.CheckConstraint(
                condition=Q(is_public=True, owner__isnull=True) | Q(is_public=False, owner__isnull=False),
                name="webhook_belongs_to_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookMessageState(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"


class WebhookMessage(models.Model):
    """One event for one webhook, kept after it was sent. `body` is exactly what was signed; empty until the first try.

    `message_id` is the `webhook-id` of every try, so that a receiver recognises a repetition. `is_trial`: a test or the
    question whether the endpoint wants to follow; it leaves although the webhook is off. The key of the webhook has no
    constraint: an act that tells a webhook must not fail because that is deleted at the same moment.
    """

    webhook = models.ForeignKey(
        Webhook, on_delete=models.DO_NOTHING, related_name="messages", db_constraint=False, db_index=False
    )
    event = models.ForeignKey(TimelineEvent, null=True, on_delete=models.PROTECT, related_name="+")
    message_id = models.CharField(max_length=64, unique=True)
    type = models.CharField(max_length=64)
    body = models.TextField(blank=True)
    is_trial = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=WebhookMessageState.choices, default=WebhookMessageState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    lease = models.UUIDField(null=True, help_text="Who is sending it.")
    lease_until = models.DateTimeField(null=True, help_text="Somebody else may send it after this.")
    delivered_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP, of the last try; None: nobody answered.")
    answer = models.CharField(max_length=500, blank=True, help_text="How the last answer began.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it waits or failed, in words.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="messages_of_a_webhook"),
            models.Index(
                fields=["webhook", "id"], name="webhooks_to_send", condition=Q(state__in=["queued", "sending"])
            ),
            models.Index(fields=["queued_at"], name="webhook_messages_to_forget"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="one_message_per_webhook_and_event"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}: {self.state}"


class StatusEndpoint(models.Model):
    """What a webhook of the status page was asked and answered. Hears nothing but the question before it confirmed.

    `challenge` is good for one confirmation and empty afterwards; `asked_from` says nothing but whether two came from
    the same network address.
    """

    webhook = models.OneToOneField(Webhook, on_delete=models.CASCADE, related_name="endpoint")
    asked_at = models.DateTimeField()
    asked_from = models.CharField(max_length=64)
    challenge = models.CharField(max_length=64, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["asked_at"], name="endpoints_by_asking")]

    def __str__(self) -> str:
        return f"{self.webhook_id}, asked {self.asked_at:%F %R}"


class PublicWord(models.Model):
    """What webhooks of the status page were last told of an incident, as a digest; they hear of it when it differs."""

    incident = models.OneToOneField(MajorIncident, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    is_over = models.BooleanField(default=False)
    is_withdrawn = models.BooleanField(default=False)
    told_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["incident"], name="words_that_may_be_withdrawn", condition=Q(is_withdrawn=False))
        ]

    def __str__(self) -> str:
        return f"MI-{self.incident_id} at {self.told_at:%F %R}"
