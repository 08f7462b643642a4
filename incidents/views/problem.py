"""Problems: the list, one problem with its whys, and its life."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import factors
from incidents.actions import problems as acts
from incidents.forms.problems import FactorForm, LinkIncidentForm, NewProblemForm, ProblemForm, WhysForm
from incidents.models import CauseCategory, Problem, ProblemStatus
from incidents.queries.paging import page_of
from incidents.queries.problems import filtered_problems, problem_for, tree_of
from incidents.queries.repeats import repeats
from incidents.templatetags.records import number_of
from incidents.views.dialogs import attempt, dialog, go, sent
from incidents.views.gate import Request, page


@page("view_desk")
def problem_list(request: Request) -> HttpResponse:
    asked = {name: request.GET.get(name, "")[:200] for name in ("q", "cause")}
    status = request.GET.get("status", "open")
    rows = filtered_problems(request.user, status=status, **asked)
    context = {
        "page": page_of(rows, ("-id",), request.GET.get("after", "")),
        "asked": asked | {"status": status},
        "statuses": [("open", "Open"), ("all", "All"), *ProblemStatus.choices],
        "causes": CauseCategory.choices,
        "may_open": permissions.can(request.user, "work_problem"),
        "is_narrow": bool(asked["q"] or asked["cause"] or status != "open"),
    }
    return render(request, "incidents/problem/problem_list.html", context)


def load(request: Request, pk: int) -> Problem:
    try:
        return problem_for(request.user, pk)
    except Problem.DoesNotExist:
        raise Http404(f"There is no problem PRB-{pk} that you may see.") from None


@page()
def problem(request: Request, pk: int) -> HttpResponse:
    return _show(request, load(request, pk))


def _show(request: Request, found: Problem, *, whys: WhysForm | None = None, status: int = 200) -> HttpResponse:
    context = {
        "problem": found,
        "whys": whys or WhysForm(whys=found.five_whys, auto_id="whys_%s"),
        "history": found.events.select_related("actor").order_by("-id")[:100],
        "may_work": permissions.can(request.user, "work_problem", found),
        "may_own": permissions.can(request.user, "own_problem", found),
        "tree": tree_of(found),
        "factor_count": found.factors.count(),
        "stages": _stages(found.status),
    }
    return render(request, "incidents/problem/problem.html", context, status=status)


def _stages(status: str) -> list[dict[str, str]]:
    at = ProblemStatus.values.index(status)
    words = ("done", "current", "next")
    return [
        {"name": label, "state": words[(place > at) - (place < at) + 1], "note": ""}
        for place, label in enumerate(ProblemStatus.labels)
    ]


@page("work_problem")
def problem_new(request: Request) -> HttpResponse:
    initial = {
        "major_incident": number_of(request.GET.get("incident")),
        "tickets": [number_of(word) for word in request.GET.getlist("ticket") if number_of(word)],
    }
    return dialog(
        request,
        NewProblemForm(sent(request), initial=initial),
        lambda given: acts.open_problem(**given, actor=request.user, at=timezone.now()),
        title="New problem",
        text="A problem ticket holds the search for the cause.",
        submit="Open problem",
        back=lambda made: reverse("problem", args=[made.pk]),
    )


@page()
def problem_edit(request: Request, pk: int) -> HttpResponse:
    found = load(request, pk)
    permissions.require(request.user, "work_problem", found)
    form = ProblemForm(sent(request), initial=ProblemForm.initial_of(found))
    return dialog(
        request,
        form,
        lambda given: acts.edit_problem(pk, changes=form.changes(), actor=request.user, at=timezone.now()),
        title=f"Edit {found.ref}",
        back=reverse("problem", args=[pk]),
    )


@page()
@require_POST
def problem_whys(request: Request, pk: int) -> HttpResponse:
    """Saves the chain of whys."""
    found = load(request, pk)
    form = WhysForm(request.POST, whys=found.five_whys, auto_id="whys_%s")

    def save(given: dict[str, Any]) -> None:
        acts.edit_problem(pk, changes={"five_whys": form.answers}, actor=request.user, at=timezone.now())

    if attempt(form, save):
        return go(request, reverse("problem", args=[pk]) + "#whys", "The whys are saved.")
    return _show(request, found, whys=form, status=422)


@page()
def problem_link(request: Request, pk: int) -> HttpResponse:
    """The problem caused an incident: the guarded act of the step "problem"."""
    found = load(request, pk)
    form = LinkIncidentForm(sent(request))
    own = permissions.visible_incidents(request.user)
    form.fields["incident"].queryset = form.fields["incident"].queryset.filter(pk__in=own)  # type: ignore[attr-defined]
    return dialog(
        request,
        form,
        lambda given: acts.link_incident(pk, incident_id=given["incident"].pk, actor=request.user, at=timezone.now()),
        title=f"Link {found.ref} to a major incident",
        submit="Link",
        back=reverse("problem", args=[pk]),
    )


_MOVES = {
    "investigate": acts.investigate,
    "known-error": acts.known_error,
    "resolve": acts.resolve,
    "close": acts.close,
}


@page()
@require_POST
def problem_move(request: Request, pk: int, act: str) -> HttpResponse:
    """investigate, known-error, resolve, close."""
    load(request, pk)
    if act not in _MOVES:
        raise Http404
    moved = _MOVES[act](pk, actor=request.user, at=timezone.now())
    return go(request, reverse("problem", args=[pk]), f"{moved.ref} is {moved.get_status_display().lower()} now.")


@page()
def problem_factor(request: Request, pk: int) -> HttpResponse:
    """One more entry of the tree of causes."""
    found = load(request, pk)
    permissions.require(request.user, "work_problem", found)
    form = FactorForm(sent(request), problem=found, initial={"parent": number_of(request.GET.get("parent"))})
    return dialog(
        request,
        form,
        lambda given: factors.add_factor(pk, **given, actor=request.user, at=timezone.now()),
        title="What contributed?",
        submit="Add",
        back=reverse("problem", args=[pk]),
    )


@page()
@require_POST
def problem_factor_remove(request: Request, pk: int, factor: int) -> HttpResponse:
    """With what hangs on it."""
    load(request, pk)
    factors.remove_factor(pk, factor, actor=request.user, at=timezone.now())
    return go(request, reverse("problem", args=[pk]) + "#factors")


@page("view_desk")
def problem_repeats(request: Request) -> HttpResponse:
    """Reports that repeat although nobody looks for their cause: problems before they become outages."""
    context = {"repeats": repeats(timezone.now()), "may_open": permissions.can(request.user, "work_problem")}
    return render(request, "incidents/problem/repeats.html", context)
