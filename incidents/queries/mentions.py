"""Who is meant by an @name in the record: people of the incident first, then everybody who may see it anyway."""

import re
from collections.abc import Iterable

from django.db.models import Q

from incidents.models import MajorIncident, User
from incidents.permissions import LIVE_SEATS, STAFF_ROLES

MOST_MENTIONED = 20
_MENTION = re.compile(r"(?<![\w.@])@([\w][\w.\-]*)", re.UNICODE)


def handles_of(person: User) -> set[str]:
    """What follows the @: the part of the address before its @, the first name, the whole name without blanks."""
    names = person.display_name.casefold().split()
    local = person.email.split("@")[0].casefold()
    return {local, "".join(names), ".".join(names), *(names[:1])}


def handle_of(person: User) -> str:
    """The one that is offered: the name with dots, which nobody else has who is not called the same."""
    return ".".join(person.display_name.split())


def mentionable(incident: MajorIncident) -> tuple[list[User], list[User]]:
    """Who holds a seat, and everybody else who may see the incident. Two queries."""
    seats = Q(seats__incident=incident, seats__state__in=LIVE_SEATS)
    team = list(User.objects.filter(seats, is_active=True).distinct())
    others = User.objects.filter(is_active=True, is_guest=False, role_rows__role__in=STAFF_ROLES).distinct()
    return team, list(others.exclude(pk__in=[person.pk for person in team]))


def mentioned(text: str, incident: MajorIncident) -> list[User]:
    """The people an @name in the text means, each once; a name two of the team answer to means both. No query for a
    text without one."""
    words = list(dict.fromkeys(word.rstrip(".-").casefold() for word in _MENTION.findall(text)))[:MOST_MENTIONED]
    if not words:
        return []
    groups = mentionable(incident)
    found = (person for word in words for person in _first_group(word, groups))
    return list(dict.fromkeys(found))[:MOST_MENTIONED]


def _first_group(word: str, groups: Iterable[list[User]]) -> list[User]:
    for people in groups:
        if meant := [person for person in people if word in handles_of(person)]:
            return meant
    return []
