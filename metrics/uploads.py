"""Files of past incidents through the browser: uploaded, mapped, tried, brought in by a worker, with progress."""

import json
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from incidents import permissions
from incidents.actions.input import clean_text
from incidents.errands import after_commit
from incidents.errors import Invalid, ProcessError
from incidents.models import Organisation, User
from incidents.models.people import check_time_zone
from metrics.history_import import FIELDS, RowResult, check_row, downtime_cell, import_rows, raw_csv, read_json
from metrics.import_sources import PSEUDO_FIELDS, SOURCES, Reading, proposed, recognised, translated
from metrics.models import HistoryUpload

MOST_BYTES = 40 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 300
SHOWN_ERRORS, SHOWN_ROWS = 200, 8
LEASE = timedelta(minutes=5)
MAPPABLE = (*FIELDS, *PSEUDO_FIELDS)
State = HistoryUpload.State


# --- What comes in ------------------------------------------------------------------------------
def rows_of(name: str, content: bytes) -> list[dict[str, Any]]:
    """Rows of a CSV or JSON file, as they are. Raises Invalid with the way out."""
    if len(content) > MOST_BYTES:
        raise Invalid(file=f"The file is larger than {MOST_BYTES // 2**20} MiB. Send it in parts.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(file="The file is not UTF-8 text. Save it as “CSV UTF-8” and send it again.") from None
    if "\x00" in text:
        raise Invalid(file="The file holds NUL characters, so it is no text. Save it as CSV or JSON.")
    is_json = name.lower().endswith(".json") or text.lstrip()[:1] in ("[", "{")
    rows = read_json(text) if is_json else raw_csv(text)
    if not rows:
        raise Invalid(file="There is no row in this file.")
    if len(rows) > MOST_ROWS:
        raise Invalid(file=f"More than {MOST_ROWS:,} rows. Send them in parts.")
    if bad := next((at for at, row in enumerate(rows, 1) if not isinstance(row, dict)), None):
        raise Invalid(file=f"Row {bad} is no object with named fields.")
    return rows


def columns_of(rows: list[dict[str, Any]]) -> list[str]:
    """Every column that any row names, in the order they appear."""
    found: dict[str, None] = {}
    for row in rows:
        found.update(dict.fromkeys(str(name) for name in row))
    if len(found) > MOST_COLUMNS:
        raise Invalid(file=f"More than {MOST_COLUMNS} columns. Export only those that are needed.")
    return list(found)


@transaction.atomic
def upload(*, name: str, content: bytes, actor: User, at: datetime) -> HistoryUpload:
    """Keeps the file's rows with the columns as they are recognised; nothing is brought in yet."""
    permissions.require(actor, "import_history")
    rows = rows_of(name, content)
    columns = columns_of(rows)
    source = recognised(columns)
    reading = {
        "columns": proposed(source, columns, FIELDS),
        "zone": Organisation.current().time_zone,
        "day_first": bool(source and source.day_first),
    }
    return HistoryUpload.objects.create(
        name=clean_text("name", name[-200:], 200), source=source.key if source else "", rows=rows, columns=columns,
        reading=reading, total=len(rows), owner=actor, created_at=at,
    )  # fmt: skip


# --- How it is read -----------------------------------------------------------------------------
def reading_of(row: HistoryUpload) -> Reading:
    return Reading(row.reading["columns"], ZoneInfo(row.reading["zone"]), row.reading["day_first"])


def as_ours(row: HistoryUpload) -> list[Any]:
    """Its rows in our own fields; our own files pass unchanged where every column has its own name."""
    reading = reading_of(row)
    return [_ours(one, reading) for one in row.rows]


def _ours(raw: dict[str, Any], reading: Reading) -> dict[str, Any]:
    found = translated(raw, reading)
    if isinstance(found.get("downtime"), str):
        found["downtime"] = downtime_cell(found["downtime"])
    return found


def preview(row: HistoryUpload, *, at: datetime) -> list[dict[str, Any]]:
    """The first rows as they would come in, each with what is wrong with it."""
    found = []
    reading = reading_of(row)
    for number, raw in enumerate(row.rows[:SHOWN_ROWS], start=1):
        ours = _ours(raw, reading)
        try:
            check_row(ours, at=at)
            errors: dict[str, list[str]] = {}
        except Invalid as refusal:
            errors = refusal.errors
        found.append({"row": number, "ours": ours, "errors": errors})
    return found


@transaction.atomic
def map_columns(
    upload_id: int, *, columns: dict[str, str], zone: str, day_first: bool, actor: User, at: datetime
) -> HistoryUpload:
    """Which column goes to which field. Raises Invalid naming the field."""
    permissions.require(actor, "import_history")
    row = _resting(upload_id)
    errors: dict[str, list[str]] = {}
    for name, column in columns.items():
        if name not in MAPPABLE:
            errors[name] = ["There is no such field."]
        elif column not in row.columns:
            errors[name] = [f"The file has no column “{str(column)[:80]}”."]
    for needed in ("external_id", "title"):
        if needed not in columns:
            errors[needed] = ["This is needed: choose the column that holds it."]
    if errors:
        raise Invalid(**errors)
    check_time_zone(zone)
    row.reading = {"columns": columns, "zone": zone, "day_first": bool(day_first)}
    row.state, row.errors, row.counts = State.MAPPING, [], {}
    row.save(update_fields=["reading", "state", "errors", "counts"])
    return row


def _resting(upload_id: int) -> HistoryUpload:
    row = HistoryUpload.objects.select_for_update().get(pk=upload_id)
    if row.state in (State.QUEUED, State.RUNNING):
        raise ProcessError("It is running. Wait until it has ended.")
    if not row.rows:
        raise ProcessError("These rows are in already. Upload the file again to bring it in anew.")
    return row


@transaction.atomic
def start(upload_id: int, *, is_dry_run: bool, actor: User, at: datetime) -> HistoryUpload:
    """Asks a worker to try the rows, or to bring them in."""
    permissions.require(actor, "import_history")
    row = _resting(upload_id)
    row.state, row.is_dry_run, row.done, row.counts, row.errors, row.reason = State.QUEUED, is_dry_run, 0, {}, [], ""
    row.claimed_at = row.finished_at = None
    row.save(update_fields=["state", "is_dry_run", "done", "counts", "errors", "reason", "claimed_at", "finished_at"])
    from metrics.tasks import run_history_upload

    after_commit(("import", row.pk), partial(run_history_upload.delay, row.pk))
    return row


@transaction.atomic
def discard(upload_id: int, *, actor: User) -> None:
    """Forgets the file; what it brought in stays."""
    permissions.require(actor, "import_history")
    row = HistoryUpload.objects.select_for_update().get(pk=upload_id)
    if row.state == State.RUNNING:
        raise ProcessError("It is running. Wait until it has ended.")
    row.delete()


# --- The worker ---------------------------------------------------------------------------------
def waiting(*, at: datetime) -> list[int]:
    """Queued ones, and those whose worker died."""
    due = Q(state=State.QUEUED) | Q(state=State.RUNNING, claimed_at__lt=at - LEASE)
    return list(HistoryUpload.objects.filter(due).order_by("id").values_list("pk", flat=True)[:5])


def run(upload_id: int) -> bool:
    """Tries or brings in the rows; False when somebody else does. Rows that are in already are left as they are."""
    now = timezone.now()
    due = Q(state=State.QUEUED) | Q(state=State.RUNNING, claimed_at__lt=now - LEASE)
    if not HistoryUpload.objects.filter(due, pk=upload_id).update(state=State.RUNNING, claimed_at=now):
        return False
    row = HistoryUpload.objects.select_related("owner").get(pk=upload_id)

    def progress(done: int) -> None:
        HistoryUpload.objects.filter(pk=upload_id).update(done=done, claimed_at=timezone.now())

    try:
        results = import_rows(as_ours(row), actor=row.owner, at=now, is_dry_run=row.is_dry_run, progress=progress)
    except ProcessError as refusal:
        HistoryUpload.objects.filter(pk=upload_id).update(
            state=State.FAILED, reason=refusal.message, finished_at=timezone.now()
        )
        return True
    _finish(row, results)
    return True


def _finish(row: HistoryUpload, results: list[RowResult]) -> None:
    rejected = [one for one in results if one.status == "rejected"]
    row.counts = dict(Counter(one.status for one in results))
    row.errors = [
        {"row": one.row, "external_id": one.external_id, "errors": one.errors} for one in rejected[:SHOWN_ERRORS]
    ]
    row.state, row.done, row.finished_at = State.DONE, len(results), timezone.now()
    fields = ["counts", "errors", "state", "done", "finished_at"]
    if not row.is_dry_run and not rejected:
        row.rows = []
        fields.append("rows")
    row.save(update_fields=fields)


def label(row: HistoryUpload) -> str:
    return SOURCES[row.source].label if row.source in SOURCES else "not recognised"


def as_text(value: Any) -> str:
    """A cell of the preview."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)[:200]
    return str(value)[:200]
