"""Reading what was learned: published incident documents by words and service."""

from django.db.models import QuerySet

from incidents.models import Document, User
from incidents.permissions import visible_incidents
from incidents.queries.words import matching, reference_number

ORDER = ("-published_at", "-id")


def published_documents(user: User, *, q: str = "", service: str = "") -> QuerySet[Document]:
    """Published documents of incidents the person may see; `service` is a slug. Drills are left out."""
    rows = Document.objects.filter(
        published_at__isnull=False, incident__in=visible_incidents(user), incident__is_drill=False
    )
    if q and (number := reference_number(q, "MI")) is not None:
        rows = rows.filter(incident=number)
    elif q:
        rows = matching(rows, q, "title", "markdown")
    if service:
        rows = rows.filter(incident__affected__service__slug=service)
    rows = rows.select_related("incident", "published_by")
    return rows.prefetch_related("incident__affected__service", "incident__problems")


def cause_of(document: Document) -> str:
    """The first known root cause of its incident, "" while nobody knows."""
    return next((one.root_cause for one in document.incident.problems.all() if one.root_cause), "")
