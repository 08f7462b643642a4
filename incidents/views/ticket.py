"""One ticket: the conversation, what is known, what looks like it. Requesters see the public parts of theirs."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.actions import tickets as acts
from incidents.forms.tickets import CommentForm
from incidents.models import Attachment, Ticket, User
from incidents.queries.observations import answer_about
from incidents.queries.portal import outage_of, state_in_words
from incidents.queries.tickets import duplicate_of, ticket_for, ticket_page
from incidents.views.gate import Request, page


@page()
def ticket(request: Request, pk: int) -> HttpResponse:
    """A duplicate leads to the ticket that goes on: the desk to that one, its requester back to their own report."""
    if "stay" not in request.GET and (elsewhere := _leads_to(request, pk)):
        return redirect(elsewhere)
    return show_ticket(request, pk)


def _leads_to(request: Request, pk: int) -> str:
    if permissions.is_staff(request.user):
        found = Ticket.objects.filter(pk=pk).values_list("merged_into", flat=True).first()
        return f"{reverse('ticket', args=[found])}?merged=INC-{pk}" if found else ""
    own = duplicate_of(request.user, pk)
    if own is None or permissions.visible_tickets(request.user).filter(pk=pk).exists():
        return ""
    return reverse("ticket", args=[own])


@page()
def ticket_now(request: Request, pk: int) -> HttpResponse:
    """The conversation and facts, fetched again whenever the ticket changes."""
    return show_ticket(request, pk, name="_now")


def find_ticket(user: User, pk: int) -> Ticket:
    """The ticket, or 404 when there is none this person may see."""
    try:
        return ticket_for(user, pk)
    except Ticket.DoesNotExist:
        raise Http404(f"There is no ticket INC-{pk} that you may see.") from None


def show_ticket(
    request: Request, pk: int, *, form: BaseForm | None = None, name: str = "ticket", status: int = 200
) -> HttpResponse:
    """The page, or with `name` one of its fragments; `form` is a reply that was refused.

    Whoever does not read the desk gets the same ticket as a report, in a requester's words.
    """
    user = request.user
    try:
        shown = ticket_page(user, pk)
    except Ticket.DoesNotExist:
        raise Http404(f"There is no ticket INC-{pk} that you may see.") from None
    may_work = permissions.can(user, "work_ticket", shown.ticket)
    context = {
        "shown": shown,
        "ticket": shown.ticket,
        "form": form or CommentForm(initial={"public": "yes"}),
        "may_work": may_work,
        "may_reply": permissions.can(user, "comment_ticket", shown.ticket),
        "is_mine": shown.ticket.requester_id == user.pk,
        "survivor": shown.ticket.merged_into,
    }
    if not shown.is_desk:
        return _show_report(request, shown.ticket, context, name, status)
    context |= {
        "watches": any(row.user_id == user.pk for row in shown.ticket.watchers.all()),
        "incident": shown.ticket.major_incident if permissions.can(user, "view_desk") else None,
        "answer": answer_about(shown.ticket),
    }
    return render(request, f"incidents/ticket/{name}.html", context, status=status)


def _show_report(request: Request, ticket: Ticket, context: dict[str, Any], name: str, status: int) -> HttpResponse:
    context["headline"], context["sentence"] = state_in_words(ticket)
    context["outage"] = outage_of(ticket, request.user)
    if context["is_mine"]:
        acts.mark_read(ticket.pk, actor=request.user, at=timezone.now())
    fragment = "report" if name == "ticket" else "_report_now"
    return render(request, f"incidents/portal/{fragment}.html", context, status=status)


@page()
def attachment(request: Request, key: str) -> FileResponse:
    """The file as a download, for those who may read the ticket; never shown inside a page."""
    found = get_object_or_404(Attachment.objects.select_related("ticket", "origin"), uuid=key)
    user = request.user
    report = found.origin or found.ticket
    if not permissions.visible_tickets(user).filter(pk=report.pk).exists():
        raise Http404
    if not permissions.is_staff(user) and found.uploaded_by_id not in (user.pk, report.requester_id):
        raise PermissionDenied("This file is for the desk.")
    response = FileResponse(found.file.open("rb"), as_attachment=True, filename=found.filename)
    response["Content-Type"] = found.content_type
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
