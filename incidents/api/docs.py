"""The schema and its human page; every asset is local and no script is inline."""

from functools import lru_cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response


@lru_cache(maxsize=1)
def whole_schema() -> dict[str, Any]:
    """Made once a process: it takes a second and is the same for everybody."""
    return SchemaGenerator().get_schema(public=True)


@extend_schema(exclude=True)
class SchemaView(SpectacularAPIView):
    """OpenAPI 3, as JSON or YAML. Needs no key: it says what can be asked, not what is known."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer, OpenApiYamlRenderer2]

    def _get_schema_response(self, request: Request) -> Response:
        return Response(whole_schema())


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI over the schema, its script under an address of its own so that the strict CSP holds."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    renderer_classes = [TemplateHTMLRenderer]
    url_name = "api_schema"
    template_name = "incidents/api_docs.html"
