"""The people of the war room: who is proposed, who is here, and what a guest saw and did."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from incidents import here as signs
from incidents.permissions import require_step
from incidents.queries import room_people
from incidents.queries.proposed_seats import proposed_seats
from incidents.views.acting import entered, load_room


@entered
@require_GET
def proposed(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom to invite, from services, rota and skills; for those who may."""
    room = load_room(request, pk)
    require_step(room.user, room.incident, "assemble")
    found = proposed_seats(room.incident, at=room.now) if room.incident.is_open else []
    return render(request, "incidents/war_room/people/_proposed.html", {"incident": room.incident, "proposed": found})


@entered
@require_GET
def roll_call(request: HttpRequest, pk: int) -> HttpResponse:
    """Who of the team is on the bridge or in the room, and who is missing; asked for after the page stands."""
    room = load_room(request, pk)
    context = {"room": room, "incident": room.incident, "roll": room_people.roll_call(room)}
    return render(request, "incidents/war_room/people/_roll_call.html", context)


@entered
@require_POST
def here(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of somebody on the team is open; sent once a minute."""
    room = load_room(request, pk)
    if room.incident.is_open and room.may_contribute:
        signs.mark(pk, room.user.pk)
    return HttpResponse(status=204)


@entered
@require_GET
def guest(request: HttpRequest, pk: int, target: int) -> HttpResponse:
    """What one guest saw and did; for those who assemble the team."""
    room = load_room(request, pk)
    require_step(room.user, room.incident, "assemble")
    record = room_people.guest_record(room.incident, target)
    if record is None:
        raise Http404("This is not the seat of a guest.")
    fragment = "incidents/acts/guest.html"
    name = fragment if getattr(request, "htmx", False) else "incidents/acts/page.html"
    back = reverse("war_room", args=[room.incident.ref])
    context = {"record": record, "room": room, "incident": room.incident, "fragment": fragment, "back": back}
    return render(request, name, context)
