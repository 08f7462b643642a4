"""Programs follow the public status page: asking, confirming, ending. Nobody needs to sign in."""

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from incidents.errors import Invalid
from incidents.models import Organisation
from notifications.status import endpoints, files, subscribers
from notifications.views.status_page import say


# As for mails: the page is a file without a session, and asking begins nothing before the endpoint's owner agreed.
@csrf_exempt
@require_POST
def subscribe(request: HttpRequest) -> HttpResponse:
    try:
        if not ratelimit.consume(request, action="status_webhook"):
            raise subscribers.TooMany
        endpoints.ask(
            url=request.POST.get("url", ""),
            services=request.POST.getlist("services"),
            asked_from=get_adapter(request).get_client_ip(request),
            at=timezone.now(),
        )
    except Invalid as refusal:
        return say(request, "That did not work", f"{refusal.message} Go back: what you typed is still there.", 422)
    except subscribers.TooMany:
        said = say(request, "Too many at once", "Please try again in an hour.", 429)
        said["Retry-After"] = "3600"
        return said
    text = "We sent a message to your endpoint. Open the confirm_url in it; then it begins."
    return say(request, "Look at your endpoint", text)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """A look alone confirms nothing. POST shows the secret, once; to a program that asks for JSON, as JSON."""
    try:
        if request.method == "POST":
            return _secret(request, *endpoints.confirm(token, at=timezone.now()))
        url = endpoints.url_to_confirm(token)
    except subscribers.LinkNotValid:
        return say(request, "This link does not work any more", "Subscribe again on the status page.", 410)
    return say(request, "One more step", f"Shall {url} hear of disruptions?", act="Yes, and show the secret")


def _secret(request: HttpRequest, row: endpoints.Webhook, secret: str) -> HttpResponse:
    if request.accepts("application/json") and not request.accepts("text/html"):
        return JsonResponse({"url": row.url, "secret": secret, "unsubscribe_url": endpoints.end_url(row.pk)})
    context = {"url": row.url, "secret": secret, "organisation": Organisation.current(), "base": files.base_address()}
    return render(request, "notifications/status/secret.html", context)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, token: str) -> HttpResponse:
    """Forgets the endpoint."""
    try:
        if request.method == "POST":
            return say(request, "Done", f"{endpoints.end(token)} gets no more messages and is forgotten.")
        url = endpoints.url_to_end(token)
    except subscribers.LinkNotValid:
        return say(request, "This link does not work", "The endpoint is forgotten already, or the link is broken.", 410)
    return say(request, "No more messages?", f"{url} will not hear of disruptions any more.", act="End the messages")
