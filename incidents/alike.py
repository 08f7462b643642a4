"""PURE: how alike texts are. TF-IDF of one- and two-word terms, and groups of texts that say the same. No ORM."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise

TITLE_COUNTS = 2.0
"""A word of the title says as much as two of the description."""
BODY_CHARACTERS = 600
MOST_TERMS = 60
CORE_SHARE = 0.6
STOP = frozenset(
    """a about after again all also an and any are as at be been before but by can cannot could did do does for from
    get gets had has have he her his how i if in into is it its just me my no not now of off on once one only or our
    out please she since so some still that the their them then there they this to too up us was we were what when
    where which while who why will with would you your day few hour minute morning today week yesterday""".split()  # noqa: SIM905 (words, not a list of quotes)
)
_WORD = re.compile(r"[^\W_]{2,}", re.UNICODE)


def words_of(text: str) -> list[str]:
    """Lower-case words that mean something, in their order; a plural counts as its singular."""
    words = (_singular(word) for word in _WORD.findall(text.lower()) if word not in STOP)
    return [word for word in words if word not in STOP]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def terms_of(title: str, body: str = "") -> dict[str, float]:
    """One- and two-word terms with how often they occur; those of the title weigh more."""
    found: dict[str, float] = {}
    for text, counts in ((title, TITLE_COUNTS), (body[:BODY_CHARACTERS], 1.0)):
        words = words_of(text)
        for term in (*words, *(f"{first} {second}" for first, second in pairwise(words))):
            found[term] = found.get(term, 0.0) + counts
    return found


@lru_cache(maxsize=1024)
def _damped(times: float) -> float:
    """A word said ten times does not say ten times as much."""
    return 1 + math.log(max(times, 1))


@dataclass(frozen=True)
class Vocabulary:
    """How many of `documents` texts contain each term; terms seen once are left out and count as unseen."""

    documents: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Iterable[tuple[str, str]]) -> "Vocabulary":
        """From (title, body) pairs."""
        counted: Counter[str] = Counter()
        documents = 0
        for title, body in texts:
            counted.update(terms_of(title, body).keys())
            documents += 1
        return cls(documents, {term: times for term, times in counted.items() if times > 1})

    def share(self, term: str) -> float:
        """The share of texts with this term, above 0 also for one nobody has used."""
        return (self.counts.get(term, 0) + 0.5) / (self.documents + 1)

    def weight(self, term: str) -> float:
        """The inverse document frequency: 1 for a term of every text, more the rarer it is."""
        return self._weights.get(term, self._rarest)

    @cached_property
    def _rarest(self) -> float:
        return 1 + math.log(1 + self.documents)

    @cached_property
    def _weights(self) -> dict[str, float]:
        return {term: self._rarest - math.log(1 + times) for term, times in self.counts.items()}

    def vector(self, terms: Mapping[str, float]) -> dict[str, float]:
        """Term weights of length 1, at most `MOST_TERMS` of them; empty for a text without a word."""
        known, rarest = self._weights, self._rarest
        return unit({term: _damped(times) * known.get(term, rarest) for term, times in terms.items()})


def unit(weights: Mapping[str, float]) -> dict[str, float]:
    """The heaviest `MOST_TERMS` terms, scaled to length 1."""
    kept = weights
    if len(weights) > MOST_TERMS:
        kept = dict(sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:MOST_TERMS])
    length = math.sqrt(sum(weight * weight for weight in kept.values()))
    return {term: weight / length for term, weight in kept.items()} if length else {}


def likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The cosine of two vectors of length 1: 0 for nothing in common, 1 for the same words."""
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other[term] for term, weight in one.items() if term in other)


def shared_words(one: Mapping[str, float], other: Mapping[str, float], *, most: int = 3) -> list[str]:
    """The words that make two texts alike, the weightiest first."""
    common = [term for term in one if term in other and " " not in term]
    return sorted(common, key=lambda term: (-one[term] * other[term], term))[:most]


@dataclass
class Cluster:
    """Texts that say the same. `weights` is the sum of their vectors, `counts` in how many each term occurs,
    `services` how many name each service."""

    weights: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    members: int = 0
    services: dict[int, int] = field(default_factory=dict)
    _middle: dict[str, float] | None = field(default=None, init=False, repr=False, compare=False)

    def take(self, vector: Mapping[str, float], service: int | None = None) -> None:
        """One more text."""
        self._middle = None
        self.members += 1
        if service is not None:
            self.services[service] = self.services.get(service, 0) + 1
        for term, weight in vector.items():
            self.weights[term] = self.weights.get(term, 0.0) + weight
            self.counts[term] = self.counts.get(term, 0) + 1
        if len(self.weights) > 2 * MOST_TERMS:
            kept = sorted(self.weights, key=lambda term: (-self.weights[term], term))[:MOST_TERMS]
            self.weights = {term: self.weights[term] for term in kept}
            self.counts = {term: self.counts[term] for term in kept}

    def likeness(self, vector: Mapping[str, float]) -> float:
        """How alike a text is to the middle of this group."""
        if self._middle is None:
            self._middle = unit(self.weights)
        return likeness(vector, self._middle)

    def core(self) -> list[str]:
        """Terms that most members share, the most frequent first."""
        shared = [term for term, times in self.counts.items() if times >= CORE_SHARE * self.members]
        return sorted(shared, key=lambda term: (-self.counts[term], -self.weights[term], term))

    def words(self, *, most: int = 3) -> list[str]:
        """What to call the group: the weightiest single words most members share, else the weightiest of all."""
        single = [term for term in self.core() if " " not in term]
        named = single or [term for term in self.weights if " " not in term]
        return sorted(named, key=lambda term: (-self.weights[term], term))[:most]

    def service(self) -> int | None:
        """The service those members mean that name one; None when they name several, or none does."""
        if not self.services:
            return None
        service, times = max(self.services.items(), key=lambda item: (item[1], -item[0]))
        return service if times >= CORE_SHARE * sum(self.services.values()) else None

    def usual_share(self, vocabulary: Vocabulary) -> float:
        """Which share of ordinary texts would belong here: that of the rarest term most members share; 1 if none."""
        return min((vocabulary.share(term) for term in self.core()), default=1.0)


def nearest(vector: Mapping[str, float], clusters: Iterable[Cluster]) -> tuple[Cluster | None, float]:
    """The group most alike to a text, and how alike it is; (None, 0) when there is none."""
    best: Cluster | None = None
    highest = 0.0
    for cluster in clusters:
        alike = cluster.likeness(vector)
        if alike > highest:
            best, highest = cluster, alike
    return best, highest
