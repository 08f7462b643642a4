"""Searching by words: the whole-word index first, trigrams where a word was mistyped."""

import re

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import QuerySet

MOST_WORDS = 8


def search_query(text: str) -> SearchQuery | None:
    """All words, each as the beginning of a word; None when the text has no word."""
    words = re.findall(r"\w+", text.replace("\x00", " "))[:MOST_WORDS]
    if not words:
        return None
    return SearchQuery(" & ".join(f"{word}:*" for word in words), config="simple", search_type="raw")


def matching(rows: QuerySet, text: str, *fields: str) -> QuerySet:
    """Rows whose fields contain all the words; none when there is no word in the text."""
    query = search_query(text)
    if query is None:
        return rows.none()
    return rows.alias(words=SearchVector(*fields, config="simple")).filter(words=query)


def reference_number(text: str, prefix: str) -> int | None:
    """7 for "INC-7", "inc 7" or "7"; None for anything else."""
    found = re.fullmatch(rf"\s*(?:{prefix}[\s-]*)?([0-9]{{1,15}})\s*", text, re.IGNORECASE)
    return int(found[1]) if found else None
