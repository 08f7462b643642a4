"""Pages by key, not by number: rows that arrive meanwhile neither shift nor repeat what a client reads."""

from datetime import datetime
from typing import Any

from django.core import signing
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Model, Q
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 500
_signer = signing.Signer(salt="incidents.api.pagination")


class KeysetPages(BasePagination):
    """`{"next", "previous", "results"}`. The view names `orderings` (public name to field) and `default_ordering`.

    A cursor holds the ordering and the key of one row: the field's value, then the primary key, which makes the
    order total. Rows without a value come last, in either direction. Raises 400 for a cursor that is not ours.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.size = _page_size(request)
        self.ordering = _ordering(request, view)
        self.field, self.descends = _field_of(self.ordering, view)
        self.is_nullable = _is_nullable(queryset.model, self.field)
        cursor = request.query_params.get("cursor")
        direction, value, pk = self._read(cursor, queryset.model) if cursor else ("next", None, None)
        backwards = direction == "previous"
        rows = queryset if pk is None else queryset.filter(self._beyond(value, pk, backwards))
        found = list(rows.order_by(*self._order_by(backwards))[: self.size + 1])
        more, page = len(found) > self.size, found[: self.size]
        if backwards:
            page.reverse()
        self.has_next = more if not backwards else True
        self.has_previous = more if backwards else pk is not None
        self.page = page
        return page

    def _order_by(self, backwards: bool) -> list[Any]:
        descends = self.descends != backwards
        tie = "-pk" if descends else "pk"
        if self.field == "pk":
            return [tie]
        if not self.is_nullable:
            return [("-" if descends else "") + self.field, tie]
        key = F(self.field)
        # Without a value: last when read forwards, so first when read backwards.
        empties = {"nulls_first": True} if backwards else {"nulls_last": True}
        return [key.desc(**empties) if descends else key.asc(**empties), tie]

    def _beyond(self, value: Any, pk: int, backwards: bool) -> Q:
        """Rows strictly after the key in reading direction."""
        compare = "lt" if self.descends != backwards else "gt"
        tie = Q(**{f"pk__{compare}": pk})
        if self.field == "pk":
            return tie
        empty = Q(**{f"{self.field}__isnull": True})
        if value is None:
            return (empty & tie) | (~empty if backwards else Q(pk__in=[]))
        # The first condition is implied by the second; it is what the index can use.
        valued = Q(**{f"{self.field}__{compare}e": value}) & (Q(**{f"{self.field}__{compare}": value}) | tie)
        return valued | empty if self.is_nullable and not backwards else valued

    def _read(self, cursor: str, model: type[Model]) -> tuple[str, Any, int]:
        try:
            ordering, direction, value, pk = _signer.unsign_object(cursor)
            if ordering != self.ordering:
                raise Refused({"cursor": ["This cursor belongs to another ordering. Start without it."]})
            if self.field != "pk" and value is not None:
                value = model._meta.get_field(self.field).to_python(value)  # type: ignore[union-attr]
        except (signing.BadSignature, ValueError, TypeError, ValidationError, FieldDoesNotExist):
            raise Refused({"cursor": ["This is not a cursor of ours. Start without it."]}) from None
        return direction, value, pk

    def _link(self, row: Any, direction: str) -> str:
        value = None if self.field == "pk" else getattr(row, self.field)
        written = value.isoformat() if isinstance(value, datetime) else value
        cursor = _signer.sign_object([self.ordering, direction, written, row.pk])
        base = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return replace_query_param(base, "cursor", cursor)

    def get_paginated_response(self, data: Any) -> Response:
        following = self._link(self.page[-1], "next") if self.page and self.has_next else None
        before = self._link(self.page[0], "previous") if self.page and self.has_previous else None
        return Response({"next": following, "previous": before, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        choices = [sign + name for name in getattr(view, "orderings", {}) for sign in ("", "-")]
        found: list[dict[str, Any]] = [
            _parameter("cursor", {"type": "string"}, "Where to go on; taken from `next` or `previous`."),
            _parameter("page_size", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE}, "Rows on a page."),
        ]
        if choices:
            found.append(_parameter("ordering", {"type": "string", "enum": choices}, "Order; `-` turns it round."))
        return found


class OnePage(KeysetPages):
    """A short list in one piece, in the shape of a page. Views answer with `whole`."""

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return []


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _page_size(request: Request) -> int:
    given = request.query_params.get("page_size")
    if given is None:
        return DEFAULT_PAGE_SIZE
    if not (given.isascii() and given.isdigit() and len(given) < 10 and int(given) > 0):
        raise Refused({"page_size": [f"Give a whole number from 1 to {MAX_PAGE_SIZE}."]})
    return min(int(given), MAX_PAGE_SIZE)


def _ordering(request: Request, view: Any) -> str:
    given = request.query_params.get("ordering")
    allowed = getattr(view, "orderings", {})
    if not given:
        return getattr(view, "default_ordering", "-id")
    if given.removeprefix("-") not in allowed:
        raise Refused({"ordering": [f"Order by one of: {', '.join(allowed) or 'nothing else here'}."]})
    return given


def _field_of(ordering: str, view: Any) -> tuple[str, bool]:
    name = ordering.removeprefix("-")
    field = getattr(view, "orderings", {}).get(name, name)
    return ("pk" if field in ("id", "pk") else field), ordering.startswith("-")


def _is_nullable(model: type[Model], field: str) -> bool:
    return field != "pk" and model._meta.get_field(field).null
