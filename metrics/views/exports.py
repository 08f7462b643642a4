"""Everything out again, in one file."""

from django.http import StreamingHttpResponse
from django.utils import timezone

from incidents.views.gate import Request, page
from metrics.full_export import archive


@page("configure")
def full_export(request: Request) -> StreamingHttpResponse:
    """Every record as JSON lines and CSV in a ZIP, without secrets. For administrators."""
    answer = StreamingHttpResponse(archive(), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="mim-export-{timezone.now():%Y-%m-%d}.zip"'
    return answer
