"""What is behind one figure: the incidents, the two clocks, and the value of each."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from incidents.models import ClockEntry, DowntimeInterval
from metrics.definitions import COST, MAJOR_INCIDENTS, MTBF, OTHERS, Kpi
from metrics.kpis import incident_rows
from metrics.periods import Scope

SHOWN = 300
FIRST_OF_ALL, LAST_OF_ALL = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

CLOCK_WORDS = {
    "started_at": "Started", "detected_at": "Detected", "reported_at": "Reported",
    "acknowledged_at": "Acknowledged", "declared_at": "Declared", "contained_at": "Contained",
    "restored_at": "Restored", "resolved_at": "Resolved", "closed_at": "Closed",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One incident (or, for the time between failures, one failure). `words` stands where there is no duration."""

    incident_id: int
    ref: str
    title: str
    severity: str
    services: list[str]
    first: datetime | None
    second: datetime | None
    seconds: float | None = None
    amount: float | None = None
    words: str = ""
    is_still_down: bool = False
    first_by: "Authorship | None" = None
    second_by: "Authorship | None" = None
    others: tuple[float | None, ...] = ()
    """What other common definitions give for this incident, in the order of `Behind.others`."""


@dataclass(frozen=True)
class Authorship:
    """Who gave a clock its value that counts. `previous` and `reason` stand where it was corrected."""

    by: str
    at: datetime
    is_correction: bool
    previous: datetime | None
    reason: str


@dataclass(frozen=True)
class Other:
    """Another common definition of the figure over the same incidents; `mean_seconds` is None when `n` is 0."""

    label: str
    mean_seconds: float | None
    n: int


@dataclass(frozen=True)
class Behind:
    """Lines in the order that explains the figure; `left_out` incidents of the period had no value."""

    kpi: Kpi
    first_label: str
    second_label: str
    lines: list[Line]
    total: int
    left_out: int
    others: tuple[Other, ...] = ()


def behind(kpi: Kpi, scope: Scope, *, at: datetime) -> Behind:
    """At most `SHOWN` lines, the longest or dearest first; the export has them all."""
    if kpi is MTBF:
        return _failures(scope, at=at)
    first, second = (kpi.start, kpi.end) if kpi.is_duration_between_clocks else ("started_at", "restored_at")
    if kpi is MAJOR_INCIDENTS:
        first, second = "reported_at", "declared_at"
    rows = incident_rows(scope, at=at)
    lines = [line for row in rows if (line := _line(kpi, row, first, second))]
    if kpi is not MAJOR_INCIDENTS:
        lines.sort(key=lambda line: -(line.seconds or line.amount or 0))
    shown = lines[:SHOWN]
    if kpi.is_duration_between_clocks:
        shown = _with_authors(shown, first, second)
    return Behind(
        kpi, CLOCK_WORDS[first], CLOCK_WORDS[second], shown, len(lines), len(rows) - len(lines), _others(kpi, rows)
    )


def _between(row: dict[str, Any], start: str, end: str) -> float | None:
    return (row[end] - row[start]).total_seconds() if row[start] and row[end] else None


def _others(kpi: Kpi, rows: list[dict[str, Any]]) -> tuple[Other, ...]:
    found = []
    for one in OTHERS.get(kpi.key, ()):
        values = [value for row in rows if (value := _between(row, one.start, one.end)) is not None]
        found.append(Other(one.label, sum(values) / len(values) if values else None, len(values)))
    return tuple(found)


def _with_authors(lines: list[Line], first: str, second: str) -> list[Line]:
    """The entry each clock has its value from: the last one written. One query."""
    entries = (
        ClockEntry.objects.filter(incident__in=[line.incident_id for line in lines], clock__in=(first, second))
        .order_by("incident_id", "clock", "-id")
        .distinct("incident_id", "clock")
        .select_related("set_by")
    )
    found = {
        (one.incident_id, one.clock): Authorship(
            one.set_by.display_name if one.set_by else "the desk itself", one.set_at, one.is_correction, one.previous,
            one.reason,
        )
        for one in entries
    }  # fmt: skip
    return [
        replace(
            line,
            first_by=found.get((line.incident_id, first)),
            second_by=found.get((line.incident_id, second)),
        )
        for line in lines
    ]


def _line(kpi: Kpi, row: dict[str, Any], first: str, second: str) -> Line | None:
    value, words = _value_of(kpi, row)
    if value is None and not words and kpi is not MAJOR_INCIDENTS:
        return None
    return Line(
        row["id"], row["ref"], row["title"], row["severity"], row["services"], row[first], row[second],
        seconds=None if kpi is COST else value, amount=value if kpi is COST else None, words=words,
        is_still_down=row["is_still_down"],
        others=tuple(_between(row, one.start, one.end) for one in OTHERS.get(kpi.key, ())),
    )  # fmt: skip


def _value_of(kpi: Kpi, row: dict[str, Any]) -> tuple[float | None, str]:
    shares = {
        "raci_conformance": ("steps_conforming", "steps_opened", "steps"),
        "promise_kept_rate": ("promises_kept", "promises_settled", "promises"),
    }
    if kpi.key in shares:
        hits, opened, noun = shares[kpi.key]
        return None, f"{row[hits]} of {row[opened]} {noun}" if row[opened] else ""
    if kpi.key == "pir_rate":
        return None, ("Reviewed" if row["is_reviewed"] else "No completed review") if row["is_closed"] else ""
    if kpi.key == "problem_rate":
        return None, "Has a problem" if row["has_problem"] else "No problem linked"
    if kpi is MAJOR_INCIDENTS:
        return None, ""
    return row[kpi.key], ""


def _failures(scope: Scope, *, at: datetime) -> Behind:
    """Downtime intervals that begin in the period, latest first: each is a failure of its service."""
    found = (
        DowntimeInterval.objects.filter(
            started_at__gte=scope.start, started_at__lt=min(scope.end, at), service__isnull=False,
            incident__is_drill=False, incident__merged_into__isnull=True,
        )
        .exclude(incident__stage="stood_down")
        .select_related("incident", "service")
        .order_by("-started_at", "-id")
    )  # fmt: skip
    if scope.services:
        found = found.filter(service__in=scope.services)
    else:
        found = found.filter(service__is_active=True)
    if scope.severities:
        found = found.filter(incident__severity__in=scope.severities)
    if scope.causes or scope.channels:
        everything = replace(scope, start=FIRST_OF_ALL, end=LAST_OF_ALL, services=(), severities=())
        found = found.filter(incident__in=[row["id"] for row in incident_rows(everything, at=at)])
    lines = [
        Line(
            one.incident_id, one.incident.ref, one.incident.title, one.incident.severity,
            [one.service.name] if one.service else [], one.started_at, one.ended_at,
            seconds=((one.ended_at or at) - one.started_at).total_seconds(), is_still_down=one.ended_at is None,
        )
        for one in found[: SHOWN + 1]
    ]  # fmt: skip
    total = len(lines) if len(lines) <= SHOWN else found.count()
    return Behind(MTBF, "Down from", "Until", lines[:SHOWN], total, 0)
