"""What every address of the API has in common: sign-in, scopes, idempotency, ETags, problems, pages.

A view names its shapes (`In`, `Out`) and calls one action; everything else happens here.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import permissions
from incidents.api.etags import etag_of, is_known, refuse_stale
from incidents.api.idempotency import answered_once
from incidents.api.pagination import OnePage
from incidents.api.schema import ProblemAwareSchema
from incidents.api.shapes import all_shown, checked, shown
from incidents.errors import Invalid
from incidents.models import User

SEARCH_LIMIT = 200


class Endpoint(GenericAPIView):
    """Base of all. Subclasses set `Out`, `In` and what they need of the attributes below."""

    schema = ProblemAwareSchema()
    Out: Any
    In: Any
    queryset: Any = None
    write_scopes: Sequence[str] = ("write",)
    is_idempotent = True
    has_etag = False
    holds_secret = False
    """Its answers show a secret once: what is remembered of them for a repeated request is sealed."""
    operation_ids: dict[str, str] = {}
    orderings: dict[str, str] = {}
    default_ordering = "-id"
    search_fields: Sequence[str] = ()

    # --- the request ------------------------------------------------------------------
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """DRF's own dispatch, with the idempotent path for POST."""
        self.args, self.kwargs = args, kwargs
        self.request = asked = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(asked, *args, **kwargs)
            handler: Callable[..., Response] = self.http_method_not_allowed
            if asked.method and asked.method.lower() in self.http_method_names:
                handler = getattr(self, asked.method.lower(), handler)
            if asked.method == "POST" and self.is_idempotent and "Idempotency-Key" in asked.headers:
                return answered_once(asked, lambda: handler(asked, *args, **kwargs), self._finish)
            return self.finalize_response(asked, handler(asked, *args, **kwargs), *args, **kwargs)
        except Exception as refusal:
            return self.finalize_response(asked, self.handle_exception(refusal), *args, **kwargs)

    def _finish(self, result: Response | Exception) -> Response:
        answer = self.handle_exception(result) if isinstance(result, Exception) else result
        response = self.finalize_response(self.request, answer, *self.args, **self.kwargs)
        return response.render()

    @property
    def actor(self) -> User:
        return self.request.user  # type: ignore[return-value]

    @property
    def now(self) -> datetime:
        return timezone.now()

    def given(self, In: type[serializers.Serializer] | None = None, *, partial: bool = False) -> dict[str, Any]:
        """The validated body. Raises ValidationError, which becomes 400 `invalid` by field."""
        return checked(In or self.In, self.request.data, self.get_serializer_context(), partial=partial)

    def get_serializer_class(self) -> Any:
        return self.Out

    # --- answers -------------------------------------------------------------------------
    def record(self, record: Any, status: int = 200, **headers: str) -> Response:
        """The record in its shape, with its ETag."""
        content = shown(self.Out, record, self.get_serializer_context())
        if self.has_etag:
            headers["ETag"] = etag_of(content)
            if self.request.method == "GET" and is_known(self.request, headers["ETag"]):
                return Response(status=304, headers=headers)
        response = Response(content, status=status, headers=headers)
        response.holds_secret = self.holds_secret  # type: ignore[attr-defined]
        return response

    def require(self, act: str, record: Any = None) -> None:
        permissions.require(self.actor, act, record)


class Collection(Endpoint):
    """`GET` a page of what the person may see; `POST` makes one where `make` is defined."""

    is_list = True
    filterset_class: Any = None

    def rows(self) -> QuerySet:
        """What the person may see of this kind, ready to be shown."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet:
        return self.rows()

    def search(self, rows: QuerySet, words: str) -> QuerySet:
        """Rows containing every word. Overridden where the kind has an index of its own."""
        from django.db.models import Q

        for word in words.split()[:10]:
            anywhere = Q()
            for field in self.search_fields:
                anywhere |= Q(**{f"{field}__icontains": word})
            rows = rows.filter(anywhere)
        return rows

    def page(self) -> Response:
        rows = self.filter_queryset(self.rows())
        words = self.request.query_params.get("search", "")
        if words and self.search_fields:
            if "\x00" in words or len(words) > SEARCH_LIMIT:
                raise Invalid(search=f"Give up to {SEARCH_LIMIT} characters of text.")
            rows = self.search(rows, words)
        found = self.paginate_queryset(rows)
        return self.get_paginated_response(all_shown(self.Out, found or [], self.get_serializer_context()))

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.page()


class ShortList(Endpoint):
    """A list that is never long, in one piece, in the shape of a page. Subclasses answer `GET` with `whole`."""

    is_list = True
    pagination_class = OnePage
    filter_backends: list[Any] = []

    def whole(self, rows: Any) -> Response:
        results = all_shown(self.Out, rows, self.get_serializer_context())
        return Response({"next": None, "previous": None, "results": results})


class Making(Endpoint):
    """`POST` makes a record: 201, its address in `Location`."""

    makes = True

    def make(self, **given: Any) -> Any:
        raise NotImplementedError

    def location(self, record: Any) -> str:
        """Path of the record below its collection; "" when it has none."""
        return getattr(record, "ref", "") or str(record.pk)

    def address(self, record: Any) -> str:
        """Where the record is answered from now on."""
        return f"{self.request.path.rstrip('/')}/{self.location(record)}".rstrip("/")

    def shown(self, record: Any) -> Any:
        """The record as its shape needs it (joins, counts); by default as the action returned it."""
        return record

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        made = self.make(**self.given())
        return self.record(self.shown(made), 201, Location=request.build_absolute_uri(self.address(made)))


class Detail(Endpoint):
    """`GET` one record. With `change`, also `PATCH`, which heeds If-Match."""

    has_etag = True

    def find(self) -> Any:
        """The record as its shape needs it. Raises Http404 when the person may not know of it."""
        raise NotImplementedError

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.record(self.find())


class Changing(Detail):
    """`PATCH`: only the fields given are changed."""

    def change(self, record: Any, given: dict[str, Any]) -> None:
        raise NotImplementedError

    @transaction.atomic
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        record = self.find()
        if "If-Match" in request.headers:
            hold(record)
            refuse_stale(request, etag_of(shown(self.Out, self.find(), self.get_serializer_context())))
        given = self.given(partial=True)
        if given:
            self.change(record, given)
        return self.record(self.find())


class Removing(Endpoint):
    """`DELETE`: 204, or the reason why it stays."""

    def remove(self) -> None:
        raise NotImplementedError

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.remove()
        return Response(status=204)


class Verb(Endpoint):
    """`POST` does one act on a record and answers it."""

    has_etag = True

    def find(self) -> Any:
        raise NotImplementedError

    def act(self, record: Any, **given: Any) -> Any:
        """Calls the action. What it returns is shown; None means: the record, read again."""
        raise NotImplementedError

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        record = self.find()  # before the body is read: a stranger is told nothing about it
        given = self.given()
        if "at" in self.In._declared_fields:
            given["at"] = given.get("at") or self.now
        result = self.act(record, **given)
        return self.record(self.find() if result is None else result)


def hold(record: Model) -> None:
    """Locks the record's row until the end of the transaction, as every action does first."""
    get_object_or_404(type(record)._default_manager.select_for_update(of=("self",)).order_by(), pk=record.pk)


def or_404(rows: QuerySet, **named: Any) -> Any:
    found = rows.filter(**named).first()
    if found is None:
        raise Http404
    return found
