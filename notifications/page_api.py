"""Pages and escalation policies over the API: who was paged, who answered, who would be next."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.endpoint import Changing, Collection, ShortList, or_404
from incidents.api.fields import Moment, RefOut, email_of
from incidents.api.filters import ChoicesFilter, MomentFilter, RefFilter
from incidents.api.shapes import Shape
from notifications.escalation_policy import save_policy
from notifications.models import CallState, EscalationPolicy, Occasion, Page, PageState
from notifications.page_queries import PolicyShown, pages_for, policies_shown


class CallOut(Shape):
    person = email_of("person")
    why = serializers.CharField()
    state = serializers.ChoiceField(CallState.choices)
    round = serializers.IntegerField(help_text="How often the policy had begun again, from 0.")
    step = serializers.IntegerField(help_text="Of the policy, from 0.")
    called_at = Moment()
    answered_at = Moment(allow_null=True)


class PageOut(Shape):
    id = serializers.IntegerField()
    occasion = serializers.ChoiceField(Occasion.choices)
    candidate = RefOut("CAN", source="candidate_id", allow_null=True)
    major_incident = RefOut("MI", source="incident_id", allow_null=True)
    state = serializers.ChoiceField(PageState.choices)
    started_at = Moment()
    due_at = Moment(allow_null=True, help_text="When the next step is taken; null once it is over.")
    answered_by = email_of("answered_by")
    ended_at = Moment(allow_null=True)
    reason = serializers.CharField(help_text="Why it is over.")
    calls = CallOut(many=True)


class PageFilter(filters.FilterSet):
    state = ChoicesFilter(choices=PageState.choices)
    occasion = ChoicesFilter(choices=Occasion.choices)
    candidate = RefFilter("CAN")
    major_incident = RefFilter("MI", field_name="incident")
    started_after = MomentFilter(field_name="started_at", lookup_expr="gte")
    started_before = MomentFilter(field_name="started_at", lookup_expr="lt")

    class Meta:
        model = Page
        fields: list[str] = []


class PageList(Collection):
    """Every page: who was called in which step, and who answered. Newest first."""

    Out = PageOut
    queryset = Page.objects.none()
    filterset_class = PageFilter
    orderings = {"id": "id", "started_at": "started_at"}
    operation_ids = {"GET": "pages_list"}

    def rows(self) -> QuerySet:
        self.require("view_desk")
        return pages_for(self.actor)


class StepShape(Shape):
    who = serializers.ListField(
        child=serializers.CharField(max_length=80),
        min_length=1,
        max_length=6,
        help_text="`on_call:<role>:<place>`, `all:<role>`, `team:<id>:<place>`, `team-all:<id>`, `person:<id>`.",
    )
    wait_seconds = serializers.IntegerField(min_value=60, max_value=24 * 3600)


class PolicyOut(Shape):
    occasion = serializers.ChoiceField(Occasion.choices)
    steps = StepShape(many=True, source="plain_steps")
    repeat = serializers.IntegerField(help_text="How often it begins again from the first step.")
    changed_by = email_of("changed_by")
    changed_at = Moment(allow_null=True, help_text="Null while the shipped policy counts.")


class PolicyChange(Shape):
    steps = StepShape(many=True, required=False)
    repeat = serializers.IntegerField(min_value=0, max_value=20, required=False)


class PolicyList(ShortList):
    """Who is paged on which occasion."""

    Out = PolicyOut
    queryset = EscalationPolicy.objects.none()
    operation_ids = {"GET": "escalation_policies_list"}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.require("view_desk")
        return self.whole(policies_shown(at=timezone.now()))


class PolicyDetail(Changing):
    """One policy. Pages under way keep the one they began with."""

    In, Out = PolicyChange, PolicyOut
    write_scopes = ("admin",)
    queryset = EscalationPolicy.objects.none()
    operation_ids = {"GET": "escalation_policy_read", "PATCH": "escalation_policy_change"}

    def find(self) -> PolicyShown:
        self.require("view_desk")
        wanted = {one.occasion: one for one in policies_shown(at=timezone.now())}
        found = wanted.get(self.kwargs["occasion"])
        return found or or_404(EscalationPolicy.objects.none())

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        before = self.find()
        given = {"steps": before.plain_steps, "repeat": before.repeat, **self.given(partial=True)}
        save_policy(before.occasion, **given, actor=self.actor, at=self.now)
        return self.record(self.find())
