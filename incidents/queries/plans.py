"""Reading communication plans: which one counts for an incident, and its versions."""

from collections.abc import Iterable

from django.db.models import Case, Count, IntegerField, Max, Q, QuerySet, Value, When
from django.utils import timezone

from incidents.communication import promise_minutes, shipped
from incidents.models import CommunicationPlan, MajorIncident, PlanVersion, Service
from incidents.priority import Severity
from incidents.process import OPEN_STAGES


def key_of(severity: str, service: Service | None = None, tier: int | None = None) -> str:
    """What the plan is called in addresses: `sev1`, `sev1-service-checkout`, `sev1-tier-1`."""
    narrower = f"-service-{service.slug}" if service else f"-tier-{tier}" if tier else ""
    return f"{severity.lower()}{narrower}"


def as_shipped(severity: str) -> PlanVersion:
    """The plan of a severity before anybody saved one: not saved, numbered 0."""
    plan = CommunicationPlan(key=key_of(severity), severity=severity)
    return PlanVersion(plan=plan, number=0, content=shipped(severity), created_at=timezone.now())


def in_force(severity: str, services: Iterable[Service] = ()) -> PlanVersion:
    """The newest version of the most particular plan: of an affected service, of its tier, of the severity.

    Among several services the one of the lowest tier decides, then the first by name. One query.
    """
    affected = list(services)
    scope = Q(plan__service=None, plan__tier=None)
    if affected:
        scope |= Q(plan__service__in=affected) | Q(plan__tier__in={one.tier for one in affected})
    rank = Case(
        When(plan__service__isnull=False, then=Value(0)),
        When(plan__tier__isnull=False, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    found = (
        PlanVersion.objects.select_related("plan__service")
        .filter(scope, plan__severity=severity, plan__withdrawn_at=None)
        .order_by(rank, "plan__service__tier", "plan__service__name", "plan__tier", "-number")
        .first()
    )
    return found or as_shipped(severity)


def version_of(incident: MajorIncident) -> PlanVersion:
    """The version the incident runs under; the shipped one for incidents older than plans and imported ones.

    One query, and none when it was asked before or loaded with the incident.
    """
    if incident.plan_version_id is None:
        return as_shipped(incident.severity)
    if "plan_version" not in incident._state.fields_cache:
        incident.plan_version = PlanVersion.objects.select_related("plan__service").get(pk=incident.plan_version_id)
    assert incident.plan_version is not None
    return incident.plan_version


def minutes_to_next_update(incident: MajorIncident) -> int:
    """After how many minutes its plan owes the next update."""
    return promise_minutes(version_of(incident).content)


def newest_versions() -> list[PlanVersion]:
    """The version in force of every plan that counts, those of the severities first and always there. One query."""
    rows = (
        PlanVersion.objects.filter(plan__withdrawn_at=None)
        .select_related("plan__service", "created_by")
        .order_by("plan_id", "-number")
        .distinct("plan_id")
    )
    saved = sorted(rows, key=lambda one: (one.plan.severity, one.plan.is_particular, one.plan.scope))
    general = {one.plan.severity: one for one in saved if not one.plan.is_particular}
    return [
        version
        for severity in Severity.values
        for version in (
            general.get(severity) or as_shipped(severity),
            *(one for one in saved if one.plan.severity == severity and one.plan.is_particular),
        )
    ]


def newest_version(key: str) -> PlanVersion | None:
    """The newest version of the plan called `key`, withdrawn or not; None when there is no such plan."""
    rows = PlanVersion.objects.select_related("plan__service", "plan__withdrawn_by", "created_by").order_by("-number")
    general = {key_of(severity): severity for severity in Severity.values}
    return rows.filter(plan__key=key).first() or (as_shipped(general[key]) if key in general else None)


def versions_of(plan: CommunicationPlan) -> QuerySet[PlanVersion]:
    """Newest first, each with how many incidents run (`open_incidents`) or ran (`incidents`) under it."""
    return (
        PlanVersion.objects.filter(plan=plan.pk)
        .select_related("created_by", "plan__service")
        .annotate(
            incidents=Count("majorincident"),
            open_incidents=Count("majorincident", filter=Q(majorincident__stage__in=OPEN_STAGES)),
        )
        .order_by("-number")
    )


def newest_number(plan: CommunicationPlan) -> int:
    """0 while nothing was saved."""
    return PlanVersion.objects.filter(plan=plan.pk).aggregate(newest=Max("number"))["newest"] or 0
