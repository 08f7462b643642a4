"""Escalation policies, and the pages that follow them step by step."""

from django.db import models
from django.db.models import Q

from incidents.models import Candidate, MajorIncident, TimelineEvent, User


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
