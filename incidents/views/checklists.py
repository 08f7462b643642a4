"""Checklists: templates of tasks by service and kind of outage."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from incidents import permissions
from incidents.actions import work as acts
from incidents.forms.work import ChecklistForm, written_item
from incidents.models import Checklist
from incidents.views.dialogs import dialog, go, sent
from incidents.views.gate import Request, page


@page("view_desk")
def checklists(request: Request) -> HttpResponse:
    rows = Checklist.objects.select_related("service", "changed_by").order_by("service__name", "name")
    context = {"checklists": rows, "may_keep": permissions.can(request.user, "keep_checklists")}
    return render(request, "incidents/checklists/checklists.html", context)


@page("keep_checklists")
@require_http_methods(["GET", "POST"])
def checklist_new(request: Request) -> HttpResponse:
    return _edit(request, None, title="New checklist", said="The checklist can be started in every war room.")


@page("keep_checklists")
@require_http_methods(["GET", "POST"])
def checklist_edit(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(Checklist, pk=pk)
    return _edit(request, found, title="Change the checklist", said="Changed. Incidents keep the tasks they have.")


def _edit(request: Request, found: Checklist | None, *, title: str, said: str) -> HttpResponse:
    initial: dict[str, Any] = {}
    if found is not None:
        lines = "\n".join(written_item(item) for item in found.items)
        initial = {"name": found.name, "kind": found.kind, "service": found.service_id, "items": lines}
    return dialog(
        request,
        ChecklistForm(sent(request), initial=initial),
        lambda given: acts.keep_checklist(found, **given, actor=request.user, at=timezone.now()),
        title=title,
        submit="Save",
        back=reverse("checklists"),
        said=said,
    )


@page("keep_checklists")
@require_POST
def checklist_remove(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(Checklist, pk=pk)
    acts.remove_checklist(found, actor=request.user, at=timezone.now())
    return go(request, reverse("checklists"), f"The checklist “{found.name}” is removed.")
