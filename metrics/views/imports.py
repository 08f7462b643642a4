"""Bringing history in: upload, columns with a preview, a trial, the import itself, with progress."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.errors import Invalid
from incidents.views.dialogs import go
from incidents.views.gate import Request, page
from metrics import uploads
from metrics.history_import import FIELDS
from metrics.import_sources import SOURCES
from metrics.models import HistoryUpload

ACTS = ("try", "run", "discard")
_HELP = {
    "external_id": "what makes it the same incident the next time; needed",
    "title": "needed",
    "services": "names or slugs, separated by semicolons; unknown ones are made",
    "priority": "gives impact and urgency where the export has none: P1 is 1/1, P2 is 2/2, and so on",
    "acknowledged_after_seconds": "for exports that give seconds instead of a moment",
    "resolved_after_seconds": "for exports that give seconds instead of a moment",
    "downtime": "service|start|end, several separated by semicolons; without it: from the start to restoring",
}


@page("import_history")
def history_imports(request: Request) -> HttpResponse:
    """Uploads so far, and the form for another."""
    context: dict[str, Any] = {
        "uploads": HistoryUpload.objects.select_related("owner").defer("rows", "errors")[:30],
        "sources": [one for one in SOURCES.values() if one.columns],
        "may_export": permissions.can(request.user, "configure"),
    }
    if request.method != "POST":
        return render(request, "metrics/imports.html", context)
    file = request.FILES.get("file")
    try:
        if file is None:
            raise Invalid(file="Choose a CSV or JSON file.")
        if (file.size or 0) > uploads.MOST_BYTES:
            raise Invalid(file=f"The file is larger than {uploads.MOST_BYTES // 2**20} MiB. Send it in parts.")
        made = uploads.upload(name=file.name or "file", content=file.read(), actor=request.user, at=timezone.now())
    except Invalid as refusal:
        return render(request, "metrics/imports.html", context | {"errors": refusal.errors}, status=422)
    return redirect("history_import", made.pk)


def _mapping(row: HistoryUpload, chosen: dict[str, str], errors: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "help": _HELP.get(name, ""), "column": chosen.get(name, ""), "errors": errors.get(name, [])}
        for name in uploads.MAPPABLE
    ]


@page("import_history")
def history_import(request: Request, pk: int) -> HttpResponse:
    """The columns of one upload, the first rows as they would come in, and what became of it."""
    row = get_object_or_404(HistoryUpload.objects.select_related("owner"), pk=pk)
    errors: dict[str, list[str]] = {}
    chosen = dict(row.reading["columns"])
    zone, day_first = row.reading["zone"], row.reading["day_first"]
    if request.method == "POST":
        given = request.POST
        chosen = {name: given[name] for name in uploads.MAPPABLE if given.get(name)}
        zone, day_first = given.get("zone", "").strip(), bool(given.get("day_first"))
        try:
            uploads.map_columns(
                pk, columns=chosen, zone=zone, day_first=day_first, actor=request.user, at=timezone.now()
            )
        except Invalid as refusal:
            errors = refusal.errors
        except ValidationError:
            errors = {"zone": [f"“{zone[:60]}” is not a time zone. Use one like Europe/Berlin."]}
        else:
            return go(request, reverse("history_import", args=[pk]), "The columns are saved. Look at the first rows.")
    context = {
        "upload": row,
        "label": uploads.label(row),
        "mapping": _mapping(row, chosen, errors),
        "zone": zone,
        "day_first": day_first,
        "errors": errors,
        "preview": uploads.preview(row, at=timezone.now()),
        "shown": [name for name in FIELDS if name in chosen or name in ("impact", "urgency")],
    }
    return render(request, "metrics/import.html", context, status=422 if errors else 200)


@page("import_history")
def history_import_state(request: Request, pk: int) -> HttpResponse:
    """How far it is; fetched again while it runs."""
    return render(request, "metrics/import/_state.html", {"upload": get_object_or_404(HistoryUpload, pk=pk)})


@page("import_history")
@require_POST
def history_import_do(request: Request, pk: int, act: str) -> HttpResponse:
    """Try it, bring it in, or discard the file."""
    get_object_or_404(HistoryUpload, pk=pk)
    if act not in ACTS:
        raise Http404
    if act == "discard":
        uploads.discard(pk, actor=request.user)
        return go(request, reverse("history_imports"), "The file is forgotten. What it brought in stays.")
    uploads.start(pk, is_dry_run=act == "try", actor=request.user, at=timezone.now())
    return go(request, reverse("history_import", args=[pk]))
