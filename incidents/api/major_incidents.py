"""Major incidents: declared, corrected, moved through their stages."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django_filters import rest_framework as filters
from rest_framework import serializers

from incidents import permissions
from incidents.actions import clocks, downtime, major_incidents, response, seats
from incidents.api.candidates import OnCandidate
from incidents.api.endpoint import Changing, Collection, Endpoint, Making, Verb, or_404
from incidents.api.fields import Level, Moment, Ref, Refs, ServiceNames, Text
from incidents.api.filters import ChoicesFilter, MomentFilter, ServiceFilter
from incidents.api.incident_shapes import IncidentOut, SeatOut, incident_rows
from incidents.api.shapes import MomentIn, ReasonIn, Shape
from incidents.models import Affects, Candidate, MajorIncident, Scope
from incidents.priority import Priority, Severity
from incidents.process import CLOCKS, Stage
from incidents.queries.words import matching

GIVEN_CLOCKS = major_incidents.SETTABLE_CLOCKS


class DeclarationIn(Shape):
    title = serializers.CharField(max_length=250)
    description = Text(required=False, allow_blank=True)
    services = ServiceNames(required=False, help_text="Slugs or exact names; empty when unknown.")
    impact = Level()
    urgency = Level()
    severity = serializers.ChoiceField(Severity.choices, required=False, allow_null=True)
    affects = serializers.ChoiceField(Affects.choices, required=False)
    users_affected = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False, allow_null=True)
    revenue_impact = Text(required=False, allow_blank=True)
    reputation_impact = Text(required=False, allow_blank=True)
    tickets = Refs("INC", permissions.visible_tickets, required=False)
    candidate = Ref("CAN", permissions.visible_candidates, required=False, allow_null=True)
    is_drill = serializers.BooleanField(required=False)
    started_at = Moment(required=False, allow_null=True, past=True, help_text="`null` means unknown.")
    detected_at = Moment(required=False, allow_null=True, past=True)
    reported_at = Moment(required=False, allow_null=True, past=True)
    acknowledged_at = Moment(required=False, allow_null=True, past=True)
    declared_at = Moment(required=False, past=True, help_text="Absent means now; never unknown.")


def declare(given: dict[str, Any], *, actor: Any, at: Any, candidate: Candidate | None = None) -> MajorIncident:
    """The action with the clocks of the body taken apart: absent is derived, null is unknown."""
    clocks_given = {name: given.pop(name) for name in GIVEN_CLOCKS if name in given}
    if candidate is not None:
        given["candidate"] = candidate
    return major_incidents.declare(actor=actor, at=at, clocks_given=clocks_given, **given)


class IncidentFilter(filters.FilterSet):
    stage = ChoicesFilter(choices=Stage.choices)
    severity = ChoicesFilter(choices=Severity.choices)
    priority = ChoicesFilter(choices=Priority.choices)
    service = ServiceFilter(field_name="services")
    is_drill = filters.BooleanFilter()
    declared_after = MomentFilter(field_name="declared_at", lookup_expr="gte")
    declared_before = MomentFilter(field_name="declared_at", lookup_expr="lt")

    class Meta:
        model = MajorIncident
        fields: list[str] = []


class IncidentList(Collection, Making):
    """Major incidents, newest first; `POST` declares one."""

    In, Out = DeclarationIn, IncidentOut
    has_etag = True
    write_scopes = (Scope.DECLARE.value,)
    queryset = MajorIncident.objects.none()
    filterset_class = IncidentFilter
    orderings = {name: name for name in ("id", "title", "stage", "severity", "priority", "updated_at", *CLOCKS)}
    search_fields = ("title", "description")

    def rows(self) -> QuerySet:
        return incident_rows(self.actor)

    def search(self, rows: QuerySet, words: str) -> QuerySet:
        return matching(rows, words, *self.search_fields)

    def make(self, **given: Any) -> MajorIncident:
        return declare(given, actor=self.actor, at=self.now)

    def shown(self, record: MajorIncident) -> MajorIncident:
        return incident_rows(self.actor).get(pk=record.pk)


class DeclareCandidate(OnCandidate, Making):
    """The manager's verdict: it is a major incident; the candidate's tickets become children."""

    In, Out = DeclarationIn, IncidentOut
    has_etag = True
    write_scopes = (Scope.DECLARE.value,)

    def make(self, **given: Any) -> MajorIncident:
        return declare(given, actor=self.actor, at=self.now, candidate=self.find())

    def shown(self, record: MajorIncident) -> MajorIncident:
        return incident_rows(self.actor).get(pk=record.pk)

    def address(self, record: MajorIncident) -> str:
        return reverse("api_major_incident", args=[record.ref])


class OnIncident(Endpoint):
    """The major incident of the path, 404 when the person may not know of it."""

    Out: Any = IncidentOut
    queryset: Any = MajorIncident.objects.none()

    def incident(self) -> MajorIncident:
        """Without what only `IncidentOut` shows."""
        return or_404(permissions.visible_incidents(self.actor), pk=self.kwargs["ref"])


class WholeIncident(OnIncident):
    def find(self) -> MajorIncident:
        return or_404(incident_rows(self.actor), pk=self.kwargs["ref"])


class IncidentChange(Shape):
    title = serializers.CharField(max_length=250, required=False)
    description = Text(required=False, allow_blank=True)
    services = ServiceNames(required=False)
    impact = Level(required=False)
    urgency = Level(required=False)
    severity = serializers.ChoiceField(Severity.choices, required=False)
    affects = serializers.ChoiceField(Affects.choices, required=False)
    users_affected = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False, allow_null=True)
    revenue_impact = Text(required=False, allow_blank=True)
    reputation_impact = Text(required=False, allow_blank=True)
    started_at = Moment(required=False, allow_null=True, past=True)
    detected_at = Moment(required=False, allow_null=True, past=True)
    reported_at = Moment(required=False, allow_null=True, past=True)
    acknowledged_at = Moment(required=False, allow_null=True, past=True)
    declared_at = Moment(required=False, past=True)
    contained_at = Moment(required=False, allow_null=True, past=True)
    restored_at = Moment(required=False, allow_null=True, past=True)
    resolved_at = Moment(required=False, allow_null=True, past=True)
    closed_at = Moment(required=False, allow_null=True, past=True)
    reason = Text(help_text="Why; kept in the record.")


class IncidentDetail(WholeIncident, Changing):
    """One major incident. `PATCH` corrects texts, levels, services and clocks, with a reason."""

    In = IncidentChange

    def change(self, record: MajorIncident, given: dict[str, Any]) -> None:
        reason, at = given.pop("reason", ""), self.now
        values = {name: given.pop(name) for name in CLOCKS if name in given}
        if given or not values:
            major_incidents.edit(record.pk, changes=given, reason=reason, actor=self.actor, at=at)
        if values:
            clocks.correct_many(record.pk, values=values, reason=reason, actor=self.actor, at=at)


# --- The stages ----------------------------------------------------------------------------------------
class IncidentVerb(WholeIncident, Verb):
    In: Any = MomentIn


class BeginContainment(IncidentVerb):
    """identification → containment. Waits for: declare, inform."""

    def act(self, record: MajorIncident, **given: Any) -> None:
        major_incidents.begin_containment(record.pk, actor=self.actor, **given)


class BeginResolution(IncidentVerb):
    """containment → resolution. Waits for: assemble, bridge, war_room, problem."""

    def act(self, record: MajorIncident, **given: Any) -> None:
        major_incidents.begin_resolution(record.pk, actor=self.actor, **given)


class ConfirmResolution(IncidentVerb):
    """resolution → maintenance. Waits for: change, and no open downtime. Sets resolved_at."""

    def act(self, record: MajorIncident, **given: Any) -> None:
        major_incidents.confirm_resolution(record.pk, actor=self.actor, **given)


class FallBack(IncidentVerb):
    """resolution → containment: the fix failed."""

    In = ReasonIn

    def act(self, record: MajorIncident, **given: Any) -> None:
        major_incidents.fall_back(record.pk, actor=self.actor, **given)


class CloseIncident(IncidentVerb):
    """maintenance → closed. Waits for: review, document, measure."""

    def act(self, record: MajorIncident, **given: Any) -> None:
        major_incidents.close(record.pk, actor=self.actor, **given)


class ReopenIncident(IncidentVerb):
    """maintenance or closed → containment: it came back."""

    In = ReasonIn

    def act(self, record: MajorIncident, **given: Any) -> None:
        major_incidents.reopen(record.pk, actor=self.actor, **given)


class StandDown(IncidentVerb):
    """Any open stage → stood_down: declared in error."""

    In = ReasonIn

    def act(self, record: MajorIncident, **given: Any) -> None:
        major_incidents.stand_down(record.pk, actor=self.actor, **given)


class Reinstate(IncidentVerb):
    """stood_down → identification: the stand-down was the error."""

    In = ReasonIn

    def act(self, record: MajorIncident, **given: Any) -> None:
        major_incidents.reinstate(record.pk, actor=self.actor, **given)


class MergeIn(MomentIn):
    target = Ref("MI", permissions.visible_incidents)


class MergeInto(IncidentVerb):
    """Any open stage → closed: it is the same outage as `target`. Tickets, problems and tasks move there."""

    In = MergeIn

    def act(self, record: MajorIncident, **given: Any) -> None:
        target = given.pop("target")
        major_incidents.merge_into(record.pk, target_id=target.pk, actor=self.actor, **given)


class Contain(IncidentVerb):
    """The spread is stopped or a workaround is in place: sets contained_at, in any open stage."""

    def act(self, record: MajorIncident, **given: Any) -> None:
        major_incidents.contain(record.pk, actor=self.actor, **given)


class RestoreIn(MomentIn):
    services = ServiceNames(required=False, help_text="Absent: everything that is down.")


class Restore(IncidentVerb):
    """Service is back: ends downtime."""

    In = RestoreIn

    def act(self, record: MajorIncident, **given: Any) -> None:
        downtime.restore(record.pk, actor=self.actor, **given)


class TakeCommand(OnIncident, Verb):
    """Any account with the major incident manager role takes the manager's seat. Answers the seat."""

    In, Out = MomentIn, SeatOut

    def find(self) -> MajorIncident:
        return self.incident()

    def act(self, record: MajorIncident, **given: Any) -> Any:
        return seats.take_command(record.pk, actor=self.actor, **given)


class SituationIn(Shape):
    conditions = Text(required=False, allow_blank=True, default="")
    actions = Text(required=False, allow_blank=True, default="")
    needs = Text(required=False, allow_blank=True, default="")
    seen_at = Moment(required=False, allow_null=True, help_text="`changed_at` of the version you edited.")


class SituationOut(Shape):
    conditions = serializers.CharField()
    actions = serializers.CharField(source="actions_summary")
    needs = serializers.CharField()
    changed_at = Moment(source="situation_changed_at", allow_null=True)
    changed_by = serializers.EmailField(source="situation_changed_by.email", allow_null=True)


class Situation(OnIncident):
    """Conditions, actions, needs: the pinned summary of the war room."""

    In, Out = SituationIn, SituationOut
    has_etag = True

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return self.record(self.incident())

    def put(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        incident, given = self.incident(), self.given()
        changed = response.set_situation(
            incident.pk, conditions=given["conditions"], actions_summary=given["actions"], needs=given["needs"],
            seen_at=given.get("seen_at", incident.situation_changed_at), actor=self.actor, at=self.now,
        )  # fmt: skip
        return self.record(changed)
