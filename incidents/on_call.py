"""Who is on call now: by the rotas, whoever stands in, and single shifts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from incidents import rota
from incidents.models import LayerMember, OnCallShift, RoleHeld, RotaLayer, RotaOverride, Team, User


@dataclass(frozen=True)
class OnDuty:
    """One person on call. Lower `rank` is paged first; `by` names the rota or says that it is a single shift."""

    person: User
    rank: int
    by: str


@dataclass(frozen=True)
class LayerPlan:
    """One layer with what the computation needs. `people` are those who can be reached in this duty, by id."""

    layer: RotaLayer
    turns: rota.Layer
    covers: list[rota.Cover]
    people: dict[int, User]

    def segments(self, since: datetime, until: datetime) -> list[rota.Segment]:
        """As the rota says, without turns of people who have left or no longer hold the role: those are gaps."""
        found = rota.segments(self.turns, self.covers, since, until)
        return [one for one in found if one.person in self.people]


def on_call(role: str, at: datetime) -> list[User]:
    """Active people on call in an account role at `at` (aware), the first to page first; empty when nobody is."""
    return [one.person for one in line(at, role=role)]


def on_call_team(team: Team, at: datetime) -> list[User]:
    """Active people on call for a team at `at` (aware), the first to page first; empty when nobody is."""
    return [one.person for one in line(at, team=team)]


def line(at: datetime, *, role: str = "", team: Team | None = None) -> list[OnDuty]:
    """Everybody on call for the role or the team, each once: by rank, single shifts before rotas. Three queries."""
    duty = {"team": team} if team else {"role": role}
    shifts = OnCallShift.objects.filter(**duty, starts_at__lte=at, ends_at__gt=at, person__is_active=True)
    found = [
        OnDuty(shift.person, shift.rank, "single shift")
        for shift in shifts.select_related("person").order_by("rank", "starts_at")
    ]
    plans = layer_plans(Q(**{f"rota__{name}": value for name, value in duty.items()}), since=at, until=at)
    by_key = {plan.turns.key: plan for plan in plans}
    covers = [cover for plan in plans for cover in plan.covers]
    for segment in rota.on_duty([plan.turns for plan in plans], covers, at):
        plan = by_key[segment.layer]
        if person := plan.people.get(segment.person):
            found.append(OnDuty(person, segment.rank, f"{plan.layer.rota.name}, {plan.layer.name}"))
    firsts: dict[int, OnDuty] = {}
    for one in sorted(found, key=lambda one: one.rank):
        firsts.setdefault(one.person.pk, one)
    return list(firsts.values())


def layer_plans(which: Q, *, since: datetime, until: datetime) -> list[LayerPlan]:
    """The layers that `which` (about RotaLayer) names, in the order of paging, with covers of the time between.
    Two queries, one when there is no rota."""
    members = _members(which)
    layers: dict[int, RotaLayer] = {}
    order: dict[int, list[int]] = {}
    people: dict[int, dict[int, User]] = {}
    for member in members:
        layer = layers.setdefault(member.layer_id, member.layer)
        order.setdefault(layer.pk, []).append(member.person_id)
        if is_reachable(member, since):
            people.setdefault(layer.pk, {})[member.person_id] = member.person
    covers = _covers(layers, since, until) if layers else []
    for cover in covers:
        if is_reachable(cover, since):
            people.setdefault(cover.layer_id, {})[cover.person_id] = cover.person
    return [
        LayerPlan(
            layer,
            layer.as_turns(order[key]),
            [cover.as_cover() for cover in covers if cover.layer_id == key],
            people.get(key, {}),
        )
        for key, layer in layers.items()
    ]


def is_reachable(row: Any, at: datetime) -> bool:
    """Whether the person of a member or override (annotated with `is_fit`) can be on call: active, no ended guest,
    holds the role the rota is for."""
    person: User = row.person
    ended = person.access_expires_at is not None and person.access_expires_at <= at
    return person.is_active and not ended and row.is_fit


def _members(which: Q) -> QuerySet[LayerMember]:
    prefixed = Q(layer__in=RotaLayer.objects.filter(which).values("pk"))
    return (
        LayerMember.objects.filter(prefixed)
        .select_related("layer__rota__team", "person")
        .annotate(is_fit=_holds_the_role())
        .order_by("layer__rank", "layer__position", "layer_id", "position")
    )


def _covers(layers: Iterable[int], since: datetime, until: datetime) -> list[RotaOverride]:
    rows = RotaOverride.objects.filter(layer__in=list(layers), starts_at__lte=until, ends_at__gt=since)
    return list(rows.select_related("person").annotate(is_fit=_holds_the_role()).order_by("id"))


def _holds_the_role() -> Any:
    """For a rota of a team, everybody does."""
    held = RoleHeld.objects.filter(user=OuterRef("person"), role=OuterRef("layer__rota__role"))
    of_a_team = RotaLayer.objects.filter(pk=OuterRef("layer"), rota__role="")
    return Exists(held) | Exists(of_a_team)
