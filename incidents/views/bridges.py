"""What conference bridges are made from: the patterns an administrator sets."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from incidents.actions import bridges as acts
from incidents.forms.organisation import BridgeProviderForm
from incidents.models import BridgeProvider
from incidents.queries.bridges import provider_rows
from incidents.views.dialogs import dialog, go
from incidents.views.gate import Request, page


@page("configure")
@require_GET
def bridge_list(request: Request) -> HttpResponse:
    return render(request, "incidents/bridges/bridges.html", {"rows": provider_rows()})


@page("configure")
@require_http_methods(["GET", "POST"])
def bridge_new(request: Request) -> HttpResponse:
    return _provider(request, None, title="New kind of bridge")


@page("configure")
@require_http_methods(["GET", "POST"])
def bridge_edit(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(BridgeProvider, pk=pk)
    return _provider(request, found, title=f"Edit {found.name}")


def _provider(request: Request, provider: BridgeProvider | None, *, title: str) -> HttpResponse:
    initial = BridgeProviderForm.initial_of(provider) if provider else None
    form = BridgeProviderForm(request.POST if request.method == "POST" else None, initial=initial)

    def save(given: dict[str, Any]) -> None:
        changes = form.changes() if provider else given
        acts.save_provider(provider.pk if provider else None, changes=changes, actor=request.user, at=timezone.now())

    return dialog(request, form, save, title=title, said="Saved.", back=reverse("bridges"))


@page("configure")
@require_POST
def bridge_remove(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(BridgeProvider, pk=pk)
    acts.remove_provider(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("bridges"), f"{found.name} is removed.")
