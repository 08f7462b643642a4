"""The calendar of changes with freezes and planned work, and the templates of standard changes."""

from datetime import date

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import change_templates, freezes
from incidents.forms import changes as forms
from incidents.models import ChangeTemplate, FreezeWindow
from incidents.queries.change_calendar import month
from incidents.queries.tickets import services_to_choose
from incidents.views.dialogs import dialog, go, sent
from incidents.views.gate import Request, page


@page("view_desk")
def change_calendar(request: Request) -> HttpResponse:
    today = timezone.localdate()
    context = {
        "month": month(request.user, _asked(request, today), service=request.GET.get("service", "")[:120]),
        "today": today,
        "asked": request.GET.get("service", "")[:120],
        "services": services_to_choose(),
        "may_configure": permissions.can(request.user, "configure_changes"),
    }
    return render(request, "incidents/change/calendar.html", context)


def _asked(request: Request, today: date) -> date:
    """The month in the address (2026-11), this one for anything else."""
    year, _, number = request.GET.get("month", "").partition("-")
    is_number = f"{year}{number}".isascii() and year.isdigit() and number.isdigit() and len(year) == 4
    if is_number and int(year) >= 1970 and 1 <= int(number) <= 12:
        return date(int(year), int(number), 1)
    return today.replace(day=1)


@page("configure_changes")
def freeze_new(request: Request) -> HttpResponse:
    return dialog(
        request,
        forms.FreezeForm(sent(request)),
        lambda given: freezes.save_freeze(**given, actor=request.user, at=timezone.now()),
        title="Freeze changes",
        text="Nothing but emergency changes begins meanwhile. A change manager may grant an exception.",
        submit="Freeze",
        back=reverse("change_calendar"),
    )


@page("configure_changes")
def freeze_edit(request: Request, pk: int) -> HttpResponse:
    found = FreezeWindow.objects.prefetch_related("services").filter(pk=pk).first()
    if found is None:
        raise Http404("This freeze is not there any more.")
    return dialog(
        request,
        forms.FreezeForm(sent(request), initial=forms.FreezeForm.initial_of(found)),
        lambda given: freezes.save_freeze(pk, **given, actor=request.user, at=timezone.now()),
        title=f"Freeze: {found.name}",
        back=reverse("change_calendar"),
    )


@page("configure_changes")
@require_POST
def freeze_remove(request: Request, pk: int) -> HttpResponse:
    freezes.remove_freeze(pk, actor=request.user)
    return go(request, reverse("change_calendar"), "The freeze is lifted.")


@page("view_desk")
def template_list(request: Request) -> HttpResponse:
    context = {
        "templates": ChangeTemplate.objects.select_related("approved_by").prefetch_related("services", "changes"),
        "may_configure": permissions.can(request.user, "configure_changes"),
        "may_work": permissions.can(request.user, "work_change"),
    }
    return render(request, "incidents/change/templates.html", context)


@page("configure_changes")
def template_new(request: Request) -> HttpResponse:
    return dialog(
        request,
        forms.TemplateForm(sent(request)),
        lambda given: change_templates.save_template(changes=given, actor=request.user, at=timezone.now()),
        title="New template of a standard change",
        text="Saving it approves it: changes made from it need no further approval.",
        submit="Approve and save",
        wide=True,
        back=reverse("change_templates"),
    )


@page("configure_changes")
def template_edit(request: Request, pk: int) -> HttpResponse:
    found = _template(pk)
    return dialog(
        request,
        forms.TemplateForm(sent(request), initial=forms.TemplateForm.initial_of(found)),
        lambda given: change_templates.save_template(pk, changes=given, actor=request.user, at=timezone.now()),
        title=f"Template: {found.name}",
        submit="Approve and save",
        wide=True,
        back=reverse("change_templates"),
    )


@page("work_change")
def template_use(request: Request, pk: int) -> HttpResponse:
    found = _template(pk)
    initial = {"title": found.title, "services": [one.pk for one in found.services.all()]}
    form = forms.UseTemplateForm(sent(request), initial=initial)
    return dialog(
        request,
        form,
        lambda given: change_templates.use_template(pk, **form.cleaned(), actor=request.user, at=timezone.now()),
        title=f"Standard change: {found.name}",
        text="Plan, steps and way back come from the template. It is approved by submitting it.",
        submit="Draft it",
        back=lambda made: reverse("change", args=[made.pk]),
    )


def _template(pk: int) -> ChangeTemplate:
    found = ChangeTemplate.objects.prefetch_related("services").filter(pk=pk).first()
    if found is None:
        raise Http404("This template is not there any more.")
    return found
