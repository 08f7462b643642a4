"""The public status page. Nobody needs to sign in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from incidents.models import Organisation
from notifications import status


@require_GET
@cache_control(private=True, max_age=15)
def status_page(request: HttpRequest) -> HttpResponse:
    """Services and their state, open incidents with public updates, and what was solved lately."""
    now = timezone.now()
    context = {"status": status.read(now), "at": now, "organisation": Organisation.current()}
    return render(request, "notifications/status_page.html", context)
