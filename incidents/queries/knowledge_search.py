"""Searching what was learned in other words: by stems and concepts, rare ones first, mistyped ones put right.

Bounded work however much there is: the rarest terms choose at most a few thousand entries, and those are ranked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import TrigramSimilarity

from incidents import permissions
from incidents.knowledge_terms import Entry, asked_terms, concepts_of, ranked, stems_of, weights_of
from incidents.models import Document, KnowledgeEntry, KnowledgeWord, Ticket, User
from incidents.queries.look_alike import solutions_for

BUDGET = 3_000
"""Entries that are ranked for one question."""
LONGEST = 300
SHOWN = 20
ALIKE = 0.5
"""How alike a known word must be to a mistyped one, from 0 to 1."""
WORTH = 0.35
"""What scores below this share of the best is not shown."""


@dataclass(frozen=True)
class Found:
    """`kind` is document, known_error or solution; `record` a Document, Problem or Ticket."""

    kind: str
    record: Any
    score: float


def corrections(stems: list[str], known: Mapping[str, int]) -> dict[str, tuple[str, float]]:
    """For each stem nothing contains: the most alike word there is, and how sure that is. One query a stem."""
    found: dict[str, tuple[str, float]] = {}
    for stem in stems:
        if known.get(stem) or len(stem) < 4 or stem.isdigit() or concepts_of([stem]):
            continue
        alike = TrigramSimilarity("term", stem)
        rows = KnowledgeWord.objects.filter(term__trigram_similar=stem, entries__gt=0).exclude(term__startswith="#")
        best = rows.annotate(alike=alike).filter(alike__gte=ALIKE).order_by("-alike", "-entries").first()
        if best is not None:
            found[stem] = (best.term, float(best.alike))
    return found


def best_entries(text: str) -> list[tuple[float, int]]:
    """(score, number of the entry), the best first, whoever may read them."""
    stems = stems_of(text[:LONGEST])[:24]
    if not stems:
        return []
    known = _entries_of(stems)
    asked = asked_terms(text[:LONGEST], corrections(stems, known))
    counts = known | _entries_of([term for term in asked if term not in known])
    total = KnowledgeEntry.objects.count()
    weights = weights_of(asked, counts, total)
    chosen = _chosen([(counts.get(term, 0), term) for term in asked if counts.get(term)])
    if not chosen:
        return []
    rows = KnowledgeEntry.objects.filter(terms__overlap=chosen).order_by("-pk")
    values = rows.values_list("pk", "title_terms", "terms")[:BUDGET]
    return ranked(weights, (Entry(pk, frozenset(title), frozenset(terms)) for pk, title, terms in values))


def _entries_of(terms: list[str]) -> dict[str, int]:
    return dict(KnowledgeWord.objects.filter(term__in=terms).values_list("term", "entries"))


def _chosen(counted: list[tuple[int, str]]) -> list[str]:
    """The rarest terms as long as what they choose fits the budget; the rarest of all in any case."""
    chosen: list[str] = []
    expected = 0
    for count, term in sorted(counted):
        if chosen and expected + count > BUDGET:
            break
        chosen.append(term)
        expected += count
    return chosen


def search_knowledge(user: User, text: str, *, service: str = "", most: int = SHOWN) -> list[Found]:
    """What the person may read, the best first: documents, known errors, and tickets that say how they were solved."""
    best = best_entries(text)
    if best:
        best = [pair for pair in best if pair[0] >= WORTH * best[0][0]][: 10 * most]
    scores = {pk: score for score, pk in best}
    documents = Document.objects.filter(
        entry__in=scores, published_at__isnull=False, incident__is_drill=False,
        incident__in=permissions.visible_incidents(user),
    ).select_related("incident", "published_by", "entry").defer("markdown", "html")  # fmt: skip
    problems = permissions.visible_problems(user).filter(entry__in=scores).select_related("entry", "owner")
    if service:
        documents = documents.filter(incident__affected__service__slug=service).distinct()
        problems = problems.filter(major_incidents__affected__service__slug=service).distinct()
    documents = documents.prefetch_related("incident__affected__service", "incident__problems")
    found = [Found("document", one, scores[one.entry.pk]) for one in documents]
    found += [Found("known_error", one, scores[one.entry.pk]) for one in problems]
    found.sort(key=lambda one: (-one.score, -one.record.pk))
    solved: list[Ticket] = [] if service else solutions_for(text[:LONGEST], user)
    return found[:most] + [Found("solution", ticket, 0.0) for ticket in solved]
