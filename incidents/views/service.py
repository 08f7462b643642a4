"""The service catalogue: the list, one service, and its dependencies."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.actions import services as acts
from incidents.forms.services import EditServiceForm, ServiceForm
from incidents.models import Service
from incidents.queries.services import catalogue, service_page
from incidents.views.dialogs import dialog
from incidents.views.gate import Request, page


@page("view_services")
def service_list(request: Request) -> HttpResponse:
    q, everything = request.GET.get("q", "")[:200], request.GET.get("all") == "1"
    rows = list(catalogue(q=q, everything=everything)[:500])
    context = {
        "services": rows,
        "q": q,
        "everything": everything,
        "down": sum(getattr(one, "is_down", False) for one in rows),
        "may_edit": permissions.can(request.user, "configure_services"),
    }
    return render(request, "incidents/service/service_list.html", context)


@page("view_services")
def service(request: Request, slug: str) -> HttpResponse:
    try:
        shown = service_page(request.user, slug, at=timezone.now())
    except Service.DoesNotExist:
        raise Http404("There is no such service.") from None
    context = {
        "shown": shown,
        "service": shown.service,
        "may_edit": permissions.can(request.user, "configure_services"),
        "may_see_tickets": permissions.can(request.user, "view_desk"),
    }
    return render(request, "incidents/service/service.html", context)


@page("configure_services")
def service_new(request: Request) -> HttpResponse:
    return dialog(
        request,
        ServiceForm(request.POST or None),
        lambda given: acts.add_service(**given, actor=request.user, at=timezone.now()),
        title="New service",
        submit="Add service",
        back=lambda made: reverse("service", args=[made.slug]),
    )


@page("configure_services")
def service_edit(request: Request, slug: str) -> HttpResponse:
    found = get_object_or_404(Service.objects.prefetch_related("needs"), slug=slug)
    form = EditServiceForm(request.POST or None, initial=EditServiceForm.initial_of(found))
    return dialog(
        request,
        form,
        lambda given: acts.edit_service(found.pk, changes=form.changes(), actor=request.user, at=timezone.now()),
        title=f"Edit {found.name}",
        back=reverse("service", args=[slug]),
    )
