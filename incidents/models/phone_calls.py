"""Calls to the telephone line: what each caller chose and said, whatever became of the call."""

from django.db import models
from django.db.models import Q

from incidents.models.candidates import Candidate
from incidents.models.monitoring import Integration
from incidents.models.people import User
from incidents.models.tickets import Attachment, Ticket
from incidents.sealed import readable


class CallState(models.TextChoices):
    GREETED = "greeted", "In the menu"
    REPORTING = "reporting", "Speaking the report"
    REPORTED = "reported", "Reported"
    PUT_THROUGH = "put_through", "Put through"
    INFORMED = "informed", "Heard the current outages"
    HUNG_UP = "hung_up", "Hung up before reporting"


class RecordingState(models.TextChoices):
    NONE = "none", "None"
    WAITING = "waiting", "To be fetched"
    FETCHED = "fetched", "Kept with the ticket"
    FAILED = "failed", "Could not be fetched"


class PhoneCall(models.Model):
    """One call, found again by the provider's id. Numbers are sealed.

    `settle_at` is when a call whose end nobody told us is taken as ended; None once it is settled.
    `transcription` may come before or after the ticket; `transcribed_at` is when it went into the ticket.
    """

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="phone_calls")
    call_sid = models.CharField(max_length=64)
    caller_sealed = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=CallState.choices, default=CallState.GREETED)
    requester = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    ticket = models.ForeignKey(Ticket, null=True, on_delete=models.PROTECT, related_name="phone_calls")
    candidate = models.ForeignKey(Candidate, null=True, on_delete=models.PROTECT, related_name="+")
    is_suspected_major = models.BooleanField(default=False)
    has_heard_outages = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    settle_at = models.DateTimeField(null=True)
    recording_sid = models.CharField(max_length=64, blank=True)
    recording_url = models.CharField(max_length=500, blank=True)
    recording_seconds = models.PositiveIntegerField(null=True)
    recording_state = models.CharField(max_length=8, choices=RecordingState.choices, default=RecordingState.NONE)
    recording_problem = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    attachment = models.ForeignKey(Attachment, null=True, on_delete=models.SET_NULL, related_name="+")
    transcription = models.TextField(blank=True)
    transcribed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["integration", "call_sid"], name="one_row_per_call")]
        indexes = [
            models.Index(fields=["settle_at"], name="calls_to_settle", condition=Q(settle_at__isnull=False)),
            models.Index(
                fields=["next_attempt_at"], name="recordings_to_fetch", condition=Q(recording_state="waiting")
            ),
            models.Index(fields=["ticket"], name="calls_of_a_ticket", condition=Q(ticket__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.call_sid}: {self.state}"

    @property
    def caller(self) -> str:
        """The number the call came from; "" when it was withheld."""
        return readable(self.caller_sealed)
