"""What is done with tickets from the desk: opened, handed on, held, resolved, linked, proposed."""

from typing import Any

from django.forms import BaseForm
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import candidates, merging
from incidents.actions import tickets as acts
from incidents.forms import tickets as forms
from incidents.forms.ticket_jobs import KeepOpenForm
from incidents.models import Channel, Ticket
from incidents.queries.chosen import Chosen
from incidents.templatetags.records import address_of
from incidents.views.dialogs import attempt, dialog, go, sent, way_back
from incidents.views.gate import Request, page
from incidents.views.ticket import find_ticket, show_ticket

MOST_PROPOSED = 200


def load(request: Request, pk: int) -> Ticket:
    """The ticket, or 404 when there is none this person may see."""
    return find_ticket(request.user, pk)


def _filled(request: Request, form: type[BaseForm], **initial: Any) -> BaseForm:
    return form(sent(request), request.FILES or None, initial=initial)


def _by(request: Request) -> dict[str, Any]:
    return {"actor": request.user, "at": timezone.now()}


@page("work_ticket")
def ticket_new(request: Request) -> HttpResponse:
    form = _filled(request, forms.NewTicketForm, channel=Channel.HOTLINE, service=request.GET.get("service"))
    return dialog(
        request,
        form,
        lambda given: acts.open_ticket(**given, **_by(request)),
        title="New ticket",
        text="In the order of a call. Who calls and what is wrong is enough to begin.",
        submit="Open ticket",
        back=lambda ticket: reverse("ticket", args=[ticket.pk]),
    )


_ONE_CLICK = {
    "take": (lambda pk, user, at: acts.assign(pk, assignee=user, actor=user, at=at), "is yours"),
    "acknowledge": (lambda pk, user, at: acts.acknowledge(pk, actor=user, at=at), "is acknowledged"),
    "start": (lambda pk, user, at: acts.start_work(pk, actor=user, at=at), "is in progress"),
    "close": (lambda pk, user, at: acts.close(pk, actor=user, at=at), "is closed"),
    "watch": (lambda pk, user, at: acts.watch(pk, actor=user, at=at), "is watched"),
    "unwatch": (lambda pk, user, at: acts.unwatch(pk, actor=user, at=at), "is no longer watched"),
}


@page()
@require_POST
def ticket_do(request: Request, pk: int, act: str) -> HttpResponse:
    """One click: take, acknowledge, start, close, watch, unwatch."""
    ticket = load(request, pk)
    if act not in _ONE_CLICK:
        raise Http404
    done, words = _ONE_CLICK[act]
    done(ticket.pk, request.user, timezone.now())
    return go(request, way_back(request, reverse("ticket", args=[pk])), f"{ticket.ref} {words}.")


def _escalate(pk: int, given: dict[str, Any], by: dict[str, Any]) -> Any:
    return acts.escalate(pk, **given, **by)


_WITH_WORDS: dict[str, tuple[type[BaseForm], Any, str, str]] = {
    "hold": (forms.HoldForm, lambda pk, given, by: acts.hold(pk, **given, **by), "Put on hold", "Put on hold"),
    "resolve": (forms.ResolveForm, lambda pk, given, by: acts.resolve(pk, **given, **by), "Resolve", "Resolve"),
    "reopen": (forms.ReasonForm, lambda pk, given, by: acts.reopen(pk, **given, **by), "Reopen", "Reopen"),
    "assign": (forms.AssignForm, lambda pk, given, by: acts.assign(pk, **given, **by), "Assign", "Assign"),
    "escalate": (forms.EscalateForm, _escalate, "Escalate", "Escalate"),
    "unlink": (forms.ReasonForm, lambda pk, given, by: acts.unlink(pk, **given, **by), "Unlink", "Unlink"),
    "add-watcher": (forms.WatchForm, lambda pk, given, by: acts.watch(pk, **given, **by), "Add a watcher", "Add"),
    "unmerge": (forms.ReasonForm, lambda pk, given, by: merging.unmerge(pk, **given, **by), "Undo the merge", "Undo"),
    "keep-open": (KeepOpenForm, lambda pk, given, by: acts.keep_open(pk, **given, **by), "Keep open", "Save"),
    "attach": (forms.AttachForm, lambda pk, given, by: acts.attach(pk, **given, **by), "Attach a file", "Attach"),
}


@page()
def ticket_form(request: Request, pk: int, act: str) -> HttpResponse:
    """An act that needs words: hold, resolve, reopen, assign, escalate, unlink, attach, add-watcher."""
    ticket = load(request, pk)
    if act not in _WITH_WORDS:
        raise Http404
    permissions.require(request.user, _NEEDS.get(act, "work_ticket"), ticket)
    form, done, title, submit = _WITH_WORDS[act]
    initial: dict[str, Any] = {"assignee": ticket.assignee_id, "team": ticket.team_id}
    if act == "keep-open":
        initial = {"reason": ticket.kept_open_reason}
    return dialog(
        request,
        _filled(request, form, **initial),
        lambda given: done(pk, given, _by(request)),
        title=f"{title}: {ticket.ref}",
        text=ticket.title,
        submit=submit,
        back=reverse("ticket", args=[pk]),
    )


_NEEDS = {"attach": "comment_ticket", "reopen": "reopen_ticket"}


@page("work_ticket")
def ticket_edit(request: Request, pk: int) -> HttpResponse:
    ticket = load(request, pk)
    form = _filled(request, forms.EditTicketForm, **forms.EditTicketForm.initial_of(ticket))
    return dialog(
        request,
        form,
        lambda given: acts.edit_ticket(pk, changes=form.changes(), **_by(request)),  # type: ignore[attr-defined]
        title=f"Edit {ticket.ref}",
        back=reverse("ticket", args=[pk]),
        template="incidents/ticket/_edit.html",
        ticket=ticket,
    )


@page()
@require_POST
def ticket_comment(request: Request, pk: int) -> HttpResponse:
    """One entry of the conversation; a refusal shows the ticket again with what was typed."""
    ticket = load(request, pk)
    form = forms.CommentForm(request.POST)
    if attempt(form, lambda given: acts.comment(pk, **given, **_by(request))):
        said = "Sent to the requester." if form.cleaned_data["public"] else "Noted for the desk."
        return go(request, reverse("ticket", args=[ticket.pk]) + "#conversation", said)
    return show_ticket(request, pk, form=form, status=422)


@page("propose")
def propose(request: Request) -> HttpResponse:
    """Propose as major: tickets that exist, or what somebody hears on the phone."""
    named = Chosen.read(request.GET).rows(request.user).values_list("pk", flat=True)[:MOST_PROPOSED]
    form = _filled(request, forms.ProposeForm, tickets=", ".join(f"INC-{number}" for number in sorted(named)))
    return dialog(
        request,
        form,
        lambda given: _proposed(given, _by(request)),
        title="Propose as major",
        text="The major incident manager on call is told at once and decides.",
        submit="Propose as major",
        back=lambda candidate: address_of(candidate) or reverse("desk"),
        said="Proposed. The manager on call is being told.",
    )


def _proposed(given: dict[str, Any], by: dict[str, Any]) -> Any:
    if given["tickets"]:
        impact = given["business_impact"]
        return acts.propose(given["tickets"], reason=given["reason"], business_impact=impact, **by)
    reasons = [f"{by['actor'].display_name}: {given['reason']}"]
    return candidates.flag(
        title=given["title"],
        source="proposed",
        service=given["service"],
        reasons=reasons,
        business_impact=given["business_impact"],
        **by,
    )
