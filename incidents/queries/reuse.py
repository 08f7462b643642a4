"""What helped in outages like this one, what has been made of it, and how many minutes that saved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Count, Prefetch, Q

from incidents.models import Change, ChangeLink, MajorIncident, PlanUse, Service, User
from incidents.permissions import visible_incidents
from incidents.process import Stage
from incidents.queries.look_alike import Asked
from incidents.queries.past import any_word

RANKED = 200
SAME_SERVICE, HAS_FIX, WORKED, NOT_WORKED = 0.15, 0.08, 0.12, 0.2
"""What each counts beside the likeness of the words, from 0 to 1."""
LEAST = 0.12
ENOUGH_TO_COMPARE = 3
_OVER = (Stage.MAINTENANCE, Stage.CLOSED)


@dataclass(frozen=True)
class Offer:
    """A past incident like this one. `fix` is the change that worked, None when there is none; `worked` and
    `not_worked` count what became of its plan elsewhere."""

    incident: MajorIncident
    score: float
    why: str
    fix: Change | None
    cause: str
    worked: int
    not_worked: int
    use: PlanUse | None = None

    @property
    def minutes(self) -> int | None:
        """From declared to resolved."""
        return minutes_of(self.incident)


def minutes_of(incident: MajorIncident) -> int | None:
    """Whole minutes from declared, else reported, to resolved; None while one is unknown."""
    begin = incident.declared_at or incident.reported_at
    if begin is None or incident.resolved_at is None:
        return None
    return max(round((incident.resolved_at - begin).total_seconds() / 60), 0)


def is_a_precedent(incident: MajorIncident) -> bool:
    """Over, really happened, and not part of another one."""
    return incident.stage in _OVER and not incident.is_drill and incident.merged_into_id is None


def fix_that_worked(incident: MajorIncident) -> Change | None:
    """The last change that was put in place as its fix and stayed."""
    links = incident.change_links.select_related("change").order_by("pk")
    return _worked(link.change for link in links if link.relation == ChangeLink.Relation.FIX)


def _worked(changes: Iterable[Change]) -> Change | None:
    held = [one for one in changes if one.implemented_at and not one.rolled_back_at and one.check_result != "failed"]
    return max(held, key=lambda one: one.implemented_at, default=None)  # type: ignore[arg-type, return-value]


def offers(
    user: User, *, title: str, body: str = "", services: Iterable[Service | int] = (), besides: int = 0, most: int = 3
) -> list[Offer]:
    """Past incidents the person may see in alike words or on the same services; the fix that worked comes first.

    A constant number of queries. What worked elsewhere rises, what did not sinks.
    """
    wanted = {one if isinstance(one, int) else one.pk for one in services}
    asked = Asked.of(title, body)
    alike = Q(affected__service__in=wanted) if wanted else Q()
    query: SearchQuery | None = any_word(f"{title} {body[:300]}")
    rows = visible_incidents(user).filter(stage__in=_OVER, is_drill=False, merged_into=None).exclude(pk=besides)
    rows = rows.annotate(words=SearchVector("title", "description", config="simple")).filter(alike | Q(words=query))
    fixes = Prefetch("change_links", ChangeLink.objects.select_related("change"))
    numbers = rows.order_by("-pk").values_list("pk", flat=True).distinct()[:RANKED]
    found = MajorIncident.objects.filter(pk__in=list(numbers)).prefetch_related(fixes, "problems", "services")
    counted = {
        row["source"]: (row["good"], row["bad"])
        for row in PlanUse.objects.filter(source__in=list(numbers))
        .values("source")
        .annotate(good=Count("pk", filter=Q(outcome="worked")), bad=Count("pk", filter=Q(outcome="not_worked")))
    }
    taken = {use.source_id: use for use in PlanUse.objects.filter(incident=besides)} if besides else {}
    ranked = [_offer(one, asked, wanted, counted.get(one.pk, (0, 0)), taken.get(one.pk)) for one in found]
    ranked = [one for one in ranked if one.use or one.score >= LEAST]
    return sorted(ranked, key=lambda one: (-one.score, -one.incident.pk))[:most]


def _offer(past: MajorIncident, asked: Asked, wanted: set[int], counted: tuple[int, int], use: PlanUse | None) -> Offer:
    likeness, shared = asked.compare(past.title, past.description)
    same = bool(wanted & {service.pk for service in past.services.all()})
    fix = _worked(link.change for link in past.change_links.all() if link.relation == ChangeLink.Relation.FIX)
    cause = next((one.root_cause for one in past.problems.all() if one.root_cause), "")
    score = likeness + SAME_SERVICE * same
    if score >= LEAST:
        score += HAS_FIX * (fix is not None) + WORKED * min(counted[0], 3) - NOT_WORKED * min(counted[1], 3)
    said = [f"both say {', '.join(shared)}"] if shared else []
    why = " · ".join([*said, *(["same service"] if same else [])])
    return Offer(past, score, why, fix, cause, *counted, use)


@dataclass(frozen=True)
class Saved:
    """Minutes from declared to resolved: this incident, and the median of those it is compared with."""

    took: int
    usual: int
    compared: int

    @property
    def minutes(self) -> int:
        """What was saved; negative when it took longer."""
        return self.usual - self.took


def saved_by_reuse(incident: MajorIncident) -> Saved | None:
    """What using a plan that worked saved against earlier incidents without one: of the same services when there are
    three of those, else of the same severity. None when nothing worked or there is nothing to compare with."""
    took = minutes_of(incident)
    if took is None or not incident.plans_used.filter(outcome=PlanUse.Outcome.WORKED).exists():
        return None
    earlier = MajorIncident.objects.filter(
        resolved_at__isnull=False, is_drill=False, merged_into=None, resolved_at__lt=incident.resolved_at
    ).exclude(Q(pk=incident.pk) | Q(stage=Stage.STOOD_DOWN) | Q(plans_used__outcome=PlanUse.Outcome.WORKED))
    mine = incident.affected.values("service")
    for rows in (earlier.filter(affected__service__in=mine), earlier.filter(severity=incident.severity)):
        times = [one for row in rows.distinct().order_by("-pk")[:100] if (one := minutes_of(row)) is not None]
        if len(times) >= ENOUGH_TO_COMPARE:
            return Saved(took, round(median(times)), len(times))
    return None


@dataclass(frozen=True)
class Reuse:
    """Incidents declared in a period, on how many a plan was used, what became of it, and the minutes saved."""

    incidents: int
    with_plan: int
    worked: int
    not_worked: int
    minutes_saved: int | None

    @property
    def percent(self) -> int | None:
        return round(100 * self.with_plan / self.incidents) if self.incidents else None


def reuse(since: datetime, until: datetime) -> Reuse:
    """Drills, stood-down and merged incidents are out. `minutes_saved` is None when nothing can be compared."""
    rows = MajorIncident.objects.filter(
        declared_at__gte=since, declared_at__lt=until, is_drill=False, merged_into=None
    ).exclude(stage=Stage.STOOD_DOWN)
    uses = PlanUse.objects.filter(incident__in=rows)
    counted = uses.aggregate(
        with_plan=Count("incident", distinct=True),
        worked=Count("pk", filter=Q(outcome=PlanUse.Outcome.WORKED)),
        not_worked=Count("pk", filter=Q(outcome=PlanUse.Outcome.NOT_WORKED)),
    )
    helped = rows.filter(plans_used__outcome=PlanUse.Outcome.WORKED).distinct().order_by("-pk")[:100]
    saved = [one.minutes for incident in helped if (one := saved_by_reuse(incident)) is not None]
    return Reuse(rows.count(), **counted, minutes_saved=sum(saved) if saved else None)
