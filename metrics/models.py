"""What is kept about figures: the row of each incident, targets, views, and the reports that were mailed."""

from django.db import models
from django.db.models import Q

from incidents.models import MajorIncident, Team, User
from metrics.definitions import KPI_BY_KEY


class IncidentFigures(models.Model):
    """One row per incident: what is dear to compute, kept so that a dashboard need not.

    `stale_since` asks the sweep to compute it; triggers of the database set it in the transaction of whatever
    moved the figures. While `is_kept` is false the figures are computed from the records at the moment of asking,
    so a row is never out of date, only slower. Seconds; None where a clock is unknown.
    """

    incident = models.OneToOneField(MajorIncident, on_delete=models.CASCADE, related_name="+")
    mttd_seconds = models.FloatField(null=True)
    mtta_seconds = models.FloatField(null=True)
    mttr_seconds = models.FloatField(null=True)
    time_to_declare_seconds = models.FloatField(null=True)
    time_to_contain_seconds = models.FloatField(null=True)
    time_to_restore_seconds = models.FloatField(null=True)
    downtime_seconds = models.FloatField(null=True)
    cost = models.FloatField(null=True)
    costs = models.JSONField(null=True, help_text="{service id: cost of its downtime}")
    effort_seconds = models.FloatField(null=True)
    steps_opened = models.PositiveIntegerField(default=0)
    steps_conforming = models.PositiveIntegerField(default=0)
    promises_settled = models.PositiveIntegerField(default=0)
    promises_kept = models.PositiveIntegerField(default=0)
    is_reviewed = models.BooleanField(default=False)
    has_problem = models.BooleanField(default=False)
    cause = models.CharField(max_length=10, blank=True)
    channel = models.CharField(max_length=10, blank=True)
    is_complete = models.BooleanField(default=False, help_text="Every clock needed has a value or is not applicable.")
    is_kept = models.BooleanField(default=False, help_text="Nothing has moved since it was computed.")
    computed_at = models.DateTimeField(null=True, blank=True)
    stale_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "incident figures"
        indexes = [
            models.Index(fields=["stale_since"], name="figures_to_compute", condition=Q(stale_since__isnull=False))
        ]

    def __str__(self) -> str:
        return f"Figures of MI-{self.incident_id}"


class MonthFigures(models.Model):
    """One whole month of the organisation's calendar: its lengths, sums and outages, so that ten years are 120 rows.

    Right only while no `Moved` touches it; a month without a row is computed from its incidents at the moment of
    asking. Written by `metrics.kept_months` alone, when the month is over and every incident of it is kept.
    """

    version = models.UUIDField(primary_key=True, help_text="Another one each time: who has read it need not again.")
    starts_at = models.DateTimeField(unique=True)
    ends_at = models.DateTimeField(help_text="The first moment of the month after.")
    zone = models.CharField(max_length=64, help_text="The calendar it is a month of.")
    content = models.JSONField(help_text="As `metrics.month_sql` makes it.")

    class Meta:
        verbose_name_plural = "month figures"

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d}"


class Moved(models.Model):
    """Figures between these moments have changed: months that it touches count no more.

    Inserted by triggers of the database in the transaction of whatever moved a figure, taken away by the sweep. None
    means from always, or for ever.
    """

    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "moved"

    def __str__(self) -> str:
        return f"{self.since or 'always'} to {self.until or 'for ever'}"


class Target(models.Model):
    """What a figure should be: at most `value`, at least for the time between failures and for shares.

    Seconds for durations, a share of 1 for rates, a number for counts (a month), money for cost (a month).
    """

    kpi = models.CharField(max_length=24, unique=True, choices=[(key, kpi.label) for key, kpi in KPI_BY_KEY.items()])
    value = models.FloatField()
    set_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["kpi"]
        constraints = [models.CheckConstraint(condition=Q(value__gte=0), name="target_not_negative")]

    def __str__(self) -> str:
        return f"{self.kpi}: {self.value:g}"


class FigureView(models.Model):
    """A question about figures under a name: one person's, their team's or everybody's."""

    class SharedWith(models.TextChoices):
        NOBODY = "nobody", "Only me"
        TEAM = "team", "My team"
        EVERYBODY = "everybody", "Everybody who reads figures"

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    shared_with = models.CharField(max_length=9, choices=SharedWith.choices, default=SharedWith.NOBODY)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True, help_text="The question as it stands in the address.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_figure_view_of_a_name")]

    def __str__(self) -> str:
        return self.name


class ReportSchedule(models.Model):
    """When the report of the past month leaves, and to whom besides everybody in management."""

    is_on = models.BooleanField(default=False)
    day = models.PositiveSmallIntegerField(default=1, help_text="Day of the month after, from 1 to 28.")
    hour = models.PositiveSmallIntegerField(default=7, help_text="Hour of that day in the organisation's zone.")
    to_management = models.BooleanField(default=True)
    addresses = models.JSONField(default=list, blank=True, help_text="Further e-mail addresses.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_report_schedule"),
            models.CheckConstraint(
                condition=Q(day__range=(1, 28)) & Q(hour__range=(0, 23)), name="report_day_and_hour"
            ),
        ]

    def __str__(self) -> str:
        return f"day {self.day}" if self.is_on else "off"

    @classmethod
    def current(cls) -> "ReportSchedule":
        """The row, or unsaved defaults."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class SentReport(models.Model):
    """One month's report that was queued for sending. The month is unique: twice is impossible."""

    month = models.CharField(max_length=7, unique=True, help_text="Like 2026-03.")
    queued_at = models.DateTimeField()
    recipients = models.JSONField(default=list)
    pdf = models.BinaryField()

    class Meta:
        ordering = ["-month"]

    def __str__(self) -> str:
        return self.month


class HistoryUpload(models.Model):
    """A file of past incidents on its way in: what it held, how its columns are read, and what became of its rows.

    `content` is forgotten once the rows are in. A worker claims the row by `claimed_at`; a claim that is minutes old
    was left by a worker that died, and the import, which changes nothing when it is run twice, is run again.
    """

    class State(models.TextChoices):
        MAPPING = "mapping", "Columns to be checked"
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    name = models.CharField(max_length=200)
    source = models.CharField(max_length=12, blank=True)
    rows = models.JSONField(default=list, help_text="The rows as they came.")
    columns = models.JSONField(default=list)
    reading = models.JSONField(default=dict, help_text="{columns: {field: column}, zone, day_first}")
    is_dry_run = models.BooleanField(default=True)
    state = models.CharField(max_length=7, choices=State.choices, default=State.MAPPING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    errors = models.JSONField(default=list, help_text="The first rejected rows: row, external_id, errors.")
    reason = models.TextField(blank=True)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state"], name="uploads_to_run", condition=Q(state__in=["queued", "running"]))]

    def __str__(self) -> str:
        return self.name
