"""How the API describes itself: every operation with every answer it can give, refusals included."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

PROBLEM_TYPE = "application/problem+json"

_MEANINGS = {
    400: "`invalid`: something in the input is not right; `errors` names each field.",
    401: "`unauthenticated`: no key, or one that does not work.",
    403: "`not_allowed`: known, but not yours to do; `who_may` lists who can.",
    404: "`not_found`: nothing here, or nothing you may know of.",
    405: "`method_not_allowed`",
    406: "`not_acceptable`: this address answers another format.",
    409: "Refused by the process: `wrong_stage`, `steps_outstanding` (with `steps`), `clock_order`, `open_downtime`, "
    "`too_late`, `duplicate`, `idempotency_mismatch`, or `conflict` with what somebody else does at the same moment.",
    412: "`stale`: the record changed since the state named in If-Match.",
    413: "`too_large`",
    415: "`unsupported_media_type`",
    429: "`throttled`: wait as long as Retry-After says.",
    500: "`internal`: our fault, and recorded.",
    503: "`database_away`: try again when Retry-After says.",
}


class Problem(serializers.Serializer):
    """RFC 9457. `type` is a literal word; members beyond these depend on it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(required=False)
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False, help_text="`invalid`: by field."
    )
    who_may = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="`not_allowed`: e-mail addresses."
    )
    steps = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="`steps_outstanding`: keys of the missing steps."
    )


class ProblemAwareSchema(AutoSchema):
    """Adds to every operation the problems, `Idempotency-Key`, `If-Match` and the scope it asks for."""

    def get_operation_id(self) -> str:
        return str(getattr(self.view, "operation_ids", {}).get(self.method) or super().get_operation_id())

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_description(self) -> str:  # type: ignore[override]
        said = super().get_description() or ""
        accepted = self._scopes()
        needed = " or ".join(f"`{scope}`" for scope in accepted)
        return f"{said}\n\nScope of the key: {needed}." if accepted else said

    def _scopes(self) -> tuple[str, ...]:
        from incidents.api.permissions import needed_scopes

        return needed_scopes(self.method, self.view) if self.get_auth() else ()

    def _is_list_view(self, serializer: Any = None) -> bool:
        if isinstance(serializer, serializers.ListSerializer):
            return True
        return self.method == "GET" and getattr(self.view, "is_list", False)

    def get_request_serializer(self) -> Any:
        In = getattr(self.view, "In", None)
        if In is None or self.method not in ("POST", "PUT", "PATCH"):
            return super().get_request_serializer() if not hasattr(self.view, "Out") else None
        return In(partial=True) if self.method == "PATCH" else In

    def get_response_serializers(self) -> Any:
        Out = getattr(self.view, "Out", None)
        if Out is None:
            return super().get_response_serializers()
        if self.method == "DELETE":
            return {204: None}
        if self._is_list_view():
            return Out(many=True)
        return {201 if self.method == "POST" and getattr(self.view, "makes", False) else 200: Out}

    def get_override_parameters(self) -> list[Any]:
        found: list[Any] = list(super().get_override_parameters())
        is_endpoint = getattr(self.view, "is_idempotent", False)
        if self._is_list_view() and getattr(self.view, "search_fields", None):
            found.append(OpenApiParameter("search", str, description="Rows containing all of these words."))
        if self.method == "POST" and is_endpoint:
            found.append(_header("Idempotency-Key", "Repeating it within 24 h gives the first answer again."))
        if self.method == "PATCH" and getattr(self.view, "has_etag", False):
            found.append(_header("If-Match", "The ETag you read; 412 when the record has changed since."))
        if self.method == "GET" and getattr(self.view, "has_etag", False):
            found.append(_header("If-None-Match", "The ETag you have; 304 when nothing changed."))
        return found

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        found = super()._get_response_bodies(direction)
        if direction != "response":
            return found
        problem = self.resolve_serializer(Problem, "response").ref
        for status in self._problem_statuses():
            found.setdefault(
                str(status), {"description": _MEANINGS[status], "content": {PROBLEM_TYPE: {"schema": problem}}}
            )
        if self.method == "GET" and getattr(self.view, "has_etag", False):
            found.setdefault("304", {"description": "Nothing changed since If-None-Match."})
        return found

    def _problem_statuses(self) -> Iterable[int]:
        always = [400, 401, 403, 404, 405, 406, 409, 413, 415, 429, 500, 503]
        return [*always, 412] if self.method == "PATCH" else always


def _header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)


def without_slashed_twins(endpoints: list[Any]) -> list[Any]:
    """Every path answers with and without a trailing slash; the schema lists it once, without."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


class _BearerKey(OpenApiAuthenticationExtension):
    target_class = "incidents.api.authentication.ApiKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A key of a user, made under “API keys”."}


class _Session(OpenApiAuthenticationExtension):
    target_class = "incidents.api.authentication.BrowserSession"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The browser's session; anything but GET needs the CSRF token in `X-CSRFToken`.",
        }
