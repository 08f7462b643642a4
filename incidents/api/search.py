"""One search over everything the person may see."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.endpoint import SEARCH_LIMIT, Endpoint
from incidents.api.shapes import Shape
from incidents.errors import Invalid
from incidents.models import Candidate, Change, Document, MajorIncident, Problem, Service, Ticket, User
from incidents.queries.search import search

_KINDS: dict[type, tuple[str, str]] = {
    MajorIncident: ("major_incident", "stage"),
    Ticket: ("ticket", "status"),
    Problem: ("problem", "status"),
    Change: ("change", "status"),
    Candidate: ("candidate", "status"),
}


class HitOut(Shape):
    kind = serializers.ChoiceField([*(kind for kind, _ in _KINDS.values()), "document", "service", "person"])
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
        found = [_hit(row) for group in search(self.actor, asked) for row in group.rows]
        return Response({"next": None, "previous": None, "results": HitOut(found, many=True).data})


def _hit(row: Any) -> dict[str, str]:
    if isinstance(row, Document):
        return {"kind": "document", "ref": row.incident.ref, "title": row.title, "state": ""}
    if isinstance(row, Service):
        return {"kind": "service", "ref": row.slug, "title": row.name, "state": ""}
    if isinstance(row, User):
        return {"kind": "person", "ref": row.email, "title": row.display_name, "state": ""}
    kind, state = _KINDS[type(row)]
    return {"kind": kind, "ref": row.ref, "title": row.title, "state": getattr(row, state)}
