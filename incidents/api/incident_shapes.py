"""What a major incident looks like, and how to read many of them in a constant number of queries."""

from datetime import datetime
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents import permissions
from incidents.api.fields import Moment, RefOut, email_of
from incidents.api.shapes import Shape
from incidents.models import (
    AffectedService,
    Affects,
    Approval,
    Candidate,
    ChangeLink,
    DowntimeInterval,
    MajorIncident,
    Problem,
    Seat,
    StageEntry,
    StatusUpdate,
    Task,
    Ticket,
    UpdatePromise,
)
from incidents.priority import Priority, Severity
from incidents.process import STEP_CHOICES, Role, SeatState, Stage, StepState


class StageEntryOut(Shape):
    transition = serializers.CharField()
    vars()["from"] = serializers.CharField(source="from_stage", help_text="Empty when declared.")  # a word of Python
    to = serializers.CharField(source="to_stage")
    at = Moment()
    by = email_of("by")
    reason = serializers.CharField()


class StepShortOut(Shape):
    key = serializers.ChoiceField(STEP_CHOICES)
    stage = serializers.ChoiceField(Stage.choices)
    title = serializers.CharField()
    state = serializers.ChoiceField(StepState.choices)


class IntervalOut(Shape):
    id = serializers.IntegerField()
    service = serializers.CharField(source="service.slug", allow_null=True)
    started_at = Moment()
    ended_at = Moment(allow_null=True)


class CountsOut(Shape):
    tickets = serializers.IntegerField(source="tickets_count")
    tasks_open = serializers.IntegerField(source="tasks_open_count")
    updates = serializers.IntegerField(source="updates_count")
    problems = serializers.IntegerField(source="problems_count")
    changes = serializers.IntegerField(source="changes_count")
    approvals_pending = serializers.IntegerField(source="approvals_pending_count")
    timeline = serializers.IntegerField(source="last_seq")


class PromisesOut(Shape):
    kept = serializers.IntegerField(source="promises_kept")
    broken = serializers.IntegerField(source="promises_broken")
    kept_rate = serializers.SerializerMethodField(help_text="kept ÷ (kept + broken); null before one was settled.")

    def get_kept_rate(self, incident: Any) -> float | None:
        settled = incident.promises_kept + incident.promises_broken
        return incident.promises_kept / settled if settled else None


class IncidentOut(Shape):
    ref = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    stage = serializers.ChoiceField(Stage.choices)
    severity = serializers.ChoiceField(Severity.choices)
    priority = serializers.ChoiceField(Priority.choices)
    impact = serializers.IntegerField()
    urgency = serializers.IntegerField()
    affects = serializers.ChoiceField(Affects.choices)
    users_affected = serializers.IntegerField(allow_null=True)
    revenue_impact = serializers.CharField()
    reputation_impact = serializers.CharField()
    services = serializers.SerializerMethodField(help_text="Slugs of the affected services; empty when unknown.")
    is_drill = serializers.BooleanField()
    declared_by = email_of("declared_by")
    manager = serializers.SerializerMethodField(help_text="Who holds the manager's seat, by e-mail.")
    candidate = serializers.SerializerMethodField(help_text="The candidate it was declared from.")
    merged_into = RefOut("MI", source="merged_into_id", allow_null=True)
    stood_down_reason = serializers.CharField()
    started_at = Moment(allow_null=True)
    detected_at = Moment(allow_null=True)
    reported_at = Moment(allow_null=True)
    acknowledged_at = Moment(allow_null=True)
    declared_at = Moment(allow_null=True)
    contained_at = Moment(allow_null=True)
    restored_at = Moment(allow_null=True)
    resolved_at = Moment(allow_null=True)
    closed_at = Moment(allow_null=True)
    clocks_not_applicable = serializers.DictField(child=serializers.CharField(), help_text="{clock: reason}")
    stage_history = StageEntryOut(source="stage_entries", many=True)
    steps = StepShortOut(many=True)
    downtime = IntervalOut(many=True)
    downtime_seconds = serializers.SerializerMethodField(
        help_text="Length of the union of all intervals; an open one counts up to now. Null when there is none."
    )
    counts = CountsOut(source="*")
    next_update_at = Moment(allow_null=True)
    promises = PromisesOut(source="*", help_text="How the promised next updates of this incident went.")
    situation = serializers.SerializerMethodField(help_text="Conditions, actions, needs: the pinned summary.")
    created_at = Moment()
    updated_at = Moment()

    def get_services(self, incident: MajorIncident) -> list[str]:
        return [row.service.slug for row in incident.affected.all()]

    def get_manager(self, incident: Any) -> str | None:
        return incident.manager_email

    def get_candidate(self, incident: Any) -> str | None:
        return f"CAN-{incident.candidate_id}" if incident.candidate_id else None

    def get_downtime_seconds(self, incident: MajorIncident) -> float | None:
        return union_seconds([(row.started_at, row.ended_at) for row in incident.downtime.all()])

    def get_situation(self, incident: MajorIncident) -> dict[str, str]:
        return {
            "conditions": incident.conditions,
            "actions": incident.actions_summary,
            "needs": incident.needs,
        }


def union_seconds(intervals: list[tuple[datetime, datetime | None]], now: datetime | None = None) -> float | None:
    """Seconds during which at least one interval ran; one without an end runs up to now. None for no interval."""
    if not intervals:
        return None
    until = now or timezone.now()
    total, reached = 0.0, None
    for begin, end in sorted((begin, end or max(until, begin)) for begin, end in intervals):
        begin = max(begin, reached) if reached else begin
        if end > begin:
            total += (end - begin).total_seconds()
            reached = end
    return total


def _count(rows: QuerySet, incident: str = "incident") -> Coalesce:
    counted = rows.order_by().filter(**{incident: OuterRef("pk")}).values(incident).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def incident_rows(user: Any) -> QuerySet:
    """Major incidents the person may see with all that `IncidentOut` shows: one query, and one per kind of row."""
    manager = Seat.objects.filter(
        incident=OuterRef("pk"), role=Role.MAJOR_INCIDENT_MANAGER, state=SeatState.ACCEPTED
    ).order_by("-id")
    origin = Candidate.objects.filter(major_incident=OuterRef("pk"), status="declared").order_by("id")
    problems = Problem.major_incidents.through._default_manager.all()
    return (
        permissions.visible_incidents(user)
        .select_related("declared_by")
        .annotate(
            manager_email=Subquery(manager.values("user__email")[:1]),
            candidate_id=Subquery(origin.values("pk")[:1]),
            tickets_count=_count(Ticket.objects.all(), "major_incident"),
            tasks_open_count=_count(Task.objects.filter(status__in=["open", "in_progress"])),
            updates_count=_count(StatusUpdate.objects.all()),
            promises_kept=_count(UpdatePromise.objects.filter(state=UpdatePromise.State.KEPT)),
            promises_broken=_count(UpdatePromise.objects.filter(state=UpdatePromise.State.BROKEN)),
            problems_count=_count(problems, "majorincident"),
            changes_count=_count(ChangeLink.objects.all()),
            approvals_pending_count=_count(Approval.objects.filter(state=Approval.State.PENDING)),
        )
        .prefetch_related(
            Prefetch("affected", AffectedService.objects.select_related("service")),
            Prefetch("stage_entries", StageEntry.objects.select_related("by")),
            Prefetch("downtime", DowntimeInterval.objects.select_related("service")),
            "steps",
        )
    )


# --- Steps and seats -------------------------------------------------------------------------------
class HoldersOut(Shape):
    role = serializers.ChoiceField(Role.choices)
    people = serializers.ListField(child=serializers.EmailField())


class StepOut(StepShortOut):
    evidence = serializers.DictField()
    missing = serializers.ListField(child=serializers.CharField())
    responsible = HoldersOut(many=True)
    accountable = HoldersOut(many=True)
    consulted = HoldersOut(many=True)
    informed = HoldersOut(many=True)
    fallback = serializers.CharField(help_text="The warning when nobody seated holds R or A; else empty.")
    opened_at = Moment(allow_null=True)
    done_at = Moment(allow_null=True)
    done_by = serializers.EmailField(allow_null=True)
    by_fallback = serializers.BooleanField()
    waived_by = serializers.EmailField(allow_null=True)
    waiver_reason = serializers.CharField()


class SeatOut(Shape):
    id = serializers.IntegerField()
    role = serializers.ChoiceField(Role.choices)
    user = email_of("user")
    name = serializers.CharField(source="user.display_name")
    is_guest = serializers.BooleanField(source="user.is_guest")
    access_ends_at = serializers.SerializerMethodField(help_text="When a guest’s link ends or was revoked; else null.")
    state = serializers.ChoiceField(SeatState.choices)
    message = serializers.CharField()
    invited_by = email_of("invited_by")
    invited_at = Moment()
    answered_at = Moment(allow_null=True)
    released_at = Moment(allow_null=True)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_access_ends_at(self, seat: Seat) -> str | None:
        held = getattr(seat, "guest_pass", None)
        return Moment().to_representation(held.revoked_at or held.expires_at) if held else None
