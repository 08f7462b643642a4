"""Figures and import over the API."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.endpoint import Endpoint
from incidents.api.errors import TooLarge
from incidents.api.parsers import refuse_encoded
from incidents.api.renderers import JsonRenderer
from incidents.errors import Invalid
from incidents.priority import Severity
from metrics import history_import, kpis, shapes
from metrics.csv_export import incident_lines
from metrics.periods import CAUSES, CHANNELS, Grain, Scope, read_scope

MAX_IMPORT_BYTES = 10 * 1024 * 1024
MAX_IMPORT_ROWS = 20_000
_PERIOD = [
    OpenApiParameter("from", str, description="First day (organisation's zone) or RFC 3339 moment, inclusive."),
    OpenApiParameter("to", str, description="First day or moment after the period, exclusive. Absent: now."),
]
_FILTERS = [
    *_PERIOD,
    OpenApiParameter("service", str, many=True, description="Slug or exact name; several may be given."),
    OpenApiParameter("severity", str, many=True, enum=Severity.values),
    OpenApiParameter("tree", bool, description="With all that the services need to work."),
    OpenApiParameter("team", str, many=True, description="Slug or name of the team the services belong to."),
    OpenApiParameter("cause", str, many=True, enum=CAUSES, description="Cause of the linked problem."),
    OpenApiParameter("channel", str, many=True, enum=CHANNELS, description="Channel of the earliest linked ticket."),
]
_TREND = [
    *_FILTERS,
    OpenApiParameter("by", str, enum=Grain.values, description="How the period is cut; months unless said."),
]


class Figures(Endpoint):
    """Reads of figures: the scope comes from the query string."""

    pagination_class = None
    filter_backends = []

    def scope(self) -> Scope:
        """Raises NotAccountable, and Invalid with every bad parameter."""
        self.require("view_figures")
        asked = self.request.query_params
        return read_scope(
            start=asked.get("from", ""), end=asked.get("to", ""),
            services=asked.getlist("service"), severities=asked.getlist("severity"), teams=asked.getlist("team"),
            with_tree=asked.get("tree", "").lower() in ("1", "true", "yes"), causes=asked.getlist("cause"),
            channels=asked.getlist("channel"), grain=asked.get("by", ""), at=self.now,
        )  # fmt: skip


class KpisView(Figures):
    Out = shapes.KpisOut
    operation_ids = {"GET": "metrics_kpis"}

    @extend_schema(parameters=_FILTERS, filters=False)
    def get(self, request: Request) -> Response:
        """Every figure of a period. Without `from` it begins with the first incident's month."""
        return self.record(shapes.kpis(kpis.figures(self.scope(), at=self.now)))


class MonthlyView(Figures):
    Out = shapes.MonthOut
    operation_ids = {"GET": "metrics_monthly"}

    @extend_schema(parameters=_TREND, filters=False, responses=shapes.MonthOut(many=True))
    def get(self, request: Request) -> Response:
        """Each month (week, day) of the period in the organisation's zone, those without incidents included."""
        _, months = kpis.summarise(self.scope(), at=self.now)
        return Response(shapes.MonthOut([shapes.month(one) for one in months], many=True).data)


class ServicesView(Figures):
    Out = shapes.ServiceOut
    operation_ids = {"GET": "metrics_services"}

    @extend_schema(parameters=_FILTERS, filters=False, responses=shapes.ServiceOut(many=True))
    def get(self, request: Request) -> Response:
        """MTBF, downtime and cost of each active service in the period."""
        services, _ = kpis.by_service(self.scope(), at=self.now)
        return Response(shapes.ServiceOut([shapes.service(one) for one in services], many=True).data)


class CsvRenderer(BaseRenderer):
    """Lets a client ask for text/csv. What is rendered by it are refusals only, and those are JSON."""

    media_type = "text/csv"
    format = "csv"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return orjson.dumps(data, default=str)


class IncidentsCsvView(Figures):
    renderer_classes = [JsonRenderer, CsvRenderer]
    operation_ids = {"GET": "metrics_incidents_csv"}

    @extend_schema(parameters=_FILTERS, filters=False, responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)})
    def get(self, request: Request) -> HttpResponse:
        """The incidents behind every figure: their clocks, what lies between, downtime and cost."""
        rows = kpis.incident_rows(self.scope(), at=self.now)
        answer = HttpResponse(incident_lines(rows), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="major-incidents.csv"'
        return answer


class ImportParser(BaseParser):
    """A JSON list of incidents, or an object with it under `incidents`; up to 10 MiB."""

    media_type = "application/json"

    def parse(  # type: ignore[override]
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> list[Any]:
        refuse_encoded(parser_context)
        raw = stream.read(MAX_IMPORT_BYTES + 1)
        if len(raw) > MAX_IMPORT_BYTES:
            raise TooLarge(
                "The body is larger than 10 MiB. Send the history in parts, or use manage.py import_incidents."
            )
        try:
            found = orjson.loads(raw)
        except orjson.JSONDecodeError as refusal:
            raise ParseError(f"This is not JSON: {refusal.msg} at character {refusal.pos}.") from None
        rows = found.get("incidents") if isinstance(found, dict) else found
        if not isinstance(rows, list):
            raise ParseError("Send a list of incidents: [{…}, {…}].")
        if len(rows) > MAX_IMPORT_ROWS:
            raise TooLarge(f"More than {MAX_IMPORT_ROWS} rows. Send the history in parts.")
        return rows


class ImportView(Endpoint):
    parser_classes = [ImportParser]
    write_scopes = ("write", "admin")
    operation_ids = {"POST": "import_incidents"}

    @extend_schema(request=shapes.PastIncidentIn(many=True), responses=shapes.ImportOut)
    def post(self, request: Request) -> Response:
        """Past major incidents. Good rows go in, bad ones are rejected each by itself; twice changes nothing."""
        self.require("import_history")
        if not isinstance(request.data, list):  # an empty body never reaches the parser
            raise Invalid(body="Send a list of incidents: [{…}, {…}].")
        results = history_import.import_rows(request.data, actor=self.actor, at=self.now)
        return Response({"results": [vars(result) for result in results]})
