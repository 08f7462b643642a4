"""Problems: causes of incidents, and what is known about them."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents import permissions
from incidents.actions import factors, problems
from incidents.api.candidates import RefList
from incidents.api.endpoint import Changing, Collection, Endpoint, Making, Verb, or_404
from incidents.api.fields import LookedUp, Moment, Person, Ref, Text, email_of, ref_number, refs_found
from incidents.api.filters import ChoicesFilter, MomentFilter, PersonFilter, RefFilter
from incidents.api.shapes import MomentIn, Shape
from incidents.errors import Invalid
from incidents.models import CauseCategory, Factor, MajorIncident, Problem, ProblemStatus, Ticket, TimelineEvent


class FactorOut(Shape):
    id = serializers.IntegerField()
    contributed_to = serializers.IntegerField(source="parent_id", allow_null=True, help_text="Null: to the problem.")
    text = serializers.CharField()
    is_root = serializers.BooleanField()
    evidence = serializers.SerializerMethodField(help_text="Entries of timelines, by id.")

    def get_evidence(self, factor: Factor) -> list[int]:
        return [event.pk for event in factor.evidence.all()]


class ProblemOut(Shape):
    ref = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    status = serializers.ChoiceField(ProblemStatus.choices)
    owner = email_of("owner")
    major_incident = serializers.SerializerMethodField(help_text="The first major incident it caused.")
    incidents = serializers.SerializerMethodField(help_text="Everything it caused: major incidents, then tickets.")
    cause_category = serializers.ChoiceField(CauseCategory.choices)
    root_cause = serializers.CharField()
    contributing_factors = serializers.CharField()
    workaround = serializers.CharField()
    five_whys = serializers.ListField(child=serializers.CharField())
    changes = RefList(source="fixes", help_text="Changes that fix it for good.")
    created_by = email_of("created_by")
    created_at = Moment()
    resolved_at = Moment(allow_null=True)
    closed_at = Moment(allow_null=True)
    recurrence_check_at = Moment(allow_null=True)
    recurrence_checked_at = Moment(allow_null=True, help_text="When the product looked whether it came back.")
    recurrences = serializers.IntegerField(allow_null=True, help_text="How often it came back, as far as was seen.")
    factors = FactorOut(many=True)
    updated_at = Moment()

    def get_major_incident(self, problem: Problem) -> str | None:
        return next((incident.ref for incident in by_number(problem.major_incidents)), None)

    def get_incidents(self, problem: Problem) -> list[str]:
        return [record.ref for record in (*by_number(problem.major_incidents), *by_number(problem.tickets))]


def by_number(related: Any) -> list[Any]:
    """Related records, the oldest first, from what was prefetched."""
    return sorted(related.all(), key=lambda record: record.pk)


@extend_schema_field({"type": "array", "items": {"type": "string", "maxLength": 32}, "maxItems": 500})
class CausedIn(LookedUp, serializers.ListField):
    """References of major incidents and tickets, taken apart by kind."""

    child = serializers.CharField(max_length=32)

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=500, **options)

    def look_up(self, refs: list[str]) -> dict[str, list[Any]]:
        major = [ref for ref in refs if ref_number(ref, "MI") is not None]
        rest = [ref for ref in refs if ref not in major]
        return {
            "incidents": refs_found(_Kind(self, "MI", permissions.visible_incidents), major),
            "tickets": refs_found(_Kind(self, "INC", permissions.visible_tickets), rest),
        }


class _Kind:
    def __init__(self, field: serializers.Field, prefix: str, visible: Any) -> None:
        self.context, self.prefix, self.visible = field.context, prefix, visible


class ProblemIn(Shape):
    title = serializers.CharField(max_length=250)
    description = Text(required=False, allow_blank=True)
    major_incident = Ref("MI", permissions.visible_incidents, required=False, allow_null=True)
    incidents = CausedIn(required=False, help_text="Major incidents are added; tickets replace those there are.")
    owner = Person(required=False, allow_null=True)
    cause_category = serializers.ChoiceField(CauseCategory.choices, required=False)
    root_cause = Text(required=False, allow_blank=True)
    contributing_factors = Text(required=False, allow_blank=True)
    workaround = Text(required=False, allow_blank=True)
    five_whys = serializers.ListField(child=Text(max_length=2000), required=False, max_length=10)


class ProblemChange(ProblemIn):
    status = serializers.ChoiceField(
        ProblemStatus.choices, required=False, help_text="Does what the verb of that state does, by the same rules."
    )


def problem_rows(user: Any) -> QuerySet:
    return (
        permissions.visible_problems(user)
        .select_related("owner", "created_by")
        .prefetch_related("major_incidents", "tickets", "fixes", "factors__evidence")
    )


class ProblemFilter(filters.FilterSet):
    status = ChoicesFilter(choices=ProblemStatus.choices)
    cause_category = ChoicesFilter(choices=CauseCategory.choices)
    owner = PersonFilter()
    major_incident = RefFilter("MI", field_name="major_incidents")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Problem
        fields: list[str] = []


class ProblemList(Collection, Making):
    """Problems, newest first; `POST` opens one. With `major_incident` that is the guarded act of the step."""

    In, Out = ProblemIn, ProblemOut
    has_etag = True
    queryset = Problem.objects.none()
    filterset_class = ProblemFilter
    orderings = {name: name for name in ("id", "title", "status", "created_at", "updated_at", "resolved_at")}
    search_fields = ("title", "description", "root_cause", "workaround")

    def rows(self) -> QuerySet:
        return problem_rows(self.actor)

    @transaction.atomic
    def make(self, **given: Any) -> Problem:
        caused = given.pop("incidents", {"incidents": [], "tickets": []})
        first: MajorIncident | None = given.pop("major_incident", None)
        linked: list[Any] = [incident for incident in (first, *caused["incidents"]) if incident]
        tickets: list[Ticket] = caused["tickets"]
        at = self.now
        problem = problems.open_problem(
            major_incident=linked[0] if linked else None, tickets=tickets, actor=self.actor, at=at, **given
        )
        for incident in linked[1:]:
            problems.link_incident(problem.pk, incident_id=incident.pk, actor=self.actor, at=at)
        return problem

    def shown(self, record: Problem) -> Problem:
        return problem_rows(self.actor).get(pk=record.pk)


class OnProblem(Endpoint):
    Out: Any = ProblemOut
    queryset: Any = Problem.objects.none()

    def find(self) -> Problem:
        return or_404(problem_rows(self.actor), pk=self.kwargs["ref"])


class ProblemDetail(OnProblem, Changing):
    In = ProblemChange

    def change(self, record: Problem, given: dict[str, Any]) -> None:
        at, caused = self.now, given.pop("incidents", None)
        first = given.pop("major_incident", None)
        for incident in [first, *(caused or {}).get("incidents", [])]:
            if incident is not None:
                problems.link_incident(record.pk, incident_id=incident.pk, actor=self.actor, at=at)
        if caused is not None:
            given["tickets"] = caused["tickets"]
        if given:
            problems.edit_problem(record.pk, changes=given, actor=self.actor, at=at)


class ProblemVerb(OnProblem, Verb):
    In: Any = MomentIn


class Investigate(ProblemVerb):
    """Somebody looks for the cause."""

    def act(self, record: Problem, **given: Any) -> None:
        problems.investigate(record.pk, actor=self.actor, **given)


class KnownError(ProblemVerb):
    """The cause or a workaround is known, and written down."""

    def act(self, record: Problem, **given: Any) -> None:
        problems.known_error(record.pk, actor=self.actor, **given)


class ResolveProblem(ProblemVerb):
    """The permanent fix is in place; in 90 days somebody looks whether it came back."""

    def act(self, record: Problem, **given: Any) -> None:
        problems.resolve(record.pk, actor=self.actor, **given)


class CloseProblem(ProblemVerb):
    """Nothing is left to do."""

    def act(self, record: Problem, **given: Any) -> None:
        problems.close(record.pk, actor=self.actor, **given)


class FactorIn(MomentIn):
    text = Text(max_length=2000)
    contributed_to = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False, allow_null=True)
    is_root = serializers.BooleanField(required=False)
    evidence = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=20,
        help_text="Ids of timeline entries of the incidents it caused.",
    )  # fmt: skip


class AddFactor(ProblemVerb):
    """Adds to the tree of causes. Answers the problem."""

    In = FactorIn

    def act(self, record: Problem, **given: Any) -> None:
        parent = given.pop("contributed_to", None)
        above = record.factors.filter(pk=parent).first() if parent else None
        if parent and above is None:
            raise Invalid(contributed_to=f"{record.ref} has no factor {parent}.")
        wanted = given.pop("evidence", [])
        found = list(TimelineEvent.objects.filter(pk__in=wanted))
        if len(found) != len(set(wanted)):
            raise Invalid(evidence=f"Choose entries of the incidents {record.ref} caused.")
        factors.add_factor(record.pk, parent=above, evidence=found, actor=self.actor, **given)
