"""Escalation policies: data that says whom a step means, the shipped ones, and how they are changed.

A target is one word: `on_call:<role>:<place>` (1 is first in line), `all:<role>`, `team:<id>:<place>`,
`team-all:<id>`, `person:<id>`, or `last_resort`, who stands in for nobody (process: the RACI fallbacks).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import permissions
from incidents.actions.input import clean_choice, clean_number
from incidents.errors import Invalid
from incidents.models import Team, User, people_with_role
from incidents.on_call import on_call, on_call_team
from incidents.permissions import last_resort
from incidents.process import AccountRole
from notifications.models import EscalationPolicy, Occasion

MIM, SDM = AccountRole.MAJOR_INCIDENT_MANAGER, AccountRole.SERVICE_DESK_MANAGER
LAST_RESORT = "last_resort"
WAIT_WHEN_NOBODY_IS_FOUND = 300
MOST_STEPS, MOST_TARGETS, MOST_REPEATS = 12, 6, 20
LONGEST_WAIT = 24 * 3600


def _step(minutes: int, *who: str) -> dict[str, Any]:
    return {"who": list(who), "wait_seconds": minutes * 60}


SHIPPED: tuple[dict[str, Any], ...] = (
    _step(5, f"on_call:{MIM}:1"),
    _step(5, f"on_call:{MIM}:2"),
    _step(5, f"on_call:{SDM}:1"),
    _step(10, f"all:{MIM}", f"all:{SDM}"),
)
SHIPPED_REPEAT = 2
"""The candidates' rule of the process, on every occasion: manager on call, backup, service desk manager, anybody."""


@dataclass(frozen=True)
class Target:
    """`key` is a role, or the id of a team or person; `place` 0 means everybody."""

    kind: str
    key: str = ""
    place: int = 0


def read(word: str) -> Target:
    """ValueError for a word that is no target."""
    kind, _, rest = word.partition(":")
    if kind == LAST_RESORT and not rest:
        return Target(LAST_RESORT)
    key, _, place = rest.partition(":")
    if kind in ("on_call", "all"):
        AccountRole(key)
    elif kind in ("team", "team-all", "person") and key.isascii() and key.isdigit() and len(key) < 16:
        pass
    else:
        raise ValueError(word)
    if kind in ("on_call", "team"):
        if place not in ("1", "2", "3"):
            raise ValueError(word)
        return Target(kind, key, int(place))
    if place:
        raise ValueError(word)
    return Target(kind, key)


def steps_of(occasion: str) -> tuple[list[dict[str, Any]], int]:
    """The steps that count now, and how often they are repeated."""
    row = EscalationPolicy.objects.filter(occasion=occasion).first()
    return (list(row.steps), row.repeat) if row else ([dict(step) for step in SHIPPED], SHIPPED_REPEAT)


def frozen(occasion: str) -> dict[str, Any]:
    """The policy as a page keeps it: later changes do not touch pages under way. The last step is only taken in a
    round that reached nobody."""
    steps, repeat = steps_of(occasion)
    return {"steps": [*steps, {"who": [LAST_RESORT], "wait_seconds": 600, "if_nobody": True}], "repeat": repeat}


@transaction.atomic
def save_policy(
    occasion: str, *, steps: Sequence[dict[str, Any]], repeat: int, actor: User, at: datetime
) -> EscalationPolicy:
    """Changes what happens from the next page on. `steps` as in EscalationPolicy. Raises Invalid."""
    permissions.require(actor, "configure")
    clean_choice("occasion", occasion, Occasion.values)
    if not steps:
        raise Invalid(steps="Name at least one step; without one nobody would be paged.")
    if len(steps) > MOST_STEPS:
        raise Invalid(steps=f"At most {MOST_STEPS} steps.")
    values = {
        "steps": [_clean(step) for step in steps],
        "repeat": clean_number("repeat", repeat, most=MOST_REPEATS),
        "changed_by": actor,
        "changed_at": at,
    }
    return EscalationPolicy.objects.update_or_create(occasion=occasion, defaults=values)[0]


def _clean(step: Any) -> dict[str, Any]:
    who = list(dict.fromkeys(step.get("who") or ())) if isinstance(step, dict) else []
    if not who or len(who) > MOST_TARGETS:
        raise Invalid(steps=f"Each step pages one to {MOST_TARGETS} targets.")
    for word in who:
        check_target(word)
    return {"who": who, "wait_seconds": clean_number("steps", step.get("wait_seconds"), least=60, most=LONGEST_WAIT)}


def check_target(word: Any) -> None:
    """Raises Invalid unless the word means somebody who can be paged."""
    try:
        target = read(str(word))
    except ValueError:
        raise Invalid(steps=f"“{str(word)[:60]}” is nobody who can be paged.") from None
    if target.kind in ("team", "team-all") and not Team.objects.filter(pk=target.key).exists():
        raise Invalid(steps="This team does not exist any more. Choose another one.")
    if target.kind == "person" and not User.objects.filter(pk=target.key, is_active=True, is_guest=False).exists():
        raise Invalid(steps="This person has no access any more. Choose somebody else.")


# --- Whom a step means ------------------------------------------------------------------------
@dataclass(frozen=True)
class Wanted:
    person: User
    why: str


_PLACES = {1: "first in line", 2: "backup", 3: "third in line"}


def wanted(who: Iterable[str], *, at: datetime, but: frozenset[int]) -> list[Wanted]:
    """The people a step means at the moment, each once, without those in `but` (called before in this round).

    A place in line that is taken by somebody in `but`, or by nobody, means the next in line who is left.
    """
    found: dict[int, Wanted] = {}
    for word in who:
        target = read(word)
        for person, why in _KINDS[target.kind](target, at, but | found.keys()):
            if person.is_active and person.pk not in but:
                found.setdefault(person.pk, Wanted(person, why))
    return list(found.values())


_Found = list[tuple[User, str]]


def _in_line(line: list[User], target: Target, what: str, but: frozenset[int] | set[int]) -> _Found:
    start = target.place - 1
    left = [person for person in [*line[start:], *line[:start]] if person.pk not in but]
    if not left:
        return []
    place = line.index(left[0]) + 1
    return [(left[0], f"on call as {what}, {_PLACES.get(place, f'number {place} in line')}")]


def _role_on_call(target: Target, at: datetime, but: Any) -> _Found:
    return _in_line(on_call(target.key, at), target, str(AccountRole(target.key).label).lower(), but)


def _team_on_call(target: Target, at: datetime, but: Any) -> _Found:
    team = Team.objects.filter(pk=target.key).first()
    return _in_line(on_call_team(team, at), target, team.name, but) if team else []


def _everybody(target: Target, at: datetime, but: Any) -> _Found:
    why = f"as {str(AccountRole(target.key).label).lower()}"
    return [(person, why) for person in people_with_role(target.key).filter(is_guest=False)]


def _whole_team(target: Target, at: datetime, but: Any) -> _Found:
    members = User.objects.filter(team__pk=int(target.key), is_active=True, is_guest=False).select_related("team")
    return [(person, f"as member of {person.team}") for person in members]


def _person(target: Target, at: datetime, but: Any) -> _Found:
    return [(person, "by name") for person in User.objects.filter(pk=target.key)]


def _last_resort(target: Target, at: datetime, but: Any) -> _Found:
    people, as_what = last_resort(at)
    return [(person, f"as {as_what}, because nobody else was found") for person in people]


_KINDS: dict[str, Callable[[Target, datetime, Any], _Found]] = {
    "on_call": _role_on_call,
    "team": _team_on_call,
    "all": _everybody,
    "team-all": _whole_team,
    "person": _person,
    LAST_RESORT: _last_resort,
}
