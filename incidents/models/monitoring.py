"""What monitoring tools send: where it comes in, the raw payloads, and the alerts made of them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q

from incidents.models.candidates import Candidate
from incidents.models.major_incidents import MajorIncident
from incidents.models.people import Team, User
from incidents.models.services import Service
from incidents.models.tickets import Ticket


class IntegrationKind(models.TextChoices):
    """The adapters. The value stands in the address: `/in/{kind}/{key}`."""

    ALERTMANAGER = "alertmanager", "Prometheus Alertmanager"
    PAGERDUTY = "pagerduty", "PagerDuty Events v2"
    OPSGENIE = "opsgenie", "Opsgenie alerts"
    GRAFANA = "grafana", "Grafana"
    ZABBIX = "zabbix", "Zabbix"
    NAGIOS = "nagios", "Nagios"
    ICINGA = "icinga", "Icinga 2"
    DATADOG = "datadog", "Datadog"
    SNS = "sns", "Amazon CloudWatch through SNS"
    SENTRY = "sentry", "Sentry"
    UPTIME_KUMA = "uptime-kuma", "Uptime Kuma"
    CLOUDEVENTS = "cloudevents", "CloudEvents"
    VICTOROPS = "victorops", "VictorOps (Splunk On-Call)"
    SERVICENOW = "servicenow", "ServiceNow table API"
    GENERIC = "generic", "Any JSON"
    HEARTBEAT = "heartbeat", "Heartbeat"
    VOICE = "voice", "Telephone (Twilio)"
    API = "api", "REST API"


class Integration(models.Model):
    """One sender. Its key is shown once and kept as SHA-256; `settings` holds what its kind needs.

    A heartbeat is expected every `expected_every_seconds`; it is late `grace_seconds` after `beat_due_at`.
    """

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=16, choices=IntegrationKind.choices)
    key_sha256 = models.CharField(max_length=64, unique=True)
    key_prefix = models.CharField(max_length=8)
    signing_secrets = ArrayField(
        models.TextField(), default=list, blank=True, help_text="Encrypted; the newest first, two live at most."
    )
    service = models.ForeignKey(
        Service,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="When an alert names none.",
    )
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    settings = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    expected_every_seconds = models.PositiveIntegerField(null=True, blank=True)
    grace_seconds = models.PositiveIntegerField(default=60)
    last_beat_at = models.DateTimeField(null=True, blank=True)
    beat_due_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(fields=["beat_due_at"], name="heartbeats_that_are_due", condition=Q(beat_due_at__isnull=False))
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="heartbeat") | Q(expected_every_seconds__gt=0), name="heartbeat_has_a_rhythm"
            )
        ]

    def __str__(self) -> str:
        return self.name


class PayloadState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Processed"
    REFUSED = "refused", "Refused"
    FAILED = "failed", "Failed"


class Payload(models.Model):
    """One body as it came, kept whatever became of it. Accepted means: this row is committed.

    `refused` was answered 4xx and says why in `reason`; `failed` was accepted and could not be processed, which is
    our fault and can be replayed. `headers` holds only what adapters read, never a secret.
    """

    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="payloads")
    received_at = models.DateTimeField()
    path = models.CharField(max_length=300, blank=True, help_text="What the sender appended to its address.")
    method = models.CharField(max_length=8, default="POST")
    headers = models.JSONField(default=dict)
    query = models.CharField(max_length=2000, blank=True)
    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=PayloadState.choices, default=PayloadState.WAITING)
    reason = models.TextField(blank=True)
    alerts = models.PositiveIntegerField(default=0, help_text="How many alerts it spoke of.")
    is_drill = models.BooleanField(default=False, help_text="Sent to try it out: its alerts make no noise.")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], name="payloads_to_process", condition=Q(state="waiting")),
            models.Index(fields=["integration", "-id"], name="payloads_of_an_integration"),
            models.Index(fields=["received_at"], name="payloads_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.state}"


class AlertState(models.TextChoices):
    FIRING = "firing", "Firing"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    RESOLVED = "resolved", "Resolved"


class AlertSeverity(models.TextChoices):
    CRITICAL = "critical", "Critical"
    ERROR = "error", "Error"
    WARNING = "warning", "Warning"
    INFO = "info", "Info"


_OWNERS = (("ticket", "a_ticket"), ("candidate", "a_candidate"), ("major_incident", "an_incident"))
_RESTLESS = Q(ended_at__isnull=True) | Q(is_flapping=True)


class AlertOutcome(models.TextChoices):
    TICKET = "ticket", "Ticket"
    CANDIDATE = "candidate", "Candidate"
    INCIDENT = "incident", "Joined an open major incident"
    NOTHING = "nothing", "Kept only"


class Alert(models.Model):
    """What a monitoring tool says about one condition, from firing to resolved: one row an episode.

    The same key fires again after it was resolved: a new episode, hence a new row. `reports` counts how often the
    sender said it. `state_at` is the sender's time of the last change, so that a late repetition changes nothing.
    Foreign keys have no index of their own where one below begins with them. Most have no constraint either, which
    took three quarters of storing a storm: the writer reads or locks every parent in the same transaction, Django
    empties the keys of deleted ones, and tickets, candidates and incidents are never deleted.
    """

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="alert_rows", db_index=False)
    dedup_key = models.CharField(max_length=512)
    episode = models.CharField(max_length=120, help_text="The sender's own mark of this occurrence, else ours.")
    status = models.CharField(max_length=12, choices=AlertState.choices)
    severity = models.CharField(max_length=8, choices=AlertSeverity.choices)
    title = models.CharField(max_length=1024)
    body = models.TextField(blank=True)
    link = models.CharField(max_length=1000, blank=True, help_text="Where the tool shows it.")
    service = models.ForeignKey(
        Service,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="alerts",
        db_index=False,
        db_constraint=False,
    )
    labels = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    state_at = models.DateTimeField()
    first_received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    reports = models.PositiveIntegerField(default=1)
    changes = models.PositiveIntegerField(default=1, help_text="How often it went from one state to another.")
    recent_changes = ArrayField(
        models.DateTimeField(),
        default=list,
        help_text="When it last fired or resolved, episodes before this one included: what flapping is told by.",
    )
    is_flapping = models.BooleanField(default=False)
    in_maintenance = models.BooleanField(default=False, help_text="Began inside a maintenance window of its service.")
    is_drill = models.BooleanField(default=False)
    outcome = models.CharField(
        max_length=12, choices=AlertOutcome.choices, blank=True, help_text="What the rules decided; empty: nothing yet."
    )
    decide_at = models.DateTimeField(null=True, blank=True, help_text="When the rules look at it next; None: no more.")
    rule = models.ForeignKey(
        "AlertRule",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The one that fitted.",
    )
    ticket = models.ForeignKey(
        Ticket,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="alerts",
        db_index=False,
        db_constraint=False,
    )
    candidate = models.ForeignKey(
        Candidate,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="alerts",
        db_index=False,
        db_constraint=False,
    )
    major_incident = models.ForeignKey(
        MajorIncident,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="alerts",
        db_index=False,
        db_constraint=False,
    )
    payload = models.ForeignKey(
        Payload,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The latest that spoke of it; emptied when that is forgotten.",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["integration", "dedup_key", "episode"], name="one_alert_per_episode"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="alert_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(status="resolved", ended_at__isnull=False)
                | (~Q(status="resolved") & Q(ended_at__isnull=True)),
                name="alert_ended_when_resolved",
            ),
        ]
        indexes = [
            models.Index(fields=["integration", "dedup_key", "-id"], name="alerts_by_key"),
            models.Index(fields=["status", "-id"], name="alerts_by_status"),
            models.Index(fields=["service", "-started_at"], name="alerts_of_a_service"),
            *[
                models.Index(
                    fields=[owner, "-id"], name=f"alerts_of_{word}", condition=Q(**{f"{owner}__isnull": False})
                )
                for owner, word in _OWNERS
            ],
            # Whether one fires still is asked with every body that resolves some, however many there are.
            *[
                models.Index(fields=[owner], name=f"alerts_firing_of_{word}", condition=_RESTLESS)
                for owner, word in _OWNERS
            ],
            models.Index(fields=["decide_at"], name="alerts_to_decide", condition=Q(decide_at__isnull=False)),
            models.Index(fields=["id"], name="alerts_that_flap", condition=Q(is_flapping=True)),
            models.Index(fields=["ended_at"], name="alerts_to_forget", condition=Q(ended_at__isnull=False)),
            # A long list of what is not sorted in yet: sorting 4 MB in at a time took a quarter of a storm's time. The
            # next vacuum does it, within a minute of a storm.
            GinIndex(
                SearchVector("title", "body", config="simple"),
                name="alerts_by_their_words",
                gin_pending_list_limit=32 * 1024,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.status})"


class AlertRule(models.Model):
    """When an alert looks like this, then do that; the first rule that fits decides. No rule fits: nothing.

    Conditions that are empty fit everything. `label_equals` maps label names to values; `text_contains` looks in
    title and body whatever the case. Tickets are folded: alerts of one rule and one service share the open ticket.
    """

    class Outcome(models.TextChoices):
        TICKET = "ticket", "Open a ticket"
        CANDIDATE = "candidate", "Propose a major incident"
        NOTHING = "nothing", "Keep the alert only"

    name = models.CharField(max_length=120, unique=True)
    position = models.PositiveIntegerField(default=100)
    is_active = models.BooleanField(default=True)
    integration = models.ForeignKey(Integration, null=True, blank=True, on_delete=models.CASCADE, related_name="rules")
    severities = ArrayField(models.CharField(max_length=8, choices=AlertSeverity.choices), default=list, blank=True)
    services = models.ManyToManyField(Service, blank=True, related_name="+")
    text_contains = models.CharField(max_length=200, blank=True)
    label_equals = models.JSONField(default=dict, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    after_seconds = models.PositiveIntegerField(
        default=0, help_text="Only when it still fires after so long; what resolves earlier made no noise."
    )
    impact = models.PositiveSmallIntegerField(default=3)
    urgency = models.PositiveSmallIntegerField(default=3)
    service = models.ForeignKey(
        Service,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="When the alert names none.",
    )
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(impact__range=(1, 4)) & Q(urgency__range=(1, 4)), name="rule_levels_1_to_4"
            )
        ]

    def __str__(self) -> str:
        return self.name


class AlertFold(models.Model):
    """The latest ticket that the alerts of one rule and one service (None: of none) share while it is open."""

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="+")
    service = models.ForeignKey(Service, null=True, on_delete=models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "service"], name="one_fold_per_rule_and_service", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.service_id}: {self.ticket_id}"
