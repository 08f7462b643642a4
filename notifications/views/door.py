"""Who may open the pages of this room."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from incidents import permissions
from incidents.errors import NotAccountable
from incidents.models import User

View = Callable[..., HttpResponseBase]


def reader(request: HttpRequest) -> User:
    """Who reads the page; only for views behind `signed_in`."""
    return cast(User, request.user)


def signed_in(view: View) -> View:
    """Lets people pass whose account works. A refusal of the process becomes 403 with its sentence."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not permissions.is_usable(reader(request)):
            raise PermissionDenied("Your access has ended. Ask whoever invited you.")
        try:
            return view(request, *args, **kwargs)
        except NotAccountable as refusal:
            raise PermissionDenied(refusal.message) from refusal

    return guarded
