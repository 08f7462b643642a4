"""One search over everything the person may see."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.endpoint import SEARCH_LIMIT, Endpoint
from incidents.api.shapes import Shape
from incidents.errors import Invalid
from incidents.queries.search import KINDS, search


class HitOut(Shape):
    kind = serializers.ChoiceField(KINDS)
    ref = serializers.CharField(help_text="The reference; the slug of a service, the e-mail address of a person.")
    title = serializers.CharField()
    state = serializers.CharField(help_text="Stage or status; empty for documents, services and people.")


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
        found = HitOut(search(self.actor, asked), many=True).data
        return Response({"next": None, "previous": None, "results": found})
