"""The post-implementation review: the record beside the editor."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import blameless
from incidents.actions import reviews
from incidents.errors import NotAccountable, ProcessError
from incidents.forms.changes import ReasonForm
from incidents.forms.review import ActionFormSet, ReviewForm, rows_of
from incidents.models import Review, ReviewAction
from incidents.permissions import may_do_step, step_holders
from incidents.queries.war_room import Room
from incidents.review_facts import review_facts
from incidents.views.acting import entered, load_room
from incidents.views.dialogs import dialog, put_errors, sent


@entered
def review(request: HttpRequest, pk: int) -> HttpResponse:
    room = load_room(request, pk)
    found = Review.objects.select_related("incident", "completed_by").filter(incident=room.incident).first()
    if found is None:
        return render(request, "incidents/review/not_open.html", {"incident": room.incident, "room": room})
    form, actions = _forms(request, found)
    if request.method == "POST" and _save(request, room, form, actions):
        return redirect("review", room.incident.ref)
    context = {"room": room, "incident": room.incident, "review": found, "form": form, "actions": actions}
    status = 422 if request.method == "POST" else 200
    return render(request, "incidents/review/review.html", context | _around(room, found), status=status)


def _forms(request: HttpRequest, found: Review) -> tuple[ReviewForm, Any]:
    given = sent(request)
    return ReviewForm(given, review=found), ActionFormSet(given, initial=rows_of(found), prefix="actions")


def _save(request: HttpRequest, room: Room, form: ReviewForm, actions: Any) -> bool:
    """Writes the draft, and completes it when that is asked. False when something was refused: what could be
    kept is kept, and the page says at which field the rest is wrong."""
    if not (form.is_valid() & actions.is_valid()):
        return False
    by: dict[str, Any] = {"actor": room.user, "at": timezone.now()}
    try:
        reviews.edit_review(room.incident.pk, changes=form.cleaned_data | {"actions": actions.rows()}, **by)
        if request.POST.get("do") == "complete":
            reviews.complete_review(room.incident.pk, **by)
        elif request.POST.get("do") == "submit":
            reviews.submit_review(room.incident.pk, **by)
    except NotAccountable:
        raise
    except ProcessError as refusal:
        put_errors(form, refusal)
        return False
    said = {"complete": "Completed.", "submit": "Sent for sign-off."}
    messages.success(request, said.get(request.POST.get("do", ""), "Saved."))
    return True


def _around(room: Room, found: Review) -> dict[str, Any]:
    is_draft = found.state != Review.State.COMPLETED
    signs = step_holders(room.incident)["review"]
    may_complete = may_do_step(room.user, room.incident, "review")
    return {
        "facts": review_facts(room.incident),
        "missing": reviews.missing_from(found, at=room.now) if is_draft else {},
        "may_write": is_draft and (room.may_contribute or may_complete),
        "may_complete": is_draft and may_complete,
        "signs": list(dict.fromkeys([*signs.accountable_people, *signs.responsible_people])),
        "attendees": found.attendees.all(),
        "hints": blameless.hints(_prose(found), [seat.user.display_name for seat in room.incident.seats.all()]),
        "tasks_of_review": found.actions.select_related("owner", "done_by"),
    }


@require_POST
@entered
def action_done(request: HttpRequest, pk: int, action: int) -> HttpResponse:
    """Its owner, or whoever writes the review, reports an action done."""
    room = load_room(request, pk)
    if ReviewAction.objects.filter(pk=action, review__incident=room.incident).exists():
        proof = request.POST.get("proof", "")[:2000]
        reviews.complete_action(action, proof=proof, actor=room.user, at=timezone.now())
        messages.success(request, "Done.")
    return redirect("review", room.incident.ref)


def _prose(found: Review) -> str:
    return "\n".join((found.cause, found.findings, found.contributing_factors, found.went_well, found.hindered))


@require_POST
@entered
def review_wording(request: HttpRequest, pk: int) -> HttpResponse:
    """Where what is being typed blames people, and how to say it instead. Nothing is written."""
    room = load_room(request, pk)
    text = "\n".join(request.POST.get(name, "")[:20_000] for name in ("cause", "findings", *_PROSE))
    names = [seat.user.display_name for seat in room.incident.seats.select_related("user")]
    return render(request, "incidents/review/_wording.html", {"hints": blameless.hints(text, names)})


_PROSE = ("contributing_factors", "went_well", "hindered")


@entered
def review_return(request: HttpRequest, pk: int) -> HttpResponse:
    """Sent back to be written further, with the reason."""
    room = load_room(request, pk)
    return dialog(
        request,
        ReasonForm(sent(request)),
        lambda given: reviews.return_review(room.incident.pk, **given, actor=room.user, at=timezone.now()),
        title="Send the review back",
        submit="Send back",
        back=reverse("review", args=[room.incident.ref]),
    )
