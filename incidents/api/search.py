"""One search over everything the person may see."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import permissions
from incidents.api.endpoint import SEARCH_LIMIT, Endpoint
from incidents.api.shapes import Shape
from incidents.errors import Invalid
from incidents.models import Service, User
from incidents.queries.words import matching, reference_number

MOST_OF_A_KIND = 10
_KINDS: dict[str, tuple[str, Callable[[User], QuerySet], str]] = {
    "major_incident": ("MI", permissions.visible_incidents, "stage"),
    "ticket": ("INC", permissions.visible_tickets, "status"),
    "problem": ("PRB", permissions.visible_problems, "status"),
    "change": ("CHG", permissions.visible_changes, "status"),
    "candidate": ("CAN", permissions.visible_candidates, "status"),
}


class HitOut(Shape):
    kind = serializers.ChoiceField([*_KINDS, "service", "person"])
    ref = serializers.CharField(help_text="The reference; the slug of a service, the e-mail address of a person.")
    title = serializers.CharField()
    state = serializers.CharField(help_text="Stage or status; empty for services and people.")


class Search(Endpoint):
    """Records whose words begin with what is asked, or whose reference it is; ten of a kind, references first."""

    Out = HitOut
    is_list = True
    pagination_class = None
    filter_backends = []

    @extend_schema(parameters=[OpenApiParameter("q", str, required=True, description="Words, or a reference.")])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = request.query_params.get("q", "").strip()
        if not asked or len(asked) > SEARCH_LIMIT or "\x00" in asked:
            raise Invalid(q=f"Give 1 to {SEARCH_LIMIT} characters of text.")
        shown = HitOut([*self._named(asked), *self._worded(asked)], many=True).data
        return Response({"next": None, "previous": None, "results": shown})

    def _named(self, asked: str) -> Iterator[dict[str, Any]]:
        for kind, (prefix, visible, state) in _KINDS.items():
            number = reference_number(asked, prefix)
            if number is not None:
                yield from (_hit(kind, row, state) for row in visible(self.actor).filter(pk=number))

    def _worded(self, asked: str) -> Iterator[dict[str, Any]]:
        for kind, (_, visible, state) in _KINDS.items():
            fields = ("title",) if kind == "candidate" else ("title", "description")
            rows = matching(visible(self.actor), asked, *fields).order_by("-pk")[:MOST_OF_A_KIND]
            yield from (_hit(kind, row, state) for row in rows)
        if permissions.can(self.actor, "view_services"):
            for service in Service.objects.filter(name__icontains=asked)[:MOST_OF_A_KIND]:
                yield {"kind": "service", "ref": service.slug, "title": service.name, "state": ""}
        if permissions.can(self.actor, "view_desk"):
            named = Q(name__icontains=asked) | Q(email__icontains=asked)
            for person in User.objects.filter(named, is_active=True)[:MOST_OF_A_KIND]:
                yield {"kind": "person", "ref": person.email, "title": person.display_name, "state": ""}


def _hit(kind: str, row: Any, state: str) -> dict[str, Any]:
    return {"kind": kind, "ref": row.ref, "title": row.title, "state": getattr(row, state)}
