"""A rota: its layers with what they mean for the next weeks, its notes and who stands in."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import rotas as acts
from incidents.errors import ProcessError
from incidents.forms.on_call import LayerForm, NoteForm, RotaForm
from incidents.models import HandoverNote, Organisation, Rota, RotaLayer, RotaOverride, User
from incidents.queries.rotas import layer_ahead, notes_for, rota_ahead
from incidents.views.dialogs import dialog, go, sent, way_back
from incidents.views.gate import Request, page

AHEAD = timedelta(weeks=6)


def _rotas() -> QuerySet[Rota]:
    return Rota.objects.select_related("team")


@page("view_desk")
def rota(request: Request, pk: int) -> HttpResponse:
    found, now = get_object_or_404(_rotas(), pk=pk), timezone.now()
    overrides = RotaOverride.objects.filter(layer__rota=found, ends_at__gt=now)
    context = {
        "rota": found,
        "ahead": rota_ahead(found, now, now + AHEAD),
        "overrides": overrides.select_related("layer", "person", "made_by")[:100],
        "notes": notes_for([found], at=now),
        "feeds": request.user.calendar_feeds.filter(rota=found, revoked_at__isnull=True),
        "now": now,
        "may_keep": permissions.can(request.user, "keep_rota"),
        "may_be_on_call": permissions.can(request.user, "be_on_call"),
    }
    return render(request, "incidents/on_call/rota.html", context)


@page("keep_rota")
def rota_new(request: Request) -> HttpResponse:
    initial = {"time_zone": Organisation.current().time_zone, "role": request.GET.get("role", "")[:40]}
    return dialog(
        request,
        RotaForm(sent(request), initial=initial, is_new=True),
        lambda given: acts.save_rota(changes=given, actor=request.user, at=timezone.now()),
        title="New rota",
        text="For a role of the process or for a team. Its layers follow.",
        submit="Make the rota",
        back=lambda made: reverse("rota", args=[made.pk]),
    )


@page("keep_rota")
def rota_edit(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(_rotas(), pk=pk)
    return dialog(
        request,
        RotaForm(sent(request), initial=RotaForm.initial_of(found), is_new=False),
        lambda given: acts.save_rota(pk, changes=given, actor=request.user, at=timezone.now()),
        title=found.name,
        back=reverse("rota", args=[pk]),
    )


@page("keep_rota")
@require_POST
def rota_remove(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(Rota, pk=pk)
    acts.remove_rota(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("on_call"), f"The rota “{found.name}” is removed.")


# --- Layers -----------------------------------------------------------------------------------
@page("keep_rota")
def layer_new(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(_rotas(), pk=pk)
    count = found.layers.count()
    initial = {
        "name": "" if count else "Primary",
        "rank": min(count + 1, 2),
        "length": 1,
        "unit": RotaLayer.Unit.WEEK,
        "handover_at": "09:00",
        "handover_weekday": 0,
        "starts_on": timezone.localtime().date(),
    }
    form = LayerForm(sent(request), initial=initial, rota=found, windows=_windows_sent(request))
    return _layer_dialog(request, found, form, None)


@page("keep_rota")
def layer_edit(request: Request, pk: int) -> HttpResponse:
    layer = get_object_or_404(RotaLayer.objects.select_related("rota__team"), pk=pk)
    windows = max(len(layer.windows), _windows_sent(request))
    form = LayerForm(sent(request), initial=LayerForm.initial_of(layer), rota=layer.rota, windows=windows)
    return _layer_dialog(request, layer.rota, form, layer)


def _layer_dialog(request: Request, found: Rota, form: LayerForm, layer: RotaLayer | None) -> HttpResponse:
    def save(given: dict[str, Any]) -> RotaLayer:
        key = layer.pk if layer else None
        return acts.save_layer(key, rota_id=found.pk, changes=given, actor=request.user, at=timezone.now())

    people = [member.person for member in layer.members.select_related("person")] if layer else []
    return dialog(
        request,
        form,
        save,
        title=layer.name if layer else f"New layer of {found.name}",
        back=reverse("rota", args=[found.pk]),
        template="incidents/on_call/_layer.html",
        rota=found,
        layer=layer,
        preview=_ahead(layer, people) if layer else None,
        wide=True,
    )


def _ahead(layer: RotaLayer, people: list[User]) -> Any:
    now = timezone.now()
    return layer_ahead(layer, people, now, now + AHEAD)


@page("keep_rota")
@require_POST
def layer_preview(request: Request, pk: int) -> HttpResponse:
    """What the layer as typed so far means for the next weeks. Writes nothing."""
    found = get_object_or_404(_rotas(), pk=pk)
    form = LayerForm(request.POST, rota=found, windows=_windows_sent(request))
    layer, context = RotaLayer(rota=found), {"rota": found, "is_incomplete": not form.is_valid()}
    if form.is_valid():
        try:
            context["preview"] = _ahead(layer, acts.fill_layer(layer, form.cleaned_data, is_new=True) or [])
        except ProcessError as refusal:
            context["refusal"] = refusal.message
    return render(request, "incidents/on_call/_preview.html", context)


def _windows_sent(request: Request) -> int:
    """How many windows the form was sent with: one more than are filled stands empty on it."""
    sent_ones = sum(1 for name in request.POST if name.startswith("begins_"))
    return min(max(sent_ones - 1, 0), acts.WINDOWS)


@page("keep_rota")
@require_POST
def layer_remove(request: Request, pk: int) -> HttpResponse:
    layer = get_object_or_404(RotaLayer.objects.select_related("rota"), pk=pk)
    found = acts.remove_layer(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("rota", args=[found.pk]), f"The layer “{layer.name}” is removed.")


# --- Handover ---------------------------------------------------------------------------------
@page("be_on_call")
def note_new(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(Rota, pk=pk)
    return dialog(
        request,
        NoteForm(sent(request)),
        lambda given: acts.write_note(pk, **given, actor=request.user, at=timezone.now()),
        title=f"Handover: {found.name}",
        submit="Leave the note",
        back=reverse("rota", args=[pk]),
    )


@page("be_on_call")
@require_POST
def note_taken(request: Request, pk: int) -> HttpResponse:
    """Whoever is on call next has read it."""
    note = get_object_or_404(HandoverNote, pk=pk)
    acts.take_note(note.pk, actor=request.user, at=timezone.now())
    return go(request, way_back(request, reverse("my_shifts")), "Taken over.")
