"""One search over everything a person may see: references first, then words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import F, Max, Q, QuerySet

from incidents import permissions
from incidents.knowledge_terms import stems_of
from incidents.models import Document, KnowledgeWord, Service, Ticket, User
from incidents.queries.influx import vocabulary
from incidents.queries.words import MOST_WORDS, matching, reference_number

MOST_OF_A_KIND = 10
MOST_CHARACTERS = 200
ALIKE = 0.35
"""How alike a title must be to a mistyped word, from 0 to 1."""
COMPARED = 1_000
"""Titles of a kind that are compared with a mistyped word, the newest: no index finds them, each is looked at, and a
thousand of each kind cost as much as everything else here together."""
FEW = 20_000
"""Expected tickets up to which the word index finds them faster than a look at the newest, one after the other."""


@dataclass(frozen=True)
class Hit:
    """One record found. `ref` is the reference, the slug of a service, or the e-mail address of a person.

    `state` is the stage or status, "" for services and people.
    """

    kind: str
    ref: str
    title: str
    state: str
    pk: int


FEW_DOCUMENTS = 5_000
"""The same for documents."""


_KINDS: dict[str, tuple[str, Callable[[User], QuerySet[Any]], str, tuple[str, ...]]] = {
    "major_incident": ("MI", permissions.visible_incidents, "stage", ("title", "description")),
    "ticket": ("INC", permissions.visible_tickets, "status", ("title", "description")),
    "problem": ("PRB", permissions.visible_problems, "status", ("title", "description")),
    "change": ("CHG", permissions.visible_changes, "status", ("title", "description")),
    "candidate": ("CAN", permissions.visible_candidates, "status", ("title",)),
}
KINDS = (*_KINDS, "document", "service", "person")


def search(user: User, text: str) -> list[Hit]:
    """Ten of a kind at most, whatever the number of records; empty for a text without a word."""
    asked = text.replace("\x00", " ").strip()[:MOST_CHARACTERS]
    if not asked:
        return []
    return list(dict.fromkeys([*_named(user, asked), *_worded(user, asked)])) or list(_alike(user, asked))


def by_reference(user: User, text: str) -> Hit | None:
    """The record a whole reference such as MI-12 names; None for a bare number and for what the person may not see."""
    if not text.strip()[:1].isalpha():
        return None
    return next(_named(user, text.strip()[:MOST_CHARACTERS]), None)


def _named(user: User, asked: str) -> Iterator[Hit]:
    for kind, (prefix, visible, state, _) in _KINDS.items():
        number = reference_number(asked, prefix)
        if number is not None:
            yield from (_hit(kind, row, state) for row in visible(user).filter(pk=number))


def _worded(user: User, asked: str) -> Iterator[Hit]:
    for kind, (_, visible, state, fields) in _KINDS.items():
        rows = matching(visible(user), asked, *fields)
        # Few are found by their words first: a value no index has, or the planner goes through all by number.
        by_words = kind == "ticket" and _expected(asked) < FEW
        newest = rows.order_by(F("pk") * -1 if by_words else "-pk")
        yield from (_hit(kind, row, state) for row in newest[:MOST_OF_A_KIND])
    if permissions.can(user, "view_knowledge"):
        published = Document.objects.filter(published_at__isnull=False).select_related("incident")
        published = published.defer("markdown", "html", "public_markdown", "public_html")
        in_order = F("pk").desc() if _is_usual_in_documents(asked) else (F("pk") * -1).asc()
        for document in matching(published, asked, "title", "markdown").order_by(in_order)[:MOST_OF_A_KIND]:
            yield Hit("document", document.incident.ref, document.title, "", document.incident_id)
    if permissions.can(user, "view_services"):
        for service in Service.objects.filter(Q(name__icontains=asked) | Q(slug=asked))[:MOST_OF_A_KIND]:
            yield Hit("service", service.slug, service.name, "", service.pk)
    if permissions.can(user, "view_desk"):
        named = Q(name__icontains=asked) | Q(email__icontains=asked)
        for person in User.objects.filter(named, is_active=True)[:MOST_OF_A_KIND]:
            yield Hit("person", person.email, person.display_name, "", person.pk)


def _expected(asked: str) -> float:
    """About how many tickets have all the words or beginnings of words: no more than have the rarest of them."""
    known = vocabulary()
    usual = [(term, times) for term, times in known.counts.items() if " " not in term]
    found = [
        sum(times for term, times in usual if term.startswith(word)) for word in asked.lower().split()[:MOST_WORDS]
    ]
    rows = Ticket.objects.aggregate(highest=Max("pk"))["highest"] or 0
    return min(found, default=0) * rows / (known.documents + 1)


def _is_usual_in_documents(asked: str) -> bool:
    """Whether the newest documents soon have ten with all the words; else the word index has to find them."""
    stems = stems_of(asked)[:MOST_WORDS]
    counts = KnowledgeWord.objects.filter(term__in=stems).values_list("entries", flat=True)
    return bool(stems) and len(counts) == len(stems) and min(counts) > FEW_DOCUMENTS


def _alike(user: User, asked: str) -> Iterator[Hit]:
    """Recent titles in alike words, when no word was found as it was typed."""
    for kind, (_, visible, state, _) in _KINDS.items():
        # By number, not by a subquery: with that the planner compares every title there is and joins afterwards.
        newest = list(visible(user).order_by("-pk").values_list("pk", flat=True)[:COMPARED])
        if not newest:
            continue
        alike = TrigramWordSimilarity(asked, "title")
        rows = visible(user).filter(pk__in=newest).annotate(alike=alike).filter(alike__gte=ALIKE)
        yield from (_hit(kind, row, state) for row in rows.order_by("-alike", "-pk")[:MOST_OF_A_KIND])


def _hit(kind: str, row: Any, state: str) -> Hit:
    return Hit(kind, row.ref, row.title, getattr(row, state), row.pk)
