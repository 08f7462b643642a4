"""One dialog, one form, one act on a major incident. Which acts there are is data (`room_acts`)."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.forms.room import RoomForm
from incidents.models import ClockEntry, TimelineEvent
from incidents.process import CLOCKS, STEP_BY_KEY
from incidents.queries.war_room import Room
from incidents.views.acting import attempt, done, entered, load_room, show_dialog
from incidents.views.doing import Act, Doing
from incidents.views.room_acts import ABOUT_STEPS, ACTS, subject_of

LEAVES = ("merge",)


@entered
def act(request: HttpRequest, pk: int, act: str, target: str = "") -> HttpResponse:
    """GET shows the dialog to those who may act; POST acts."""
    wanted, room = ACTS.get(act), load_room(request, pk)
    if wanted is None or (act in ABOUT_STEPS and target not in STEP_BY_KEY):
        raise Http404("There is no such act.")
    _require(wanted, room, target)
    doing = Doing(room, target, {}, room.user, timezone.now(), request.GET.dict())
    form = _form(request, wanted, doing)
    back = reverse("war_room", args=[room.incident.ref])
    if request.method == "POST":
        succeeded, _ = attempt(form, lambda given: _run(wanted, doing, form, given))
        if succeeded:
            return done(request, wanted.said, back=back, leave=act in LEAVES)
    words = {"act": wanted, "act_name": act, "room": room, "incident": room.incident, "subject": subject_of(act, doing)}
    return show_dialog(request, form, fragment=wanted.fragment, back=back, **words)


def _form(request: HttpRequest, wanted: Act, doing: Doing) -> RoomForm:
    form = wanted.form(
        *((request.POST, request.FILES) if request.method == "POST" else (None,)),
        room=doing.room,
        initial=wanted.initial(doing),
    )
    wanted.shape(doing, form)
    return form


def _run(wanted: Act, doing: Doing, form: RoomForm, given: dict[str, Any]) -> Any:
    given = dict(given)
    if hasattr(form, "changes"):
        given["changes"] = form.changes()
    given["changed"] = {name: given[name] for name in form.changed_data if name in given}
    return wanted.run(Doing(doing.room, doing.target, given, doing.actor, doing.at))


def _require(wanted: Act, room: Room, target: str) -> None:
    """Those who may not act are told so before they type."""
    if wanted.needs == "A":
        permissions.require_accountable(room.user, room.incident, target)
    elif wanted.needs in STEP_BY_KEY:
        permissions.require_step(room.user, room.incident, wanted.needs)
    elif wanted.needs:
        permissions.require(room.user, wanted.needs, room.incident)


@entered
def wordings(request: HttpRequest, pk: int, target: int) -> HttpResponse:
    """Every wording of a note or decision, the first one included."""
    room = load_room(request, pk)
    event = get_object_or_404(TimelineEvent.objects.select_related("actor"), pk=target, incident=room.incident)
    context = {"event": event, "edits": event.edits.select_related("edited_by"), "incident": room.incident}
    return _show(request, "incidents/acts/wordings.html", context)


@entered
def clocks(request: HttpRequest, pk: int) -> HttpResponse:
    """All clocks with who set them, and the downtime of each service."""
    room = load_room(request, pk)
    last: dict[str, ClockEntry] = {}
    for entry in room.incident.clock_entries.select_related("set_by"):
        last[entry.clock] = entry
    not_applicable = room.incident.clocks_not_applicable
    rows = [
        {
            "name": name,
            "label": name.removesuffix("_at").replace("_", " ").capitalize(),
            "value": getattr(room.incident, name),
            "entry": last.get(name),
            "not_applicable": not_applicable.get(name, ""),
        }
        for name in CLOCKS
    ]
    may_mark = room.incident.is_open and permissions.may_do_step(room.user, room.incident, "measure")
    context = {"room": room, "incident": room.incident, "clocks": rows, "may_mark": may_mark}
    return _show(request, "incidents/acts/clocks.html", context)


def _show(request: HttpRequest, fragment: str, context: dict[str, Any]) -> HttpResponse:
    name = fragment if getattr(request, "htmx", False) else "incidents/acts/page.html"
    return render(
        request, name, context | {"fragment": fragment, "back": reverse("war_room", args=[context["incident"].ref])}
    )
