"""The same room seen otherwise: on a wall, by management, on a telephone, on paper. All of them read only what the
room itself shows; the acts on them are the room's."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from incidents import pdf, permissions, room_packet
from incidents.models import TimelineEvent
from incidents.process import EventGroup
from incidents.queries.room_brief import brief
from incidents.queries.room_people import roll_call
from incidents.views.acting import entered, load_room

ON_THE_WALL = 6


def _show(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    """The whole page, or the part that is fetched again when something changed."""
    part = f"{name}_now" if getattr(request, "htmx", False) else name
    return render(request, f"incidents/room_views/{part}.html", context)


@entered
@require_GET
def wall(request: HttpRequest, pk: int) -> HttpResponse:
    """For the screen in the room: read from five metres, nothing to press."""
    room = load_room(request, pk)
    said = TimelineEvent.objects.filter(
        incident=room.incident, group__in=(EventGroup.NOTES, EventGroup.DECISIONS, EventGroup.UPDATES)
    ).select_related("actor")
    context = {
        "room": room,
        "incident": room.incident,
        "roll": roll_call(room),
        "entries": said.exclude(text="").order_by("-seq")[:ON_THE_WALL],
    }
    return _show(request, "wall", context)


@entered
@require_GET
def executive(request: HttpRequest, pk: int) -> HttpResponse:
    """For management: business words, what it costs, what waits for a decision. Nothing to change."""
    room = load_room(request, pk)
    return _show(request, "executive", {"brief": brief(room), "room": room, "incident": room.incident})


@entered
@require_GET
def on_phone(request: HttpRequest, pk: int) -> HttpResponse:
    """For one hand: answer, join, update, and one's own tasks."""
    room = load_room(request, pk)
    mine = [task for task in room.tasks if task.assignee_id == room.user.pk and task.status != "done"]
    free = [task for task in room.tasks if task.assignee_id is None and task.status != "done"]
    context = {"room": room, "incident": room.incident, "mine": mine, "free": free}
    return _show(request, "phone", context)


@entered
@require_GET
def packet(request: HttpRequest, pk: int) -> HttpResponse:
    """To print before it is needed: numbers, people, how it stands. It has telephone numbers, so it is for staff."""
    room = load_room(request, pk)
    permissions.require(room.user, "view_desk")
    note = f"{room.incident.ref}, as of {room.now:%Y-%m-%d %H:%M} UTC. Internal: it has telephone numbers."
    title = f"{room.incident.ref} {room.incident.title}"
    answer = HttpResponse(pdf.set_in_type(title, note, room_packet.write(room)), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{room.incident.ref}-packet.pdf"'
    answer["Cache-Control"] = "no-store"
    return answer
