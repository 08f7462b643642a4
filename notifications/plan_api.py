"""Communication plans and the words of messages over the API."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.actions import plans as acts
from incidents.api.endpoint import Changing, Detail, Making, Removing, ShortList
from incidents.api.fields import Moment, ServiceName, Text, email_of
from incidents.api.major_incidents import OnIncident
from incidents.api.shapes import Shape
from incidents.communication import Telling, moments_of
from incidents.errors import Invalid
from incidents.models import BridgeProvider, CommunicationPlan, PlanVersion, Service
from incidents.priority import Severity
from incidents.process import Audience
from incidents.queries import plans as reading
from notifications import template_settings
from notifications.models import ChannelKey, TemplateVersion
from notifications.plan_settings import save_plan
from notifications.template_settings import Slot, all_slots, find_slot
from notifications.words import Sources, known_to

HISTORY_SHOWN = 200


# --- Plans --------------------------------------------------------------------------------------------------
def _column(audience: Audience) -> type[Shape]:
    """What one audience hears."""
    moments = {
        moment.value: serializers.ChoiceField(Telling.choices, required=False, help_text="Absent: not told.")
        for moment in moments_of(audience)
    }
    name = "".join(word.capitalize() for word in audience.value.split("_"))
    fields: dict[str, Any] = {
        "moments": type(f"{name}Moments", (Shape,), moments)(),
        "channels": _channels("Empty: as the person prefers."),
        "urgent_channels": _channels("For what is told urgently; empty: as the person prefers."),
        "cadence_minutes": serializers.IntegerField(min_value=5, max_value=1440, help_text="How often updates come."),
        "acknowledge_within_minutes": serializers.IntegerField(
            min_value=1, max_value=1440, help_text="For what is told as `acknowledge`."
        ),
        "escalate_to": serializers.CharField(
            max_length=80, help_text="Who hears of a missing acknowledgement; a target of `escalation-policies`."
        ),
        "silent_because": serializers.CharField(
            max_length=500, allow_blank=True, required=False, help_text="Needed when `declared` is not told."
        ),
    }
    return type(f"{name}Plan", (Shape,), fields)


def _channels(said: str) -> serializers.ListField:
    child = serializers.ChoiceField(ChannelKey.choices)
    return serializers.ListField(child=child, max_length=20, required=False, help_text=said)


ContentShape = type(
    "PlanContent",
    (Shape,),
    {audience.value: _column(audience)(required=False) for audience in Audience},
)


class PlanOut(Shape):
    key = serializers.CharField(source="plan.key")
    severity = serializers.ChoiceField(Severity.choices, source="plan.severity")
    service = serializers.SerializerMethodField(help_text="Slug of the service it is for; null for any.")
    tier = serializers.IntegerField(source="plan.tier", allow_null=True, help_text="Of the services it is for.")
    version = serializers.IntegerField(source="number", help_text="0 while it is as shipped.")
    content = ContentShape()
    bridge = serializers.CharField(
        source="bridge.name", default=None, allow_null=True,
        help_text="What the conference bridge is made from at declaration; null: somebody sets it.",
    )  # fmt: skip
    note = serializers.CharField()
    created_by = email_of("created_by")
    created_at = serializers.SerializerMethodField(help_text="Null while it is as shipped.")

    def get_service(self, version: PlanVersion) -> str | None:
        return version.plan.service.slug if version.plan.service else None

    def get_created_at(self, version: PlanVersion) -> str | None:
        return Moment().to_representation(version.created_at) if version.pk else None


class PlanIn(Shape):
    severity = serializers.ChoiceField(Severity.choices)
    service = ServiceName(max_length=120, required=False, allow_null=True)
    tier = serializers.ChoiceField(Service.Tier.choices, required=False, allow_null=True)
    note = Text(max_length=2_000, required=False, allow_blank=True)


class PlanChange(Shape):
    content = ContentShape(help_text="PUT: every audience, whole. PATCH: what is given of each audience.")
    bridge = serializers.SlugRelatedField(
        slug_field="name", queryset=BridgeProvider.objects.filter(is_enabled=True), required=False, allow_null=True
    )
    note = Text(max_length=2_000, required=False, allow_blank=True)
    version = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, help_text="The version you edited; 412 when it is older."
    )


class PlanList(ShortList, Making):
    """Who is told of what, how loudly and how often: the plans in force. `POST` makes one for a service or a tier,
    beginning as what counts for it now."""

    In, Out = PlanIn, PlanOut
    write_scopes = ("admin",)
    queryset = CommunicationPlan.objects.none()
    operation_ids = {"GET": "communication_plans_list", "POST": "communication_plan_make"}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.require("view_desk")
        return self.whole(reading.newest_versions())

    def make(self, **given: Any) -> PlanVersion:
        return acts.make_plan(**given, actor=self.actor, at=self.now)

    def location(self, record: PlanVersion) -> str:
        return record.plan.key


class OnPlan(Changing):
    Out: Any = PlanOut
    queryset: Any = CommunicationPlan.objects.none()

    def find(self) -> PlanVersion:
        self.require("view_desk")
        found = reading.newest_version(self.kwargs["key"])
        if found is None:
            raise Http404
        return found


class PlanDetail(OnPlan, Removing):
    """The newest version of one plan. `PUT` and `PATCH` save the next one, incidents under way keep theirs; `DELETE`
    withdraws a plan of a service or tier."""

    In = PlanChange
    write_scopes = ("admin",)
    operation_ids = {
        "GET": "communication_plan_read",
        "PUT": "communication_plan_save",
        "PATCH": "communication_plan_change",
        "DELETE": "communication_plan_withdraw",
    }

    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.record(self._save(self.find(), self.given()))

    def change(self, record: PlanVersion, given: dict[str, Any]) -> None:
        changed = given.pop("content", {})
        content = {name: {**column, **changed.get(name, {})} for name, column in record.content.items()}
        self._save(record, {**given, "content": content})

    def _save(self, before: PlanVersion, given: dict[str, Any]) -> PlanVersion:
        return save_plan(
            before, given["content"], bridge=given.get("bridge", before.bridge), note=given.get("note", ""),
            based_on=given.get("version"), actor=self.actor, at=self.now,
        )  # fmt: skip

    def remove(self) -> None:
        acts.withdraw(self.find().plan, actor=self.actor, at=self.now)


class PlanVersions(ShortList):
    """Every version of one plan, newest first."""

    Out = PlanOut
    queryset = PlanVersion.objects.none()
    operation_ids = {"GET": "communication_plan_versions"}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.require("view_desk")
        newest = reading.newest_version(self.kwargs["key"])
        if newest is None:
            raise Http404
        return self.whole(reading.versions_of(newest.plan)[:HISTORY_SHOWN] if newest.pk else [newest])


class SwitchIn(Shape):
    plan = serializers.CharField(max_length=160, help_text="Key of the plan whose newest version counts from now on.")
    reason = Text()


class IncidentPlan(OnIncident, Detail):
    """The version of the communication plan that the incident runs under. `PUT` switches it, with a reason."""

    In, Out = SwitchIn, PlanOut
    queryset = PlanVersion.objects.none()
    operation_ids = {"GET": "major_incident_plan_read", "PUT": "major_incident_plan_switch"}

    def find(self) -> PlanVersion:
        incident = self.incident()
        self.require("view_desk")
        return reading.version_of(incident)

    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        incident, given = self.incident(), self.given()
        version = reading.newest_version(given["plan"])
        if version is None or version.plan.withdrawn_at is not None:
            raise Invalid(plan=f"There is no plan “{given['plan'][:60]}” in force.")
        acts.switch(incident.pk, version=version, reason=given["reason"], actor=self.actor, at=self.now)
        return self.record(self.find())


class ShortPlanList(PlanList):
    """The same as `communication-plans`."""

    operation_ids = {"GET": "plans_list", "POST": "plan_make"}


class ShortPlanDetail(PlanDetail):
    """The same as `communication-plans/{key}`."""

    operation_ids = {"GET": "plan_read", "PUT": "plan_save", "PATCH": "plan_change", "DELETE": "plan_withdraw"}


# --- Words --------------------------------------------------------------------------------------------------
class VariableOut(Shape):
    path = serializers.CharField(help_text="As it stands between the braces.")
    what = serializers.CharField()
    sample = serializers.CharField(source="shown")
    optional = serializers.BooleanField(help_text="Whether it may be empty when a message is sent.")


class TemplateOut(Shape):
    moment = serializers.CharField()
    audience = serializers.CharField(source="key", help_text="An audience, or `person` for messages to one person.")
    subject = serializers.CharField(source="sources.subject")
    short = serializers.CharField(source="sources.short", help_text="For SMS and chat.")
    text = serializers.CharField(source="sources.text", help_text="Paragraphs; the HTML part is made from them.")
    is_shipped = serializers.BooleanField()
    version = serializers.IntegerField(source="number", help_text="0 while nobody ever changed it.")
    failure = serializers.SerializerMethodField(help_text="Why the shipped words went out instead of these.")

    def get_failure(self, slot: Slot) -> str:
        return slot.version.failure if slot.version else ""


class TemplateDetailOut(TemplateOut):
    variables = serializers.SerializerMethodField(help_text="What the words may name.")

    def get_variables(self, slot: Slot) -> list[dict[str, Any]]:
        return list(VariableOut(known_to("text", slot.moment, slot.audience), many=True).data)


class TemplateVersionOut(Shape):
    version = serializers.IntegerField(source="number")
    subject = serializers.CharField()
    short = serializers.CharField()
    text = serializers.CharField()
    is_shipped = serializers.BooleanField(help_text="The shipped words count again since then.")
    note = serializers.CharField()
    created_by = email_of("created_by")
    created_at = Moment()


class TemplateIn(Shape):
    subject = Text()
    short = Text()
    text = Text()
    note = Text(max_length=2_000, required=False, allow_blank=True)
    version = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, help_text="The version you edited; 412 when it is older."
    )


class TemplateList(ShortList):
    """The words of every moment and audience, as they count now."""

    Out = TemplateOut
    queryset = TemplateVersion.objects.none()
    operation_ids = {"GET": "templates_list"}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.require("view_desk")
        return self.whole(all_slots())


class TemplateDetail(Changing, Removing):
    """The words of one moment for one audience. `PUT` and `PATCH` save the next version, which is refused with line and
    name when it could not be said; `DELETE` gives the shipped words back."""

    In, Out = TemplateIn, TemplateDetailOut
    write_scopes = ("admin",)
    queryset = TemplateVersion.objects.none()
    operation_ids = {
        "GET": "template_read",
        "PUT": "template_save",
        "PATCH": "template_change",
        "DELETE": "template_restore_shipped",
    }

    def find(self) -> Slot:
        self.require("view_desk")
        found = find_slot(self.kwargs["moment"], self.kwargs["audience"])
        if found is None:
            raise Http404
        return found

    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self._save(self.find(), self.given())
        return self.record(self.find())

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        slot, given = self.find(), self.given(partial=True)
        now = slot.sources
        self._save(slot, {"subject": now.subject, "short": now.short, "text": now.text, **given})
        return self.record(self.find())

    def _save(self, slot: Slot, given: dict[str, Any]) -> None:
        template_settings.save_template(
            slot.moment, slot.audience, Sources(given["subject"], given["short"], given["text"]),
            note=given.get("note", ""), based_on=given.get("version"), actor=self.actor, at=self.now,
        )  # fmt: skip

    def remove(self) -> None:
        slot = self.find()
        template_settings.restore_shipped(slot.moment, slot.audience, actor=self.actor, at=self.now)


class TemplateVersions(ShortList):
    """Every version of the words of one moment for one audience, newest first."""

    Out = TemplateVersionOut
    queryset = TemplateVersion.objects.none()
    operation_ids = {"GET": "template_versions"}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.require("view_desk")
        slot = find_slot(self.kwargs["moment"], self.kwargs["audience"])
        if slot is None:
            raise Http404
        rows = TemplateVersion.objects.filter(moment=slot.moment, audience=slot.audience).select_related("created_by")
        return self.whole(rows.order_by("-number")[:HISTORY_SHOWN])
