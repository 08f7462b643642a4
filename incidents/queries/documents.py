"""Reading knowledge: published incident documents."""

from django.db.models import QuerySet

from incidents.models import Document
from incidents.queries.words import matching


def published_documents(*, q: str = "", service: str = "") -> QuerySet[Document]:
    """Documents everybody on the desk may read, the newest first."""
    rows = Document.objects.filter(published_at__isnull=False).select_related("incident", "published_by")
    rows = rows.prefetch_related("incident__services")
    if q:
        rows = matching(rows, q, "title", "markdown")
    if service:
        rows = rows.filter(incident__services__slug=service)
    return rows.order_by("-published_at", "-id")
