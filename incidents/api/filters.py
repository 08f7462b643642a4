"""Filters of lists, named like the fields they filter by."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError

from incidents.api.fields import Moment, people_named, ref_number, services_named


class _MomentField(forms.CharField):
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return Moment().run_validation(text.replace(" ", "+"))
        except ValidationError as refusal:
            raise forms.ValidationError([str(item) for item in refusal.detail]) from None


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentFilter(filters.Filter):
    """RFC 3339 with an offset."""

    field_class = _MomentField


class ChoicesFilter(filters.BaseInFilter, filters.ChoiceFilter):
    """One or several values, separated by commas."""


class ServiceFilter(filters.CharFilter):
    """A service by slug or exact name; an unknown one is refused."""

    def filter(self, rows: QuerySet, value: str) -> QuerySet:
        if not value:
            return rows
        try:
            service = services_named([value])[0]
        except ValidationError as refusal:
            raise ValidationError({"service": refusal.detail}) from None
        return rows.filter(**{self.field_name or "service": service})


class PersonFilter(filters.CharFilter):
    """A person by e-mail, `me`, or `none`."""

    def filter(self, rows: QuerySet, value: str) -> QuerySet:
        name = self.field_name or ""
        if not value:
            return rows
        if value == "none":
            return rows.filter(**{f"{name}__isnull": True})
        if value == "me":
            return rows.filter(**{name: self.parent.request.user})
        try:
            return rows.filter(**{name: people_named([value])[0]})
        except ValidationError as refusal:
            raise ValidationError({name: refusal.detail}) from None


class RefFilter(filters.CharFilter):
    """A record by reference, or `none`."""

    def __init__(self, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        super().__init__(**options)

    def filter(self, rows: QuerySet, value: str) -> QuerySet:
        if not value:
            return rows
        if value == "none":
            return rows.filter(**{f"{self.field_name}__isnull": True})
        number = ref_number(value, self.prefix)
        if number is None:
            raise ValidationError({self.field_name or "ref": [f"A reference looks like {self.prefix}-12."]})
        return rows.filter(**{str(self.field_name): number})
