"""The incident document: generated from the record, edited, published as an article."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import document_text
from incidents.actions import documents
from incidents.errors import NotAccountable, ProcessError
from incidents.forms.review import DocumentForm, PostMortemForm
from incidents.models import Document
from incidents.permissions import may_do_step, require_step
from incidents.queries.war_room import Room
from incidents.views.acting import attempt, entered, load_room
from incidents.views.dialogs import dialog, sent


@entered
def document(request: HttpRequest, pk: int) -> HttpResponse:
    room = load_room(request, pk)
    found = _document(room)
    return render(request, "incidents/document/document.html", _shown(room, found))


def _document(room: Room) -> Document | None:
    rows = Document.objects.filter(incident=room.incident)
    return rows.select_related("edited_by", "published_by", "public_published_by").first()


def _shown(room: Room, found: Document | None) -> dict[str, object]:
    may_publish = may_do_step(room.user, room.incident, "document")
    return {
        "room": room,
        "incident": room.incident,
        "document": found,
        "versions": found.versions.select_related("saved_by")[:20] if found else [],
        "may_write": room.may_contribute or may_publish,
        "may_publish": may_publish and room.incident.resolved_at is not None,
    }


@entered
def document_edit(request: HttpRequest, pk: int) -> HttpResponse:
    room = load_room(request, pk)
    found = _document(room)
    if found is None:
        return redirect("document", room.incident.ref)
    form = DocumentForm(request.POST if request.method == "POST" else None, document=found)
    if request.method == "POST":
        by: dict[str, Any] = {"actor": room.user, "at": timezone.now()}
        saved, _ = attempt(form, lambda given: documents.edit_document(room.incident.pk, **given, **by))
        if saved:
            messages.success(request, "Saved.")
            return redirect("document", room.incident.ref)
    status = 422 if request.method == "POST" else 200
    return render(request, "incidents/document/edit.html", _shown(room, found) | {"form": form}, status=status)


@require_POST
@entered
def document_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What is being typed as it will be read. Nothing is written."""
    load_room(request, pk)
    text = request.POST.get("markdown", "")[: document_text.MAX_CHARACTERS]
    return render(request, "incidents/document/preview/_fragment.html", {"html": document_text.html_of(text)})


@entered
def post_mortem(request: HttpRequest, pk: int) -> HttpResponse:
    """The text for the public, and its publishing."""
    room = load_room(request, pk)
    found = _document(room)
    if found is None:
        return redirect("document", room.incident.ref)
    require_step(room.user, room.incident, "document")
    begun = found.public_markdown or document_text.write_post_mortem(room.incident)
    return dialog(
        request,
        PostMortemForm(sent(request), initial={"markdown": begun}),
        lambda given: documents.publish_post_mortem(
            room.incident.pk, markdown=given["markdown"], actor=room.user, at=timezone.now()
        ),
        title="Post-mortem for the public",
        text="It stands on the status page for everybody. The internal document stays internal.",
        submit="Publish on the status page",
        wide=True,
        back=reverse("document", args=[room.incident.ref]),
    )


ACTS = {
    "generate": documents.generate,
    "publish": documents.publish_document,
    "withdraw": documents.withdraw_post_mortem,
}
_SAID = {"generate": "Written from the record.", "publish": "Published.", "withdraw": "Taken from the status page."}


@require_POST
@entered
def document_do(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Generate it from the record as it is now, or publish it."""
    room = load_room(request, pk)
    if act not in ACTS:
        raise Http404("There is no such act.")
    try:
        ACTS[act](room.incident.pk, actor=room.user, at=timezone.now())
        messages.success(request, _SAID[act])
    except NotAccountable:
        raise
    except ProcessError as refusal:
        messages.error(request, refusal.message)
    return redirect("document", room.incident.ref)
