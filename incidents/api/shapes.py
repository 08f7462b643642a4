"""Shapes that several resources share, and how a record is put into one.

Making a serializer copies every one of its fields (0.4 ms for a ticket and its clocks, more than everything else about
an answer), so each thread makes a shape once. Nothing of a request stays in it.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from rest_framework import serializers
from rest_framework.fields import SkipField, empty

from incidents.api.fields import Moment, Text


class _Made(threading.local):
    """The shapes of this thread."""

    def __init__(self) -> None:
        self.shapes: dict[tuple[type, bool], Any] = {}


_made = _Made()


@contextmanager
def _kept(kind: type[serializers.Serializer], partial: bool, context: Mapping[str, Any]) -> Iterator[Any]:
    """This thread's instance, lent to one request; a new one while it is lent already."""
    shelf = _made.shapes
    shape = shelf.pop((kind, partial), None) or kind(partial=partial)
    shape._context = context
    try:
        yield shape
    finally:
        shape._context = {}
        shape.__dict__.pop("initial_data", None)
        shelf[kind, partial] = shape


def shown(kind: type[serializers.Serializer], record: Any, context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The record as it is answered in this shape."""
    with _kept(kind, False, context or {}) as shape:
        return shape.to_representation(record)


def all_shown(
    kind: type[serializers.Serializer], records: Iterable[Any], context: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Each in its shape. A field that asks the database once for all of them finds all as `together` in its context."""
    rows = list(records)
    with _kept(kind, False, {**(context or {}), "together": rows}) as shape:
        return [shape.to_representation(row) for row in rows]


def checked(
    kind: type[serializers.Serializer], given: Any, context: Mapping[str, Any], *, partial: bool = False
) -> dict[str, Any]:
    """What was sent, validated. Raises ValidationError with the errors of each field."""
    with _kept(kind, partial, context) as shape:
        shape.initial_data = given
        return dict(shape.run_validation(given))


class Shape(serializers.Serializer):
    # A shape never saves: actions do. (No docstring: subclasses would inherit it into the schema.)
    # What follows does what the framework does, without asking each field each time what it is.

    @cached_property
    def _steps(self) -> list[tuple[str, serializers.Field, list[str] | None, type | None]]:
        """Of each field to be shown: its name, itself, the attributes that lead to its value, and the type that needs
        no conversion. None as the way: the field finds its value in a manner of its own."""
        return [
            (
                str(field.field_name),
                field,
                field.source_attrs if field.source_attrs and _finds_as_usual(field) else None,
                _AS_IT_IS.get(type(field).to_representation),
            )
            for field in self._readable_fields
        ]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field, way, as_it_is in self._steps:
            try:
                value = field.get_attribute(instance) if way is None else _followed(way, field, instance)
            except SkipField:
                continue
            found[name] = value if value is None or type(value) is as_it_is else field.to_representation(value)
        return found

    @cached_property
    def _all_writable(self) -> list[serializers.Field]:
        return [field for field in self.fields.values() if not field.read_only]

    @property
    def _writable_fields(self) -> list[serializers.Field]:
        """Without the optional ones that were not sent: nothing becomes of them."""
        given = self.__dict__.get("initial_data")
        if type(given) is not dict:
            return self._all_writable
        return [
            field
            for field in self._all_writable
            if field.required or field.field_name in given or field.default is not empty
        ]


_AS_IT_IS = {serializers.CharField.to_representation: str, serializers.IntegerField.to_representation: int}


def _finds_as_usual(field: serializers.Field) -> bool:
    return type(field).get_attribute is serializers.Field.get_attribute


def _followed(way: list[str], field: serializers.Field, instance: Any) -> Any:
    """The value at the end of the way, as the field itself would find it; anything out of the ordinary it is asked."""
    value = instance
    for name in way:
        if value is None and field.allow_null and field.default is empty:
            return None
        try:
            value = getattr(value, name)
        except (AttributeError, ObjectDoesNotExist):
            return field.get_attribute(instance)
    return field.get_attribute(instance) if callable(value) else value


class MomentIn(Shape):
    at = Moment(required=False, past=True, help_text="When it happened; absent means now.")


class ReasonIn(MomentIn):
    reason = Text()


class CommentIn(MomentIn):
    comment = Text(required=False, allow_blank=True, default="")
