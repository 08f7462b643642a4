"""The post-implementation review: the record beside the editor."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import reviews
from incidents.errors import NotAccountable, ProcessError
from incidents.forms.review import ActionFormSet, ReviewForm, rows_of
from incidents.models import Review, ReviewAction
from incidents.permissions import may_do_step
from incidents.queries.war_room import Room
from incidents.review_facts import review_facts
from incidents.views.acting import entered, load_room
from incidents.views.dialogs import put_errors


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
    sent = request.POST if request.method == "POST" else None
    return ReviewForm(sent, review=found), ActionFormSet(sent, initial=rows_of(found), prefix="actions")


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
    except NotAccountable:
        raise
    except ProcessError as refusal:
        put_errors(form, refusal)
        return False
    messages.success(request, "Completed." if request.POST.get("do") == "complete" else "Saved.")
    return True


def _around(room: Room, found: Review) -> dict[str, Any]:
    is_draft = found.state == Review.State.DRAFT
    may_complete = may_do_step(room.user, room.incident, "review")
    return {
        "facts": review_facts(room.incident),
        "missing": reviews.missing_from(found, at=room.now) if is_draft else {},
        "may_write": is_draft and (room.may_contribute or may_complete),
        "may_complete": is_draft and may_complete,
        "tasks_of_review": found.actions.select_related("owner"),
    }


@require_POST
@entered
def action_done(request: HttpRequest, pk: int, action: int) -> HttpResponse:
    """Its owner, or whoever writes the review, reports an action done."""
    room = load_room(request, pk)
    if ReviewAction.objects.filter(pk=action, review__incident=room.incident).exists():
        reviews.complete_action(action, actor=room.user, at=timezone.now())
        messages.success(request, "Done.")
    return redirect("review", room.incident.ref)
