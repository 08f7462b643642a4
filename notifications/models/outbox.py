"""The outbox, what people read inside the product, and who follows what."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from incidents.models import MajorIncident, Service, TimelineEvent, User
from incidents.process import Audience
from notifications.models.channels import ChannelKey, ContactPoint, Destination


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
    address = models.CharField(
        max_length=254,
        help_text="E-mail address or number; user-N inside the product, contact-N or destination-N where it is secret.",
    )
    channel = models.CharField(max_length=12, choices=ChannelKey.choices)
    contact = models.ForeignKey(
        ContactPoint, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    destination = models.ForeignKey(
        Destination, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    instead_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False,
        help_text="The failed one it follows.",
    )  # fmt: skip
    provider_id = models.CharField(
        max_length=120, blank=True, help_text="What the provider calls it; receipts and answers name it."
    )
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
    receipt = models.CharField(max_length=250, blank=True, help_text="What the provider said of it later.")
    receipt_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True, help_text="When the person said that they have read it.")
    acknowledged_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    acknowledged_how = models.CharField(max_length=60, blank=True, help_text="By which way, in words.")
    reminded_at = models.DateTimeField(null=True, help_text="When the missing acknowledgement was asked for again.")
    escalated_at = models.DateTimeField(null=True, help_text="When it was reported as missing to the desk manager.")
    resent_at = models.DateTimeField(null=True, help_text="When somebody had it sent once more.")
    resent_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    resend_reason = models.CharField(max_length=250, blank=True)

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
            models.Index(
                fields=["acknowledgement_wanted_by"],
                name="deliveries_to_chase",
                condition=Q(acknowledgement_wanted_by__isnull=False, acknowledged_at=None, escalated_at=None),
            ),
            models.Index(fields=["contact"], name="deliveries_to_a_contact_point", condition=Q(contact__isnull=False)),
            models.Index(
                fields=["destination", "-id"], name="deliveries_to_a_place", condition=Q(destination__isnull=False)
            ),
            models.Index(fields=["provider_id"], name="deliveries_by_provider_id", condition=~Q(provider_id="")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "channel", "address"], name="told_once_per_event_and_address"),
            models.CheckConstraint(
                condition=~Q(state="delivered") | Q(delivered_at__isnull=False), name="delivered_has_time"
            ),
            models.CheckConstraint(condition=Q(receipt="") | Q(receipt_at__isnull=False), name="receipt_has_time"),
        ]

    def __str__(self) -> str:
        return f"{self.moment} to {self.address} by {self.channel}: {self.state}"

    @property
    def addressed_to(self) -> str:
        """The name of a place many read, otherwise the address."""
        return self.destination.name if self.destination else self.address

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

    name = models.CharField(max_length=64, unique=True)
    beaten_at = models.DateTimeField()
    allowed_seconds = models.PositiveIntegerField(default=30, help_text="Silent for longer, it counts as late.")

    def __str__(self) -> str:
        return f"{self.name} {self.beaten_at:%F %T}"
