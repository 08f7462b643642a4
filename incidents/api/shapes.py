"""Shapes that several resources share."""

from rest_framework import serializers

from incidents.api.fields import Moment, Text


class Shape(serializers.Serializer):
    # A shape never saves: actions do. (No docstring: subclasses would inherit it into the schema.)
    pass


class MomentIn(Shape):
    at = Moment(required=False, past=True, help_text="When it happened; absent means now.")


class ReasonIn(MomentIn):
    reason = Text()


class CommentIn(MomentIn):
    comment = Text(required=False, allow_blank=True, default="")
