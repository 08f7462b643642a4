"""The inbox: what one person was told inside the product."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from incidents import live
from incidents.models import User
from notifications import chase
from notifications.models import ChannelKey, Delivery, Notice
from notifications.queries import unread_count
from notifications.views.door import reader, signed_in
from notifications.views.paging import older_than

PAGE = 50


@require_GET
@signed_in
def inbox(request: HttpRequest) -> HttpResponse:
    """Newest first; `?unread=1` leaves out what was read."""
    only_unread = request.GET.get("unread") == "1"
    rows = Notice.objects.filter(user=reader(request))
    rows = rows.filter(read_at__isnull=True) if only_unread else rows
    notices, older = older_than(rows, request, PAGE)
    _ask_to_acknowledge(notices, reader(request))
    context = {"notices": notices, "older": older, "only_unread": only_unread, "unread": unread_count(reader(request))}
    template = "notifications/inbox/_notices.html" if request.headers.get("HX-Request") else "notifications/inbox.html"
    return render(request, template, context)


def _ask_to_acknowledge(notices: list[Notice], person: User) -> None:
    """Puts beside each notice its delivery, where an acknowledgement is waited for or was given. One query."""
    rows = Delivery.objects.filter(
        recipient=person, channel=ChannelKey.IN_APP, event__in=[notice.event_id for notice in notices]
    ).select_related("event", "incident")
    asked = {row.event_id: row for row in rows if row.acknowledged_at or chase.wanted_by(row)}
    for notice in notices:
        notice.asked = asked.get(notice.event_id)  # type: ignore[attr-defined]


@require_GET
@never_cache
@signed_in
def inbox_count(request: HttpRequest) -> HttpResponse:
    """How many notices are unread; nothing for none."""
    count = unread_count(reader(request))
    return HttpResponse(f'{min(count, 99)}<span class="visually-hidden"> unread</span>' if count else "")


@require_POST
@signed_in
def read_all(request: HttpRequest) -> HttpResponse:
    """Everything up to now is read."""
    Notice.objects.filter(user=reader(request), read_at__isnull=True).update(read_at=timezone.now())
    live.changed(f"user-{reader(request).pk}", "notice")
    return redirect("inbox")


@require_POST
@signed_in
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks one as read and goes where it leads; links to elsewhere stay in the notice's text."""
    notice = get_object_or_404(Notice, pk=pk, user=reader(request))
    Notice.objects.filter(pk=pk, read_at__isnull=True).update(read_at=timezone.now())
    live.changed(f"user-{reader(request).pk}", "notice")
    is_ours = url_has_allowed_host_and_scheme(notice.path, {request.get_host()}, require_https=request.is_secure())
    return redirect(notice.path if notice.path and is_ours else "inbox")
