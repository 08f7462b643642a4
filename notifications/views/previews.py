"""The previews inside the declare and update dialogs: who gets what on which channel. Fragments; they write nothing."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.errors import ProcessError
from incidents.forms.declare import DeclareForm
from incidents.permissions import require, visible_incidents
from incidents.process import Audience
from notifications import preview
from notifications.views.door import reader, signed_in


@require_POST
@signed_in
def declare_preview(request: HttpRequest) -> HttpResponse:
    """Whom declaring with the fields typed so far would tell, and in which words."""
    require(reader(request), "declare")
    try:
        shown = preview.of_declaration(actor=reader(request), at=timezone.now(), **_declaration(request))
    except ProcessError as refusal:
        return render(request, "notifications/previews/_refused.html", {"refusal": refusal}, status=422)
    return render(request, "notifications/previews/_declaration.html", {"preview": shown})


@require_POST
@signed_in
def update_preview(request: HttpRequest, ref: int) -> HttpResponse:
    """Who would get this status update and in which words."""
    incident = get_object_or_404(visible_incidents(reader(request)), pk=ref)
    require(reader(request), "contribute", incident)
    now, minutes = timezone.now(), request.POST.get("next_in", "")
    promised = now + timedelta(minutes=int(minutes)) if minutes in ("15", "30", "60", "120", "240") else None
    try:
        shown = preview.of_update(
            incident, texts=_texts(request), next_update_at=promised, actor=reader(request), at=now
        )
    except ProcessError as refusal:
        return render(request, "notifications/previews/_refused.html", {"refusal": refusal}, status=422)
    return render(request, "notifications/previews/_update.html", {"preview": shown})


def _texts(request: HttpRequest) -> dict[str, str]:
    """The text of each chosen audience: its own, else the common one. Nothing chosen means all."""
    chosen = [name for name in request.POST.getlist("audiences") if name in Audience.values] or Audience.values
    common = request.POST.get("text", "").strip()
    return {name: request.POST.get(name, "").strip() or common for name in chosen}


def _declaration(request: HttpRequest) -> dict[str, Any]:
    """The fields of the dialog that can be read: a preview is shown while somebody still types."""
    form = DeclareForm(request.POST, user=reader(request))
    form.is_valid()
    given = {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}
    started_at = given.pop("started_at", None)
    impact, urgency = form.levels()
    return (
        {"title": "(no title yet)", "impact": impact, "urgency": urgency}
        | given
        | {"clocks_given": {"started_at": started_at} if started_at else {}}
    )
