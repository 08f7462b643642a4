"""On call: single shifts, who is on call now, rotas with their layers, and who stands in."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.actions import rotas, stand_ins
from incidents.api.endpoint import Changing, Collection, Detail, Endpoint, Making, Removing, ShortList, or_404
from incidents.api.fields import Moment, People, Person, TeamName, email_of
from incidents.api.filters import ChoicesFilter, MomentFilter, PersonFilter
from incidents.api.shapes import Shape
from incidents.models import LayerMember, OnCallShift, Rota, RotaLayer, RotaOverride
from incidents.process import AccountRole
from incidents.queries.rotas import duties

ADMIN = ("admin",)


# --- Single shifts ------------------------------------------------------------------------------------
class ShiftOut(Shape):
    id = serializers.IntegerField()
    role = serializers.SerializerMethodField(help_text="Account role; null for a shift of a team.")
    team = serializers.CharField(source="team.slug", allow_null=True)
    person = email_of("person")
    starts_at = Moment()
    ends_at = Moment()
    rank = serializers.IntegerField(help_text="Lower is paged first.")

    def get_role(self, shift: Any) -> str | None:
        return shift.role or None


class ShiftIn(Shape):
    role = serializers.ChoiceField(AccountRole.choices, required=False)
    team = TeamName(required=False, max_length=120, help_text="Instead of a role.")
    person = Person()
    starts_at = Moment()
    ends_at = Moment()
    rank = serializers.IntegerField(min_value=1, max_value=99, required=False)


class ShiftFilter(filters.FilterSet):
    role = ChoicesFilter(choices=AccountRole.choices)
    person = PersonFilter()
    after = MomentFilter(field_name="ends_at", lookup_expr="gt")
    before = MomentFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = OnCallShift
        fields: list[str] = []


class OnShifts(Endpoint):
    Out: Any = ShiftOut
    write_scopes = ADMIN
    queryset: Any = OnCallShift.objects.none()

    def rows(self) -> QuerySet:
        self.require("view_desk")
        return OnCallShift.objects.select_related("person", "team")


class ShiftList(OnShifts, Collection, Making):
    """Single shifts besides the rotas: who is on call, in which role or for which team, when."""

    In = ShiftIn
    filterset_class = ShiftFilter
    default_ordering = "-starts_at"
    orderings = {"starts_at": "starts_at", "ends_at": "ends_at", "rank": "rank"}

    def make(self, **given: Any) -> OnCallShift:
        return rotas.add_shift(actor=self.actor, at=self.now, **given)


class ShiftDetail(OnShifts, Detail, Removing):
    """One single shift. `DELETE` removes it."""

    def find(self) -> OnCallShift:
        return or_404(self.rows(), pk=self.kwargs["id"])

    def remove(self) -> None:
        rotas.remove_shift(self.find().pk, actor=self.actor, at=self.now)


# --- Now ----------------------------------------------------------------------------------------------
class OnDutyOut(Shape):
    person = email_of("person")
    name = serializers.CharField(source="person.display_name")
    rank = serializers.IntegerField(help_text="Lower is paged first.")
    by = serializers.CharField(help_text="The rota and layer, or that it is a single shift.")


class GapOut(Shape):
    starts_at = Moment()
    ends_at = Moment()


class DutyNowOut(Shape):
    role = serializers.SerializerMethodField(help_text="Account role; null for a team.")
    team = serializers.CharField(source="team.slug", allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]
    people = OnDutyOut(source="now", many=True, help_text="The first is paged first; empty when nobody is on call.")
    until = Moment(allow_null=True, help_text="When the first goes off duty.")
    gaps = GapOut(many=True, help_text="When nobody is on call within the next 14 days.")

    def get_role(self, duty: Any) -> str | None:
        return duty.role or None


class OnCallNow(ShortList):
    """Who is on call now, by role and team, from rotas, stand-ins and single shifts."""

    Out = DutyNowOut
    queryset = Rota.objects.none()
    operation_ids = {"GET": "on_call_now"}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.require("view_desk")
        return self.whole(duties(self.now))


# --- Rotas --------------------------------------------------------------------------------------------
class WindowShape(Shape):
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), min_length=1, max_length=7, help_text="0 is Monday."
    )
    begins = serializers.RegexField(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5, help_text="Local time, `09:00`.")
    ends = serializers.RegexField(
        r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5, help_text="Not after `begins` means the next day."
    )


class LayerOut(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    rank = serializers.IntegerField(help_text="Lower is paged first.")
    people = serializers.SerializerMethodField(help_text="E-mail addresses in the order of turns.")
    unit = serializers.ChoiceField(RotaLayer.Unit.choices)
    length = serializers.IntegerField(help_text="Of a turn, in units.")
    handover_at = serializers.TimeField(format="%H:%M", help_text="Local time.")
    handover_weekday = serializers.IntegerField(allow_null=True, help_text="0 is Monday; of turns of weeks.")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    windows = WindowShape(many=True, help_text="Empty: around the clock.")

    def get_people(self, layer: RotaLayer) -> list[str]:
        return [member.person.email for member in layer.members.all()]


class RotaOut(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    role = serializers.SerializerMethodField(help_text="Account role; null for a rota of a team.")
    team = serializers.CharField(source="team.slug", allow_null=True)
    time_zone = serializers.CharField()
    layers = LayerOut(many=True)

    def get_role(self, rota: Rota) -> str | None:
        return rota.role or None


class LayerIn(Shape):
    name = serializers.CharField(max_length=80)
    people = People()
    rank = serializers.IntegerField(min_value=1, max_value=9, required=False)
    unit = serializers.ChoiceField(RotaLayer.Unit.choices, required=False)
    length = serializers.IntegerField(min_value=1, max_value=336, required=False)
    handover_at = serializers.TimeField(required=False, help_text="Local time, `09:00`.")
    handover_weekday = serializers.IntegerField(min_value=0, max_value=6, required=False, allow_null=True)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(required=False, allow_null=True)
    windows = WindowShape(many=True, required=False)


class RotaIn(Shape):
    name = serializers.CharField(max_length=120)
    role = serializers.ChoiceField(AccountRole.choices, required=False)
    team = TeamName(required=False, max_length=120, help_text="Instead of a role.")
    time_zone = serializers.CharField(max_length=64)


class RotaChange(Shape):
    name = serializers.CharField(max_length=120, required=False)
    time_zone = serializers.CharField(max_length=64, required=False)


class OnRotas(Endpoint):
    Out: Any = RotaOut
    write_scopes = ADMIN
    queryset: Any = Rota.objects.none()

    def rows(self) -> QuerySet:
        self.require("view_desk")
        members = LayerMember.objects.select_related("person")
        layers = RotaLayer.objects.prefetch_related(Prefetch("members", members))
        return Rota.objects.select_related("team").prefetch_related(Prefetch("layers", layers))

    def find(self) -> Rota:
        return or_404(self.rows(), pk=self.kwargs["id"])


class RotaList(OnRotas, Collection, Making):
    """Rotas with their layers."""

    In = RotaIn
    default_ordering = "id"
    orderings = {"id": "id", "name": "name"}

    def make(self, **given: Any) -> Rota:
        return rotas.save_rota(changes=given, actor=self.actor, at=self.now)

    def shown(self, record: Any) -> Any:
        return self.rows().get(pk=record.pk)


class RotaDetail(OnRotas, Changing, Removing):
    """One rota. `PATCH` renames it or changes its time zone; `DELETE` removes it with its layers."""

    In = RotaChange

    def change(self, record: Rota, given: dict[str, Any]) -> None:
        rotas.save_rota(record.pk, changes=given, actor=self.actor, at=self.now)

    def remove(self) -> None:
        rotas.remove_rota(self.find().pk, actor=self.actor, at=self.now)


class LayerList(OnRotas):
    """Layers of a rota. `POST` adds one and answers it."""

    In, Out = LayerIn, LayerOut
    makes = True
    operation_ids = {"POST": "rota_layers_create"}

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rota = self.find()
        layer = rotas.save_layer(rota_id=rota.pk, changes=self.given(), actor=self.actor, at=self.now)
        address = request.build_absolute_uri(f"{request.path.rstrip('/')}/{layer.pk}")
        return self.record(layer, 201, Location=address)


class LayerDetail(OnRotas, Changing, Removing):
    """One layer of a rota."""

    In, Out = LayerIn, LayerOut

    def find(self) -> Any:
        self.require("view_desk")
        members = Prefetch("members", LayerMember.objects.select_related("person"))
        rows = RotaLayer.objects.select_related("rota").prefetch_related(members)
        return or_404(rows, pk=self.kwargs["layer"], rota=self.kwargs["id"])

    def change(self, record: RotaLayer, given: dict[str, Any]) -> None:
        rotas.save_layer(record.pk, changes=given, actor=self.actor, at=self.now)

    def remove(self) -> None:
        rotas.remove_layer(self.find().pk, actor=self.actor, at=self.now)


# --- Standing in --------------------------------------------------------------------------------------
class OverrideOut(Shape):
    id = serializers.IntegerField()
    rota = serializers.IntegerField(source="layer.rota_id")
    layer = serializers.IntegerField(source="layer_id")
    person = email_of("person")
    starts_at = Moment()
    ends_at = Moment()
    reason = serializers.CharField()
    made_by = email_of("made_by")
    made_at = Moment()


class OverrideIn(Shape):
    layer = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The id of the layer.")
    person = Person()
    starts_at = Moment()
    ends_at = Moment()
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)


class OverrideFilter(filters.FilterSet):
    rota = filters.NumberFilter(field_name="layer__rota", min_value=1, max_value=2**31 - 1)
    person = PersonFilter()
    after = MomentFilter(field_name="ends_at", lookup_expr="gt")
    before = MomentFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = RotaOverride
        fields: list[str] = []


class OnOverrides(Endpoint):
    Out: Any = OverrideOut
    queryset: Any = RotaOverride.objects.none()

    def rows(self) -> QuerySet:
        self.require("view_desk")
        return RotaOverride.objects.select_related("layer", "person", "made_by")


class OverrideList(OnOverrides, Collection, Making):
    """Who stands in on which layer. Anybody on call may give away own time or take somebody's over."""

    In = OverrideIn
    filterset_class = OverrideFilter
    default_ordering = "-starts_at"
    orderings = {"starts_at": "starts_at", "ends_at": "ends_at"}

    def make(self, **given: Any) -> RotaOverride:
        self.require("be_on_call")
        layer = or_404(RotaLayer.objects.all(), pk=given.pop("layer"))
        return stand_ins.stand_in(layer.pk, actor=self.actor, at=self.now, **given)


class OverrideDetail(OnOverrides, Detail, Removing):
    """One stand-in. `DELETE`: the ordinary turns count again."""

    def find(self) -> RotaOverride:
        return or_404(self.rows(), pk=self.kwargs["id"])

    def remove(self) -> None:
        stand_ins.remove_override(self.find().pk, actor=self.actor, at=self.now)
