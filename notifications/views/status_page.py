"""The public status page where it is not served as a file, and the subscriptions to it. Nobody needs to sign in."""

from pathlib import PurePosixPath

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from incidents.errors import Invalid
from incidents.models import Organisation
from notifications.status import files, subscribers

TYPES = {".html": "text/html", ".atom": "application/atom+xml", ".ics": "text/calendar", ".json": "application/json"}


@require_GET
@cache_control(public=True, max_age=10)
def status_page(request: HttpRequest, name: str = "index.html") -> HttpResponse:
    """The same bytes that are written as a file, made now."""
    path = f"{name}index.html" if name.endswith("/") else name
    content = files.render(timezone.now()).get(path)
    if content is None:
        raise Http404
    return HttpResponse(content, content_type=f"{TYPES[PurePosixPath(path).suffix]}; charset=utf-8")


# The page is a file without a session, so there is no token to check; asking does nothing before the mail is confirmed.
@csrf_exempt
@require_POST
def subscribe(request: HttpRequest) -> HttpResponse:
    try:
        subscribers.ask(
            email=request.POST.get("email", ""), services=request.POST.getlist("services"), at=timezone.now()
        )
    except Invalid as refusal:
        return say(request, "That did not work", f"{refusal.message} Go back: what you typed is still there.", 422)
    except subscribers.TooMany:
        said = say(request, "Too many at once", "Please try again in an hour.", 429)
        said["Retry-After"] = "3600"
        return said
    return say(request, "Look into your mailbox", "We sent a mail with a link. Open it to confirm; then it begins.")


@csrf_exempt
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """A look alone confirms nothing: programs that check mails open every link."""
    try:
        if request.method == "POST":
            address = subscribers.confirm(token, at=timezone.now()).email
            return say(request, "Confirmed", f"{address} hears of disruptions from now on.")
        address = subscribers.address_to_confirm(token)
    except subscribers.LinkNotValid:
        return say(request, "This link does not work any more", "Subscribe again on the status page.", 410)
    return say(request, "One more step", f"Shall {address} hear of disruptions?", act="Yes, subscribe")


@csrf_exempt
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, token: str) -> HttpResponse:
    """Also answers the one-click POST of mail programs (RFC 8058)."""
    try:
        if request.method == "POST":
            return say(request, "Done", f"{subscribers.end(token, at=timezone.now())} gets no more of these mails.")
        address = subscribers.address_to_end(token)
    except subscribers.LinkNotValid:
        return say(request, "This link does not work", "Use the link of a newer mail, or write to us.", 410)
    return say(request, "No more mails?", f"{address} will not hear of disruptions any more.", act="End the mails")


def say(request: HttpRequest, heading: str, text: str, status: int = 200, act: str = "") -> HttpResponse:
    context = {"heading": heading, "text": text, "act": act, "organisation": Organisation.current()}
    return render(request, "notifications/status/said.html", {**context, "base": files.base_address()}, status=status)
