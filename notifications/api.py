"""Deliveries and previews over the API."""

from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import permissions
from incidents.api.endpoint import Collection, Detail, Endpoint, Verb, or_404
from incidents.api.filters import ChoicesFilter, MomentFilter, RefFilter
from incidents.api.major_incidents import GIVEN_CLOCKS, DeclarationIn
from incidents.models import MajorIncident, Scope
from incidents.process import Audience
from notifications import preview
from notifications.models import ChannelKey, Delivery, DeliveryState
from notifications.queries import visible_deliveries
from notifications.resend import resend
from notifications.shapes import DeclarationPreviewOut, DeliveryOut, ResendIn, UpdatePreviewIn, UpdatePreviewOut


class DeliveryFilter(filters.FilterSet):
    audience = filters.ChoiceFilter(choices=Audience.choices, method="for_audience")
    state = ChoicesFilter(choices=DeliveryState.choices)
    channel = ChoicesFilter(choices=ChannelKey.choices)
    moment = filters.CharFilter(max_length=32)
    major_incident = RefFilter("MI", field_name="incident")
    recipient = filters.CharFilter(method="to_recipient", max_length=254)
    queued_after = MomentFilter(field_name="queued_at", lookup_expr="gte")
    queued_before = MomentFilter(field_name="queued_at", lookup_expr="lt")
    acknowledged = filters.BooleanFilter(field_name="acknowledged_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Delivery
        fields: list[str] = []

    def for_audience(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Messages that count for the audience, whosever words they use."""
        return rows.filter(audiences__contains=[value])

    def to_recipient(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(Q(address=value.lower()) | Q(recipient__email__iexact=value))


class DeliveryList(Collection):
    """Every message: to whom, for which audience, on which channel, and what became of it. Newest first.

    Staff see all of them, everybody else what was addressed to them.
    """

    Out = DeliveryOut
    queryset = Delivery.objects.none()
    filterset_class = DeliveryFilter
    orderings = {name: name for name in ("id", "queued_at", "state")}
    operation_ids = {"GET": "deliveries_list"}

    def rows(self) -> QuerySet:
        return visible_deliveries(self.actor)


class DeliveryDetail(Detail):
    """One message."""

    Out = DeliveryOut
    queryset = Delivery.objects.none()
    operation_ids = {"GET": "deliveries_get"}

    def find(self) -> Delivery:
        return or_404(visible_deliveries(self.actor), pk=self.kwargs["id"])


class DeliveryResend(DeliveryDetail, Verb):
    """Queues a failed or suppressed message again: the same message id, a new attempt. 409 when it would not leave."""

    In = ResendIn
    http_method_names = ["post", "options"]
    operation_ids = {"POST": "deliveries_resend"}

    def act(self, record: Delivery, **given: Any) -> None:
        resend(record.pk, reason=given["reason"], actor=self.actor, at=self.now)


class DeclarationPreview(Endpoint):
    """What declaring with this body would do: who is told what, which tickets attach, which clocks start.

    Writes nothing; refuses what declaring would refuse.
    """

    In, Out = DeclarationIn, DeclarationPreviewOut
    write_scopes = (Scope.DECLARE.value, Scope.READ.value)
    is_idempotent = False
    operation_ids = {"POST": "major_incidents_preview"}

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.require("declare")
        given = self.given()
        clocks = {name: given.pop(name) for name in GIVEN_CLOCKS if name in given}
        return self.record(preview.of_declaration(actor=self.actor, at=self.now, clocks_given=clocks, **given))


class StatusUpdatePreview(Endpoint):
    """Who would get this status update, and in which words. Writes nothing."""

    In, Out = UpdatePreviewIn, UpdatePreviewOut
    queryset = MajorIncident.objects.none()
    write_scopes = (Scope.WRITE.value, Scope.READ.value)
    is_idempotent = False
    operation_ids = {"POST": "major_incident_updates_preview"}

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        incident = or_404(permissions.visible_incidents(self.actor), pk=self.kwargs["ref"])
        self.require("contribute", incident)
        return self.record(preview.of_update(incident, actor=self.actor, at=self.now, **self.given()))
