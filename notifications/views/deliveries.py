"""Who was told what, and what became of it."""

import csv
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from incidents.errors import Invalid
from incidents.permissions import can, is_staff, require, visible_incidents
from incidents.process import Audience
from incidents.queries.export import safe_row
from incidents.views.dialogs import dialog, sent
from notifications import chase, evidence, told_queries
from notifications.delivery_filter import DeliveryFilterForm
from notifications.models import Delivery
from notifications.queries import told_by_audience, troubled_deliveries, visible_deliveries
from notifications.resend import MAY_BE_RESENT, resend
from notifications.update_forms import ReasonForm
from notifications.views.door import reader, signed_in
from notifications.views.paging import older_than

PAGE = 50
TROUBLES_SHOWN = 5
MOST_EXPORTED = 50_000
_COLUMNS = (
    *("Queued (UTC)", "Moment", "Subject", "To", "Address", "For", "Channel", "Major incident", "State", "Attempts"),
    *("Accepted (UTC)", "Reason", "Answer", "Receipt", "Acknowledged (UTC)", "Message-ID"),
)


@require_GET
@signed_in
def delivery_list(request: HttpRequest) -> HttpResponse:
    """Every message one may see, newest first, filtered by the address."""
    form = DeliveryFilterForm(request.GET)
    rows = visible_deliveries(reader(request)).filter(form.narrow())
    deliveries, older = older_than(rows, request, PAGE)
    query = request.GET.copy()
    query.pop("before", None)
    context = {"form": form, "deliveries": deliveries, "older": older, "query": query.urlencode()}
    return render(request, "notifications/deliveries.html", context)


@require_GET
@signed_in
def delivery_export(request: HttpRequest) -> StreamingHttpResponse:
    """The filtered list as CSV, at most 50,000 rows, the newest first."""
    rows = visible_deliveries(reader(request)).filter(DeliveryFilterForm(request.GET).narrow()).order_by("-pk")
    lines = _lines(rows[:MOST_EXPORTED].iterator(chunk_size=1000))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="messages-{timezone.now():%Y-%m-%d}.csv"'
    return response


class _Line:
    def write(self, text: str) -> str:
        return text


def _lines(rows: Iterator[Delivery]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(_COLUMNS)
    for one in rows:
        yield writer.writerow(safe_row(_cells(one)))


def _cells(one: Delivery) -> list[object]:
    def time(at: Any) -> str:
        return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""

    return [
        time(one.queued_at), one.moment_in_words, one.wording.subject if one.wording else "",
        one.recipient.display_name if one.recipient else one.address,
        one.recipient.email if one.recipient else one.address, one.audiences_in_words, one.get_channel_display(),
        f"MI-{one.incident_id}" if one.incident_id else "", one.get_state_display(), one.attempts,
        time(one.delivered_at), one.reason, one.answer, one.receipt, time(one.acknowledged_at), one.message_id,
    ]  # fmt: skip


@require_GET
@signed_in
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """One message as it was worded, and its history."""
    rows = visible_deliveries(reader(request)).select_related("event__actor", "acknowledged_by", "resent_by")
    row = get_object_or_404(rows, pk=pk)
    context = {
        "delivery": row,
        "may_resend": row.state in MAY_BE_RESENT and can(reader(request), "resend_message"),
        "wanted_by": chase.wanted_by(row),
        "sees_people": is_staff(reader(request)),
    }
    return render(request, "notifications/delivery.html", context)


@signed_in
def delivery_resend(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends a failed or suppressed message once more, with a reason."""
    require(reader(request), "resend_message")
    row = get_object_or_404(visible_deliveries(reader(request)), pk=pk)
    to = row.recipient.display_name if row.recipient else row.address
    return dialog(
        request,
        ReasonForm(sent(request)),
        lambda given: resend(row.pk, reason=given["reason"], actor=reader(request), at=timezone.now()),
        title="Send it again",
        text=f"To {to}, {row.get_channel_display().lower()}. It keeps its message id, so nobody reads it twice.",
        submit="Send again",
        said="Queued again.",
        back=reverse("delivery", args=[row.pk]),
    )


@require_GET
@signed_in
def incident_deliveries(request: HttpRequest, ref: int) -> HttpResponse:
    """The audiences of one incident with "n of m told", last told, next due, and what failed. A slot of its page."""
    person = reader(request)
    incident = get_object_or_404(visible_incidents(person), pk=ref)
    sees_people = is_staff(person)
    troubles = list(troubled_deliveries(incident)[: TROUBLES_SHOWN + 1]) if sees_people else []
    context = {
        "incident": incident,
        "audiences": told_by_audience(incident),
        "troubles": troubles[:TROUBLES_SHOWN],
        "more_troubles": len(troubles) > TROUBLES_SHOWN,
        "sees_people": sees_people,
        "is_expanding": evidence.is_expanding(incident.pk),
        "asked": chase.asked_of(person, incident),
    }
    return render(request, "notifications/deliveries/_told.html", context)


@require_GET
@signed_in
def told_names(request: HttpRequest, ref: int, audience: str) -> HttpResponse:
    """The people behind the figures of one audience."""
    require(reader(request), "view_desk")
    incident = get_object_or_404(visible_incidents(reader(request)), pk=ref)
    groups = told_queries.names_of(incident, audience) if audience in Audience.values else []
    return render(request, "notifications/deliveries/_names.html", {"groups": groups})


@require_GET
@signed_in
def told_matrix(request: HttpRequest, ref: int) -> HttpResponse:
    """Who has been told what, when: people down, moments across."""
    require(reader(request), "view_desk")
    incident = get_object_or_404(visible_incidents(reader(request)), pk=ref)
    audience, outside = request.GET.get("audience", ""), request.GET.get("who") == "outside"
    before, cursor = request.GET.get("before", ""), request.GET.get("after", "").replace("\x00", "")
    below = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    try:
        told = told_queries.who_was_told(incident, audience=audience, outside=outside, before=below, cursor=cursor)
    except Invalid:  # a page that no longer exists: the first one
        told = told_queries.who_was_told(incident, audience=audience, outside=outside, before=below)
    context = {
        "incident": incident,
        "told": told,
        "audience": audience,
        "outside": outside,
        "before": below,
        "audiences": [("", "Everybody"), *Audience.choices],
    }
    return render(request, "notifications/told_matrix.html", context)
