"""PURE: what a text is about, as terms: the stems of its words, and the concepts they stand for ("#login"). No ORM."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from incidents.alike import STOP

MOST_TERMS = 240
IN_TITLE = 1.7
CONCEPT = 1.0
"""What a shared concept says compared with a shared word."""
LONGEST_PHRASE = 3
SHORTEST = 4
_CONCEPTS = Path(__file__).with_name("knowledge_concepts.txt")
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_ENDINGS = ("ations", "ation", "ings", "ing", "ments", "ment", "ness", "ers", "ed", "es", "er", "ion", "ly", "s", "e")
_SECTIONS = re.compile(r"^## (?:Timeline|Clocks|Downtime|Decisions|Who was told)[^\n]*\n.*?(?=^## |\Z)", re.S | re.M)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The word without its ending, at least three letters of it: failing, failed and fails are one, copy and copies."""
    if len(word) > 4 and word.endswith(("ies", "ied")):
        return f"{word[:-3]}y"
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > SHORTEST and word[-1] == word[-2] and word[-1] not in "ls" else word


def _raw(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if len(word) > 1]


@lru_cache(maxsize=1)
def _phrases() -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """Stems of each listed phrase, with the concepts it stands for."""
    found: dict[tuple[str, ...], list[str]] = {}
    for line in _CONCEPTS.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, listed = line.partition(":")
            for phrase in listed.split(","):
                key = tuple(stem(word) for word in _raw(phrase))
                if key:
                    found.setdefault(key, []).append(f"#{name.strip()}")
    return {key: tuple(dict.fromkeys(names)) for key, names in found.items()}


def stems_of(text: str) -> list[str]:
    """Stems of the words that mean something, each once, in their order."""
    return list(dict.fromkeys(stem(word) for word in _raw(text) if word not in STOP))


def concepts_of(stems: Sequence[str]) -> list[str]:
    """What words in this order stand for; phrases of up to three words count as one."""
    phrases, found = _phrases(), dict[str, None]()
    for start in range(len(stems)):
        for length in range(1, LONGEST_PHRASE + 1):
            for concept in phrases.get(tuple(stems[start : start + length]), ()):
                found[concept] = None
    return list(found)


def terms_of(text: str) -> list[str]:
    """Stems and concepts, at most `MOST_TERMS`."""
    every = [stem(word) for word in _raw(text)]
    return [*stems_of(text), *concepts_of(every)][:MOST_TERMS]


def telling_part(markdown: str) -> str:
    """The document without its tables of times and its timeline, which name everything once."""
    return _SECTIONS.sub("", markdown)[:12_000]


@dataclass(frozen=True)
class Entry:
    """One text that can be found."""

    pk: int
    title_terms: frozenset[str]
    terms: frozenset[str]


def weights_of(asked: Mapping[str, float], entries: Mapping[str, int], total: int) -> dict[str, float]:
    """What each asked term is worth: more the rarer it is. `entries` says how many entries have a term."""
    return {term: given * math.log(1 + (total + 1) / (entries.get(term, 0) + 0.5)) for term, given in asked.items()}


def asked_terms(text: str, corrected: Mapping[str, tuple[str, float]]) -> dict[str, float]:
    """The terms of a question with what they count. `corrected` gives a known word for a mistyped stem."""
    found: dict[str, float] = {}
    every = [corrected.get(stem(word), (stem(word), 1.0))[0] for word in _raw(text)]
    for one in stems_of(text):
        known, sure = corrected.get(one, (one, 1.0))
        found[known] = max(found.get(known, 0.0), sure)
    for concept in concepts_of(every):
        found[concept] = CONCEPT
    return found


def ranked(weights: Mapping[str, float], entries: Iterable[Entry]) -> list[tuple[float, int]]:
    """(score, pk), the best first. A term of the title counts more; what is long by a lot counts a little less."""
    found = []
    for entry in entries:
        score = sum(
            weight * (IN_TITLE if term in entry.title_terms else 1.0)
            for term, weight in weights.items()
            if term in entry.terms
        )
        if score:
            found.append((score / (1 + 0.06 * math.log1p(len(entry.terms))), entry.pk))
    return sorted(found, key=lambda pair: (-pair[0], -pair[1]))
