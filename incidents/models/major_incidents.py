"""The major incident, its state machine, its clocks, and the evidence of its ten steps."""

from datetime import datetime
from typing import cast

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django_fsm import transition

from incidents.models.people import User
from incidents.models.plans import PlanVersion
from incidents.models.services import Service
from incidents.models.state_field import StateField
from incidents.priority import Level, Priority, Severity
from incidents.process import (
    CLOCK_ORDER,
    CLOCKS,
    GATES,
    OPEN_STAGES,
    ROLE_ABBREVIATIONS,
    STEP_BY_KEY,
    STEP_CHOICES,
    STEPS,
    Role,
    SeatState,
    Stage,
    StepState,
)


class RaciMatrix(models.Model):
    """One version of the matrix. An incident keeps the version it was declared under."""

    version = models.PositiveIntegerField(unique=True)
    cells = models.JSONField(help_text="{step: {role: 'R/A'}}")
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-version"]

    def __str__(self) -> str:
        return f"Matrix {self.version}"

    def letters(self, step: str, role: str) -> frozenset[str]:
        """The letters of a role in a step; empty when the cell is empty."""
        return frozenset(filter(None, self.cells.get(step, {}).get(role, "").split("/")))

    def roles_with(self, step: str, letter: str) -> list[str]:
        """Roles that carry the letter, in column order."""
        return [role for role in Role.values if letter in self.letters(step, role)]

    def rows(self) -> list[dict[str, object]]:
        """The matrix as a table: step, stage, title and cells in column order."""
        return [
            {
                "key": step.key,
                "stage": step.stage,
                "title": step.title,
                "cells": [
                    {"role": role, "label": ROLE_ABBREVIATIONS[role], "letters": self.cells[step.key].get(role, "")}
                    for role in Role
                ],
            }
            for step in STEPS
        ]


def default_cells() -> dict[str, dict[str, str]]:
    """The shipped matrix in its stored form. R is written before A."""
    return {
        step.key: {role.value: "/".join(sorted(found, key="RACI".index)) for role, found in step.letters.items()}
        for step in STEPS
    }


def outstanding_steps(incident: "MajorIncident", transition_name: str) -> list[str]:
    """Keys of the steps this transition still waits for; the gate, the refusal and the screen read the same."""
    states = {step.key: step.state for step in incident.steps.all()}
    passed = (StepState.DONE, StepState.WAIVED)
    return [key for key in GATES.get(transition_name, ()) if states.get(key) not in passed]


def _gate(name: str):
    def gate(incident: models.Model) -> bool:
        return not outstanding_steps(cast("MajorIncident", incident), name)

    gate.__name__ = f"{name}_gate"
    return gate


def no_open_downtime(incident: models.Model) -> bool:
    return not incident.downtime.filter(ended_at__isnull=True).exists()  # type: ignore[attr-defined]


class Affects(models.TextChoices):
    CUSTOMERS = "customers", "Customers"
    EMPLOYEES = "employees", "Employees"
    BOTH = "both", "Customers and employees"


class MajorIncident(models.Model):
    """MI-n. Clocks are aware UTC; None means unknown. Stage changes only through the transitions below."""

    title = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    stage = StateField(max_length=16, choices=Stage.choices, default=Stage.IDENTIFICATION, protected=True)
    impact = models.PositiveSmallIntegerField(choices=Level.choices)
    urgency = models.PositiveSmallIntegerField(choices=Level.choices)
    priority = models.CharField(max_length=2, choices=Priority.choices)
    severity = models.CharField(max_length=4, choices=Severity.choices)
    affects = models.CharField(max_length=10, choices=Affects.choices, default=Affects.BOTH)
    users_affected = models.PositiveIntegerField(null=True, blank=True)
    revenue_impact = models.TextField(blank=True)
    reputation_impact = models.TextField(blank=True)
    services: "models.ManyToManyField[Service, AffectedService]" = models.ManyToManyField(
        Service, through="AffectedService", related_name="major_incidents"
    )
    is_drill = models.BooleanField(default=False)
    is_imported = models.BooleanField(default=False)
    external_id = models.CharField(max_length=120, blank=True)
    matrix = models.ForeignKey(RaciMatrix, on_delete=models.PROTECT, related_name="+")
    plan_version = models.ForeignKey(
        PlanVersion, null=True, blank=True, on_delete=models.PROTECT, help_text="Who is told of what, and how often."
    )
    declared_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged")
    stood_down_reason = models.TextField(blank=True)

    started_at = models.DateTimeField(null=True, blank=True)
    detected_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    declared_at = models.DateTimeField(null=True, blank=True)
    contained_at = models.DateTimeField(null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    corrected_clocks = models.JSONField(default=list, help_text="Clocks a person set; no longer recomputed.")
    clocks_not_applicable = models.JSONField(default=dict, help_text="{clock: reason}")

    conditions = models.TextField(blank=True)
    actions_summary = models.TextField(blank=True)
    needs = models.TextField(blank=True)
    situation_changed_at = models.DateTimeField(null=True, blank=True)
    situation_changed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    next_update_at = models.DateTimeField(null=True, blank=True, help_text="When the next update is promised.")
    fix_counts_from = models.DateTimeField(
        null=True, blank=True, help_text="Last fall-back or reopening; a fix implemented before it is not evidence."
    )
    alerts_resolved_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when none of its alerts fires; None while one does, or without any."
    )
    last_seq = models.PositiveIntegerField(default=0, help_text="Last number given to a timeline event.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["stage", "-id"], name="major_incidents_by_stage"),
            models.Index(fields=["declared_at"], name="major_incidents_by_declared"),
            models.Index(Coalesce("declared_at", "reported_at"), name="major_incidents_by_period"),
            GinIndex(SearchVector("title", "description", config="simple"), name="major_incident_words"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="stage_known"),
            models.CheckConstraint(
                condition=Q(impact__range=(1, 4)) & Q(urgency__range=(1, 4)), name="incident_levels_1_to_4"
            ),
            models.CheckConstraint(
                condition=~Q(stage__in=["maintenance", "closed"])
                | Q(resolved_at__isnull=False)
                | Q(merged_into__isnull=False)
                | Q(is_imported=True),
                name="resolved_before_maintenance",
            ),
            models.CheckConstraint(
                condition=~Q(stage="closed") | Q(closed_at__isnull=False) | Q(is_imported=True),
                name="closed_has_closed_at",
            ),
            models.CheckConstraint(
                condition=Q(declared_at__isnull=False) | Q(is_imported=True), name="declared_unless_imported"
            ),
            models.CheckConstraint(
                condition=~Q(stage="stood_down") | ~Q(stood_down_reason=""), name="stood_down_with_a_reason"
            ),
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="one_incident_per_external_id"
            ),
            *[
                models.CheckConstraint(
                    condition=Q(**{f"{earlier}__isnull": True})
                    | Q(**{f"{later}__isnull": True})
                    | Q(**{f"{later}__gte": F(earlier)}),
                    name=f"{later.removesuffix('_at')}_not_before_{earlier.removesuffix('_at')}",
                )
                for earlier, later in CLOCK_ORDER
            ],
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    @property
    def ref(self) -> str:
        return f"MI-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.stage in OPEN_STAGES

    @property
    def clocks(self) -> dict[str, datetime | None]:
        return {name: getattr(self, name) for name in CLOCKS}

    def missing_steps(self, transition_name: str) -> list[str]:
        return outstanding_steps(self, transition_name)

    @transition(
        field=stage,
        source=Stage.IDENTIFICATION,
        target=Stage.CONTAINMENT,
        conditions=[_gate("begin_containment")],
    )
    def begin_containment(self) -> None:
        """Stakeholders know; now the spread is stopped."""

    @transition(field=stage, source=Stage.CONTAINMENT, target=Stage.RESOLUTION, conditions=[_gate("begin_resolution")])
    def begin_resolution(self) -> None:
        """The team works together; now the fix is made."""

    @transition(
        field=stage,
        source=Stage.RESOLUTION,
        target=Stage.MAINTENANCE,
        conditions=[_gate("confirm_resolution"), no_open_downtime],
    )
    def confirm_resolution(self, at: datetime) -> None:
        """The fix holds."""
        self.resolved_at = at

    @transition(field=stage, source=Stage.RESOLUTION, target=Stage.CONTAINMENT)
    def fall_back(self, at: datetime) -> None:
        """The fix failed."""
        self.fix_counts_from = at

    @transition(field=stage, source=Stage.MAINTENANCE, target=Stage.CLOSED, conditions=[_gate("close")])
    def close(self, at: datetime) -> None:
        """Reviewed, documented, measured."""
        self.closed_at = at

    @transition(field=stage, source=[Stage.MAINTENANCE, Stage.CLOSED], target=Stage.CONTAINMENT)
    def reopen(self, at: datetime) -> None:
        """It came back; history keeps the cleared values, the last value counts."""
        self.restored_at = self.resolved_at = self.closed_at = None
        self.fix_counts_from = at

    @transition(field=stage, source=list(OPEN_STAGES), target=Stage.STOOD_DOWN)
    def stand_down(self, reason: str) -> None:
        """Declared in error."""
        self.stood_down_reason = reason

    @transition(field=stage, source=Stage.STOOD_DOWN, target=Stage.IDENTIFICATION)
    def reinstate(self) -> None:
        """The stand-down was the error."""
        self.stood_down_reason = ""

    @transition(field=stage, source=list(OPEN_STAGES), target=Stage.CLOSED)
    def merge(self, into: "MajorIncident", at: datetime) -> None:
        """It is the same outage as another one."""
        self.merged_into = into
        self.closed_at = at if self.resolved_at is None else max(at, self.resolved_at)


class AffectedService(models.Model):
    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="affected")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="affected_by")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["incident", "service"], name="service_affected_once")]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.service_id}"


class DowntimeInterval(models.Model):
    """One service was down because of one incident. `service` is None when nobody knows which."""

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="downtime")
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.PROTECT, related_name="downtime")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    follows_clocks = models.BooleanField(
        default=True, help_text="Begins with the incident: correcting started_at or detected_at moves it."
    )

    class Meta:
        ordering = ["started_at", "id"]
        indexes = [models.Index(fields=["service", "started_at"], name="downtime_of_a_service")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="downtime_ends_after_start"
            ),
            models.UniqueConstraint(
                fields=["incident", "service"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="one_open_downtime_per_service",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.service_id} from {self.started_at:%F %R}"


class ClockEntry(models.Model):
    """Every value a clock ever had: who set it, when, what stood there before, and why."""

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="clock_entries")
    clock = models.CharField(max_length=16, choices=[(name, name) for name in CLOCKS])
    value = models.DateTimeField(null=True)
    previous = models.DateTimeField(null=True)
    is_correction = models.BooleanField(default=False)
    reason = models.TextField(blank=True)
    set_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["incident", "clock", "-id"], name="history_of_a_clock")]

    def __str__(self) -> str:
        return f"{self.clock} {self.value}"


class StageEntry(models.Model):
    """One row per transition: the stage history."""

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="stage_entries")
    transition = models.CharField(max_length=24)
    from_stage = models.CharField(max_length=16, blank=True)
    to_stage = models.CharField(max_length=16)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.transition}: {self.from_stage} → {self.to_stage}"


class IncidentStep(models.Model):
    """One of the ten steps on one incident. `done` only while its evidence exists, `waived` with a reason."""

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="steps")
    key = models.CharField(max_length=12, choices=STEP_CHOICES)
    state = models.CharField(max_length=8, choices=StepState.choices, default=StepState.PENDING)
    position = models.PositiveSmallIntegerField()
    evidence = models.JSONField(default=dict, help_text="What proves it, in words and figures.")
    missing = models.JSONField(default=list, help_text="What is still missing, one sentence each.")
    opened_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    by_fallback = models.BooleanField(default=False, help_text="Done or waived by a fallback, not a seated R or A.")
    waived_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    waiver_reason = models.TextField(blank=True)
    accountable_seat = models.ForeignKey(
        "Seat", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="A was handed to it."
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "key"], name="each_step_once"),
            models.CheckConstraint(
                condition=~Q(state="waived") | ~Q(waiver_reason=""), name="step_waived_with_a_reason"
            ),
            models.CheckConstraint(condition=~Q(state="done") | Q(done_at__isnull=False), name="step_done_has_time"),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.key} {self.state}"

    @property
    def definition(self):
        return STEP_BY_KEY[self.key]

    @property
    def stage(self) -> Stage:
        return STEP_BY_KEY[self.key].stage

    @property
    def title(self) -> str:
        return STEP_BY_KEY[self.key].title

    @property
    def is_passed(self) -> bool:
        return self.state in (StepState.DONE, StepState.WAIVED)


class Seat(models.Model):
    """A person holding one of the seven roles on one incident. It counts once accepted."""

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="seats")
    role = models.CharField(max_length=32, choices=Role.choices)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="seats")
    state = models.CharField(max_length=8, choices=SeatState.choices, default=SeatState.INVITED)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    message = models.TextField(blank=True)
    stands_in_for = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="stand_ins",
        help_text="The seat that ends once this one is accepted.",
    )  # fmt: skip

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["user", "state"], name="seats_of_a_person")]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "role", "user"],
                condition=Q(state__in=["invited", "accepted"]),
                name="one_live_seat_per_role_and_person",
            ),
            models.UniqueConstraint(
                fields=["incident", "role"],
                condition=Q(state="accepted", role__in=["major_incident_manager", "change_manager", "problem_manager"]),
                name="one_holder_of_single_roles",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.role} {self.user_id} {self.state}"


class Consult(models.Model):
    """A C was asked when a step opened. It never blocks."""

    step = models.ForeignKey(IncidentStep, on_delete=models.CASCADE, related_name="consults")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="consults")
    role = models.CharField(max_length=32, choices=Role.choices)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    agrees = models.BooleanField(null=True)
    text = models.TextField(blank=True)
    unanswered_at = models.DateTimeField(null=True, blank=True, help_text="When its limit passed without an answer.")

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="consults_to_expire",
                condition=Q(answered_at__isnull=True, unanswered_at__isnull=True),
            )
        ]
        constraints = [models.UniqueConstraint(fields=["step", "user"], name="consulted_once_per_step")]

    def __str__(self) -> str:
        return f"{self.step_id}: {self.user_id}"
