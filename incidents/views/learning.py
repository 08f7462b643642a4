"""Management's view of learning: promises kept, causes that repeat, changes that succeed, plans used again."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from incidents.queries.learning import learning
from incidents.views.gate import Request, page


@page("view_figures")
def learning_page(request: Request) -> HttpResponse:
    now = timezone.now()
    return render(request, "incidents/learning/learning.html", {"learning": learning(now), "now": now})
