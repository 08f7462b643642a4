"""Changes: the list, one change with its plan and approvals, and its life."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import changes as acts
from incidents.forms import changes as forms
from incidents.models import ApprovalState, Change, ChangeStatus, ChangeType
from incidents.queries.changes import change_for, collisions, filtered_changes
from incidents.queries.paging import page_of
from incidents.templatetags.records import number_of
from incidents.views.dialogs import dialog, go, sent
from incidents.views.gate import Request, page


@page("view_desk")
def change_list(request: Request) -> HttpResponse:
    asked = {name: request.GET.get(name, "")[:200] for name in ("q", "type", "mine")}
    status = request.GET.get("status", "open")
    rows = filtered_changes(request.user, status=status, **asked)
    context = {
        "page": page_of(rows, ("-id",), request.GET.get("after", "")),
        "asked": asked | {"status": status},
        "statuses": [("open", "Open"), ("all", "All"), *ChangeStatus.choices],
        "types": ChangeType.choices,
        "mine_choices": [("vote", "Waiting for my vote")],
        "may_open": permissions.can(request.user, "work_change"),
        "is_narrow": any(asked.values()) or status != "open",
    }
    return render(request, "incidents/change/change_list.html", context)


def load(request: Request, pk: int) -> Change:
    try:
        return change_for(request.user, pk)
    except Change.DoesNotExist:
        raise Http404(f"There is no change CHG-{pk} that you may see.") from None


@page()
def change(request: Request, pk: int) -> HttpResponse:
    found, user = load(request, pk), request.user
    context = {
        "change": found,
        "collisions": collisions(found),
        "history": found.events.select_related("actor").order_by("-id")[:100],
        "may_work": permissions.can(user, "work_change", found),
        "may_run": permissions.can(user, "run_change", found),
        "may_vote": permissions.can(user, "approve_change", found) and _awaits_votes(found),
        "may_accept": permissions.can(user, "accept_rejected_change", found) and _needs_acceptance(found),
        "may_start": _may_start(found),
        "stages": _stages(found),
    }
    return render(request, "incidents/change/change.html", context)


_UNDER_WAY = (ChangeStatus.IMPLEMENTING, ChangeStatus.IMPLEMENTED)


def _awaits_votes(found: Change) -> bool:
    is_late = found.approval_state == ApprovalState.PENDING and found.status in _UNDER_WAY
    return found.status == ChangeStatus.AWAITING_APPROVAL or is_late


def _needs_acceptance(found: Change) -> bool:
    is_rejected = found.approval_state == ApprovalState.REJECTED and found.status in _UNDER_WAY
    return is_rejected and found.accepted_at is None


def _may_start(found: Change) -> bool:
    """Whether its state lets it begin; who may is asked when somebody does."""
    if found.type == ChangeType.EMERGENCY:
        return found.status in (ChangeStatus.DRAFT, ChangeStatus.AWAITING_APPROVAL, ChangeStatus.APPROVED)
    return found.status == ChangeStatus.APPROVED


_WAY = (
    (("draft",), "Draft"),
    (("awaiting_approval", "rejected"), "Approval"),
    (("approved",), "Approved"),
    (("implementing", "rolled_back"), "Implementing"),
    (("implemented",), "Implemented"),
    (("closed", "cancelled"), "Closed"),
)


def _stages(found: Change) -> list[dict[str, str]]:
    at = next(place for place, (states, _) in enumerate(_WAY) if found.status in states)
    named = [label if place != at else found.get_status_display() for place, (_, label) in enumerate(_WAY)]
    state = ("done", "current", "next")
    return [
        {"name": name, "state": state[(place > at) - (place < at) + 1], "note": ""} for place, name in enumerate(named)
    ]


@page("work_change")
def change_new(request: Request) -> HttpResponse:
    initial = {
        "major_incident": number_of(request.GET.get("incident")),
        "relation": request.GET.get("relation", ""),
        "type": ChangeType.EMERGENCY if request.GET.get("relation") == "fix" else ChangeType.NORMAL,
        "problems": [number_of(request.GET.get("problem"))] if request.GET.get("problem") else [],
    }
    form = forms.NewChangeForm(sent(request), initial=initial)
    return dialog(
        request,
        form,
        lambda given: acts.open_change(**form.cleaned(), actor=request.user, at=timezone.now()),
        title="New change",
        text="It stays a draft until it is submitted or, as an emergency, started.",
        submit="Save draft",
        wide=True,
        back=lambda made: reverse("change", args=[made.pk]),
    )


@page()
def change_edit(request: Request, pk: int) -> HttpResponse:
    found = load(request, pk)
    permissions.require(request.user, "work_change", found)
    form = forms.ChangeForm(sent(request), initial=forms.ChangeForm.initial_of(found))
    return dialog(
        request,
        form,
        lambda given: acts.edit_change(pk, changes=form.changes(), actor=request.user, at=timezone.now()),
        title=f"Edit {found.ref}",
        wide=True,
        back=reverse("change", args=[pk]),
    )


@page()
def change_link(request: Request, pk: int) -> HttpResponse:
    found = load(request, pk)
    permissions.require(request.user, "work_change", found)
    return dialog(
        request,
        forms.LinkChangeForm(sent(request), initial={"relation": "fix"}),
        lambda given: acts.link(
            pk, incident_id=given["incident"].pk, relation=given["relation"], actor=request.user, at=timezone.now()
        ),
        title=f"Link {found.ref} to a major incident",
        submit="Link",
        back=reverse("change", args=[pk]),
    )


_MOVES: dict[str, Callable[..., Change]] = {
    "submit": acts.submit,
    "start": acts.start,
    "implement": acts.implement,
    "close": acts.close,
}


@page()
@require_POST
def change_move(request: Request, pk: int, act: str) -> HttpResponse:
    """submit, start, implement, close."""
    load(request, pk)
    if act not in _MOVES:
        raise Http404
    moved = _MOVES[act](pk, actor=request.user, at=timezone.now())
    return go(request, reverse("change", args=[pk]), f"{moved.ref} is {moved.get_status_display().lower()} now.")


_WITH_WORDS: dict[str, tuple[type[Any], Callable[..., Any], str]] = {
    "approve": (forms.VoteForm, lambda pk, given, **by: acts.vote(pk, approve=True, **given, **by), "Approve"),
    "reject": (forms.VoteForm, lambda pk, given, **by: acts.vote(pk, approve=False, **given, **by), "Reject"),
    "roll-back": (forms.ReasonForm, lambda pk, given, **by: acts.roll_back(pk, **given, **by), "Roll back"),
    "cancel": (forms.OptionalReasonForm, lambda pk, given, **by: acts.cancel(pk, **given, **by), "Cancel the change"),
    "accept": (
        forms.OptionalReasonForm,
        lambda pk, given, **by: acts.accept_rejected(pk, **given, **by),
        "Accept although rejected",
    ),
}
_NEEDS = {
    "approve": "approve_change",
    "reject": "approve_change",
    "cancel": "run_change",
    "accept": "accept_rejected_change",
}


@page()
def change_form(request: Request, pk: int, act: str) -> HttpResponse:
    """approve, reject, roll-back, cancel, accept: acts that take words."""
    found = load(request, pk)
    if act not in _WITH_WORDS:
        raise Http404
    if act in _NEEDS:
        permissions.require(request.user, _NEEDS[act], found)
    form, done, title = _WITH_WORDS[act]
    return dialog(
        request,
        form(sent(request)),
        lambda given: done(pk, given, actor=request.user, at=timezone.now()),
        title=f"{title}: {found.ref}",
        text=found.title,
        submit=title,
        danger=act in ("reject", "roll-back", "cancel"),
        back=reverse("change", args=[pk]),
    )
