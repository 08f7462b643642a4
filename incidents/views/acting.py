"""The door of the incident screens, and the dialogs on them: one form, one act, and the page stays where it is."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from incidents.errors import NotAccountable, ProcessError
from incidents.forms.room import RoomForm
from incidents.queries.war_room import Room, find_incident
from incidents.views.dialogs import put_errors
from incidents.views.gate import page

entered = page()
"""The door of these screens: anybody signed in whose access has not ended; what they see depends on the record."""


def load_room(request: HttpRequest, pk: int) -> Room:
    """The incident as this person sees it; 404 for one that is not there or not theirs to see."""
    incident = find_incident(request.user, pk)  # type: ignore[arg-type]
    if incident is None:
        raise Http404(f"There is no major incident MI-{pk} that you may see.")
    return Room(incident, request.user)  # type: ignore[arg-type]


def attempt(form: BaseForm, act: Callable[[dict[str, Any]], Any]) -> tuple[bool, Any]:
    """Does the act with what the valid form says. (False, None) when the form or the process refused.

    Raises NotAccountable: who may not act gets 403, and the open dialog keeps what was typed.
    """
    if not form.is_valid():
        return False, None
    try:
        return True, act(form.cleaned_data)
    except NotAccountable:
        raise
    except ProcessError as refusal:
        put_errors(form, refusal)
        if isinstance(form, RoomForm):
            form.refused(refusal)
        return False, None


def done(request: HttpRequest, said: str, *, back: str, leave: bool = False) -> HttpResponse:
    """The act succeeded. The open page keeps standing and fetches its parts again; without htmx, or when the act
    leads elsewhere (`leave`), the reader goes `back`."""
    if getattr(request, "htmx", False) and not leave:
        signals = {"dialog-close": True, "toast": {"text": said, "tone": "good"}, "acted": True}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(signals)})
    messages.success(request, said)
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": back})
    return HttpResponseRedirect(back)


def show_dialog(request: HttpRequest, form: BaseForm, *, fragment: str, back: str, **context: Any) -> HttpResponse:
    """The dialog's fragment to htmx, a page of its own otherwise; 422 when it was sent and refused."""
    context |= {"form": form, "fragment": fragment, "back": back, "action": request.get_full_path()}
    name = fragment if getattr(request, "htmx", False) else "incidents/acts/page.html"
    return render(request, name, context, status=422 if request.method == "POST" else 200)
