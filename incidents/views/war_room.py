"""The war room: one page per major incident, and the fragments it fetches again when something changed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from incidents import permissions
from incidents.process import EventGroup
from incidents.queries import past, radius, reuse, surroundings
from incidents.queries.room_people import people_of
from incidents.queries.timeline import PAGE, Timeline, timeline
from incidents.queries.war_room import Room
from incidents.views.acting import entered, load_room
from incidents.views.record import EXPORTS

PARTS = ("header", "process", "situation", "work", "timeline", "people")
GROUPS = [("", "All"), *EventGroup.choices]


@entered
def war_room(request: HttpRequest, pk: int) -> HttpResponse:
    room = load_room(request, pk)
    if room.incident.merged_into and "stay" not in request.GET:
        return redirect(reverse("war_room", args=[room.incident.merged_into.ref]) + f"?merged={room.incident.ref}")
    context = {
        "room": room,
        "incident": room.incident,
        "timeline": _window(request, room),
        "groups": GROUPS,
        "exports": EXPORTS,
    }
    context |= {"team": people_of(room)}
    return render(request, "incidents/war_room/war_room.html", context)


@entered
def part(request: HttpRequest, pk: int, part: str) -> HttpResponse:
    """One card of the page, as it is now."""
    room = load_room(request, pk)
    context = {"room": room, "incident": room.incident}
    if part == "timeline":
        context |= {"timeline": _window(request, room), "groups": GROUPS, "exports": EXPORTS}
    if part == "people":
        context |= {"team": people_of(room)}
    return render(request, f"incidents/war_room/{part}/_fragment.html", context)


@entered
def world(request: HttpRequest, pk: int) -> HttpResponse:
    """What is around the outage; asked for after the page stands, since nothing in it is urgent."""
    room = load_room(request, pk)
    incident = room.incident
    affected = [row["service"].pk for row in room.service_rows if row["service"]]
    changes = past.changes_before(incident, room.user).prefetch_related("services")
    context = {
        "room": room,
        "incident": incident,
        "radius": radius.radius_of(affected, room.now),
        "arrivals": surroundings.arrivals(incident, room.now),
        "may_read_tickets": permissions.can(room.user, "view_desk"),
        "suspects": radius.suspects(changes[:20], affected, past.began(incident))[:6],
    }
    return render(request, "incidents/war_room/world/_fragment.html", context)


@entered
def helped(request: HttpRequest, pk: int) -> HttpResponse:
    """What helped in outages like this one, and what using it saved."""
    room = load_room(request, pk)
    incident = room.incident
    affected = [row["service"].pk for row in room.service_rows if row["service"]]
    context = {
        "room": room,
        "incident": incident,
        "offers": reuse.offers(
            room.user, title=incident.title, body=incident.description, services=affected, besides=incident.pk, most=4
        ),
        "saved": reuse.saved_by_reuse(incident),
    }
    return render(request, "incidents/war_room/helped/_fragment.html", context)


def _window(request: HttpRequest, room: Room) -> Timeline:
    """Which entries the address asks for: a group, how many, and from which number downwards."""

    def number(name: str) -> int | None:
        value = request.GET.get(name, "")
        return int(value) if value.isdigit() and len(value) < 10 else None

    entry = number("entry")
    upto = entry + 10 if entry is not None else number("upto")
    if upto is not None and upto >= room.incident.last_seq:
        upto = None
    show, words = request.GET.get("show", ""), request.GET.get("q", "")
    return timeline(room.incident, show=show, count=number("count") or PAGE, upto=upto, words=words, wanted=entry)
