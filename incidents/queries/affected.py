"""How many people say that they are affected: each person once, whichever way they said it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from incidents.models import AffectedPerson, User


@dataclass(frozen=True)
class AffectedCount:
    """`is_one` says whether the reader is among them."""

    people: int = 0
    is_one: bool = False


def of_incident(incident_id: int) -> QuerySet[AffectedPerson]:
    """What counts for one incident now; of a candidate it came from, or an incident merged into it, too: they moved."""
    return AffectedPerson.objects.filter(incident=incident_id, taken_back_at__isnull=True)


def of_candidate(candidate_id: int) -> QuerySet[AffectedPerson]:
    return AffectedPerson.objects.filter(candidate=candidate_id, taken_back_at__isnull=True)


def counted(incident_ids: Iterable[int], reader: User) -> dict[int, AffectedCount]:
    """By incident, for the portal; incidents nobody named are not in it. Two queries."""
    rows = AffectedPerson.objects.filter(incident__in=list(incident_ids), taken_back_at__isnull=True)
    mine = set(rows.filter(user=reader).values_list("incident", flat=True))
    people = rows.order_by().values_list("incident").annotate(n=Count("pk"))
    return {incident: AffectedCount(n, incident in mine) for incident, n in people}


def count_of_incident() -> Coalesce:
    """An annotation for rows of MajorIncident: how many people are affected, 0 for none."""
    return _counting("incident")


def count_of_candidate() -> Coalesce:
    """The same for rows of Candidate."""
    return _counting("candidate")


def _counting(by: str) -> Coalesce:
    rows = AffectedPerson.objects.filter(**{by: OuterRef("pk")}, taken_back_at__isnull=True)
    people = rows.order_by().values(by).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(people, output_field=IntegerField()), 0)
