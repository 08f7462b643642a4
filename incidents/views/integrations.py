"""Integrations: all of them with how they do, a new one, and the one time its key is shown."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import select_template
from django.urls import reverse
from django.utils import timezone

from incidents.actions import integrations as acts
from incidents.forms.monitoring import IntegrationForm
from incidents.integration_kinds import KINDS, TO_CHOOSE
from incidents.models import Integration, IntegrationKind
from incidents.queries.integrations import address_of, health_of, integrations, kind_of
from incidents.views import shown_once
from incidents.views.dialogs import dialog, sent
from incidents.views.gate import Request, page

KEY = "integration_key"


@page("configure_integrations")
def integration_list(request: Request) -> HttpResponse:
    rows = list(integrations().order_by("-is_active", "name"))
    health = health_of(rows, timezone.now())
    context = {"rows": [(row, kind_of(row), health[row.pk]) for row in rows]}
    name = "_rows" if request.headers.get("HX-Target") == "integration-rows" else "integrations"
    return render(request, f"incidents/integrations/{name}.html", context)


@page("configure_integrations")
def integration_new(request: Request) -> HttpResponse:
    """First the kind, from tiles; then what it is called."""
    kind = request.GET.get("kind", "")
    if kind not in TO_CHOOSE:
        tiles = [(name, IntegrationKind(name).label, KINDS[name]) for name in TO_CHOOSE]
        fragment = "incidents/integrations/_kinds.html"
        whole = {"tiles": tiles, "title": "What do you connect?", "fragment": fragment}
        return render(request, fragment if request.htmx else "incidents/desk_kit/dialog_page.html", whole)  # type: ignore[attr-defined]
    form = IntegrationForm(sent(request), kind=kind)
    label = IntegrationKind(kind).label

    def add(given: dict[str, Any]) -> Integration:
        made, key = acts.add_integration(kind=kind, actor=request.user, at=timezone.now(), **form.fields_of(given))
        shown_once.keep(request, KEY, made.pk, key)
        return made

    return dialog(
        request, form, add, title=f"Connect {label}", text=KINDS[kind].line, submit="Make its address",
        back=lambda made: reverse("integration_key", args=[made.pk]),
    )  # fmt: skip


@page("configure_integrations")
def integration_key(request: Request, pk: int) -> HttpResponse:
    """The address and the key, this once, with what to paste where."""
    row = get_object_or_404(integrations(), pk=pk)
    key = shown_once.take(request, KEY, row.pk)
    if not key:
        return redirect("integration", pk=pk)
    response = render(request, "incidents/integrations/key.html", {"integration": row, **guide_for(row, key)})
    response["Cache-Control"] = "no-store"
    return response


def guide_for(row: Integration, key: str = "") -> dict[str, Any]:
    """What a guide needs: `address`, `key` (masked without one), `kind`, `guide`, the template of the kind or the
    fallback that names address and key."""
    names = [f"incidents/integrations/guides/{row.kind}.html", "incidents/integrations/_guide_fallback.html"]
    address = address_of(row, key)
    return {
        "address": address,
        "url": address.url,
        "base_url": address.base,
        "key": key or f"{row.key_prefix}…",
        "is_key_shown": bool(key),
        "kind": kind_of(row),
        "guide": select_template(names),
    }
