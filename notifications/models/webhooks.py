"""Webhooks: who listens, each message, the programs that follow the status page and what they were last told."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from incidents.models import MajorIncident, Service, TimelineEvent, User


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
