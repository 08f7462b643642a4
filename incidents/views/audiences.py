"""The four audiences: who belongs to each, and which is empty on purpose."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents.actions.organisation import set_audience
from incidents.forms.organisation import AudienceForm
from incidents.queries.organisation import audience_rows
from incidents.views.dialogs import dialog
from incidents.views.gate import Request, page


@page("configure")
def audiences(request: Request) -> HttpResponse:
    return render(request, "incidents/audiences/audiences.html", {"rows": audience_rows()})


@page("configure")
def audience(request: Request, name: str) -> HttpResponse:
    row = next((one for one in audience_rows() if one.key == name), None)
    if row is None:
        raise Http404

    def save(given: dict[str, Any]) -> None:
        set_audience(name, **given, actor=request.user, at=timezone.now())

    return dialog(
        request,
        AudienceForm(request.POST or None, initial=AudienceForm.initial_of(row)),
        save,
        title=f"Who belongs to: {row.label.lower()}",
        text=row.words,
        said=f"{row.label} is saved.",
        back=reverse("audiences"),
    )
