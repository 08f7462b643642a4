"""What changes are planned with: freezes and templates of standard changes."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from incidents.actions import change_templates, freezes
from incidents.api.changes import ChangeOut, change_rows
from incidents.api.endpoint import Changing, Collection, Making, Removing, Verb, or_404
from incidents.api.fields import Moment, ServiceNames, Text, email_of
from incidents.api.shapes import MomentIn, Shape
from incidents.models import Change, ChangeTemplate, FreezeWindow, Risk


class _Services(Shape):
    services = serializers.SerializerMethodField(help_text="Slugs; empty for all of them.")

    def get_services(self, record: Any) -> list[str]:
        return [service.slug for service in record.services.all()]


class FreezeOut(_Services):
    id = serializers.IntegerField()
    name = serializers.CharField()
    reason = serializers.CharField()
    starts_at = Moment()
    ends_at = Moment()
    created_by = email_of("created_by")
    created_at = Moment()


class FreezeIn(Shape):
    name = serializers.CharField(max_length=120)
    reason = Text(required=False, allow_blank=True)
    starts_at = Moment()
    ends_at = Moment()
    services = ServiceNames(required=False)


def _freezes() -> QuerySet:
    return FreezeWindow.objects.select_related("created_by").prefetch_related("services")


class FreezeList(Collection, Making):
    """Times in which nothing but emergency changes begins."""

    In, Out = FreezeIn, FreezeOut
    queryset = FreezeWindow.objects.none()
    default_ordering = "starts_at"
    orderings = {"starts_at": "starts_at", "ends_at": "ends_at"}

    def rows(self) -> QuerySet:
        self.require("view_desk")
        return _freezes()

    def make(self, **given: Any) -> FreezeWindow:
        return freezes.save_freeze(**given, actor=self.actor, at=self.now)


class FreezeDetail(Changing, Removing):
    """One freeze. `DELETE` lifts it."""

    In, Out = FreezeIn, FreezeOut
    queryset = FreezeWindow.objects.none()

    def find(self) -> FreezeWindow:
        self.require("view_desk")
        return or_404(_freezes(), pk=self.kwargs["id"])

    def change(self, record: FreezeWindow, given: dict[str, Any]) -> None:
        names = ("name", "reason", "starts_at", "ends_at")
        before = {name: getattr(record, name) for name in names} | {"services": list(record.services.all())}
        freezes.save_freeze(record.pk, **(before | given), actor=self.actor, at=self.now)

    def remove(self) -> None:
        freezes.remove_freeze(self.find().pk, actor=self.actor)


class ChangeTemplateOut(_Services):
    id = serializers.IntegerField()
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    plan = serializers.CharField()
    test_plan = serializers.CharField()
    backout_plan = serializers.CharField()
    risk = serializers.ChoiceField(Risk.choices)
    is_active = serializers.BooleanField()
    approved_by = email_of("approved_by")
    approved_at = Moment()


class ChangeTemplateIn(Shape):
    name = serializers.CharField(max_length=120)
    title = serializers.CharField(max_length=250, required=False, allow_blank=True)
    description = Text(required=False, allow_blank=True)
    plan = Text(required=False, allow_blank=True)
    test_plan = Text(required=False, allow_blank=True)
    backout_plan = Text(required=False, allow_blank=True)
    risk = serializers.ChoiceField(Risk.choices, required=False)
    services = ServiceNames(required=False)
    is_active = serializers.BooleanField(required=False)


def _templates() -> QuerySet:
    return ChangeTemplate.objects.select_related("approved_by").prefetch_related("services")


class ChangeTemplateList(Collection, Making):
    """Templates of standard changes; saving one approves it."""

    In, Out = ChangeTemplateIn, ChangeTemplateOut
    queryset = ChangeTemplate.objects.none()
    default_ordering = "name"
    orderings = {"name": "name"}
    search_fields = ("name", "title", "plan")

    def rows(self) -> QuerySet:
        self.require("view_desk")
        return _templates()

    def make(self, **given: Any) -> ChangeTemplate:
        return change_templates.save_template(changes=given, actor=self.actor, at=self.now)


class ChangeTemplateDetail(Changing):
    """One template."""

    In, Out = ChangeTemplateIn, ChangeTemplateOut
    queryset = ChangeTemplate.objects.none()

    def find(self) -> ChangeTemplate:
        self.require("view_desk")
        return or_404(_templates(), pk=self.kwargs["id"])

    def change(self, record: ChangeTemplate, given: dict[str, Any]) -> None:
        change_templates.save_template(record.pk, changes=given, actor=self.actor, at=self.now)


class UseTemplateIn(MomentIn):
    title = serializers.CharField(max_length=250, required=False)
    window_start = Moment(required=False, allow_null=True)
    window_end = Moment(required=False, allow_null=True)
    services = ServiceNames(required=False)


class UseChangeTemplate(Verb):
    """Drafts a standard change from the template and answers the change."""

    In: Any = UseTemplateIn
    Out: Any = ChangeOut
    queryset: Any = ChangeTemplate.objects.none()

    def find(self) -> ChangeTemplate:
        self.require("view_desk")
        return or_404(ChangeTemplate.objects.all(), pk=self.kwargs["id"])

    def act(self, record: ChangeTemplate, **given: Any) -> Change:
        made = change_templates.use_template(record.pk, actor=self.actor, **given)
        return change_rows(self.actor).get(pk=made.pk)
