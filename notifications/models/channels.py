"""How messages leave besides e-mail: the accounts at providers, where one person is reached, and places many read."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from incidents.models import Service, User
from incidents.process import Audience
from incidents.sealed import seal, unseal


class ChannelKey(models.TextChoices):
    EMAIL = "email", "E-mail"
    IN_APP = "in_app", "In the product"
    SMS = "sms", "SMS"
    VOICE = "voice", "Voice call"
    WEB_PUSH = "web_push", "Web push"
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    MATTERMOST = "mattermost", "Mattermost"
    MATRIX = "matrix", "Matrix"
    TELEGRAM = "telegram", "Telegram"
    NTFY = "ntfy", "ntfy"
    APPRISE = "apprise", "Other service"


class Health(models.Model):
    """What a provider, a place or an address answered lately: written by whoever sends, read by pages and routing."""

    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_failed_at = models.DateTimeField(null=True, blank=True)
    last_failure = models.CharField(max_length=500, blank=True)
    failures_in_row = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def is_failing(self) -> bool:
        return self.failures_in_row >= FAILING_AFTER

    def is_avoided(self, now: datetime) -> bool:
        """Whether messages take another way for the moment. Later one is tried, or it stayed so forever."""
        return self.is_failing and self.last_failed_at is not None and now - self.last_failed_at < AVOIDED_FOR

    @property
    def health(self) -> str:
        """`ok`, `failing`, `unsteady` (failed last, not often) or `unknown` (never used)."""
        if self.is_failing:
            return "failing"
        if self.failures_in_row:
            return "unsteady"
        return "ok" if self.last_ok_at else "unknown"


FAILING_AFTER = 3
"""So many failures in a row, and it counts as failing."""
AVOIDED_FOR = timedelta(minutes=10)


class Sealed(models.Model):
    """A few secret values, sealed as one text: a copy of the database opens none of them."""

    sealed = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def secrets(self) -> dict[str, Any]:
        """Raises SealBroken when the secret key has changed."""
        opened: dict[str, Any] = json.loads(unseal(self.sealed) or "{}")
        return opened

    def keep_secrets(self, values: dict[str, Any]) -> None:
        """Sets them on the row; saving is the caller's."""
        self.sealed = seal(json.dumps(values)) if values else ""


class ChannelAccount(Health, Sealed):
    """What an administrator entered for one channel: the account at its provider. Without a row the channel is off.

    `settings` is what may be read again (address of the provider, sender's number); tokens are sealed. E-mail and the
    inbox of the product need no row; e-mail has one for its health once a mail was tried.
    """

    channel = models.CharField(max_length=12, choices=ChannelKey.choices, unique=True)
    is_enabled = models.BooleanField(default=True)
    settings = models.JSONField(default=dict, blank=True)
    changed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["channel"]

    def __str__(self) -> str:
        return str(self.get_channel_display())


class ContactPoint(Health, Sealed):
    """Where one person is reached on one channel, besides the e-mail address of the account, which is always there.

    `address` is what may be shown to the person (a number, a user name); what is secret of it (a push subscription, an
    address with a token) is sealed. Nothing is sent to it before `verified_at`, besides the code that verifies it.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="contact_points")
    channel = models.CharField(max_length=12, choices=ChannelKey.choices)
    address = models.CharField(max_length=254)
    position = models.PositiveSmallIntegerField(default=1, help_text="Smaller is tried first.")
    takes_messages = models.BooleanField(default=False, help_text="Updates and questions, not only pages.")
    page_after_minutes = models.PositiveSmallIntegerField(
        default=0, help_text="A page rings here so long after it began, unless somebody answered."
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    code_hash = models.CharField(max_length=128, blank=True)
    code_sent_at = models.DateTimeField(null=True, blank=True)
    code_attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "channel", "address"], name="contact_point_once_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.address}"


class ContactSettings(models.Model):
    """What one person wants of messages. Without a row: e-mail first, no quiet hours.

    Quiet hours are in the person's own time zone and may go over midnight; equal times mean none.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="contact_settings")
    email_position = models.PositiveSmallIntegerField(default=0, help_text="Where the account's e-mail stands.")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_both_ends",
            )
        ]

    def __str__(self) -> str:
        return f"Contact settings of {self.user_id}"


class Destination(Health, Sealed):
    """A place that many read, told on behalf of audiences: a Slack channel, a Teams webhook, a Matrix room.

    `address` is what may be shown; tokens and secret addresses are sealed. No `severities` means all, no `services`
    means all. `added_by` and `changed_at` are for the record.
    """

    name = models.CharField(max_length=120, unique=True)
    channel = models.CharField(max_length=12, choices=ChannelKey.choices)
    address = models.CharField(max_length=254, blank=True)
    audiences = ArrayField(models.CharField(max_length=20, choices=Audience.choices), default=list)
    severities = ArrayField(models.CharField(max_length=4), default=list, blank=True)
    services = models.ManyToManyField(Service, blank=True, related_name="+")
    is_enabled = models.BooleanField(default=True)
    added_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def note_outcome(row: Health, *, failure: str, at: datetime) -> None:
    """Writes to the row of an account, place or address what became of a message; `failure` "" is success.

    A row that is well and stays well is written at most once a minute: a storm must not queue for one row.
    """
    if failure:
        row.failures_in_row += 1
        row.last_failed_at, row.last_failure = at, failure[:500]
    elif row.failures_in_row == 0 and row.last_ok_at and (at - row.last_ok_at).total_seconds() < 60:
        return
    else:
        row.failures_in_row, row.last_ok_at = 0, at
    type(row)._default_manager.filter(pk=row.pk).update(
        failures_in_row=row.failures_in_row,
        last_ok_at=row.last_ok_at,
        last_failed_at=row.last_failed_at,
        last_failure=row.last_failure,
    )
