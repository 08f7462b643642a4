"""The previews inside the declare and update dialogs: who gets what on which channel. Fragments; they write nothing."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.errors import ProcessError
from incidents.forms.declare import DeclareForm
from incidents.permissions import require, visible_incidents
from notifications import preview
from notifications.update_forms import promised_at, typed_texts
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
    now = timezone.now()
    _, texts = typed_texts(request.POST)
    corrects = request.POST.get("corrects", "")
    if not any(text.strip() for text in texts.values()):
        # The dialog asks as it opens, before a word is written: nothing to show yet is no mistake of anybody.
        return render(request, "notifications/previews/_nothing_yet.html")
    wrong = incident.updates.filter(pk=corrects).first() if corrects.isascii() and corrects.isdigit() else None
    try:
        shown = preview.of_update(
            incident,
            texts=texts,
            next_update_at=promised_at(request.POST.get("next_in", ""), now),
            corrects=wrong,
            actor=reader(request),
            at=now,
        )
    except ProcessError as refusal:
        return render(request, "notifications/previews/_refused.html", {"refusal": refusal}, status=422)
    return render(request, "notifications/previews/_update.html", {"preview": shown})


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
