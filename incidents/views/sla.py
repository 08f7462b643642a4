"""Service levels: how soon tickets are answered and solved, and in which hours that is counted."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from incidents.actions import sla_settings as acts
from incidents.forms.sla import DAYS, HoursForm, ServiceChoiceForm, TargetsForm
from incidents.models import Service, ServiceHours
from incidents.queries.sla import services_with_targets, targets_of
from incidents.service_hours import WORKING_WEEK, written_day
from incidents.views.dialogs import attempt, dialog, go, sent
from incidents.views.gate import Request, page


def _by(request: Request) -> dict[str, Any]:
    return {"actor": request.user, "at": timezone.now()}


@page("configure_services")
def sla(request: Request) -> HttpResponse:
    """The general targets, service hours, and services with their own."""
    form = TargetsForm(sent(request), targets=targets_of(None), of_service=False)
    if request.method == "POST":
        if attempt(form, lambda _: acts.set_targets(form.given(), **_by(request))):
            return go(request, reverse("sla"), "The targets are saved. Open tickets follow within seconds.")
        return _show(request, form, status=422)
    return _show(request, form)


def _show(request: Request, form: TargetsForm, status: int = 200) -> HttpResponse:
    hours = [(row, _days(row.week)) for row in ServiceHours.objects.prefetch_related("services")]
    context = {
        "form": form,
        "hours": hours,
        "shipped": _days(WORKING_WEEK),
        "has_default": any(row.is_default for row, _ in hours),
        "services": services_with_targets(),
    }
    return render(request, "incidents/sla/sla.html", context, status=status)


def _days(week: Any) -> list[tuple[str, str]]:
    """Days that are alike in one line: ("Monday to Friday", "08:00-18:00")."""
    lines: list[tuple[int, int, str]] = []
    for number, day in enumerate(week):
        text = written_day([(a, b) for a, b in day]) or "closed"
        if lines and lines[-1][2] == text:
            lines[-1] = (lines[-1][0], number, text)
        else:
            lines.append((number, number, text))
    return [(DAYS[a] if a == b else f"{DAYS[a]} to {DAYS[b]}", text) for a, b, text in lines]


@page("configure_services")
def sla_choose(request: Request) -> HttpResponse:
    """To the targets of one service."""
    form = ServiceChoiceForm(sent(request))
    return dialog(
        request, form, lambda given: given["service"], title="Targets of a service", submit="Go on",
        back=lambda service: reverse("sla_service", args=[service.slug]),
    )  # fmt: skip


@page("configure_services")
def sla_service(request: Request, slug: str) -> HttpResponse:
    """What is promised for one service; an empty line is as for all the others."""
    service = get_object_or_404(Service, slug=slug)
    form = TargetsForm(sent(request), targets=targets_of(service), of_service=True)
    return dialog(
        request, form, lambda _: acts.set_targets(form.given(), service=service, **_by(request)),
        title=f"Targets of {service.name}", text="Leave a line empty to promise what is promised for all services.",
        submit="Save", back=reverse("sla"), template="incidents/sla/_targets_dialog.html",
        said=f"The targets of {service.name} are saved.",
    )  # fmt: skip


@page("configure_services")
@require_http_methods(["GET", "POST"])
def hours_new(request: Request) -> HttpResponse:
    return _hours(request, None, "New service hours")


@page("configure_services")
@require_http_methods(["GET", "POST"])
def hours_edit(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(ServiceHours, pk=pk)
    return _hours(request, row, f"Edit {row.name}")


def _hours(request: Request, row: ServiceHours | None, title: str) -> HttpResponse:
    week = {f"day_{n}": written_day(day) for n, day in enumerate(WORKING_WEEK)}
    form = HoursForm(sent(request), initial=HoursForm.initial_of(row) if row else week)
    return dialog(
        request, form, lambda given: acts.save_hours(row.pk if row else None, changes=given, **_by(request)),
        title=title, submit="Save", back=reverse("sla"), wide=True, said="The service hours are saved.",
    )  # fmt: skip


@page("configure_services")
@require_POST
def hours_remove(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(ServiceHours, pk=pk)
    acts.remove_hours(pk, **_by(request))
    return go(request, reverse("sla"), f"“{row.name}” is removed; its services have the default hours.")
