"""PURE: what a text is about, as terms: the stems of its words, and the concepts they stand for ("#login"). No ORM.

A question asks more than its words: each stands for its concepts, for concepts near those, and for words of alike use.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import snowballstemmer

from incidents.alike import STOP

MOST_TERMS = 240
IN_TITLE = 1.5
CONCEPT = 1.3
"""What a shared concept says compared with a shared word: more, for questions are seldom in a document's words."""
PHRASE = 1.7
"""How much more it says where a phrase of several words stands for it."""
NEAR = 0.15
"""What a concept near the one that was meant says."""
ALIKE_USE = 0.8
"""What a word of alike use says, times how alike the two are."""
ALSO = 0.1
"""What every further way in which one word of the question is met adds."""
RARE = 0.7
"""The power of the rarity: below 1 a rare word does not outdo all others."""
LONG = 0.3
"""How much the length of a text counts against it."""
LONGEST_PHRASE = 4
_FOLDER = Path(__file__).parent
_CONCEPTS = _FOLDER / "knowledge_concepts.txt"
_NEIGHBOURS = _FOLDER / "knowledge_neighbours.txt"
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_SECTIONS = re.compile(
    r"^## (?:Timeline|Clocks|Downtime|Decisions|Who was told|What did not go by the book)[^\n]*\n.*?(?=^## |\Z)",
    re.S | re.M,
)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The word without its ending: failing, failed and fails are one, copy and copies."""
    return str(snowballstemmer.stemmer("english").stemWord(word))  # one for each word: it is not for many threads


def _raw(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if len(word) > 1]


@dataclass(frozen=True)
class Concepts:
    """`phrases` by the stems of their words, with the concepts they stand for; `near` the concepts close to each."""

    phrases: Mapping[tuple[str, ...], tuple[str, ...]]
    near: Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def _concepts() -> Concepts:
    phrases: dict[tuple[str, ...], list[str]] = {}
    near: dict[str, list[str]] = {}
    for line in _CONCEPTS.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if "~" in line:
            name, _, listed = line.partition("~")
            for other in listed.split(","):
                near.setdefault(f"#{name.strip()}", []).append(f"#{other.strip()}")
                near.setdefault(f"#{other.strip()}", []).append(f"#{name.strip()}")
            continue
        name, _, listed = line.partition(":")
        for phrase in listed.split(","):
            key = tuple(stem(word) for word in _raw(phrase))
            if key:
                phrases.setdefault(key, []).append(f"#{name.strip()}")
    return Concepts(
        {key: tuple(dict.fromkeys(names)) for key, names in phrases.items()},
        {name: tuple(dict.fromkeys(others)) for name, others in near.items()},
    )


@lru_cache(maxsize=1)
def _neighbours() -> list[str]:
    return [line for line in _NEIGHBOURS.read_text().splitlines() if not line.startswith("#")]


@lru_cache(maxsize=5_000)
def neighbours_of(one: str) -> Mapping[str, float]:
    """Stems used alike, with how alike from 0 to 1; empty for one that is not listed."""
    lines = _neighbours()
    place = bisect_left(lines, f"{one} ")
    if place == len(lines) or not lines[place].startswith(f"{one} "):
        return {}
    pairs = (listed.split(":") for listed in lines[place].split()[1:])
    return {other: int(hundredths) / 100 for other, hundredths in pairs}


def stems_of(text: str) -> list[str]:
    """Stems of the words that mean something, each once, in their order."""
    return list(dict.fromkeys(stem(word) for word in _raw(text) if word not in STOP))


def _spans(stems: Sequence[str]) -> list[tuple[int, int, tuple[str, ...]]]:
    """(first word, number of words, concepts) of every listed phrase in words of this order."""
    phrases = _concepts().phrases
    return [
        (start, length, found)
        for start in range(len(stems))
        for length in range(1, LONGEST_PHRASE + 1)
        if (found := phrases.get(tuple(stems[start : start + length]))) and start + length <= len(stems)
    ]


def concepts_of(stems: Sequence[str]) -> list[str]:
    """What words in this order stand for; phrases of a few words count as one."""
    return list(dict.fromkeys(concept for _, _, found in _spans(stems) for concept in found))


def terms_of(text: str) -> list[str]:
    """Stems and concepts, at most `MOST_TERMS`."""
    every = [stem(word) for word in _raw(text)]
    return [*stems_of(text), *concepts_of(every)][:MOST_TERMS]


def telling_part(markdown: str) -> str:
    """The document without its tables of times and its timeline, which name everything once."""
    return _SECTIONS.sub("", markdown)[:12_000]


@dataclass(frozen=True)
class Entry:
    """One text that can be found. Only its terms that are asked for need be known; `length` counts them all."""

    pk: int
    title_terms: frozenset[str]
    terms: frozenset[str]
    length: int


Meant = Mapping[str, float]
"""The terms that one word (or phrase) of a question may be met by, with how well each meets it, from 0 to 1."""


def asked_terms(text: str, corrected: Mapping[str, tuple[str, float]]) -> list[Meant]:
    """What each word of a question means, in their order. `corrected` gives a known word for a mistyped stem, and how
    sure that is. A phrase that stands for something takes the place of what its single words stand for."""
    words = _raw(text)
    stems = [corrected.get(stem(word), (stem(word), 1.0)) for word in words]
    spans = sorted(_spans([one for one, _ in stems]), key=lambda span: -span[1])
    within: dict[int, int] = {}
    found: dict[int, dict[str, float]] = {}
    for start, length, concepts in spans:
        places = range(start, start + length)
        if length < max(within.get(place, 0) for place in places):
            continue
        within |= {place: max(length, within.get(place, 0)) for place in places}
        at = next((place for place in places if words[place] not in STOP), start)
        said = CONCEPT * (PHRASE if length > 1 else 1.0)
        for concept in concepts:
            _keep(found.setdefault(at, {}), concept, said)
            for near in _concepts().near.get(concept, ()):
                _keep(found[at], near, NEAR * said)
    for place, (one, sure) in enumerate(stems):
        if words[place] in STOP:
            continue
        meant = found.setdefault(place, {})
        _keep(meant, one, sure)
        for other, alike in neighbours_of(one).items():
            _keep(meant, other, ALIKE_USE * alike * sure)
    once: dict[tuple[str, ...], Meant] = {}
    for place in sorted(found):
        once.setdefault(tuple(sorted(found[place])), found[place])
    return list(once.values())


def _keep(meant: dict[str, float], term: str, weight: float) -> None:
    meant[term] = max(meant.get(term, 0.0), weight)


def weights_of(asked: Sequence[Meant], entries: Mapping[str, int], total: int) -> list[Meant]:
    """What each asked term is worth: more the rarer it is. `entries` says how many entries have a term; one that none
    has is left out."""
    return [
        {
            term: given * math.log(1 + (total + 1) / (entries[term] + 0.5)) ** RARE
            for term, given in meant.items()
            if entries.get(term)
        }
        for meant in asked
    ]


def ranked(weights: Sequence[Meant], entries: Iterable[Entry]) -> list[tuple[float, int]]:
    """(score, pk), the best first. Each word of the question counts by the best way it is met, and a little by the
    others; a term of the title counts more, what is long by a lot less."""
    found = []
    for entry in entries:
        score = 0.0
        for meant in weights:
            met = [
                weight * (IN_TITLE if term in entry.title_terms else 1.0)
                for term, weight in meant.items()
                if term in entry.terms
            ]
            if met:
                highest = max(met)
                score += highest + ALSO * (sum(met) - highest)
        if score:
            found.append((score / (1 + LONG * math.log1p(entry.length)), entry.pk))
    return sorted(found, key=lambda pair: (-pair[0], -pair[1]))
