"""Plans of past incidents: offered where an outage is judged, declared and worked on, used there, and judged."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import reuse as acts
from incidents.models import PlanUse
from incidents.queries.reuse import offers
from incidents.views.acting import entered, load_room
from incidents.views.dialogs import go
from incidents.views.gate import Request, page

OUTCOMES = {"worked": True, "not-worked": False}


@page("view_desk")
def plans_offered(request: Request) -> HttpResponse:
    """What helped in outages like the one that is typed or judged; nothing for a text without words."""
    title = request.GET.get("title", "").replace("\x00", "")[:250]
    body = request.GET.get("description", "").replace("\x00", "")[:1000]
    chosen = [int(pk) for pk in request.GET.getlist("services") if pk.isascii() and pk.isdigit() and len(pk) < 15]
    found = offers(request.user, title=title, body=body, services=chosen[:50]) if title.strip() or chosen else []
    return render(request, "incidents/reuse/_offered.html", {"offers": found})


@require_POST
@entered
def plan_use(request: HttpRequest, pk: int, source: int) -> HttpResponse:
    room = load_room(request, pk)
    use = acts.use_plan(pk, source_id=source, actor=room.user, at=timezone.now())
    parts = [f"{use.tasks} task{'' if use.tasks == 1 else 's'}"] if use.tasks else []
    parts += [f"{use.change.ref} as draft"] if use.change else []
    said = f"Taken over from {use.source.ref}: {' and '.join(parts)}."
    return go(request, reverse("war_room", args=[room.incident.ref]), said)


@require_POST
@entered
def plan_judge(request: HttpRequest, pk: int, use: int, outcome: str) -> HttpResponse:
    """worked, not-worked."""
    room = load_room(request, pk)
    if outcome not in OUTCOMES or not PlanUse.objects.filter(pk=use, incident=pk).exists():
        raise Http404("There is no such plan here.")
    acts.judge_plan(use, worked=OUTCOMES[outcome], actor=room.user, at=timezone.now())
    said = "Noted: it is offered first the next time." if OUTCOMES[outcome] else "Noted: it sinks in what is offered."
    return go(request, reverse("war_room", args=[room.incident.ref]), said)
