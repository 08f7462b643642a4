"""Who is calling: people found by name, number or address, with what they have open."""

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, F, Func, Prefetch, Q, QuerySet, Value

from incidents.models import OPEN_TICKET_STATUSES, Ticket, User

COMPARED_DIGITS = 9
"""The end of a number, which is the same with and without country and area prefix."""
LEAST_DIGITS = 4
SHOWN_REPORTS = 5


@dataclass(frozen=True)
class Caller:
    """A person with their open reports, the newest first; `open_count` may be more than are listed."""

    person: User
    reports: list[Ticket]
    open_count: int


def callers(text: str, *, most: int = 6) -> list[Caller]:
    """Active people whose name and address contain all the words, or whose number contains the digits. Two queries."""
    words = text.replace("\x00", " ").split()[:6]
    if not words or len(text.strip()) < 2:
        return []
    found = _people()
    digits = digits_of(text)
    if len(digits) >= LEAST_DIGITS and not re.search(r"[^\d\s+()/.-]", text):
        found = found.filter(digits__contains=digits.lstrip("0")[-COMPARED_DIGITS:])
    else:
        for word in words:
            found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
    return [_caller(person) for person in found.order_by("name", "pk")[:most]]


def caller(pk: int) -> Caller | None:
    """One person by number; None for nobody who may call."""
    person = _people().filter(pk=pk).first()
    return _caller(person) if person else None


def person_with_number(number: str) -> User | None:
    """The one active person whose number ends like this; None when nobody or several have it."""
    digits = digits_of(number).lstrip("0")[-COMPARED_DIGITS:]
    if len(digits) < 6:
        return None
    found = list(_numbered().filter(digits__endswith=digits)[:2])
    return found[0] if len(found) == 1 else None


def digits_of(text: str) -> str:
    return "".join(char for char in text if char in "0123456789")


def _numbered() -> QuerySet[Any]:
    digits = Func(F("phone"), Value(r"\D"), Value(""), Value("g"), function="regexp_replace", output_field=CharField())
    return User.objects.filter(is_active=True, is_guest=False).annotate(digits=digits)


def _people() -> QuerySet[Any]:
    reports = Ticket.objects.filter(status__in=OPEN_TICKET_STATUSES).select_related("service", "major_incident")
    return (
        _numbered()
        .select_related("team")
        .prefetch_related(Prefetch("tickets", queryset=reports.order_by("-id"), to_attr="open_reports"))
    )


def _caller(person: Any) -> Caller:
    reports: list[Ticket] = person.open_reports
    return Caller(person, reports[:SHOWN_REPORTS], len(reports))
