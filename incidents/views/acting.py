"""The door of the incident screens, and the dialogs on them: one form, one act, and the page stays where it is."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from incidents.errors import Invalid, NotAccountable, ProcessError
from incidents.permissions import is_usable
from incidents.queries.war_room import Room, find_incident

View = Callable[..., HttpResponse]


def entered(view: View) -> View:
    """Lets people in who are signed in and whose access has not ended. A refusal of the process that no form
    took is answered with its sentence: 403 when somebody else may, 422 otherwise."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_usable(request.user):  # type: ignore[arg-type]
            raise PermissionDenied("Your access has ended. Ask whoever invited you.")
        try:
            return view(request, *args, **kwargs)
        except NotAccountable as refusal:
            raise PermissionDenied(refusal.message) from refusal

    return guarded


def load_room(request: HttpRequest, pk: int) -> Room:
    """The incident as this person sees it; 404 for one that is not there or not theirs to see."""
    incident = find_incident(request.user, pk)  # type: ignore[arg-type]
    if incident is None:
        raise Http404(f"There is no major incident MI-{pk} that you may see.")
    return Room(incident, request.user)  # type: ignore[arg-type]


def put_refusal(form: BaseForm, refusal: ProcessError) -> None:
    """Writes a refusal on the form: at its field when it names one the form has, above the form otherwise."""
    errors = refusal.errors if isinstance(refusal, Invalid) else {}
    if not errors:
        form.add_error(None, refusal.message)
    for name, sentences in errors.items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)


def attempt(form: BaseForm, act: Callable[[dict[str, Any]], Any]) -> tuple[bool, Any]:
    """Does the act with what the valid form says. (False, None) when the form or the process refused."""
    if not form.is_valid():
        return False, None
    try:
        return True, act(form.cleaned_data)
    except ProcessError as refusal:
        put_refusal(form, refusal)
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
