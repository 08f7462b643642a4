"""My work: what waits for me, by deadline, and the acts that answer it."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import response, reviews, seats, steps, updates
from incidents.models import Approval, Consult, ReviewAction, Seat, Task
from incidents.queries.my_work import my_tickets, waiting_for
from incidents.views.dialogs import go
from incidents.views.gate import Request, page


@page()
def my_work(request: Request) -> HttpResponse:
    return render(request, "incidents/my_work/my_work.html", _parts(request))


@page()
def my_work_now(request: Request) -> HttpResponse:
    """The list, fetched again whenever something of mine changes."""
    return render(request, "incidents/my_work/_now.html", _parts(request))


def _parts(request: Request) -> dict[str, Any]:
    works_tickets = permissions.can(request.user, "work_ticket")
    return {
        "waiting": waiting_for(request.user),
        "tickets": my_tickets(request.user) if works_tickets else [],
        "works_tickets": works_tickets,
        "now": timezone.now(),
    }


def _answer_consult(pk: int, answer: str, given: dict[str, str], **by: Any) -> None:
    agrees = {"agree": True, "object": False}.get(answer)
    steps.answer_consult(pk, text=given.get("text", ""), agrees=agrees, **by)


def _decide(pk: int, answer: str, given: dict[str, str], **by: Any) -> None:
    updates.decide_approval(
        pk, approve=answer == "approve", chosen=given.get("chosen", ""), comment=given.get("comment", ""), **by
    )


_ANSWERS: dict[str, tuple[type[Any], str, tuple[str, ...], Callable[..., Any], str]] = {
    # kind: (model, whose it is, possible answers, the act, what is said afterwards)
    "seat": (
        Seat, "user", ("accept", "decline"),
        lambda pk, answer, given, **by: getattr(seats, answer)(pk, **by), "Your answer is recorded.",
    ),
    "consult": (Consult, "user", ("agree", "object", "answer"), _answer_consult, "Your answer is in the timeline."),
    "decision": (Approval, "approver", ("approve", "refuse"), _decide, "Your decision is recorded."),
    "task": (
        Task, "assignee", ("done", "in_progress"),
        lambda pk, answer, given, **by: response.change_task(pk, changes={"status": answer}, **by),
        "The task is updated.",
    ),
    "review-action": (
        ReviewAction, "owner", ("done",),
        lambda pk, answer, given, **by: reviews.complete_action(pk, proof=given.get("proof", ""), **by),
        "Done, and noted in the review.",
    ),
}  # fmt: skip


@page()
@require_POST
def my_work_do(request: Request, kind: str, pk: int, answer: str) -> HttpResponse:
    """Answers a seat, consult, decision, task or review action of one's own; somebody else's is not found."""
    if kind not in _ANSWERS or answer not in _ANSWERS[kind][2]:
        raise Http404
    model, whose, _, act, said = _ANSWERS[kind]
    get_object_or_404(model, **{"pk": pk, whose: request.user})
    act(pk, answer, request.POST.dict(), actor=request.user, at=timezone.now())
    return go(request, reverse("my_work"), said)
