"""Trying an integration out: a test through the same door, and the mapping of fields with a live preview."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from incidents.actions import integrations as acts
from incidents.alert_signals import Says
from incidents.forms.mapping import MAPPED, MappingForm
from incidents.intake.monitoring import trial
from incidents.intake.monitoring.shape import Malformed
from incidents.models import Alert, Integration, Payload
from incidents.queries.integrations import integrations, payloads, text_of
from incidents.views.dialogs import attempt, go, sent
from incidents.views.gate import Request, page

LAST_REAL = 10


def load(pk: int) -> Integration:
    return get_object_or_404(integrations(), pk=pk)


@page("configure_integrations")
@require_POST
def integration_test(request: Request, pk: int) -> HttpResponse:
    """Sends the example of its tool, or with `says=resolved` its end; shows what comes of it."""
    says = Says.RESOLVED if request.POST.get("says") == "resolved" else Says.FIRING
    payload_id = trial.send_example(load(pk), says=says, at=timezone.now())
    if getattr(request, "htmx", False):
        return _outcome(request, payload_id)
    return go(request, reverse("payload", args=[payload_id]), "The test is sent.")


@page("configure_integrations")
def test_outcome(request: Request, pk: int) -> HttpResponse:
    """Asked again every second until the worker has processed it."""
    return _outcome(request, get_object_or_404(Payload, pk=pk, is_drill=True).pk)


def _outcome(request: Request, payload_id: int) -> HttpResponse:
    payload = payloads().select_related("integration").get(pk=payload_id)
    alerts = list(Alert.objects.filter(payload=payload).select_related("integration", "service").order_by("id")[:10])
    context = {
        "payload": payload,
        "integration": payload.integration,
        "alerts": alerts,
        "fires": any(alert.ended_at is None for alert in alerts),
    }
    return render(request, "incidents/integration/_test.html", context)


# --- The mapping -------------------------------------------------------------------------------------------
@page("configure_integrations")
@require_http_methods(["GET", "POST"])
def integration_mapping(request: Request, pk: int) -> HttpResponse:
    """Which field is what, with what it makes of a body that really came."""
    row = load(pk)
    form = MappingForm(sent(request), initial=MappingForm.initial_of(row.settings))

    def save(given: dict[str, Any]) -> None:
        changes = {"settings": _others(row) | form.mapping(given)}
        acts.edit_integration(pk, changes=changes, actor=request.user, at=timezone.now())

    if request.method == "POST" and attempt(form, save):
        return go(request, reverse("integration", args=[pk]), "The mapping is saved. Replay what was refused before.")
    last = _last_real(row)
    context = {
        "integration": row,
        "form": form,
        "last": last,
        **_preview(row, last[0] if last else None, row.settings),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "incidents/integration/mapping.html", context, status=status)


@page("configure_integrations")
@require_POST
def mapping_preview(request: Request, pk: int) -> HttpResponse:
    """What the form as it stands makes of the chosen body; saves nothing."""
    row, form = load(pk), MappingForm(request.POST)
    chosen = request.POST.get("payload", "")
    payload = _last_real(row, int(chosen))[:1] if chosen.isdigit() and len(chosen) < 16 else []
    form.is_valid()
    settings = _others(row) | form.mapping(form.cleaned_data)
    context = _preview(row, payload[0] if payload else None, settings)
    return render(request, "incidents/integration/_preview.html", context)


def _others(row: Integration) -> dict[str, Any]:
    return {name: value for name, value in row.settings.items() if name not in MAPPED}


def _last_real(row: Integration, number: int | None = None) -> list[Payload]:
    """The newest bodies that came from outside; with a number that one alone."""
    rows = payloads(Payload.objects.filter(integration=row, is_drill=False)).defer(None)
    return list((rows if number is None else rows.filter(pk=number)).order_by("-id")[:LAST_REAL])


def _preview(row: Integration, payload: Payload | None, settings: dict[str, Any]) -> dict[str, Any]:
    raw = text_of(payload.head) if payload else text_of(trial.example_of(row))  # type: ignore[attr-defined]
    try:
        signals, refusal = trial.read_with(row, payload, settings), None
    except Malformed as why:
        signals, refusal = [], why
    return {"signals": signals[:20], "total": len(signals), "refusal": refusal, "raw": raw, "is_example": not payload}
