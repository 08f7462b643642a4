"""Alerts: what monitoring tools said, in one shape, and a way to say it without being one of them."""

import json
from typing import Any
from uuid import uuid4

from django.db.models import Case, F, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Length
from django_filters import rest_framework as filters
from rest_framework import serializers

from incidents import permissions
from incidents.actions import alert_recovery, reported_alerts
from incidents.alert_signals import Grade, Says, Signal
from incidents.api.endpoint import Collection, Detail, Making, or_404
from incidents.api.fields import Moment, RefOut, ServiceName, Text
from incidents.api.filters import ChoicesFilter, MomentFilter, RefFilter, ServiceFilter
from incidents.api.shapes import Shape
from incidents.models import Alert, AlertOutcome, AlertSeverity, AlertState, Payload, Scope

SHOWN_BYTES = 16 * 1024
"""Larger bodies are not shown with their alerts: a group of a thousand would be, a thousand times."""


class AlertOut(Shape):
    id = serializers.IntegerField()
    source = serializers.IntegerField(source="integration_id", help_text="The integration's id.")  # type: ignore[assignment]
    dedup_key = serializers.CharField(help_text="The sender's own key.")
    episode = serializers.CharField(help_text="The sender's mark of this occurrence, else ours.")
    status = serializers.ChoiceField(AlertState.choices)
    title = serializers.CharField()
    body = serializers.CharField()
    severity = serializers.ChoiceField(AlertSeverity.choices)
    service = serializers.CharField(source="service.slug", allow_null=True)
    labels = serializers.DictField(child=serializers.CharField())
    link = serializers.CharField(help_text="Where the tool shows it; empty when it did not say.")
    started_at = Moment()
    ended_at = Moment(allow_null=True)
    first_received_at = Moment()
    last_received_at = Moment()
    reports = serializers.IntegerField(help_text="How often the sender said it.")
    changes = serializers.IntegerField(help_text="How often it went from one state to another.")
    is_flapping = serializers.BooleanField()
    in_maintenance = serializers.BooleanField(help_text="Began inside a maintenance window of its service.")
    is_drill = serializers.BooleanField()
    outcome = serializers.ChoiceField(
        [("", "Not decided yet"), *AlertOutcome.choices], help_text="What the rules made of it; empty: nothing yet."
    )
    ticket = RefOut("INC", source="ticket_id", allow_null=True)
    candidate = RefOut("CAN", source="candidate_id", allow_null=True)
    major_incident = RefOut("MI", source="major_incident_id", allow_null=True)
    payload_id = serializers.IntegerField(allow_null=True, help_text="The latest body that spoke of it.")
    payload = serializers.SerializerMethodField(
        help_text="That body: JSON as JSON, else text; null when it is longer than 16 KiB or no longer kept."
    )

    def get_payload(self, alert: Any) -> Any:
        raw = getattr(alert, "raw", None)
        if raw is None:
            return None
        text = bytes(raw).decode("utf-8", "replace")
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text


class AlertIn(Shape):
    title = serializers.CharField(max_length=1024)
    dedup_key = serializers.CharField(
        required=False, max_length=512, help_text="What is said with the same key is the same alert. Absent: a new one."
    )
    episode = serializers.CharField(required=False, allow_blank=True, max_length=120)
    status = serializers.ChoiceField(AlertState.choices, required=False, help_text="Absent means `firing`.")
    severity = serializers.ChoiceField(AlertSeverity.choices, required=False, help_text="Absent means `error`.")
    service = ServiceName(required=False, allow_null=True, max_length=120)
    body = Text(required=False, allow_blank=True)
    labels = serializers.DictField(child=serializers.CharField(allow_blank=True, max_length=4000), required=False)
    link = serializers.URLField(required=False, allow_blank=True, max_length=1000)
    started_at = Moment(required=False, past=True, help_text="Absent means now.")
    ended_at = Moment(required=False, past=True, help_text="With status `resolved`. Absent means now.")
    source = serializers.IntegerField(  # type: ignore[assignment]
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        help_text="An integration of the kind `api`. Absent: the first.",
    )
    payload = serializers.JSONField(required=False, help_text="Anything you want to keep with it.")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("ended_at") and given.get("status") != AlertState.RESOLVED:
            raise serializers.ValidationError({"ended_at": ["Only a resolved alert has ended."]})
        if given.get("ended_at") and given.get("started_at") and given["ended_at"] < given["started_at"]:
            raise serializers.ValidationError({"ended_at": ["It cannot end before it started."]})
        return given


def alert_rows(user: Any) -> QuerySet:
    """Alerts the person may see, with the body they came in where it is short."""
    return _shown() if permissions.can(user, "view_alerts") else Alert.objects.none()


def _shown() -> QuerySet:
    short = Payload.objects.filter(pk=OuterRef("payload_id")).annotate(size=Length("body"))
    raw = Subquery(short.values_list(Case(When(size__lte=SHOWN_BYTES, then=F("body")), default=None))[:1])
    return Alert.objects.select_related("service").annotate(raw=raw)


class AlertFilter(filters.FilterSet):
    source = filters.NumberFilter(field_name="integration_id", min_value=1, max_value=2**63 - 1)
    dedup_key = filters.CharFilter()
    episode = filters.CharFilter()
    status = ChoicesFilter(choices=AlertState.choices)
    severity = ChoicesFilter(choices=AlertSeverity.choices)
    service = ServiceFilter()
    ticket = RefFilter("INC")
    candidate = RefFilter("CAN")
    major_incident = RefFilter("MI")
    outcome = ChoicesFilter(choices=AlertOutcome.choices)
    is_flapping = filters.BooleanFilter()
    started_after = MomentFilter(field_name="started_at", lookup_expr="gte")
    started_before = MomentFilter(field_name="started_at", lookup_expr="lt")

    class Meta:
        model = Alert
        fields: list[str] = []


class AlertList(Collection, Making):
    """What monitoring tools said, newest first; `POST` says it in their stead: the same key is the same alert."""

    In, Out = AlertIn, AlertOut
    queryset = Alert.objects.none()
    write_scopes = (Scope.INGEST.value, Scope.WRITE.value)
    filterset_class = AlertFilter
    orderings = {"id": "id", "started_at": "started_at", "last_received_at": "last_received_at", "status": "status"}
    search_fields = ("title", "dedup_key")

    def rows(self) -> QuerySet:
        return alert_rows(self.actor)

    def make(self, **given: Any) -> Any:
        service, at = given.get("service"), self.now
        says = Says(given.get("status", AlertState.FIRING))
        signal = Signal(
            key=given.get("dedup_key") or uuid4().hex,
            says=says,
            title=given["title"],
            severity=Grade(given.get("severity", AlertSeverity.ERROR)),
            body=given.get("body", ""),
            episode=given.get("episode", ""),
            occurred_at=given.get("ended_at") if says == Says.RESOLVED else given.get("started_at"),
            service=service.slug if service else "",
            labels=given.get("labels", {}),
            link=given.get("link", ""),
        )
        kept = given.get("payload", self.request.data)
        told = reported_alerts.report(signal, kept=kept, source_id=given.get("source"), actor=self.actor, at=at)
        alert_recovery.review([told], at=at)
        return _shown().get(pk=told.pk)  # for the one who reported it, who may be unable to read alerts

    def location(self, record: Any) -> str:
        return str(record.pk)


class AlertDetail(Detail):
    """One alert."""

    Out = AlertOut
    queryset = Alert.objects.none()

    def find(self) -> Alert:
        return or_404(alert_rows(self.actor), pk=self.kwargs["id"])
