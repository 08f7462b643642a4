"""Changes: the list, one change with its plan and approvals, and its life."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions, risk, votes
from incidents.actions import change_votes, change_work, freezes
from incidents.actions import changes as acts
from incidents.change_collisions import collisions
from incidents.forms import changes as forms
from incidents.models import ApprovalState, Change, ChangeApproval, ChangeStatus, ChangeStep, ChangeType
from incidents.process import EventKind
from incidents.queries.change_page import planned_steps
from incidents.queries.changes import change_for, filtered_changes, success
from incidents.queries.paging import page_of
from incidents.templatetags.records import number_of
from incidents.views.dialogs import dialog, go, sent
from incidents.views.gate import Request, page

LOOKED_BACK = timedelta(days=90)


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
        "success": success(timezone.now() - LOOKED_BACK, timezone.now(), type=asked["type"]),
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
        "collisions": collisions(found).prefetch_related("services")[:20],
        "votes": votes.tally((row.vote for row in found.approvals.all()), found.quorum),
        "my_votes": _my_votes(user, found),
        "freezes": _freezes(found),
        "may_waive_freeze": permissions.can(user, "waive_freeze", found),
        "parts": planned_steps(found),
        "log": found.events.filter(kind=EventKind.CHANGE_LOGGED).select_related("actor").order_by("-id")[:50],
        "risk": risk.in_words(found.risk_answers),
        "may_check": found.implemented_at is not None and found.rolled_back_at is None,
        "history": found.events.select_related("actor").order_by("-id")[:100],
        "may_work": permissions.can(user, "work_change", found),
        "may_run": permissions.can(user, "run_change", found),
        "may_vote": permissions.can(user, "approve_change", found) and _awaits_votes(found),
        "may_accept": permissions.can(user, "accept_rejected_change", found) and _needs_acceptance(found),
        "may_start": _may_start(found),
        "stages": _stages(found),
    }
    return render(request, "incidents/change/change.html", context)


def _my_votes(user: Any, found: Change) -> list[ChangeApproval]:
    """The own vote, or those the person may give for others."""
    mine = [row for row in found.approvals.all() if row.approver_id == user.pk]
    return mine or [row for row in found.approvals.all() if row.delegate_id == user.pk]


def _freezes(found: Change) -> list[Any]:
    """What would hold it up, while it still can be."""
    is_before = found.status in (ChangeStatus.DRAFT, ChangeStatus.AWAITING_APPROVAL, ChangeStatus.APPROVED)
    return list(freezes.freezes_for(found)) if is_before else []


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
    found_at = [
        {"name": name, "state": state[(place > at) - (place < at) + 1], "note": ""} for place, name in enumerate(named)
    ]
    if found.approval_state == ApprovalState.PENDING and found.status in _UNDER_WAY:
        for stage in found_at[1:3]:  # an emergency: its approval is still to come
            stage |= {"state": "next", "note": "after the fact"}
    return found_at


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
    "withdraw": change_votes.withdraw_vote,
}


@page()
@require_POST
def change_move(request: Request, pk: int, act: str) -> HttpResponse:
    """submit, start, implement, close, and withdraw for a vote."""
    load(request, pk)
    if act not in _MOVES:
        raise Http404
    moved = _MOVES[act](pk, actor=request.user, at=timezone.now())
    return go(request, reverse("change", args=[pk]), f"{moved.ref} is {moved.get_status_display().lower()} now.")


_WITH_WORDS: dict[str, tuple[type[Any], Callable[..., Any], str]] = {
    "approve": (forms.ApproveForm, lambda pk, given, **by: acts.vote(pk, approve=True, **given, **by), "Approve"),
    "reject": (forms.RejectForm, lambda pk, given, **by: acts.vote(pk, approve=False, **given, **by), "Reject"),
    "roll-back": (forms.ReasonForm, lambda pk, given, **by: acts.roll_back(pk, **given, **by), "Roll back"),
    "cancel": (forms.OptionalReasonForm, lambda pk, given, **by: acts.cancel(pk, **given, **by), "Cancel the change"),
    "accept": (
        forms.OptionalReasonForm,
        lambda pk, given, **by: acts.accept_rejected(pk, **given, **by),
        "Accept although rejected",
    ),
    "delegate": (
        forms.DelegateForm,
        lambda pk, given, **by: change_votes.delegate_vote(pk, **given, **by),
        "Hand over my vote",
    ),
    "waive-freeze": (
        forms.ReasonForm,
        lambda pk, given, **by: freezes.waive_freeze(pk, **given, **by),
        "Let it through the freeze",
    ),
    "check": (forms.CheckForm, lambda pk, given, **by: change_work.check(pk, **given, **by), "Note the check"),
    "log": (forms.LogForm, lambda pk, given, **by: change_work.log(pk, **given, **by), "Write to the log"),
    "steps": (forms.StepsForm, lambda pk, given, **by: change_work.add_steps(pk, **given, **by), "Add steps"),
}
_NEEDS = {
    "approve": "approve_change",
    "reject": "approve_change",
    "cancel": "run_change",
    "accept": "accept_rejected_change",
    "delegate": "approve_change",
    "waive-freeze": "waive_freeze",
    "check": "work_change",
    "steps": "work_change",
}


@page()
def change_form(request: Request, pk: int, act: str) -> HttpResponse:
    """approve, reject, roll-back, cancel, accept, delegate and the rest: acts that take words."""
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


@page()
def change_risk(request: Request, pk: int) -> HttpResponse:
    """The questionnaire; its answers decide the risk."""
    found = load(request, pk)
    permissions.require(request.user, "work_change", found)
    form = forms.RiskForm(sent(request), answers=found.risk_answers)
    return dialog(
        request,
        form,
        lambda given: acts.edit_change(pk, changes={"risk_answers": given}, actor=request.user, at=timezone.now()),
        title=f"How risky is {found.ref}?",
        text="The answers decide the risk and stay with the change.",
        back=reverse("change", args=[pk]),
    )


@page()
@require_POST
def change_step(request: Request, pk: int, step: int, act: str) -> HttpResponse:
    """done, remove: one step of the plan."""
    load(request, pk)
    by: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    try:
        if act == "done":
            change_work.do_step(pk, step, **by)
        elif act == "remove":
            change_work.remove_step(pk, step, **by)
        else:
            raise Http404
    except ChangeStep.DoesNotExist:
        raise Http404("This step is not there any more.") from None
    return go(request, reverse("change", args=[pk]) + "#steps")


@page()
def change_condition(request: Request, pk: int, approval: int) -> HttpResponse:
    """A condition of an approver is met."""
    found = load(request, pk)
    row = next((row for row in found.approvals.all() if row.pk == approval and row.condition), None)
    if row is None:
        raise Http404("This condition is not there any more.")
    return dialog(
        request,
        forms.MetForm(sent(request)),
        lambda given: change_votes.meet_condition(
            pk, approver=row.approver, **given, actor=request.user, at=timezone.now()
        ),
        title="The condition is met",
        text=f"{row.approver}: {row.condition}",
        submit="It is met",
        back=reverse("change", args=[pk]),
    )
