"""The schema and its human page; every asset is local and no script is inline."""

from typing import Any

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import TemplateHTMLRenderer


@extend_schema(exclude=True)
class SchemaView(SpectacularAPIView):
    """OpenAPI 3, as JSON or YAML. Needs no key: it says what can be asked, not what is known."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI over the schema, its script under an address of its own so that the strict CSP holds."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    renderer_classes = [TemplateHTMLRenderer]
    url_name = "api_schema"
    template_name = "incidents/api_docs.html"
