"""Reads the mails that the loopback catcher kept, when no mail server is configured. Administrators only."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from incidents.permissions import require
from notifications import caught_mail
from notifications.views.door import reader, signed_in


@require_GET
@signed_in
def mail_catcher(request: HttpRequest) -> HttpResponse:
    """The caught mails, newest first."""
    require(reader(request), "configure")
    mails, older = caught_mail.newest(settings.MAIL_CATCHER_DIR or "", before=request.GET.get("before", ""))
    context = {"mails": mails, "older": older, "is_catching": bool(settings.MAIL_CATCHER_DIR)}
    return render(request, "notifications/mail_catcher.html", context)


@require_GET
@signed_in
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: its headers and its plain text."""
    require(reader(request), "configure")
    found = caught_mail.read(settings.MAIL_CATCHER_DIR or "", name)
    if found is None:
        raise Http404
    return render(request, "notifications/mail.html", {"mail": found})
