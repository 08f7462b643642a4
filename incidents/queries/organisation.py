"""Reading the organisation: its audiences and its holidays."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from incidents.models import AudienceMembership, Holiday, RoleHeld, User
from incidents.process import DEFAULT_AUDIENCES, AccountRole, Audience

AUDIENCE_WORDS = {
    Audience.TECHNICAL: "Also everybody seated on the incident.",
    Audience.MANAGEMENT: "Hears of every step, and is asked for decisions.",
    Audience.KEY_STAKEHOLDERS: "Department heads and service-level business management.",
    Audience.USERS: "Also the requesters of linked tickets and whoever subscribed.",
}


@dataclass(frozen=True)
class AudienceRow:
    """One audience as it is set. `members` are active people, each once; `is_saved` is False while the default
    stands."""

    key: str
    label: str
    words: str
    roles: list[str]
    role_labels: list[str]
    people: list[User]
    empty_reason: str
    members: int
    is_saved: bool


def audience_rows() -> list[AudienceRow]:
    """The four audiences, the most detailed first. Three queries."""
    saved = {row.audience: row for row in AudienceMembership.objects.prefetch_related("people")}
    roles = {key: list(saved[key].roles) if key in saved else list(DEFAULT_AUDIENCES[key]) for key in Audience.values}
    people = {key: list(saved[key].people.all()) if key in saved else [] for key in Audience.values}
    counts = _members(roles, people)
    return [
        AudienceRow(
            key=audience.value,
            label=audience.label,
            words=AUDIENCE_WORDS[audience],
            roles=roles[audience],
            role_labels=[AccountRole(role).label for role in roles[audience]],
            people=people[audience],
            empty_reason=saved[audience].empty_reason if audience in saved else "",
            members=counts[audience],
            is_saved=audience in saved,
        )
        for audience in Audience
    ]


def _members(roles: dict[str, list[str]], people: dict[str, list[User]]) -> dict[str, int]:
    reachable = User.objects.filter(is_active=True).exclude(access_expires_at__lte=Now())
    sums = {
        key: Count(
            "pk",
            filter=Q(pk__in=RoleHeld.objects.filter(role__in=roles[key]).values("user"))
            | Q(pk__in=[person.pk for person in people[key]]),
        )
        for key in Audience.values
    }
    return reachable.aggregate(**sums)


def holidays(today: date) -> QuerySet[Holiday]:
    """From the beginning of this year on."""
    return Holiday.objects.filter(day__year__gte=today.year)[:200]
