"""Senders of alerts and what came by them."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents.actions import integrations as acts
from incidents.actions import payloads as payload_acts
from incidents.api.endpoint import Changing, Collection, Detail, Endpoint, Making, Removing, Verb, or_404
from incidents.api.fields import Moment, ServiceName, TeamName, email_of
from incidents.api.filters import ChoicesFilter, MomentFilter
from incidents.api.shapes import Shape
from incidents.integration_kinds import TO_CHOOSE
from incidents.models import Integration, IntegrationKind, Payload, PayloadState
from incidents.queries.integrations import address_of, health_of, integrations, payloads, text_of

ADMIN = ("admin",)
KIND_CHOICES = [(kind, IntegrationKind(kind).label) for kind in TO_CHOOSE]
WEEK = 7 * 24 * 3600
STATES = [(state, state) for state in ("ok", "silent", "failing", "late", "off")]


class HealthOut(Shape):
    state = serializers.ChoiceField(STATES)
    last_payload_at = Moment(source="last", allow_null=True, help_text="Null when nothing arrived yet.")
    firing = serializers.IntegerField(help_text="Alerts that have not ended.")
    refused_last_day = serializers.IntegerField(source="refused", help_text="Payloads refused in the last 24 hours.")
    failed_last_day = serializers.IntegerField(source="failed", help_text="Accepted, but not processed: replay them.")


class IntegrationOut(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(IntegrationKind.choices)
    url = serializers.SerializerMethodField(
        help_text="The whole address to paste. The key in it is masked unless this answer shows the key."
    )
    base_url = serializers.SerializerMethodField(help_text="What client libraries of this kind take as base, or null.")
    key = serializers.SerializerMethodField(help_text="Only in the answer that made it; null ever after.")
    key_prefix = serializers.CharField(help_text="The beginning of the key.")
    service = serializers.CharField(source="service.slug", allow_null=True, help_text="When an alert names none.")
    team = serializers.CharField(source="team.slug", allow_null=True)
    settings = serializers.DictField(help_text="What this kind needs: names with their values.")
    signing_secrets = serializers.SerializerMethodField(help_text="How many secrets are good now: 0, 1 or 2.")
    is_active = serializers.BooleanField()
    expected_every_seconds = serializers.IntegerField(allow_null=True, help_text="Heartbeats only.")
    grace_seconds = serializers.IntegerField()
    last_beat_at = Moment(allow_null=True)
    beat_due_at = Moment(allow_null=True)
    health = serializers.SerializerMethodField(help_text="How it does now; no part of the ETag.")
    created_by = email_of("created_by")
    created_at = Moment()

    def get_url(self, row: Integration) -> str:
        return address_of(row, getattr(row, "key", "")).url

    def get_base_url(self, row: Integration) -> str | None:
        return address_of(row).base

    def get_key(self, row: Integration) -> str | None:
        return getattr(row, "key", None)

    def get_signing_secrets(self, row: Integration) -> int:
        return len(row.signing_secrets)

    @extend_schema_field(HealthOut)
    def get_health(self, row: Integration) -> dict[str, Any]:
        """Asked once for all rows of the page."""
        known: dict[int, Any] = self.context.setdefault("health", {})  # type: ignore[attr-defined]
        if row.pk not in known:
            known.update(health_of(self.context.get("together", [row]), timezone.now()))
        return dict(HealthOut(known[row.pk]).data)


class IntegrationChange(Shape):
    name = serializers.CharField(max_length=120)
    service = ServiceName(max_length=120, required=False, allow_null=True)
    team = TeamName(max_length=120, required=False, allow_null=True)
    settings = serializers.DictField(required=False)
    expected_every_seconds = serializers.IntegerField(
        min_value=10, max_value=366 * 24 * 3600, required=False, allow_null=True
    )
    grace_seconds = serializers.IntegerField(min_value=0, max_value=WEEK, required=False)
    is_active = serializers.BooleanField(required=False)


class IntegrationIn(IntegrationChange):
    kind = serializers.ChoiceField(KIND_CHOICES)


class IntegrationFilter(filters.FilterSet):
    kind = ChoicesFilter(choices=IntegrationKind.choices)
    is_active = filters.BooleanFilter()

    class Meta:
        model = Integration
        fields: list[str] = []


class OnIntegrations(Endpoint):
    Out: Any = IntegrationOut
    write_scopes = ADMIN
    queryset: Any = Integration.objects.none()

    def rows(self) -> QuerySet:
        self.require("view_desk")
        return integrations()

    def find(self) -> Any:
        return or_404(self.rows(), pk=self.kwargs["id"])

    def with_key(self, made: tuple[Integration, str]) -> Integration:
        """The record with its key, which is nowhere else."""
        row = integrations().get(pk=made[0].pk)
        row.key = made[1]  # type: ignore[attr-defined]
        return row


class IntegrationList(OnIntegrations, Collection, Making):
    """Senders of alerts, by name. `POST {name, kind}` is enough for a new one; only its answer shows the key."""

    In = IntegrationIn
    has_etag = True
    holds_secret = True
    filterset_class = IntegrationFilter
    default_ordering = "name"
    orderings = {"name": "name", "created_at": "created_at"}
    search_fields = ("name",)

    def location(self, record: Integration) -> str:
        return str(record.pk)

    def make(self, **given: Any) -> Integration:
        return self.with_key(acts.add_integration(actor=self.actor, at=self.now, **given))


class IntegrationDetail(OnIntegrations, Changing, Removing):
    """One integration. `DELETE` only while nothing came by it; switch it off otherwise (`is_active`)."""

    In = IntegrationChange

    def change(self, record: Integration, given: dict[str, Any]) -> None:
        acts.edit_integration(record.pk, changes=given, actor=self.actor, at=self.now)

    def remove(self) -> None:
        acts.delete_integration(self.find().pk, actor=self.actor, at=self.now)


class NothingIn(Shape):
    pass


class RotateIntegration(OnIntegrations, Verb):
    """A new key, shown in this answer only; the old one stops at once."""

    In = NothingIn
    has_etag = False
    holds_secret = True

    def act(self, record: Integration, **given: Any) -> Integration:
        return self.with_key(acts.rotate_key(record.pk, actor=self.actor, at=self.now))


# --- Payloads -------------------------------------------------------------------------------------------
class PayloadOut(Shape):
    id = serializers.IntegerField()
    integration = serializers.IntegerField(source="integration_id")
    state = serializers.ChoiceField(PayloadState.choices)
    reason = serializers.CharField(help_text="Why it was refused or could not be processed.")
    received_at = Moment()
    processed_at = Moment(allow_null=True)
    method = serializers.CharField()
    path = serializers.CharField(help_text="What the sender appended to its address.")
    query = serializers.CharField()
    headers = serializers.DictField(help_text="Those that adapters read; never a credential.")
    size_bytes = serializers.IntegerField(source="size")
    sha256 = serializers.CharField()
    body = serializers.SerializerMethodField(help_text="As text, its first 64 KiB.")
    alerts = serializers.IntegerField(help_text="How many alerts it spoke of.")
    attempts = serializers.IntegerField()

    def get_body(self, row: Payload) -> str:
        return text_of(row.head)  # type: ignore[attr-defined]


class PayloadFilter(filters.FilterSet):
    state = ChoicesFilter(choices=PayloadState.choices)
    after = MomentFilter(field_name="received_at", lookup_expr="gte")
    before = MomentFilter(field_name="received_at", lookup_expr="lt")

    class Meta:
        model = Payload
        fields: list[str] = []


class OnPayloads(Endpoint):
    Out: Any = PayloadOut
    write_scopes = ADMIN
    queryset: Any = Payload.objects.none()

    def find(self) -> Any:
        self.require("configure_integrations")
        return or_404(payloads(), pk=self.kwargs["id"])


class PayloadList(OnPayloads, Collection):
    """What came by an integration, the newest first, whatever became of it."""

    filterset_class = PayloadFilter
    default_ordering = "-id"

    def rows(self) -> QuerySet:
        self.require("configure_integrations")
        row = or_404(integrations(), pk=self.kwargs["id"])
        return payloads(Payload.objects.filter(integration=row))


class PayloadDetail(OnPayloads, Detail):
    """One payload as it came."""


class ReplayPayload(OnPayloads, Verb):
    """Processed again as if it had just come, with the settings of today. What was known already changes nothing."""

    In = NothingIn

    def act(self, record: Payload, **given: Any) -> None:
        payload_acts.replay(record.pk, actor=self.actor, at=self.now)
