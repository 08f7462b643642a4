"""Questions kept under a name."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.forms.fields import DeskForm
from incidents.views.dialogs import dialog, go, sent
from incidents.views.gate import Request, page
from metrics import dashboard, figure_views
from metrics.models import FigureView


class KeepForm(DeskForm):
    name = forms.CharField(label="Name", max_length=60)
    shared_with = forms.ChoiceField(label="Who sees it", choices=FigureView.SharedWith.choices, initial="nobody")


@page("view_figures")
def figure_view_new(request: Request) -> HttpResponse:
    """Keeps the question the dashboard is shown with."""
    query = dashboard.read_question(request.GET).query()
    return dialog(
        request,
        KeepForm(sent(request)),
        lambda given: figure_views.keep(**given, query=query, actor=request.user, at=timezone.now()),
        title="Save this view",
        text="The period, the filters and the comparison as they are now.",
        back=f"{reverse('kpi_dashboard')}?{query}",
        said="The view is saved.",
    )


@page("view_figures")
@require_POST
def figure_view_remove(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(FigureView, pk=pk)
    figure_views.remove(pk, actor=request.user)
    return go(request, reverse("kpi_dashboard"), f"The view “{found.name}” is removed.")
