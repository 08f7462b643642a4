"""DATA and PURE: what exports of other tools call their columns, and how their words become ours. No ORM.

A column is found by its name whatever its case, blanks and punctuation; "Custom field (Impact)" is "impact". Names are
those of the tools' own exports: ServiceNow lists (labels and field names), Jira Service Management's CSV, PagerDuty's
incident reports and its REST answer.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime

from incidents.process import CLOCKS

_CUSTOM = re.compile(r"^\s*custom field\s*\((.*)\)\s*$", re.IGNORECASE)


def plain(name: str) -> str:
    """A column's name as it is compared."""
    found = _CUSTOM.match(name)
    return re.sub(r"[^a-z0-9]", "", (found[1] if found else name).lower())


@dataclass(frozen=True)
class Source:
    """`signs` are columns that only this tool has; `columns` are the names a field of ours may go by, best first."""

    key: str
    label: str
    signs: tuple[tuple[str, ...], ...]
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    day_first: bool = False


PSEUDO_FIELDS = ("priority", "acknowledged_after_seconds", "resolved_after_seconds")
"""What exports say in another way than we do: turned into impact and urgency, and into clocks."""

OURS = Source("mim", "Our own columns", (("externalid",),))
SERVICENOW = Source(
    "servicenow", "ServiceNow",
    (("number", "shortdescription"),),
    {
        "external_id": ("number",),
        "title": ("shortdescription",),
        "description": ("description",),
        "services": ("businessservice", "service", "serviceoffering", "configurationitem", "cmdbci"),
        "impact": ("impact",),
        "urgency": ("urgency",),
        "priority": ("priority",),
        "started_at": ("outagestart", "begin", "workstart", "actualstart"),
        "detected_at": ("detected", "detectedat", "udetectedat"),
        "reported_at": ("opened", "openedat", "created", "syscreatedon"),
        "acknowledged_at": ("acknowledged", "acknowledgedat", "assignedat", "uacknowledgedat"),
        "declared_at": ("promotedon", "promoted", "proposedon"),
        "contained_at": ("contained", "containedat", "workaroundat"),
        "restored_at": ("restored", "servicerestored", "outageend", "end", "workend"),
        "resolved_at": ("resolved", "resolvedat"),
        "closed_at": ("closed", "closedat"),
        "revenue_impact": ("businessimpact",),
    },
)  # fmt: skip
JIRA = Source(
    "jira", "Jira Service Management",
    (("issuekey", "summary"),),
    {
        "external_id": ("issuekey",),
        "title": ("summary",),
        "description": ("description",),
        "services": ("affectedservices", "affectedservice", "service", "services", "components", "component"),
        "impact": ("impact",),
        "urgency": ("urgency",),
        "severity": ("severity",),
        "priority": ("priority",),
        "started_at": ("incidentstart", "starttime", "impactstart", "actualstart", "startdate"),
        "detected_at": ("detected", "detectedat", "detectiontime"),
        "reported_at": ("created", "createddate"),
        "acknowledged_at": ("acknowledged", "acknowledgedat", "firstresponse"),
        "declared_at": ("majorincidentdeclared", "declared", "declaredat"),
        "contained_at": ("contained", "mitigated", "mitigatedat"),
        "restored_at": ("restored", "servicerestored", "incidentend", "actualend", "impactend"),
        "resolved_at": ("resolved", "resolutiondate"),
        "closed_at": ("closed", "closedat"),
        "revenue_impact": ("businessimpact",),
    },
    day_first=True,
)  # fmt: skip
PAGERDUTY = Source(
    "pagerduty", "PagerDuty",
    (("incidentnumber", "secondstofirstack"), ("incidentnumber", "createdon"), ("incidentnumber", "createdat"),
     ("incidentnumber", "servicename")),
    {
        "external_id": ("id", "incidentid", "incidentnumber"),
        "title": ("title", "description", "incidenttitle"),
        "services": ("servicename", "service", "servicesummary"),
        "urgency": ("urgency",),
        "priority": ("priorityname", "priority", "prioritysummary"),
        "reported_at": ("createdon", "createdat", "created"),
        "detected_at": ("createdon", "createdat", "created"),
        "acknowledged_at": ("firstacknowledgedat", "acknowledgedat", "acknowledgementsat"),
        "acknowledged_after_seconds": ("secondstofirstack", "secondstofirstacknowledge", "timetoacknowledgeseconds"),
        "resolved_at": ("resolvedon", "resolvedat", "resolved"),
        "resolved_after_seconds": ("secondstoresolve", "timetoresolveseconds"),
    },
)  # fmt: skip
SOURCES: dict[str, Source] = {one.key: one for one in (OURS, SERVICENOW, JIRA, PAGERDUTY)}


def recognised(columns: Iterable[str]) -> Source | None:
    """The tool whose export has these columns; None when none is recognised."""
    known = {plain(name) for name in columns}
    for source in SOURCES.values():
        if any(known.issuperset(signs) for signs in source.signs):
            return source
    return None


def proposed(source: Source | None, columns: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """Which column goes to which field of ours: by the tool's names, else by our own."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain(column), column)
    found: dict[str, str] = {}
    for name in (*fields, *PSEUDO_FIELDS):
        wanted = (*(source.columns.get(name, ()) if source else ()), plain(name))
        if hit := next((by_name[one] for one in wanted if one in by_name), None):
            found[name] = hit
    return found


# --- Words of other tools -------------------------------------------------------------------------
_LEVELS = {
    "critical": 1, "highest": 1, "blocker": 1, "extensivewidespread": 1, "extensive": 1, "widespread": 1, "p1": 1,
    "sev1": 1, "high": 2, "significantlarge": 2, "significant": 2, "large": 2, "major": 2, "p2": 2, "sev2": 2,
    "medium": 3, "moderate": 3, "moderatelimited": 3, "limited": 3, "normal": 3, "p3": 3, "sev3": 3,
    "low": 4, "lowest": 4, "minor": 4, "minorlocalized": 4, "localized": 4, "planning": 4, "trivial": 4, "p4": 4,
    "p5": 4, "info": 4,
}  # fmt: skip


def level(value: Any) -> int | None:
    """1 (highest) to 4 for "1 - High", "P2", "Extensive / Widespread", "Low"; None for what says nothing known.

    A number counts before its word: ServiceNow's "1 - High" is the highest impact.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return min(max(value, 1), 4)
    text = str(value or "").strip()
    if found := re.match(r"^([1-5])\s*(?:$|[-–:.])", text):
        return min(int(found[1]), 4)
    return _LEVELS.get(plain(text))


_FORMATS = ("%d/%b/%y %I:%M %p", "%d/%b/%Y %I:%M %p", "%d/%b/%y %H:%M", "%d/%b/%Y %H:%M", "%d %b %Y %H:%M",
            "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M")  # fmt: skip
_DAY_FIRST = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %I:%M:%S %p", "%d/%m/%Y %I:%M %p", "%d-%m-%Y %H:%M:%S")
_MONTH_FIRST = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m-%d-%Y %H:%M:%S")


def moment(value: Any, zone: ZoneInfo, *, day_first: bool) -> datetime | None:
    """A moment as tools write it; without a zone of its own it is read in `zone`. None for what is no moment."""
    text = str(value or "").strip()
    found: datetime | None = None
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    for pattern in () if found else (*_FORMATS, *(_DAY_FIRST if day_first else _MONTH_FIRST)):
        try:
            found = datetime.strptime(text, pattern)  # noqa: DTZ007 (the zone follows)
            break
        except ValueError:
            continue
    if found is None:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)


@dataclass(frozen=True)
class Reading:
    """How a file is read: which column goes where, and what its moments without a zone mean."""

    columns: dict[str, str]
    zone: ZoneInfo
    day_first: bool = False


def _flat(value: Any) -> Any:
    """What PagerDuty's REST answer nests: {"summary": …}."""
    if isinstance(value, dict):
        return value.get("summary") or value.get("name") or value.get("id")
    return value


def translated(raw: dict[str, Any], reading: Reading) -> dict[str, Any]:
    """One row of an export as a row of ours. What cannot be understood stays as it came: the check names its field."""
    row: dict[str, Any] = {}
    for name, column in reading.columns.items():
        value = _flat(raw.get(column))
        if isinstance(value, str):
            value = value.strip()
        if value in ("", None, []):
            continue
        if name in CLOCKS:
            found = moment(value, reading.zone, day_first=reading.day_first)
            row[name] = found.isoformat() if found else value
        elif name in ("impact", "urgency"):
            row[name] = level(value) or value
        elif name == "severity":
            found_level = level(value)
            row[name] = f"SEV{min(found_level, 3)}" if found_level else value
        elif name == "services":
            row[name] = [str(_flat(one)).strip() for one in (value if isinstance(value, list) else value.split(";"))]
        elif name == "users_affected":
            row[name] = int(value) if str(value).isdecimal() and len(str(value)) < 10 else value
        elif name not in PSEUDO_FIELDS:
            row[name] = value if name == "downtime" else str(value)
    _fill_levels(row, _flat(raw.get(reading.columns.get("priority", ""))))
    for clock in ("acknowledged", "resolved"):
        _fill_clock(row, f"{clock}_at", raw.get(reading.columns.get(f"{clock}_after_seconds", "")))
    return row


def _fill_levels(row: dict[str, Any], priority: Any) -> None:
    """Impact and urgency that the export does not name follow its priority: P1 is 1/1, P2 2/2, and so on."""
    known = level(priority)
    for name, other in (("impact", "urgency"), ("urgency", "impact")):
        if name not in row:
            found = known or (row.get(other) if isinstance(row.get(other), int) else None)
            if found:
                row[name] = found


def _fill_clock(row: dict[str, Any], clock: str, seconds: Any) -> None:
    """A clock that the export gives as seconds after the report."""
    try:
        passed, since = float(seconds), datetime.fromisoformat(str(row.get("reported_at", "")))
        if clock not in row and 0 <= passed < 10**9:
            row[clock] = (since + timedelta(seconds=passed)).isoformat()
    except (TypeError, ValueError):
        return
