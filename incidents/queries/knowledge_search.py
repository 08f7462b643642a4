"""Searching what was learned in other words: by stems and concepts, rare ones first, mistyped ones put right.

Bounded work however much there is: the terms that say most choose at most some hundred entries, and those are ranked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import F, Func, IntegerField, Q, TextField
from django.db.models.expressions import RawSQL

from incidents import permissions
from incidents.knowledge_terms import Entry, Meant, asked_terms, concepts_of, ranked, stems_of, weights_of
from incidents.models import Document, KnowledgeEntry, KnowledgeWord, Problem, Ticket, User
from incidents.queries.look_alike import solutions_for

BUDGET = 600
"""Entries that are ranked for one question."""
FIRM = 0.4
"""How well a term must meet a word of the question to choose an entry; what meets it less only adds to the score."""
USUAL = 4
"""Of the usual terms, which alone choose too many entries, so many are asked for two at a time."""
LONGEST = 300
"""Characters of a question that are read."""
MOST_WORDS = 24
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
    asked_text = " ".join(text[:LONGEST].split()[:MOST_WORDS])
    stems = stems_of(asked_text)
    if not stems:
        return []
    asked = asked_terms(asked_text, corrections(stems, _entries_of(stems)))
    counts = _entries_of(list(dict.fromkeys(term for meant in asked for term in meant)))
    total = KnowledgeEntry.objects.count()
    weights = weights_of(asked, counts, total)
    firm = {term for meant in asked for term, given in meant.items() if given >= FIRM}
    chosen = _chosen(weights, {term: counts[term] for term in firm if term in counts}, max(total, 1))
    if chosen is None:
        return []
    newest = F("pk") * -1  # a value no index has, or the planner goes through all by number: a hundred times the rows
    wanted = sorted({term for meant in weights for term in meant})
    rows = KnowledgeEntry.objects.filter(chosen).order_by(newest).annotate(
        title_has=_those_asked("title_terms", wanted), has=_those_asked("terms", wanted),
        length=Func("terms", function="cardinality", output_field=IntegerField()),
    )  # fmt: skip
    found = rows.values_list("pk", "title_has", "has", "length")[:BUDGET]
    return ranked(weights, (Entry(pk, frozenset(title), frozenset(has), length) for pk, title, has, length in found))


def _those_asked(column: str, wanted: list[str]) -> RawSQL:
    """Of the terms of an entry those of the question: the database looks, which is five times cheaper than reading
    some hundred words of each entry."""
    return RawSQL(  # noqa: S611 - a column of ours; the terms are a parameter
        f"ARRAY(SELECT one FROM unnest(incidents_knowledgeentry.{column}) AS one WHERE one = ANY(%s))",  # noqa: S608
        [wanted], output_field=ArrayField(TextField()),
    )  # fmt: skip


def _entries_of(terms: list[str]) -> dict[str, int]:
    return dict(KnowledgeWord.objects.filter(term__in=terms).values_list("term", "entries"))


def _chosen(weights: Sequence[Meant], counts: Mapping[str, int], total: int) -> Q | None:
    """Which entries to rank: those with one of the weightiest terms that fit the budget together, and those with two
    of the more usual ones that mean different words. `counts` has the terms that choose.
    None when no entry has one of them."""
    worth = {term: weight for meant in weights for term, weight in meant.items() if term in counts}
    if not worth:
        return None
    fitting: list[str] = []
    usual: list[str] = []
    expected = 0.0
    for term in sorted(worth, key=lambda one: (-worth[one], one)):
        if expected + counts[term] <= BUDGET:
            fitting.append(term)
            expected += counts[term]
        else:
            usual.append(term)
    found = Q(terms__overlap=fitting) if fitting else Q()
    pairs = sorted((counts[a] * counts[b] / total, a, b) for a, b in _of_different_words(usual, weights))
    for both, *pair in pairs:
        if expected + both <= BUDGET or not found:
            found |= Q(terms__contains=pair)
            expected += both
    return found or Q(terms__contains=[min(worth, key=lambda term: counts[term])])


def _of_different_words(usual: Sequence[str], weights: Sequence[Meant]) -> Iterator[tuple[str, str]]:
    best = [next((term for term in usual if term in meant), None) for meant in weights]
    return combinations(list(dict.fromkeys(term for term in best if term))[:USUAL], 2)


def search_knowledge(user: User, text: str, *, service: str = "", most: int = SHOWN) -> list[Found]:
    """What the person may read, the best first: documents, known errors, and tickets that say how they were solved."""
    best = best_entries(text)
    best = [pair for pair in best if pair[0] >= WORTH * best[0][0]][: 10 * most]
    scores = {pk: score for score, pk in best}
    documents = Document.objects.filter(
        entry__in=scores, published_at__isnull=False, incident__is_drill=False,
        incident__in=permissions.visible_incidents(user),
    )  # fmt: skip
    problems = permissions.visible_problems(user).filter(entry__in=scores)
    if service:
        documents = documents.filter(incident__affected__service__slug=service)
        problems = problems.filter(major_incidents__affected__service__slug=service)
    readable = {*documents.values_list("entry", flat=True), *problems.values_list("entry", flat=True)} if best else ()
    shown = [pk for _, pk in best if pk in readable][:most]
    solved: list[Ticket] = [] if service else solutions_for(text[:LONGEST], user)
    return _loaded(shown, scores) + [Found("solution", ticket, 0.0) for ticket in solved]


def _loaded(shown: list[int], scores: Mapping[int, float]) -> list[Found]:
    """The records of these entries, the best first."""
    if not shown:
        return []
    documents = Document.objects.filter(entry__in=shown).select_related("incident", "published_by", "entry")
    documents = documents.defer("markdown", "html", "entry__terms", "entry__title_terms")
    documents = documents.prefetch_related("incident__affected__service", "incident__problems")
    problems = Problem.objects.filter(entry__in=shown).select_related("entry", "owner")
    problems = problems.defer("entry__terms", "entry__title_terms")
    found = [Found("document", one, scores[one.entry.pk]) for one in documents]
    found += [Found("known_error", one, scores[one.entry.pk]) for one in problems]
    return sorted(found, key=lambda one: (-one.score, -one.record.pk))
