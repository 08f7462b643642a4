"""One's own shifts, and standing in: by a click on the calendar, giving away, taking over, swapping."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import stand_ins as acts
from incidents.forms.on_call import StandInForm, SwapForm
from incidents.models import RotaLayer, RotaOverride, User
from incidents.on_call import layer_plans
from incidents.queries.rotas import held_by, notes_for, shifts_of
from incidents.views.dialogs import dialog, go, sent, way_back
from incidents.views.gate import Request, page
from incidents.views.on_call import moment_in

AHEAD, OFFERED = timedelta(weeks=12), timedelta(weeks=8)
SHOWN = 60


@page("view_desk")
def my_shifts(request: Request) -> HttpResponse:
    now = timezone.now()
    held = shifts_of(request.user, now, now + AHEAD)
    rotas = {one.layer.rota.pk: one.layer.rota for one in held if one.layer}
    context = {
        "held": held[:SHOWN],
        "now": now,
        "notes": notes_for(rotas.values(), at=now),
        "feeds": request.user.calendar_feeds.filter(revoked_at__isnull=True).select_related("rota"),
        "may_be_on_call": permissions.can(request.user, "be_on_call"),
    }
    return render(request, "incidents/on_call/my_shifts.html", context)


def _layer(request: Request) -> RotaLayer:
    number = request.GET.get("layer", "")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise Http404("Choose a shift on the calendar.")
    return get_object_or_404(RotaLayer.objects.select_related("rota__team"), pk=number)


@page("be_on_call")
def stand_in(request: Request) -> HttpResponse:
    """The layer and the times come with the address; all of it may be changed."""
    layer = _layer(request)
    starts = moment_in(request.GET.get("from")) or timezone.now().replace(minute=0, second=0, microsecond=0)
    ends = moment_in(request.GET.get("to")) or starts + timedelta(days=1)
    keeps = permissions.can(request.user, "keep_rota")
    is_mine = request.GET.get("back") == "mine"
    initial = {"starts_at": starts, "ends_at": ends, "person": None if keeps or is_mine else request.user.pk}
    return dialog(
        request,
        StandInForm(sent(request), initial=initial, role=layer.rota.role),
        lambda given: acts.stand_in(layer.pk, **given, actor=request.user, at=timezone.now()),
        title="Somebody else stands in",
        text=f"{layer.rota.name}, {layer.name}. Everybody whose time changes is told.",
        submit="Stand in",
        said="Changed; everybody whose time changes is told.",
        back=reverse("my_shifts" if is_mine else "on_call"),
    )


@page("be_on_call")
@require_POST
def stand_in_remove(request: Request, pk: int) -> HttpResponse:
    override = get_object_or_404(RotaOverride.objects.select_related("layer"), pk=pk)
    acts.remove_override(pk, actor=request.user, at=timezone.now())
    back = way_back(request, reverse("rota", args=[override.layer.rota_id]))
    return go(request, back, "The ordinary turns count again.")


@page("be_on_call")
def swap_shift(request: Request) -> HttpResponse:
    """One's own shift for one of somebody else on the same layer."""
    layer, now = _layer(request), timezone.now()
    starts, ends = moment_in(request.GET.get("from")), moment_in(request.GET.get("to"))
    if starts is None or ends is None:
        raise Http404("Choose one of your shifts.")
    mine = (max(starts, now), ends)
    return dialog(
        request,
        SwapForm(sent(request), offered=_offered(layer, request.user, now)),
        lambda given: _swap(layer, mine, given, request.user, now),
        title="Swap this shift",
        text=f"{layer.rota.name}, {layer.name}: {_span_words(*mine)}. The other person is told.",
        submit="Swap",
        said="Swapped; the other person is told.",
        back=reverse("my_shifts"),
    )


def _offered(layer: RotaLayer, me: User, now: datetime) -> list[tuple[str, str]]:
    """Shifts of others in the next weeks as choices."""
    plans = layer_plans(Q(pk=layer.pk), since=now, until=now + OFFERED)
    held = [one for plan in plans for one in held_by(plan, now, now + OFFERED) if one.person.pk != me.pk]
    return [
        (
            f"{int(one.starts_at.timestamp())} {int(one.ends_at.timestamp())} {one.person.pk}",
            f"{one.person.display_name}, {_span_words(one.starts_at, one.ends_at)}",
        )
        for one in held[:40]
        if one.starts_at > now
    ]


def _swap(layer: RotaLayer, mine: tuple[datetime, datetime], given: dict[str, Any], actor: User, at: datetime) -> Any:
    starts, ends, person = (int(part) for part in given["theirs"].split())
    theirs = (datetime.fromtimestamp(starts, UTC), datetime.fromtimestamp(ends, UTC))
    other = get_object_or_404(User, pk=person)
    return acts.swap(
        layer_id=layer.pk, mine=mine, theirs=theirs, other=other, reason=given["reason"], actor=actor, at=at
    )


def _span_words(starts_at: datetime, ends_at: datetime) -> str:
    begins, ends = timezone.localtime(starts_at), timezone.localtime(ends_at)
    return f"{begins:%a} {begins.day} {begins:%b %H:%M} – {ends:%a} {ends.day} {ends:%b %H:%M}"
