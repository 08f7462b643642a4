"""Two tickets become one, one becomes two: dialogs that say beforehand what will happen."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.actions import merging
from incidents.forms.ticket_jobs import MergeForm, SplitForm
from incidents.models import Ticket, TicketComment, User
from incidents.permissions import visible_tickets
from incidents.queries.look_alike import looks_like
from incidents.queries.merging import MergePreview, merge_preview
from incidents.queries.words import reference_number
from incidents.views.dialogs import dialog, sent
from incidents.views.gate import Request, page
from incidents.views.ticket_acts import load

SUGGESTED = 6


def _alike(ticket: Ticket, user: User) -> list[Ticket]:
    """Tickets it may be a duplicate of."""
    rows = [one.record for one in looks_like(ticket, for_user=user).open_tickets]
    return [one for one in rows if one.merged_into_id is None and one.status != "closed"][:SUGGESTED]


@page("work_ticket")
def ticket_merge(request: Request, pk: int) -> HttpResponse:
    ticket = load(request, pk)
    form = MergeForm(sent(request), alike=_alike(ticket, request.user), initial={"other": request.GET.get("into", "")})

    def merge(given: dict[str, Any]) -> Ticket:
        by: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
        return merging.merge(ticket.pk, into_id=given["into_id"], reason=given["reason"], **by)

    return dialog(
        request, form, merge, title=f"Merge {ticket.ref} into another ticket", text=ticket.title, submit="Merge",
        back=lambda target: reverse("ticket", args=[target.pk]), template="incidents/ticket/merging/_dialog.html",
        preview_url=reverse("ticket_merge_preview", args=[pk]), preview=_preview(request, ticket), ticket=ticket,
    )  # fmt: skip


@page("work_ticket")
def ticket_merge_preview(request: Request, pk: int) -> HttpResponse:
    """What will happen with the ticket that is picked in the open dialog."""
    context = {"preview": _preview(request, load(request, pk)), "asked": True}
    return render(request, "incidents/ticket/merging/_preview.html", context)


def _preview(request: Request, ticket: Ticket) -> MergePreview | None:
    given = request.POST if request.method == "POST" else request.GET
    number = reference_number(given.get("other") or given.get("into") or "", "INC")
    rows = visible_tickets(request.user).select_related("requester")
    target = rows.filter(pk=number).first() if number else None
    return merge_preview([ticket], target) if target else None


@page("work_ticket")
def ticket_split(request: Request, pk: int) -> HttpResponse:
    """A part of the ticket, or one comment (?comment=), becomes a ticket of its own."""
    ticket = load(request, pk)
    permissions.require(request.user, "work_ticket", ticket)
    number = request.GET.get("comment", "")
    comment = ticket.comments.filter(pk=number).first() if number.isdecimal() and len(number) < 15 else None
    form = SplitForm(sent(request), ticket=ticket, initial=_initial(ticket, comment))

    def split(given: dict[str, Any]) -> Ticket:
        files = [file.pk for file in given.pop("moved", [])]
        return merging.split(
            ticket.pk, comment_id=comment.pk if comment else None, attachment_ids=files, actor=request.user,
            at=timezone.now(), **given,
        )  # fmt: skip

    return dialog(
        request, form, split, title=f"Split off from {ticket.ref}", text=_who_is_told(ticket, comment),
        submit="Make a ticket of it", back=lambda made: reverse("ticket", args=[made.pk]),
    )  # fmt: skip


def _initial(ticket: Ticket, comment: TicketComment | None) -> dict[str, Any]:
    text = comment.text if comment and comment.public else ""
    first = text.strip().splitlines()[0][:250] if text.strip() else ""
    return {
        "title": first, "description": text, "service": ticket.service_id, "impact": ticket.impact,
        "urgency": ticket.urgency,
    }  # fmt: skip


def _who_is_told(ticket: Ticket, comment: TicketComment | None) -> str:
    who = ticket.requester or ticket.requester_email or "Nobody"
    kept = " The desk’s note moves along as a note." if comment and not comment.public else ""
    return f"{who} gets the new reference; both tickets name each other.{kept}"
