"""Saying that one has read a message: from the link in the mail, from the inbox, from the war room."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from incidents.permissions import is_usable
from notifications import acknowledge_links, receipts
from notifications.models import Delivery, Notice
from notifications.views.door import reader, signed_in


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: HttpRequest, secret: str) -> HttpResponse:
    """What the link in a message opens: what it is about, and one button. Only a POST acknowledges."""
    row = acknowledge_links.delivery_of(secret)
    if row is not None and row.recipient is not None and not is_usable(row.recipient):
        row = None
    if row is not None and request.method == "POST":
        receipts.acknowledge(row, row.recipient, timezone.now(), "link in the mail")
        row = acknowledge_links.delivery_of(secret)
    response = render(request, "notifications/acknowledge.html", {"delivery": row}, status=200 if row else 404)
    # The address is a secret: it goes into no referrer and no search engine.
    # "no-referrer" would make browsers send forms with the origin "null", which the check of forms refuses.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@require_POST
@signed_in
def acknowledge_here(request: HttpRequest, pk: int) -> HttpResponse:
    """The button inside the product, of the person the message was addressed to."""
    row = get_object_or_404(Delivery, pk=pk, recipient=reader(request))
    now = timezone.now()
    receipts.acknowledge(row, reader(request), now, "button in the product")
    Notice.objects.filter(user=reader(request), event=row.event_id, read_at=None).update(read_at=now)
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Trigger": "acted"})
    return redirect(reverse("inbox"))
