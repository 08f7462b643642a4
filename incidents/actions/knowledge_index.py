"""Making what was learned findable: the terms of each published document and known error, and how usual each is."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from incidents.knowledge_terms import telling_part, terms_of
from incidents.models import Document, KnowledgeEntry, KnowledgeWord, Problem, ProblemStatus

AT_ONCE = 500
_FINDABLE = (ProblemStatus.KNOWN_ERROR, ProblemStatus.RESOLVED, ProblemStatus.CLOSED)


def index_document(document: Document) -> None:
    """In the transaction that changed it; one that is not published cannot be found."""
    text = telling_part(document.markdown) if document.published_at else None
    _write({"document": document}, document.title, text, document.updated_at)


def index_problem(problem: Problem) -> None:
    """A problem can be found once its cause or a workaround is known."""
    is_known = problem.status in _FINDABLE and (problem.root_cause or problem.workaround)
    text = "\n".join((problem.description, problem.root_cause, problem.workaround)) if is_known else None
    _write({"problem": problem}, problem.title, text, problem.updated_at)


@transaction.atomic
def _write(of: dict[str, Any], title: str, text: str | None, made_from: datetime) -> None:
    present = KnowledgeEntry.objects.select_for_update().filter(**of).first()
    before = set(present.terms) if present else set()
    if text is None:
        if present:
            present.delete()
        _count(before, set())
        return
    title_terms, terms = terms_of(title), terms_of(f"{title}\n{text}")
    values = {"title_terms": title_terms, "terms": terms, "made_from": made_from}
    KnowledgeEntry.objects.update_or_create(**of, defaults=values)
    _count(before, set(terms))


def _count(before: set[str], after: set[str]) -> None:
    """In the order of the alphabet, so that two who write at once wait for each other instead of for ever."""
    changes = Counter(after - before)
    changes.subtract(before - after)
    known = set(KnowledgeWord.objects.filter(term__in=changes).values_list("term", flat=True))
    missing = sorted(term for term in changes if term not in known)
    KnowledgeWord.objects.bulk_create([KnowledgeWord(term=term) for term in missing], ignore_conflicts=True)
    for by in (1, -1):
        terms = [term for term, change in changes.items() if change == by]
        rows = KnowledgeWord.objects.filter(term__in=terms)
        rows = rows if by > 0 else rows.filter(entries__gt=0)
        locked = list(rows.order_by("term").select_for_update().values_list("pk", flat=True))
        KnowledgeWord.objects.filter(pk__in=locked).update(entries=F("entries") + by)


def index_stale(*, limit: int = AT_ONCE) -> int:
    """Whatever was published, understood or changed without having been indexed (an import, an older version). Counts
    it; safe to run twice."""
    documents = Document.objects.filter(published_at__isnull=False).filter(
        Q(entry__isnull=True) | Q(entry__made_from__lt=F("updated_at"))
    )
    known = Q(status__in=_FINDABLE) & (~Q(root_cause="") | ~Q(workaround=""))
    problems = Problem.objects.filter(
        Q(known, entry__isnull=True) | Q(entry__isnull=False, entry__made_from__lt=F("updated_at"))
    )
    done = 0
    for document in documents.order_by("pk")[:limit]:
        index_document(document)
        done += 1
    for problem in problems.order_by("pk")[:limit]:
        index_problem(problem)
        done += 1
    return done
