"""On call: who is reached now, who comes next, and when nobody would be."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import organisation as acts
from incidents.forms.organisation import ShiftForm
from incidents.models import OnCallShift
from incidents.queries.organisation import rota
from incidents.views.dialogs import dialog, go
from incidents.views.gate import Request, page

SHIFT_LASTS = timedelta(days=7)


@page("view_desk")
def on_call(request: Request) -> HttpResponse:
    now = timezone.now()
    may_configure = permissions.can(request.user, "configure_services")
    context = {"rota": rota(now), "now": now, "may_configure": may_configure}
    return render(request, "incidents/on_call/on_call.html", context)


@page("configure_services")
def shift_new(request: Request) -> HttpResponse:
    """A gap on the page brings its role and its times along."""
    starts = _moment(request.GET.get("from")) or timezone.now().replace(minute=0, second=0, microsecond=0)
    ends = _moment(request.GET.get("to")) or starts + SHIFT_LASTS
    initial = {"role": request.GET.get("role", "")[:40], "starts_at": starts, "ends_at": ends}
    return dialog(
        request,
        ShiftForm(request.POST or None, initial=initial),
        lambda given: acts.add_shift(**given, actor=request.user, at=timezone.now()),
        title="New shift",
        submit="Add shift",
        back=reverse("on_call"),
    )


def _moment(text: str | None):
    """An aware moment from an address; None for anything else."""
    try:
        found = parse_datetime((text or "")[:40])
    except ValueError:
        return None
    return found if found and timezone.is_aware(found) else None


@page("configure_services")
@require_POST
def shift_remove(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(OnCallShift.objects.select_related("person"), pk=pk)
    acts.remove_shift(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("on_call"), f"{found.person} is no longer on call then.")
