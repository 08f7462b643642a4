"""Import of past major incidents: reads JSON and CSV, checks every row by itself, lets the good ones in."""

import csv
import gc
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.utils.dateparse import parse_datetime

from incidents.actions.history import Imported, PastDowntime, PastIncident, import_past
from incidents.actions.locking import FUTURE_TOLERANCE
from incidents.errors import Invalid
from incidents.models import Affects, User
from incidents.priority import Severity, severity_for
from incidents.process import CLOCK_CHAINS, CLOCKS
from metrics import rows

TEXT_LIMITS = {"external_id": 120, "title": 250, "description": 20_000, "revenue_impact": 5_000,
               "reputation_impact": 5_000}  # fmt: skip
FIELDS = (
    *("external_id", "title", "description", "services", "impact", "urgency", "severity", "affects"),
    *("users_affected", "revenue_impact", "reputation_impact", *CLOCKS, "downtime"),
)
DOWNTIME_FIELDS = ("service", "started_at", "ended_at")
BATCH = 500
_MOMENT = "Use a moment with its zone, like 2019-07-02T13:42:00Z, or leave it empty when it is unknown."


@dataclass(frozen=True)
class RowResult:
    """`row` counts from 1. `status` is created, unchanged, updated or rejected; `errors` maps fields to sentences."""

    row: int
    external_id: str
    ref: str | None
    status: str
    errors: dict[str, list[str]] = field(default_factory=dict)


# --- Files ------------------------------------------------------------------------------------
def read_json(text: str) -> list[Any]:
    """A list of incidents, or an object with it under `incidents`. Raises Invalid."""
    try:
        found = json.loads(text)
    except ValueError as trouble:
        raise Invalid(file=f"This is not JSON: {trouble}.") from None
    if isinstance(found, dict):
        found = found.get("incidents")
    if not isinstance(found, list):
        raise Invalid(file="Give a list of incidents: [{…}, {…}].")
    return found


def read_csv(text: str) -> list[Any]:
    """One incident a line, named by the header line. An empty cell is an unknown value. Raises Invalid.

    `services` are separated by semicolons; `downtime` is `service|start|end` separated by semicolons, or JSON.
    """
    return [_from_cells(line) for line in raw_csv(text)]


def raw_csv(text: str) -> list[Any]:
    """The lines of a CSV as they are, whatever its columns are called; commas or semicolons. Raises Invalid.

    A column that appears several times (Jira writes one for each component) is joined by semicolons.
    """
    first = text.removeprefix("\ufeff").partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restkey="more cells than headings", strict=True,
                            delimiter=separator)  # fmt: skip
    csv.field_size_limit(10 * 1024 * 1024)
    try:
        names = _named_apart(reader)
        lines = [_joined(line, names) for line in reader]
    except csv.Error as trouble:
        raise Invalid(file=f"This is not CSV: {trouble} (line {reader.line_num}).") from None
    if not reader.fieldnames:
        raise Invalid(file="The file is empty. Its first line names the columns.")
    return lines


def _named_apart(reader: csv.DictReader) -> dict[str, str]:
    """Gives every repeated heading a name of its own; maps those to the heading they came from."""
    names: dict[str, str] = {}
    apart = []
    for at, heading in enumerate(reader.fieldnames or []):
        name = f"{heading}\x1f{at}" if heading in names else heading
        names[name] = heading
        apart.append(name)
    reader.fieldnames = apart
    return names


def _joined(line: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    if len(set(names.values())) == len(names):
        return line
    found: dict[str, Any] = {}
    for name, cell in line.items():
        heading = names.get(name, name)
        if not found.get(heading):
            found[heading] = cell
        elif isinstance(cell, str) and cell.strip():
            found[heading] = f"{found[heading]};{cell}"
    return found


def _from_cells(line: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, cell in line.items():
        text = cell.strip() if isinstance(cell, str) else cell
        if text in ("", None):
            if name in CLOCKS:
                row[name] = None
        elif name == "services":
            row[name] = [part.strip() for part in text.split(";") if part.strip()]
        elif name == "downtime":
            row[name] = downtime_cell(text)
        elif name in ("impact", "urgency", "users_affected"):
            row[name] = int(text) if text.isdecimal() and len(text) < 10 else text
        else:
            row[name] = text
    return row


def downtime_cell(text: str) -> Any:
    """`service|start|end` separated by semicolons, or JSON, as a list; what is neither stays for the check to name."""
    if text.startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    parts = [[cell.strip() for cell in one.split("|")] for one in text.split(";") if one.strip()]
    if any(len(one) != len(DOWNTIME_FIELDS) for one in parts):
        return text
    return [{name: value or None for name, value in zip(DOWNTIME_FIELDS, one, strict=True)} for one in parts]


# --- One row ----------------------------------------------------------------------------------
class _Reader:
    """Collects what is wrong with one row, field by field, so that all of it is told at once."""

    def __init__(self, raw: dict[str, Any], at: datetime) -> None:
        self.raw, self.at = raw, at
        self.errors: dict[str, list[str]] = {}

    def refuse(self, name: str, sentence: str) -> None:
        self.errors.setdefault(name, []).append(sentence)

    def text(self, name: str, *, required: bool = False) -> str:
        value = self.raw.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and name == "external_id":
            value = str(value)
        if value is None or value == "":
            if required:
                self.refuse(name, "This is needed.")
            return ""
        if not isinstance(value, str):
            self.refuse(name, "This must be text.")
        elif "\x00" in value or not value.isprintable() and not _is_sane(value):
            self.refuse(name, "This contains characters that are not text.")
        elif len(value.strip()) > TEXT_LIMITS[name]:
            self.refuse(name, f"At most {TEXT_LIMITS[name]} characters; these are {len(value)}.")
        elif required and not value.strip():
            self.refuse(name, "This is needed.")
        else:
            return value.strip()
        return ""

    def level(self, name: str) -> int:
        value = self.raw.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 4:
            self.refuse(name, "Give a whole number from 1 (highest) to 4.")
            return 4
        return value

    def choice(self, name: str, allowed: list[str], default: str) -> str:
        value = self.raw.get(name)
        if value in (None, ""):
            return default
        if value not in allowed:
            self.refuse(name, f"Use one of {', '.join(allowed)}.")
            return default
        return str(value)

    def count(self, name: str) -> int | None:
        value = self.raw.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2_147_483_647:
            self.refuse(name, "Give a whole number that is not negative.")
            return None
        return value

    def moment(self, name: str, value: Any) -> datetime | None:
        if value is None or value == "":
            return None
        try:
            found = parse_datetime(value) if isinstance(value, str) else None
            if found is None or found.tzinfo is None or not 1970 <= found.year < 2200:
                raise ValueError
        except (ValueError, OverflowError):
            self.refuse(name, f"“{str(value)[:60]}” is not a moment. {_MOMENT}")
            return None
        if found > self.at + FUTURE_TOLERANCE:
            self.refuse(name, f"{found:%Y-%m-%d %H:%M} lies in the future.")
        return found

    def services(self) -> tuple[str, ...]:
        value = self.raw.get("services")
        if value is None:
            return ()
        if not isinstance(value, list) or not all(self.is_service_name(one) for one in value):
            self.refuse("services", "Give a list of slugs or names of at most 120 characters, [] when unknown.")
            return ()
        return tuple(dict.fromkeys(one.strip() for one in value))

    @staticmethod
    def is_service_name(value: Any) -> bool:
        return isinstance(value, str) and 0 < len(value.strip()) <= 120 and value.isprintable()

    def downtime(self, services: tuple[str, ...], clocks: dict[str, datetime | None]) -> tuple[PastDowntime, ...]:
        """As given; when nothing is said, every service was down from the start (else detection) to restoring."""
        value = self.raw.get("downtime")
        if value is None:
            began, ended = clocks["started_at"] or clocks["detected_at"], clocks["restored_at"]
            if began is None or ended is None or ended < began:
                return ()
            return tuple(PastDowntime(name, began, ended) for name in services or ("",))
        if not isinstance(value, list):
            self.refuse("downtime", "Give a list of {service, started_at, ended_at}.")
            return ()
        found = [self.interval(number, one) for number, one in enumerate(value)]
        spans = [one for one in found if one is not None]
        still_open = [one.service for one in spans if one.ended_at is None]
        if still_open and (clocks["resolved_at"] or clocks["closed_at"]):
            self.refuse("downtime", "The incident is over, so every interval needs an ended_at.")
        if len(still_open) != len(set(still_open)):
            self.refuse("downtime", "A service has two intervals without an end.")
        return tuple(dict.fromkeys(spans))

    def interval(self, number: int, value: Any) -> PastDowntime | None:
        path = f"downtime.{number}"
        if not isinstance(value, dict):
            self.refuse(path, "Give {service, started_at, ended_at}.")
            return None
        for name in value.keys() - set(DOWNTIME_FIELDS):
            self.refuse(f"{path}.{name}", f"Unknown field. Known: {', '.join(DOWNTIME_FIELDS)}.")
        service = value.get("service")
        if service is not None and not self.is_service_name(service):
            self.refuse(f"{path}.service", "Give the slug or name of a service, or null when unknown.")
            return None
        began = self.moment(f"{path}.started_at", value.get("started_at"))
        ended = self.moment(f"{path}.ended_at", value.get("ended_at"))
        if began is None:
            if f"{path}.started_at" not in self.errors:
                self.refuse(f"{path}.started_at", "This is needed.")
            return None
        if ended is not None and ended < began:
            self.refuse(f"{path}.ended_at", "This is before started_at.")
        return PastDowntime((service or "").strip(), began, ended)

    def check_order(self, clocks: dict[str, datetime | None]) -> None:
        for chain in CLOCK_CHAINS:
            known = [(name, clocks[name]) for name in chain if clocks[name] is not None]
            for (earlier, first), (later, last) in pairwise(known):
                if last < first:  # type: ignore[operator]
                    sentence = f"{later} is before {earlier}."
                    if sentence not in self.errors.get(later, []):
                        self.refuse(later, sentence)


_INSANE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\ud800-\udfff]")


def _is_sane(text: str) -> bool:
    """Line breaks and tabs are text; other control characters and lone surrogates are not."""
    return _INSANE.search(text) is None


def check_row(raw: Any, *, at: datetime) -> PastIncident:
    """One row as the action takes it. Raises Invalid with everything that is wrong, by field."""
    if not isinstance(raw, dict):
        raise Invalid(row="Give an object with the fields of one incident.")
    reader = _Reader(raw, at)
    for name in raw.keys() - set(FIELDS):
        reader.refuse(str(name)[:80], f"Unknown field. Known: {', '.join(FIELDS)}.")
    clocks = {name: reader.moment(name, raw.get(name)) for name in CLOCKS}
    reader.check_order(clocks)
    impact, urgency = reader.level("impact"), reader.level("urgency")
    services = reader.services()
    past = PastIncident(
        external_id=reader.text("external_id", required=True),
        title=reader.text("title", required=True),
        description=reader.text("description"),
        impact=impact,
        urgency=urgency,
        severity=reader.choice("severity", Severity.values, severity_for(impact, urgency)),
        affects=reader.choice("affects", Affects.values, Affects.BOTH),
        users_affected=reader.count("users_affected"),
        revenue_impact=reader.text("revenue_impact"),
        reputation_impact=reader.text("reputation_impact"),
        services=services,
        clocks=clocks,
        downtime=reader.downtime(services, clocks),
    )
    if reader.errors:
        raise Invalid(**reader.errors)
    return past


# --- All rows ---------------------------------------------------------------------------------
def import_rows(
    raws: list[Any],
    *,
    actor: User | None,
    at: datetime,
    is_dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> list[RowResult]:
    """Checks and imports the rows in batches; a bad row is rejected with its errors and hinders no other.

    A dry run does the same and takes it back: its results carry no `ref`. `progress` hears how many rows are done.
    """
    results: dict[int, RowResult] = {}
    good: list[tuple[int, PastIncident]] = []
    seen: dict[str, int] = {}
    for number, raw in enumerate(raws, start=1):
        try:
            past = check_row(raw, at=at)
            if past.external_id in seen:
                raise Invalid(external_id=f"Row {seen[past.external_id]} has the same external_id.")
        except Invalid as refusal:
            results[number] = RowResult(number, _external_id(raw), None, "rejected", refusal.errors)
        else:
            seen[past.external_id] = number
            good.append((number, past))
    moved: list[int] = []
    with _kept_from_collection():
        for batch in _batches(good):
            for (number, past), imported in zip(batch, _write(batch, actor, at, is_dry_run), strict=True):
                moved += [imported.incident_id] if imported.status != "unchanged" else []
                ref = None if is_dry_run and imported.status == "created" else f"MI-{imported.incident_id}"
                results[number] = RowResult(number, past.external_id, ref, imported.status)
            if progress:
                progress(len(results))
        if moved and not is_dry_run:
            _refresh_statistics()
            rows.compute_many(moved, at=at)
    return [results[number] for number in sorted(results)]


@contextmanager
def _kept_from_collection() -> Iterator[None]:
    """The rows read so far are not gone through by the collector again and again while they are written."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _refresh_statistics() -> None:
    """Tells the planner about the rows just written: on old counts the KPI query takes minutes instead of a second."""
    tables = [model._meta.db_table for model in apps.get_app_config("incidents").get_models()]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(tables))


def _external_id(raw: Any) -> str:
    value = raw.get("external_id") if isinstance(raw, dict) else None
    return str(value)[:120] if isinstance(value, str | int) else ""


def _batches(good: list[tuple[int, PastIncident]]) -> Iterator[list[tuple[int, PastIncident]]]:
    for start in range(0, len(good), BATCH):
        yield good[start : start + BATCH]


def _write(batch: list[tuple[int, PastIncident]], actor: User | None, at: datetime, is_dry_run: bool) -> list[Imported]:
    with transaction.atomic():
        done = import_past([past for _, past in batch], actor=actor, at=at)
        if is_dry_run:
            transaction.set_rollback(True)
    return done
