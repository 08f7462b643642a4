"""The rows behind the figures as CSV, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from incidents.process import CLOCKS
from metrics.definitions import DURATIONS

_COMMANDS = ("=", "+", "-", "@", "\t", "\r")
HEADINGS = (
    *("ref", "title", "severity", "stage", "services", "month", *CLOCKS),
    *(f"{kpi.key}_seconds" for kpi in DURATIONS),
    *("downtime_seconds", "is_still_down", "cost", "is_reviewed", "has_problem", "channel"),
)


def safe_cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it; moments become RFC 3339 UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_COMMANDS):
        return f"'{value}"
    return "" if value is None else value


def _cells(row: dict[str, Any]) -> list[Any]:
    shown = {
        **row,
        **{f"{kpi.key}_seconds": row[kpi.key] for kpi in DURATIONS},
        "downtime_seconds": row["average_downtime"],
        "services": "; ".join(row["services"]),
    }
    return [safe_cell(shown[name]) for name in HEADINGS]


class _Line:
    """A file that hands each written line straight back."""

    def write(self, text: str) -> str:
        return text


def incident_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The heading and one line per incident, as `kpis.incident_rows` gives them."""
    writer = csv.writer(_Line())
    yield writer.writerow(HEADINGS)
    for row in rows:
        yield writer.writerow(_cells(row))
