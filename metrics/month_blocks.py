"""One month (or some days) of figures as numbers that can be added up. No ORM, no clock.

Means, sums and shares of several blocks are added; percentiles of all of them come from their sorted lengths, exactly.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import orjson

from metrics.definitions import RATES, STATISTICS

Sum = tuple[float | None, int]
"""A sum, None when nothing was added, and how many were."""


@dataclass(frozen=True)
class Outages:
    """How one service did. `first` and `last` are when failures began, in seconds since 1970; None without any."""

    failures: int = 0
    first: float | None = None
    last: float | None = None
    seconds: float = 0.0
    cost: float = 0.0

    def __add__(self, other: "Outages") -> "Outages":
        return Outages(
            self.failures + other.failures,
            min((one for one in (self.first, other.first) if one is not None), default=None),
            max((one for one in (self.last, other.last) if one is not None), default=None),
            self.seconds + other.seconds,
            self.cost + other.cost,
        )

    @property
    def gap_seconds(self) -> float:
        """All times from one beginning to the next, added up: what lies between the first and the last."""
        return self.last - self.first if self.last is not None and self.first is not None else 0.0


@dataclass(frozen=True)
class Block:
    """Some incidents: `lengths` holds for each figure made of a time its seconds, sorted."""

    count: int = 0
    still_down: int = 0
    lengths: dict[str, Sequence[float]] = field(default_factory=dict)
    totals: dict[str, float] = field(default_factory=dict)
    cost: Sum = (None, 0)
    effort: Sum = (None, 0)
    hits: dict[str, tuple[int, int]] = field(default_factory=dict)
    channels: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    outages: dict[int, Outages] = field(default_factory=dict)


def read(content: str) -> Block:
    """What a statement of `month_sql` made of a month, as numbers."""
    found = orjson.loads(content)
    lengths: dict[str, Sequence[float]] = {
        kpi.key: array("d", found.get("values", {}).get(kpi.key) or ()) for kpi in STATISTICS
    }
    return Block(
        count=found.get("count", 0),
        still_down=found.get("still_down", 0),
        lengths=lengths,
        totals={key: sum(values) for key, values in lengths.items()},
        cost=_sum(found.get("cost")),
        effort=_sum(found.get("effort")),
        hits={kpi.key: _hits(found.get("hits", {}).get(kpi.key)) for kpi in RATES},
        channels=Counter(found.get("channels") or ()),
        causes=Counter(found.get("causes") or ()),
        outages={int(key): Outages(*numbers) for key, numbers in found.get("outages", {}).items()},
    )


def _sum(pair: list[Any] | None) -> Sum:
    return (pair[0], pair[1]) if pair else (None, 0)


def _hits(pair: list[Any] | None) -> tuple[int, int]:
    return (pair[0] or 0, pair[1] or 0) if pair else (0, 0)


def united(blocks: Sequence[Block]) -> Block:
    """All incidents of the blocks as one."""
    if len(blocks) == 1:
        return blocks[0]
    return Block(
        count=sum(one.count for one in blocks),
        still_down=sum(one.still_down for one in blocks),
        lengths={
            kpi.key: array("d", sorted(chain.from_iterable(one.lengths.get(kpi.key, ()) for one in blocks)))
            for kpi in STATISTICS
        },
        totals={kpi.key: sum(one.totals.get(kpi.key, 0.0) for one in blocks) for kpi in STATISTICS},
        cost=_added(one.cost for one in blocks),
        effort=_added(one.effort for one in blocks),
        hits={kpi.key: _hits_added([one.hits.get(kpi.key, (0, 0)) for one in blocks]) for kpi in RATES},
        channels=sum((one.channels for one in blocks), Counter()),
        causes=sum((one.causes for one in blocks), Counter()),
        outages=_outages_added(one.outages for one in blocks),
    )


def _added(sums: Iterable[Sum]) -> Sum:
    known = [(value, n) for value, n in sums if value is not None]
    return (sum(value for value, _ in known), sum(n for _, n in known)) if known else (None, 0)


def _hits_added(pairs: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(hits for hits, _ in pairs), sum(n for _, n in pairs)


def _outages_added(each: Iterable[dict[int, Outages]]) -> dict[int, Outages]:
    found: dict[int, Outages] = {}
    for outages in each:
        for service, one in outages.items():
            found[service] = found[service] + one if service in found else one
    return found


def row(first: Block, second: Block | None = None) -> dict[str, Any]:
    """The figures of one block, or of two together, in the form of a row of `sql.SUMMARY`.

    Two are not united first: of a large and a small one every percentile is found without sorting either again.
    """
    second = second or Block()
    found: dict[str, Any] = {
        "incidents": first.count + second.count,
        "still_down": first.still_down + second.still_down,
        "channels": first.channels + second.channels,
        "causes": first.causes + second.causes,
    }
    found["cost_value"], found["cost_n"] = _added((first.cost, second.cost))
    found["effort_value"], found["effort_n"] = _added((first.effort, second.effort))
    for kpi in RATES:
        pairs = [first.hits.get(kpi.key, (0, 0)), second.hits.get(kpi.key, (0, 0))]
        found[f"{kpi.key}_hits"], found[f"{kpi.key}_n"] = _hits_added(pairs)
    for kpi in STATISTICS:
        found |= _statistic(kpi.key, first, second)
    return found


def _statistic(key: str, first: Block, second: Block) -> dict[str, Any]:
    one, other = first.lengths.get(key, ()), second.lengths.get(key, ())
    n = len(one) + len(other)
    if not n:
        return {f"{key}_n": 0}
    return {
        f"{key}_n": n,
        f"{key}_mean": (first.totals.get(key, 0.0) + second.totals.get(key, 0.0)) / n,
        f"{key}_least": nth(one, other, 0),
        f"{key}_most": nth(one, other, n - 1),
        f"{key}_percentiles": (percentile(one, other, 0.5), percentile(one, other, 0.9)),
    }


def percentile(one: Sequence[float], other: Sequence[float], share: float) -> float:
    """Of all values of both, interpolated linearly as the database does. Both sorted; at least one value."""
    place = (len(one) + len(other) - 1) * share
    below = int(place)
    low = nth(one, other, below)
    if place == below:
        return low
    return low + (nth(one, other, below + 1) - low) * (place - below)


def nth(one: Sequence[float], other: Sequence[float], n: int) -> float:
    """The n-th smallest value of two sorted rows together, counted from 0, found by halving."""
    low, high = max(0, n + 1 - len(one)), min(n + 1, len(other))
    while low < high:  # how many of the n + 1 smallest are from the other row
        middle = (low + high) // 2
        if other[middle] < one[n - middle]:
            low = middle + 1
        else:
            high = middle
    return max(([other[low - 1]] if low else []) + ([one[n - low]] if low <= n else []))
