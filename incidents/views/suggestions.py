"""While somebody types a report: what is known of it already, and “I'm affected too” instead of a second ticket."""

from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import affected
from incidents.errors import Invalid
from incidents.models import Candidate, MajorIncident, User
from incidents.queries.look_alike import Suggestion, suggest
from incidents.queries.portal import something_alike
from incidents.views.gate import Request, page

MOST = 5
LONGEST = 2000
_SALT = "incidents.affected-by"
_VALID_SECONDS = 12 * 3600


@dataclass(frozen=True)
class Known:
    """One suggestion. `subject` is what a click says one is affected by; "" where there is nothing to click."""

    suggestion: Suggestion
    subject: str


@page("use_portal")
def portal_suggestions(request: Request) -> HttpResponse:
    """Asked again after each pause in typing; nothing is kept."""
    title = request.GET.get("title", "").replace("\x00", "")[:LONGEST]
    text = f"{title}\n{request.GET.get('description', '')}".replace("\x00", "")[:LONGEST].strip()
    service = request.GET.get("service", "")
    found = suggest(text, for_user=request.user, most=MOST) if len(text) > 3 else []
    known = [Known(one, _subject("MI", one.pk, request.user) if one.kind == "outage" else "") for one in found]
    alike = None
    if not any(one.subject for one in known):
        alike = something_alike(title, int(service) if service.isdigit() and len(service) < 15 else None)
    if not known and alike is None:
        return HttpResponse()
    context = {"known": known, "alike": _subject("CAN", alike.pk, request.user) if alike else ""}
    return render(request, "incidents/portal/_suggestions.html", context)


def _subject(kind: str, pk: int, person: User) -> str:
    """Signed and for this person alone: what is not declared can neither be guessed nor passed on."""
    return signing.dumps([kind, pk, person.pk], salt=_SALT)


def _read(request: Request) -> tuple[str, int]:
    try:
        kind, pk, person = signing.loads(request.POST.get("subject", ""), salt=_SALT, max_age=_VALID_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        raise Invalid("This is no longer offered. Reload the page and try again.") from None
    if person != request.user.pk:
        raise Invalid("This was offered to somebody else. Reload the page and try again.")
    return kind, pk


@page("use_portal")
@require_POST
def suggestion_affected(request: Request) -> HttpResponse:
    """Counts the person for what was suggested, or (`undo`) takes it back."""
    kind, pk = _read(request)
    by: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    undo = bool(request.POST.get("undo"))
    try:
        if kind == "MI":
            (affected.take_back if undo else affected.say_affected)(pk, **by)
        else:
            (affected.take_back_from_candidate if undo else affected.say_affected_by_candidate)(pk, **by)
    except (MajorIncident.DoesNotExist, Candidate.DoesNotExist):
        raise Invalid("This is over meanwhile. If it still does not work, send your report.") from None
    context = {"subject": request.POST["subject"], "undone": undo}
    return render(request, "incidents/portal/_counted.html", context)
