"""Candidates: evidence waiting for a manager's verdict."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from incidents import permissions
from incidents.actions import candidates
from incidents.api.endpoint import Collection, Detail, Endpoint, Verb, or_404
from incidents.api.fields import Moment, Ref, RefOut, email_of
from incidents.api.filters import ChoicesFilter, MomentFilter, RefFilter, ServiceFilter
from incidents.api.shapes import MomentIn, ReasonIn, Shape
from incidents.models import Alert, Candidate, CandidateSource, CandidateStatus

SHOWN_ALERTS = 100


class RefList(serializers.ListField):
    """Related records as references; reads what was prefetched."""

    child = serializers.CharField()

    def to_representation(self, value: Any) -> list[str]:
        return [record.ref for record in value.all()]


class CandidateOut(Shape):
    ref = serializers.CharField()
    title = serializers.CharField()
    source = serializers.ChoiceField(CandidateSource.choices)  # type: ignore[assignment]
    service = serializers.CharField(source="service.slug", allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField(), help_text="The evidence in plain words.")
    evidence = serializers.DictField(help_text="The figures behind the reasons.")
    business_impact = serializers.CharField()
    tickets = RefList()
    alerts = serializers.ListField(
        child=serializers.IntegerField(),
        source="alert_ids",
        help_text="Ids of the latest 100 alerts that count as evidence; all of them: `alerts?candidate=`.",
    )
    alerts_resolved_at = Moment(allow_null=True, help_text="Since when none of its alerts fires.")
    status = serializers.ChoiceField(CandidateStatus.choices)
    raised_by = email_of("raised_by")
    raised_at = Moment()
    acknowledged_by = email_of("acknowledged_by")
    acknowledged_at = Moment(allow_null=True)
    decided_by = email_of("decided_by")
    decided_at = Moment(allow_null=True)
    dismiss_reason = serializers.CharField()
    major_incident = RefOut("MI", source="major_incident_id", allow_null=True)
    created_at = Moment()
    updated_at = Moment()


def candidate_rows(user: Any) -> QuerySet:
    latest = Alert.objects.filter(candidate=OuterRef("pk")).order_by("-id").values("pk")[:SHOWN_ALERTS]
    return (
        permissions.visible_candidates(user)
        .annotate(alert_ids=ArraySubquery(latest))
        .select_related("service", "raised_by", "acknowledged_by", "decided_by")
        .prefetch_related("tickets")
    )


class CandidateFilter(filters.FilterSet):
    status = ChoicesFilter(choices=CandidateStatus.choices)
    source = ChoicesFilter(choices=CandidateSource.choices)
    service = ServiceFilter()
    major_incident = RefFilter("MI")
    raised_after = MomentFilter(field_name="raised_at", lookup_expr="gte")
    raised_before = MomentFilter(field_name="raised_at", lookup_expr="lt")

    class Meta:
        model = Candidate
        fields: list[str] = []


class CandidateList(Collection):
    """Evidence that a major incident may be under way, newest first."""

    Out = CandidateOut
    queryset = Candidate.objects.none()
    filterset_class = CandidateFilter
    orderings = {"id": "id", "raised_at": "raised_at", "updated_at": "updated_at", "status": "status"}
    search_fields = ("title", "business_impact")

    def rows(self) -> QuerySet:
        return candidate_rows(self.actor)


class OnCandidate(Endpoint):
    Out: Any = CandidateOut
    queryset: Any = Candidate.objects.none()

    def find(self) -> Candidate:
        return or_404(candidate_rows(self.actor), pk=self.kwargs["ref"])


class CandidateDetail(OnCandidate, Detail):
    """One candidate with its evidence."""


class AcknowledgeCandidate(OnCandidate, Verb):
    """A manager has seen it, which stops the paging."""

    In = MomentIn

    def act(self, record: Candidate, **given: Any) -> None:
        candidates.acknowledge(record.pk, actor=self.actor, **given)


class CandidateLinkIn(MomentIn):
    major_incident = Ref("MI", permissions.visible_incidents)


class LinkCandidate(OnCandidate, Verb):
    """It belongs to a major incident that is open already; its tickets become children."""

    In = CandidateLinkIn

    def act(self, record: Candidate, **given: Any) -> None:
        incident = given.pop("major_incident")
        candidates.link(record.pk, incident_id=incident.pk, actor=self.actor, **given)


class DismissCandidate(OnCandidate, Verb):
    """It was nothing, for this reason."""

    In = ReasonIn

    def act(self, record: Candidate, **given: Any) -> None:
        candidates.dismiss(record.pk, actor=self.actor, **given)
