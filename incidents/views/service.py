"""Services: the catalogue, one service with what it needs and who needs it, and planned work."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import services as acts
from incidents.forms.services import ServiceForm, WindowForm
from incidents.models import MaintenanceWindow, Service
from incidents.queries.paging import page_of
from incidents.queries.services import (
    ORDER,
    STATES,
    filtered_services,
    health_of,
    open_incidents_of,
    service_page,
)
from incidents.views.dialogs import dialog, go
from incidents.views.gate import Request, page


@page("view_services")
def service_list(request: Request) -> HttpResponse:
    asked = {name: request.GET.get(name, "")[:200] for name in ("q", "tier", "state")}
    shown = page_of(filtered_services(**asked), ORDER, request.GET.get("after", ""))
    health, touched = health_of(shown.rows, timezone.now()), open_incidents_of(shown.rows)
    context = {
        "page": shown,
        "rows": [(one, health[one.pk], touched.get(one.pk, [])) for one in shown.rows],
        "asked": asked,
        "tiers": [(str(tier), words) for tier, words in Service.Tier.choices],
        "states": list(STATES.items())[1:],
        "is_narrow": any(asked.values()),
        "may_configure": permissions.can(request.user, "configure_services"),
    }
    return render(request, "incidents/services/service_list.html", context)


@page("view_services")
def service(request: Request, slug: str) -> HttpResponse:
    try:
        shown = service_page(request.user, slug, at=timezone.now())
    except Service.DoesNotExist:
        raise Http404("There is no such service.") from None
    context = {
        "shown": shown,
        "service": shown.service,
        "now": timezone.now(),
        "may_configure": permissions.can(request.user, "configure_services"),
        "is_desk": permissions.can(request.user, "view_desk"),
    }
    return render(request, "incidents/services/service.html", context)


def _address(saved: Service) -> str:
    return reverse("service", args=[saved.slug])


@page("configure_services")
def service_new(request: Request) -> HttpResponse:
    def add(given: dict[str, Any]) -> Service:
        return acts.add_service(**given, actor=request.user, at=timezone.now())

    return dialog(
        request,
        ServiceForm(request.POST or None),
        add,
        title="New service",
        text="Something people use and would miss when it is down.",
        submit="Add service",
        back=_address,
    )


@page("configure_services")
def service_edit(request: Request, slug: str) -> HttpResponse:
    found = get_object_or_404(Service, slug=slug)
    form = ServiceForm(request.POST or None, initial=ServiceForm.initial_of(found), service=found)
    return dialog(
        request,
        form,
        lambda given: acts.edit_service(found.pk, changes=form.changes(), actor=request.user, at=timezone.now()),
        title=f"Edit {found.name}",
        back=_address(found),
    )


@page("configure_services")
def window_new(request: Request, slug: str) -> HttpResponse:
    """Planned work: what is down inside the window is not downtime."""
    found = get_object_or_404(Service, slug=slug)
    return dialog(
        request,
        WindowForm(request.POST or None, initial={"services": [found.pk]}),
        lambda given: acts.save_window(**given, actor=request.user, at=timezone.now()),
        title="Plan a maintenance window",
        text="What is down inside it does not count as downtime.",
        submit="Plan",
        back=_address(found),
    )


@page("configure_services")
@require_POST
def window_remove(request: Request, slug: str, pk: int) -> HttpResponse:
    """No longer planned."""
    found = get_object_or_404(MaintenanceWindow, pk=pk, services__slug=slug)
    acts.remove_window(found.pk, actor=request.user, at=timezone.now())
    return go(request, reverse("service", args=[slug]), f"“{found.title}” is no longer planned.")
