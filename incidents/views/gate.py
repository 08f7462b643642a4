"""The door of every page: signed in, allowed, and a refusal of the process told in words."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from incidents import permissions
from incidents.errors import NotAccountable, ProcessError
from incidents.models import User


class Request(HttpRequest):
    """A request behind the door: somebody is signed in."""

    user: User


View = Callable[..., HttpResponseBase]


def page(act: str = "") -> Callable[[View], View]:
    """Lets people pass who may do `act` (anybody signed in whose access has not ended, without one).

    A `NotAccountable` becomes 403 with its sentence. Any other refusal that no form took becomes 422 with its
    sentence and the way back.
    """

    def wrap(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not permissions.is_usable(request.user):
                raise PermissionDenied("Your access has ended. Ask whoever invited you.")
            try:
                if act:
                    permissions.require(request.user, act)
                return view(request, *args, **kwargs)
            except NotAccountable as refusal:
                raise PermissionDenied(refusal.message) from refusal
            except ProcessError as refusal:
                return refused(request, refusal)

        return guarded

    return wrap


def refused(request: HttpRequest, refusal: ProcessError) -> HttpResponse:
    """422: what the process does not allow, and the page to go back to."""
    back = request.POST.get("back") or request.path.rsplit("/", 2)[0] + "/"
    context = {"title": refusal.title, "sentence": refusal.message, "back": back if back.startswith("/") else "/"}
    return render(request, "incidents/desk_kit/refused.html", context, status=422)
