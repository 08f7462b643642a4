"""The record of an incident: as a file, its files, and whether somebody is at a piece of work already."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from incidents import permissions
from incidents.models import RoomFile
from incidents.queries.export import safe_row
from incidents.queries.record import record_rows
from incidents.queries.timeline import about_of, matching
from incidents.queries.work import doing_it, twin_of
from incidents.views.acting import entered, load_room

EXPORTS = (("csv", "Spreadsheet (CSV)"), ("json", "Data (JSON)"), ("md", "Text (Markdown)"))
_TYPES = {"csv": "text/csv", "json": "application/json", "md": "text/markdown"}


@entered
def record_export(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The entries that are shown, or all, with every wording, oldest first."""
    room = load_room(request, pk)
    if kind not in _TYPES:
        raise Http404
    show, words = request.GET.get("show", ""), request.GET.get("q", "")
    events = matching(room.incident, show=show, words=words).prefetch_related("edits").order_by("seq")
    rows = record_rows(events.iterator(chunk_size=500), about_of)
    response = HttpResponse(_WRITERS[kind](room.incident, rows), content_type=f"{_TYPES[kind]}; charset=utf-8")
    name = f"{room.incident.ref}-record-{timezone.now():%Y-%m-%d}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


class _Lines(list[str]):
    def write(self, text: str) -> None:
        self.append(text)


def _csv(incident: Any, rows: Iterator[dict[str, Any]]) -> list[str]:
    lines = _Lines()
    writer = csv.writer(lines)
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        listed = {**row, "earlier_wordings": " | ".join(row["earlier_wordings"]), "files": ", ".join(row["files"])}
        writer.writerow(safe_row(listed.values()))
    return lines


def _json(incident: Any, rows: Iterator[dict[str, Any]]) -> str:
    return json.dumps({"incident": incident.ref, "title": incident.title, "entries": list(rows)}, ensure_ascii=False)


def _markdown(incident: Any, rows: Iterator[dict[str, Any]]) -> list[str]:
    lines = [f"# {incident.ref} {incident.title}\n\nAll times UTC.\n"]
    for row in rows:
        heading = f"\n**{row['number']} · {row['happened_at']} · {row['title']}** {row['who']}"
        said = [row["about"], row["text"], f"Why: {row['rationale']}" if row["rationale"] else ""]
        files = [f"Files: {', '.join(row['files'])}"] if row["files"] else []
        earlier = [f"Earlier: {text}" for text in row["earlier_wordings"]]
        lines.append("\n\n".join([heading, *filter(None, said), *files, *earlier]) + "\n")
    return lines


_WRITERS: dict[str, Any] = {"csv": _csv, "json": _json, "md": _markdown}


@entered
def room_file(request: HttpRequest, pk: int, key: Any) -> FileResponse:
    """A file of the room, for those who may see the incident: pictures are shown, everything else is a download."""
    room = load_room(request, pk)
    found: RoomFile = get_object_or_404(RoomFile, incident=room.incident, uuid=key)
    response = FileResponse(found.file.open("rb"), as_attachment=not found.is_picture, filename=found.filename)
    response["Content-Type"] = found.content_type
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=3600"
    return response


@entered
def task_twin(request: HttpRequest, pk: int) -> HttpResponse:
    """While a task is typed: who is at it already, and how long still."""
    room = load_room(request, pk)
    permissions.require(room.user, "contribute", room.incident)
    title, target = request.GET.get("title", "")[:250], request.GET.get("target", "")[:120]
    twin = twin_of(room.incident, title, target, at=room.now) if title.strip() or target.strip() else None
    said = doing_it(twin, room.now) if twin else ""
    return render(request, "incidents/war_room/work/_twin.html", {"said": said, "twin": twin})
