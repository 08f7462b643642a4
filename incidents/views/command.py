"""Command: where a major incident manager lands."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from incidents import permissions
from incidents.models import User, ViewedList
from incidents.queries import command as queries
from incidents.queries.major_incidents import Wanted
from incidents.queries.saved_views import ON_COMMAND, views_for
from incidents.views.acting import entered


@entered
def command(request: HttpRequest) -> HttpResponse:
    permissions.require(request.user, "view_desk")  # type: ignore[arg-type]
    return render(request, "incidents/command/command.html", _shown(request))


@entered
def board(request: HttpRequest) -> HttpResponse:
    """The lists of the page, as they are now."""
    permissions.require(request.user, "view_desk")  # type: ignore[arg-type]
    return render(request, "incidents/command/_fragment.html", _shown(request))


def _shown(request: HttpRequest) -> dict[str, Any]:
    user: User = request.user  # type: ignore[assignment]
    # What is closed never stands here, so a state in the address would only empty the page.
    wanted = replace(Wanted.read(request.GET), state="", before=None)
    matching = wanted.address()
    return {
        "board": queries.board(user, timezone.now(), wanted),
        "matching": matching,
        "views": views_for(user, matching, ViewedList.INCIDENTS, ON_COMMAND),
    }
