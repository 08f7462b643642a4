"""Command: where a major incident manager lands."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from incidents import permissions
from incidents.queries import command as queries
from incidents.views.acting import entered


@entered
def command(request: HttpRequest) -> HttpResponse:
    permissions.require(request.user, "view_desk")  # type: ignore[arg-type]
    return render(request, "incidents/command/command.html", {"board": _board(request)})


@entered
def board(request: HttpRequest) -> HttpResponse:
    """The lists of the page, as they are now."""
    permissions.require(request.user, "view_desk")  # type: ignore[arg-type]
    return render(request, "incidents/command/_fragment.html", {"board": _board(request)})


def _board(request: HttpRequest) -> queries.Board:
    return queries.board(request.user, timezone.now())  # type: ignore[arg-type]
