"""Who should be in the team: from the services that are down, who is on duty now, and what people know."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from incidents.models import MajorIncident, Seat, Service, User, people_with_role
from incidents.on_call import on_call, on_call_team
from incidents.permissions import DESK_ROLES, is_usable
from incidents.process import Role, SeatState

MOST = 8
_OWNS, _ON_DUTY, _LEADS, _NEEDED, _KNOWS = 8, 6, 4, 3, 2
_MANAGERS = (Role.CHANGE_MANAGER, Role.PROBLEM_MANAGER)
_WORD = re.compile(r"[^\W_]{3,}")


@dataclass
class Proposal:
    """One person for one seat, and why; the more weight the earlier. `declined_at`: asked before, and said no."""

    role: str
    person: User
    reasons: list[str] = field(default_factory=list)
    weight: int = 0
    declined_at: datetime | None = None

    @property
    def role_label(self) -> str:
        return str(Role(self.role).label)

    @property
    def why(self) -> str:
        return "; ".join(dict.fromkeys(self.reasons))


def proposed_seats(incident: MajorIncident, *, at: datetime, most: int = MOST) -> list[Proposal]:
    """People not seated yet, the most fitting first; whoever declined stands last. Does not grow with the team."""
    seats = list(Seat.objects.filter(incident=incident))
    live = {(seat.role, seat.user_id) for seat in seats if seat.state in (SeatState.INVITED, SeatState.ACCEPTED)}
    here = {user for _, user in live}
    held = {role for role, _ in live}
    declined = {(s.role, s.user_id): s.answered_at for s in seats if s.state == SeatState.DECLINED}
    found: dict[tuple[str, int], Proposal] = {}
    for role, person, weight, reason in _ideas(incident, at, held):
        if not is_usable(person) or person.is_guest or (role, person.pk) in live:
            continue
        if role not in _MANAGERS and person.pk in here:
            continue
        one = found.setdefault((role, person.pk), Proposal(role, person))
        one.weight += weight if reason not in one.reasons else 0
        one.reasons.append(reason)
        one.declined_at = declined.get((role, person.pk))
    return sorted(found.values(), key=lambda one: (one.declined_at is not None, -one.weight, one.person.pk))[:most]


Idea = tuple[str, User, int, str]


def _ideas(incident: MajorIncident, at: datetime, held: set[str]) -> Iterator[Idea]:
    down = list(incident.services.select_related("owner", "team__lead").distinct())
    near = Service.objects.filter(needed_by__service__in=down, is_active=True).exclude(pk__in=[one.pk for one in down])
    yield from _of_services(down, at, _OWNS, "owns {}")
    yield from _of_services(
        list(near.select_related("owner", "team__lead").distinct()[:10]), at, _NEEDED, "owns {}, which it needs"
    )
    for role in _MANAGERS:
        if role in held:
            continue
        for rank, person in enumerate(on_call(role, at)[:2]):
            yield role, person, _ON_DUTY - rank, "on call now"
        for person in people_with_role(role)[:2]:
            yield role, person, 1, f"is {Role(role).label.lower()}"
    for rank, person in enumerate(on_call(Role.TECHNICAL_STAFF, at)[:2]):
        yield Role.TECHNICAL_STAFF, person, _ON_DUTY - rank, "on call now"
    yield from _who_know(_words(incident, down))


def _of_services(services: Iterable[Service], at: datetime, weight: int, said: str) -> Iterator[Idea]:
    asked: set[int] = set()
    for service in services:
        if service.owner is not None:
            yield Role.TECHNICAL_STAFF, service.owner, weight, said.format(service.name)
        team = service.team
        if team is None or team.pk in asked:
            continue
        asked.add(team.pk)
        for rank, person in enumerate(on_call_team(team, at)[:2]):
            yield Role.TECHNICAL_STAFF, person, _ON_DUTY - rank, f"on call for {team.name}"
        if team.lead is not None:
            yield Role.MIT, team.lead, _LEADS if weight == _OWNS else 1, f"leads {team.name}"


def _words(incident: MajorIncident, services: Iterable[Service]) -> set[str]:
    text = " ".join([incident.title, incident.description, *(service.name for service in services)])
    return {word.lower() for word in _WORD.findall(text)}


def _who_know(words: set[str]) -> Iterator[Idea]:
    """People of the desk whose skills are spoken of in the title, the description or the names of the services."""
    if not words:
        return
    for person in people_with_role(*DESK_ROLES).filter(skills__overlap=sorted(words)).order_by("pk")[:20]:
        known = sorted(words.intersection(person.skills))
        yield Role.TECHNICAL_STAFF, person, _KNOWS * len(known), f"knows {', '.join(known)}"
