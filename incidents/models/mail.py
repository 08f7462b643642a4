"""E-mail that comes in: every mail as it came, the addresses it comes to, and the mailboxes that are polled."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from incidents.models.people import Team, User
from incidents.models.services import Service
from incidents.models.tickets import Ticket, TicketComment


class MailState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    TICKET = "ticket", "Ticket"
    COMMENT = "comment", "Comment"
    IGNORED = "ignored", "Ignored"
    QUARANTINED = "quarantined", "In quarantine"
    PARKED = "parked", "Parked"
    FAILED = "failed", "Failed"


class MailKind(models.TextChoices):
    """What an automatic mail is; empty for one that a person wrote."""

    OWN = "own", "Our own message"
    BOUNCE = "bounce", "Bounce"
    RECEIPT = "receipt", "Receipt"
    REPLY = "reply", "Automatic reply"
    CALENDAR = "calendar", "Calendar answer"
    GENERATED = "generated", "Sent by a program"


class ReceivingAddress(models.Model):
    """Mail to this address becomes tickets of this service and team. Other recipients are refused."""

    address = models.EmailField(max_length=254)
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["address"]
        constraints = [models.UniqueConstraint(Lower("address"), name="one_row_per_receiving_address")]

    def __str__(self) -> str:
        return self.address


class Mailbox(models.Model):
    """A mailbox polled over IMAP. Mail is stored here first and marked there afterwards.

    `last_uid` counts within `uid_validity`; a server that changes the latter has numbered everything anew.
    `last_error` is in words and says what to do; it is empty while all is well.
    """

    class Security(models.TextChoices):
        TLS = "tls", "TLS"
        STARTTLS = "starttls", "STARTTLS"
        NONE = "none", "Not encrypted"

    class Afterwards(models.TextChoices):
        SEEN = "seen", "Mark it as read"
        MOVE = "move", "Move it to another folder"

    name = models.CharField(max_length=120, unique=True)
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=993)
    security = models.CharField(max_length=8, choices=Security.choices, default=Security.TLS)
    username = models.CharField(max_length=254)
    sealed_password = models.TextField()
    folder = models.CharField(max_length=200, default="INBOX")
    afterwards = models.CharField(max_length=4, choices=Afterwards.choices, default=Afterwards.SEEN)
    move_to = models.CharField(max_length=200, blank=True)
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    is_active = models.BooleanField(default=True)
    uid_validity = models.BigIntegerField(null=True)
    last_uid = models.BigIntegerField(default=0)
    next_poll_at = models.DateTimeField()
    lease = models.UUIDField(null=True, help_text="Who polls it.")
    lease_until = models.DateTimeField(null=True, help_text="Somebody else may poll it after this.")
    last_polled_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="How often in a row it could not be polled.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["next_poll_at"], name="mailboxes_to_poll", condition=Q(is_active=True))]
        constraints = [
            models.CheckConstraint(condition=~Q(afterwards="move") | ~Q(move_to=""), name="moved_mail_has_a_folder")
        ]

    def __str__(self) -> str:
        return self.name


class MailRules(models.Model):
    """The one row of limits for e-mail in, and where the listener said that it listens. Read by `current()`."""

    tickets_per_hour = models.PositiveIntegerField(default=10)
    answers_per_day = models.PositiveIntegerField(default=5)
    automatic_opens_ticket = models.BooleanField(default=True)
    listener_address = models.CharField(max_length=300, blank=True)
    listener_seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_row_of_mail_rules")]

    def __str__(self) -> str:
        return "Rules of e-mail in"

    @classmethod
    def current(cls) -> "MailRules":
        """The row, or unsaved defaults before anybody saved any."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class InboundMail(models.Model):
    """One mail as it came, kept whatever became of it. Accepted means: this row is committed.

    `reason` says in words why it is in its state. `sender` is the address in From, lower-case, "" when it names none;
    it is only as true as the sender's server makes it. `is_signed`: it bore a reference we had signed;
    `is_from_other`: for somebody else than its sender. `is_answered`: the sender got an automatic answer.
    """

    class Via(models.TextChoices):
        SMTP = "smtp", "SMTP"
        LMTP = "lmtp", "LMTP"
        IMAP = "imap", "Mailbox"

    received_at = models.DateTimeField()
    via = models.CharField(max_length=4, choices=Via.choices)
    mailbox = models.ForeignKey(Mailbox, null=True, blank=True, on_delete=models.SET_NULL, related_name="mails")
    uid_validity = models.BigIntegerField(null=True)
    uid = models.BigIntegerField(null=True)
    peer = models.CharField(max_length=64, blank=True)
    envelope_from = models.CharField(max_length=320, blank=True)
    has_envelope = models.BooleanField(default=False, help_text="Whether the empty sender means a bounce.")
    recipients = ArrayField(models.CharField(max_length=320), default=list)
    raw = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    body_sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    message_id = models.CharField(max_length=300, blank=True)
    sender = models.CharField(max_length=254, blank=True)
    sender_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=250, blank=True)
    headers = models.JSONField(default=list, help_text="Pairs of name and value, decoded and cut, as they came.")
    text = models.TextField(blank=True, help_text="What was read of it, once it was processed.")
    state = models.CharField(max_length=12, choices=MailState.choices, default=MailState.WAITING)
    reason = models.TextField(blank=True)
    automatic = models.CharField(max_length=10, choices=MailKind.choices, blank=True)
    is_signed = models.BooleanField(default=False)
    is_from_other = models.BooleanField(default=False)
    is_answered = models.BooleanField(default=False)
    ticket = models.ForeignKey(Ticket, null=True, blank=True, on_delete=models.SET_NULL, related_name="mails")
    comment = models.OneToOneField(TicketComment, null=True, blank=True, on_delete=models.SET_NULL, related_name="mail")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who said that it becomes a ticket whatever the rules say.",
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_attempt_at", "id"], name="mails_to_process", condition=Q(state="waiting")),
            models.Index(fields=["state", "-id"], name="mails_by_state"),
            models.Index(fields=["sender", "-received_at"], name="mails_of_a_sender"),
            models.Index(fields=["message_id"], name="mails_by_message_id", condition=~Q(message_id="")),
            models.Index(fields=["sha256", "-received_at"], name="mails_that_came_twice"),
            models.Index(fields=["ticket", "id"], name="mails_of_a_ticket", condition=Q(ticket__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["message_id", "sha256"], condition=~Q(message_id=""), name="the_same_mail_once"
            ),
            models.UniqueConstraint(
                fields=["mailbox", "uid_validity", "uid"], condition=Q(uid__isnull=False), name="mail_of_a_mailbox_once"
            ),
            models.CheckConstraint(condition=Q(state__in=MailState.values), name="mail_state_known"),
            models.CheckConstraint(
                condition=Q(state="waiting") | Q(processed_at__isnull=False), name="processed_mail_has_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject or '(no subject)'} from {self.sender or 'nobody'}"
