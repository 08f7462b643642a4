"""One integration: its address, key, secrets and defaults, what came by it, and a test."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import integrations as acts
from incidents.actions import payloads as payload_acts
from incidents.forms.monitoring import IntegrationForm, SecretForm
from incidents.intake.monitoring import trial
from incidents.models import Integration, IntegrationKind, Payload
from incidents.queries.integrations import health_of, integrations, last_payloads, payloads, text_of
from incidents.sealed import sealed_at
from incidents.views import shown_once
from incidents.views.dialogs import dialog, go, sent, way_back
from incidents.views.gate import Request, page
from incidents.views.integrations import KEY, guide_for


def load(pk: int) -> Integration:
    return get_object_or_404(integrations(), pk=pk)


def _by(request: Request) -> dict[str, Any]:
    return {"actor": request.user, "at": timezone.now()}


@page("configure_integrations")
def integration(request: Request, pk: int) -> HttpResponse:
    row = load(pk)
    context = (
        _now(row)
        | guide_for(row)
        | {
            "secrets": [(acts.secret_name(one), sealed_at(one)) for one in row.signing_secrets],
            "may_add_secret": len(row.signing_secrets) < acts.SECRETS_AT_ONCE,
            "may_be_tried": trial.may_be_tried(row),
            "is_mapped": row.kind in trial.MAPPED,
        }
    )
    return render(request, "incidents/integration/integration.html", context)


@page("configure_integrations")
def integration_now(request: Request, pk: int) -> HttpResponse:
    """How it does and what came last, fetched again whenever something arrives."""
    return render(request, "incidents/integration/_now.html", _now(load(pk)))


def _now(row: Integration) -> dict[str, Any]:
    return {
        "integration": row,
        "health": health_of([row], timezone.now())[row.pk],
        "payloads": last_payloads(row),
        "is_heartbeat": row.kind == IntegrationKind.HEARTBEAT,
    }


@page("configure_integrations")
def integration_edit(request: Request, pk: int) -> HttpResponse:
    row = load(pk)
    form = IntegrationForm(sent(request), initial=IntegrationForm.initial_of(row), kind=row.kind, known=row.settings)
    return dialog(
        request, form, lambda given: acts.edit_integration(pk, changes=form.changed_fields(), **_by(request)),
        title=f"Edit {row.name}", back=reverse("integration", args=[pk]),
    )  # fmt: skip


@page("configure_integrations")
@require_POST
def integration_rotate(request: Request, pk: int) -> HttpResponse:
    """A new key, shown on the next page; the old one stops at once."""
    row, key = acts.rotate_key(load(pk).pk, **_by(request))
    shown_once.keep(request, KEY, row.pk, key)
    return go(request, reverse("integration_key", args=[pk]))


@page("configure_integrations")
def secret_new(request: Request, pk: int) -> HttpResponse:
    row = load(pk)
    return dialog(
        request, SecretForm(sent(request)),
        lambda given: acts.add_signing_secret(pk, **given, **_by(request)),
        title="Add a signing secret", text=row.name, submit="Add", back=reverse("integration", args=[pk]),
        said="From now on what comes must be signed.",
    )  # fmt: skip


@page("configure_integrations")
@require_POST
def secret_remove(request: Request, pk: int, name: str) -> HttpResponse:
    acts.remove_signing_secret(load(pk).pk, name=name, **_by(request))
    return go(request, reverse("integration", args=[pk]), "What is signed with it is refused from now on.")


@page("configure_integrations")
@require_POST
def integration_switch(request: Request, pk: int) -> HttpResponse:
    """On when it is off, off when it is on; the form says which, so that a second click changes nothing."""
    on = request.POST.get("on") == "yes"
    row = acts.edit_integration(load(pk).pk, changes={"is_active": on}, **_by(request))
    said = f"“{row.name}” accepts again." if on else f"“{row.name}” is off: what is sent to it is refused."
    return go(request, reverse("integration", args=[pk]), said)


@page("configure_integrations")
@require_POST
def integration_delete(request: Request, pk: int) -> HttpResponse:
    row = load(pk)
    acts.delete_integration(pk, **_by(request))
    return go(request, reverse("integrations"), f"“{row.name}” is deleted.")


# --- Payloads ----------------------------------------------------------------------------------------------
def _payload(pk: int) -> Payload:
    found = payloads().select_related("integration").filter(pk=pk).first()
    if found is None:
        raise Http404(f"There is no payload {pk}; the oldest are forgotten after a while.")
    return found


@page("configure_integrations")
def payload(request: Request, pk: int) -> HttpResponse:
    """Headers and body as they came, as text."""
    found = _payload(pk)
    context = {
        "payload": found,
        "integration": found.integration,
        "body": text_of(found.head),  # type: ignore[attr-defined]
        "is_cut": found.size > len(found.head or b""),  # type: ignore[attr-defined]
    }
    return render(request, "incidents/integration/payload.html", context)


@page("configure_integrations")
@require_POST
def payload_replay(request: Request, pk: int) -> HttpResponse:
    """Processed again, with the settings of today."""
    found = payload_acts.replay(_payload(pk).pk, **_by(request))
    here = reverse("integration", args=[found.integration_id])
    return go(request, way_back(request, here), "It is processed again.")


@page("configure_integrations")
@require_POST
def payloads_replay(request: Request, pk: int) -> HttpResponse:
    """Everything of the integration that was accepted and could not be processed."""
    count = payload_acts.replay_failed(load(pk).pk, **_by(request))
    said = f"{count} {'is' if count == 1 else 'are'} processed again." if count else "None had failed."
    return go(request, reverse("integration", args=[pk]), said)
