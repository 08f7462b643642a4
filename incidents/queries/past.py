"""What past records tell about a present incident: similar ones, and changes made before it."""

import re
from datetime import datetime, timedelta

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import Case, Count, F, FloatField, Q, QuerySet, Value, When

from incidents.models import Change, MajorIncident, ServiceDependency, User
from incidents.permissions import visible_changes, visible_incidents

LOOK_BACK = timedelta(hours=72)
_TOO_SHORT = 3


def similar_incidents(incident: MajorIncident, user: User, *, most: int = 10) -> QuerySet[MajorIncident]:
    """Other incidents the person may see with the same services or words, the most alike first.

    Drills, stood-down and merged ones are left out. `likeness` is 1 per shared service plus the rank of the words.
    """
    services = list(incident.affected.values_list("service", flat=True))
    shared = Count("affected", filter=Q(affected__service__in=services), distinct=True)
    query = any_word(incident.title)
    found = SearchVector("title", "description", config="simple")
    likes_words = Case(
        When(words=query, then=SearchRank(F("words"), query)), default=Value(0.0), output_field=FloatField()
    )
    rows = visible_incidents(user).exclude(pk=incident.pk).exclude(stage="stood_down")
    return (
        rows.filter(is_drill=False, merged_into__isnull=True)
        .annotate(words=found)
        .filter(Q(affected__service__in=services) | Q(words=query))
        .annotate(shared=shared, likeness=F("shared") + likes_words)
        .order_by("-likeness", "-id")[:most]
    )


def any_word(text: str) -> SearchQuery:
    """Any of the longer words; a word no text has when there is none."""
    words = [word for word in re.findall(r"\w+", text.lower()) if len(word) > _TOO_SHORT][:12]
    return SearchQuery(" | ".join(words or ["\u2205\u2205"]), config="simple", search_type="raw")


def changes_before(incident: MajorIncident, user: User, *, look_back: timedelta = LOOK_BACK) -> QuerySet[Change]:
    """Changes begun or implemented in the 72 hours before the impact, on its services or what those need, newest
    first. Without a known service: on anything."""
    until = began(incident)
    since = until - look_back
    touched = Q(started_at__range=(since, until)) | Q(implemented_at__range=(since, until))
    rows = visible_changes(user).filter(touched)
    services = set(incident.affected.values_list("service", flat=True))
    if services:
        needed = ServiceDependency.objects.filter(service__in=services).values("needs")
        rows = rows.filter(Q(services__in=services) | Q(services__in=needed)).distinct()
    return rows.order_by("-started_at", "-id")


def began(incident: MajorIncident) -> datetime:
    """When the impact began, as far as anybody knows."""
    return incident.started_at or incident.detected_at or incident.declared_at or incident.created_at
