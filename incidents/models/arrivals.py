"""What arrives and what is usual: the rows the influx detector counts with."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from incidents.models.candidates import Candidate
from incidents.models.people import User
from incidents.models.services import Service
from incidents.models.tickets import Ticket


class ArrivalCount(models.Model):
    """Incident tickets and newly firing alerts of one service (None: no service named) in one minute (UTC)."""

    service = models.ForeignKey(Service, null=True, on_delete=models.CASCADE, related_name="+")
    minute = models.DateTimeField(help_text="The beginning of the minute.")
    tickets = models.PositiveIntegerField(default=0)
    alerts = models.PositiveIntegerField(default=0)
    sources = ArrayField(
        models.BigIntegerField(),
        default=list,
        help_text="Who reported, as numbers that tell requesters apart; at most 64.",
    )
    looked = models.BooleanField(default=False, help_text="The detector has seen the latest of them.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "minute"], name="one_count_per_service_and_minute", nulls_distinct=False
            )
        ]
        indexes = [
            models.Index(fields=["minute"], name="arrivals_by_minute"),
            models.Index(fields=["minute"], name="arrivals_to_look_at", condition=Q(looked=False)),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} {self.minute:%F %R}: {self.tickets} tickets, {self.alerts} alerts"


class TextCluster(models.Model):
    """Recent tickets that say the same, whatever their service. `candidate` is what they are evidence for."""

    words = models.CharField(max_length=120, help_text="What it is called: the words most of its tickets share.")
    weights = models.JSONField(default=dict)
    counts = models.JSONField(default=dict, help_text="In how many of its tickets each term occurs.")
    services = models.JSONField(default=dict, help_text="How many of its tickets name each service.")
    members = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    candidate = models.ForeignKey(Candidate, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-last_at"]
        indexes = [models.Index(fields=["-last_at"], name="clusters_by_latest")]

    def __str__(self) -> str:
        return f"{self.words} ({self.members})"


class Arrival(models.Model):
    """An incident ticket on its way to the detector: written with the ticket, looked at right after, kept two days.

    `at` is when it was reported. `source` tells requesters apart; reports nobody is named for count as one each.
    `service` is what it counts for: the one it names, else the one that tickets in the same words name.
    """

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    source = models.BigIntegerField()
    service = models.ForeignKey(Service, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    cluster = models.ForeignKey(TextCluster, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    counted = models.BooleanField(default=False, help_text="It is in the counters, or does not count.")
    looked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["ticket"], name="tickets_to_look_at", condition=Q(looked_at__isnull=True)),
            models.Index(fields=["cluster", "-at"], name="tickets_of_a_cluster", condition=Q(cluster__isnull=False)),
            models.Index(fields=["service", "-at"], name="tickets_counted_for", condition=Q(service__isnull=False)),
            models.Index(fields=["at"], name="tickets_to_forget"),
        ]

    def __str__(self) -> str:
        return f"INC-{self.ticket_id} at {self.at:%F %T}"


class UsualArrivals(models.Model):
    """What one service (None: all together) brings in one hour of the week: 0 is Monday 00:00, organisation's zone."""

    service = models.ForeignKey(Service, null=True, on_delete=models.CASCADE, related_name="+")
    hour = models.PositiveSmallIntegerField()
    per_hour = models.FloatField()
    observed = models.PositiveSmallIntegerField(help_text="From how many weeks it is known.")
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "hour"], name="usual_once_per_hour", nulls_distinct=False),
            models.CheckConstraint(condition=Q(hour__lt=168), name="hour_of_the_week"),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} hour {self.hour}: {self.per_hour:.2f}"


class TicketVocabulary(models.Model):
    """In how many of the latest tickets each term occurs: which words say something. The newest row counts."""

    documents = models.PositiveIntegerField()
    counts = models.JSONField(default=dict)
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.documents} tickets, {self.computed_at:%F %R}"


class BacktestState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class Backtest(models.Model):
    """Thresholds tried on past tickets, beside those in force. Done a week at a time; resumes at `cursor`.

    `claimed_until` is the lease of whoever works on it. `result` maps "tried" and "saved" to what each would have done.
    """

    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    service = models.ForeignKey(
        Service,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Whose thresholds they are; None: all.",
    )
    tried = models.JSONField()
    saved = models.JSONField(help_text="What was in force when it was asked, under the service's key or default.")
    state = models.CharField(max_length=8, choices=BacktestState.choices, default=BacktestState.WAITING)
    cursor = models.DateTimeField()
    tickets = models.PositiveIntegerField(default=0, help_text="Replayed so far.")
    result = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    claimed_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=models.F("since")), name="backtest_ends_after_start")
        ]
        indexes = [models.Index(fields=["id"], name="backtests_to_do", condition=Q(state__in=["waiting", "running"]))]

    def __str__(self) -> str:
        return f"Back-test {self.pk}: {self.state}"

    @property
    def progress(self) -> int:
        """Percent of the period replayed."""
        if self.state == BacktestState.DONE:
            return 100
        return int(100 * (self.cursor - self.since) / (self.until - self.since))


class InfluxThresholds(models.Model):
    """Thresholds as somebody saved them; the newest row of a service (None: all) counts, older ones are the history.

    `values` empty on a row of a service: it follows the organisation again.
    """

    service = models.ForeignKey(Service, null=True, on_delete=models.CASCADE, related_name="+")
    values = models.JSONField(default=dict)
    backtest = models.ForeignKey(Backtest, null=True, on_delete=models.SET_NULL, related_name="+")
    set_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["service", "-id"], name="thresholds_in_force")]

    def __str__(self) -> str:
        return f"{self.service_id or 'all'} since {self.set_at:%F %R}"
