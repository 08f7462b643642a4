"""How the times of the incidents are spread: counts of lengths, made in the database."""

from datetime import datetime

from metrics import sql
from metrics.asking import fetch
from metrics.definitions import STATISTICS
from metrics.periods import Scope

BINS: tuple[tuple[str, float], ...] = (
    ("under 5 min", 300), ("5–15 min", 900), ("15–30 min", 1800), ("30–60 min", 3600), ("1–2 h", 7200),
    ("2–4 h", 14_400), ("4–8 h", 28_800), ("8–24 h", 86_400), ("a day and more", float("inf")),
)  # fmt: skip
"""Words and the first second that is no longer in them."""
_EDGES = [edge for _, edge in BINS[:-1]]
_COUNTS = ", ".join(
    f"array_agg(width_bucket({kpi.key}, ARRAY{_EDGES}::float8[])) FILTER (WHERE {kpi.key} IS NOT NULL) AS {kpi.key}"
    for kpi in STATISTICS
)
DISTRIBUTION = f"{sql.FACTS} SELECT {_COUNTS} FROM facts"  # noqa: S608 (constants of this module)


def counted(scope: Scope, *, at: datetime) -> dict[str, list[int]]:
    """For each figure made of a time: how many incidents fall into each of `BINS`. One query."""
    (row,) = fetch(DISTRIBUTION, scope, at)
    return {
        kpi.key: [sum(place == at_ for place in row[kpi.key] or []) for at_ in range(len(BINS))] for kpi in STATISTICS
    }
