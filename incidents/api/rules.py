"""Automation rules: when an alert looks like this, then do that. The first one in order that fits decides."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from incidents.actions import rule_settings as acts
from incidents.api.endpoint import Changing, Collection, Endpoint, Making, Removing, Verb, or_404
from incidents.api.fields import Level, LookedUp, Moment, ServiceName, ServiceNames, TeamName
from incidents.api.filters import ChoicesFilter
from incidents.api.shapes import Shape
from incidents.models import AlertRule, AlertSeverity, AlertState, Integration
from incidents.queries.rules import rules, try_rule

ADMIN = ("admin",)
WHEN = (("alert", "An alert fires"),)


class RuleOut(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    when = serializers.SerializerMethodField(help_text="`alert`: an alert fires.")
    position = serializers.IntegerField(help_text="Lower is asked first.")
    is_active = serializers.BooleanField()
    source = serializers.IntegerField(  # type: ignore[assignment]
        source="integration_id", allow_null=True, help_text="Null: any integration."
    )
    severities = serializers.ListField(child=serializers.ChoiceField(AlertSeverity.choices), help_text="Empty: any.")
    services = serializers.SerializerMethodField(help_text="Slugs; empty: any.")
    text_contains = serializers.CharField(help_text="In title or body, whatever the case.")
    label_equals = serializers.DictField(child=serializers.CharField())
    outcome = serializers.ChoiceField(AlertRule.Outcome.choices)
    after_seconds = serializers.IntegerField(help_text="Only when it still fires after so long.")
    impact = serializers.IntegerField()
    urgency = serializers.IntegerField()
    service = serializers.CharField(source="service.slug", allow_null=True, help_text="When the alert names none.")
    team = serializers.CharField(source="team.slug", allow_null=True)
    created_at = Moment()

    def get_when(self, rule: AlertRule) -> str:
        return "alert"

    def get_services(self, rule: AlertRule) -> list[str]:
        return [service.slug for service in rule.services.all()]


class Source(LookedUp, serializers.IntegerField):
    """An integration by its id."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **options)

    def look_up(self, given: int) -> Integration:
        found = Integration.objects.filter(pk=given).first()
        if found is None:
            raise serializers.ValidationError(f"There is no integration {given}. Name it by its id.")
        return found


class RuleIn(Shape):
    name = serializers.CharField(max_length=120)
    when = serializers.ChoiceField(WHEN, required=False)
    position = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    is_active = serializers.BooleanField(required=False)
    source = Source(required=False, allow_null=True)  # type: ignore[assignment]
    severities = serializers.ListField(
        child=serializers.ChoiceField(AlertSeverity.choices), max_length=20, required=False
    )
    services = ServiceNames(required=False)
    text_contains = serializers.CharField(max_length=200, required=False, allow_blank=True)
    label_equals = serializers.DictField(child=serializers.CharField(max_length=500, allow_blank=True), required=False)
    outcome = serializers.ChoiceField(AlertRule.Outcome.choices)
    after_seconds = serializers.IntegerField(min_value=0, max_value=7 * 24 * 3600, required=False)
    impact = Level(required=False)
    urgency = Level(required=False)
    service = ServiceName(max_length=120, required=False, allow_null=True)
    team = TeamName(max_length=120, required=False, allow_null=True)


def conditions(given: dict[str, Any]) -> dict[str, Any]:
    """The body as the action names its fields."""
    changes = {name: value for name, value in given.items() if name not in ("when", "source")}
    return changes | ({"integration": given["source"]} if "source" in given else {})


class RuleFilter(filters.FilterSet):
    outcome = ChoicesFilter(choices=AlertRule.Outcome.choices)
    is_active = filters.BooleanFilter()

    class Meta:
        model = AlertRule
        fields: list[str] = []


class OnRules(Endpoint):
    In: Any = RuleIn
    Out: Any = RuleOut
    write_scopes = ADMIN
    queryset: Any = AlertRule.objects.none()

    def rows(self) -> QuerySet:
        self.require("view_desk")
        return rules()

    def find(self) -> Any:
        return or_404(self.rows(), pk=self.kwargs["id"])


class RuleList(OnRules, Collection, Making):
    """Rules in their order."""

    has_etag = True
    filterset_class = RuleFilter
    default_ordering = "position"
    orderings = {"position": "position", "name": "name"}
    search_fields = ("name",)

    def location(self, record: AlertRule) -> str:
        return str(record.pk)

    def make(self, **given: Any) -> AlertRule:
        return acts.save_rule(changes=conditions(given), actor=self.actor, at=self.now)

    def shown(self, record: AlertRule) -> AlertRule:
        return rules().get(pk=record.pk)


class DryRunIn(Shape):
    since = Moment(required=False, past=True, help_text="Absent: 7 days ago.")


class MetOut(Shape):
    id = serializers.IntegerField()
    title = serializers.CharField()
    severity = serializers.ChoiceField(AlertSeverity.choices)
    service = serializers.CharField(source="service.slug", allow_null=True)
    source = serializers.IntegerField(source="integration_id")  # type: ignore[assignment]
    status = serializers.ChoiceField(AlertState.choices)
    started_at = Moment()
    ended_at = Moment(allow_null=True)
    decided_by = serializers.IntegerField(allow_null=True, help_text="The first rule in order that fits it.")


class DryRunOut(Shape):
    since = Moment()
    count = serializers.IntegerField(help_text="Alerts that it would have met and that lasted long enough.")
    looked_at = serializers.IntegerField()
    is_cut = serializers.BooleanField(help_text="There were more than are looked at.")
    alerts = MetOut(many=True, help_text="The newest ten of them.")


class DryRun(OnRules, Verb):
    """What this rule alone would have met since then; writes nothing. Drills and planned work do not count."""

    In, Out = DryRunIn, DryRunOut
    has_etag = False

    def find(self) -> Any:
        self.require("configure_integrations")
        return super().find()

    def act(self, record: AlertRule, **given: Any) -> dict[str, Any]:
        since = given.get("since") or self.now - timedelta(days=7)
        tried = try_rule(record, list(record.services.all()), since=since)
        for alert, first, _ in tried.newest:
            alert.decided_by = first.pk if first else None  # type: ignore[attr-defined]
        met = tried.matches
        alerts = [alert for alert, _, _ in tried.newest]
        return {
            "since": since, "count": met.count, "looked_at": met.looked_at, "is_cut": met.is_cut, "alerts": alerts,
        }  # fmt: skip


class RuleDetail(OnRules, Changing, Removing):
    """One rule."""

    def change(self, record: AlertRule, given: dict[str, Any]) -> None:
        acts.save_rule(record.pk, changes=conditions(given), actor=self.actor, at=self.now)

    def remove(self) -> None:
        acts.remove_rule(self.find().pk, actor=self.actor, at=self.now)
