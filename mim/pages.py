"""Pages that belong to no room: the landing, the theme, and what people read when something went wrong."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from incidents.api.errors import plain_problem
from mim.frame import THEME_COOKIE, THEMES, address, landing_of, roles_of
from mim.middleware import MACHINE_PATHS

YEAR_SECONDS = 365 * 24 * 3600


@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Send everybody where their role lands; nobody signed in goes to the status page."""
    if not request.user.is_authenticated:
        return redirect(address("status_page") or "account_login")
    only = getattr(request.user, "only_incident", None)
    return redirect("war_room", only) if only is not None else redirect(landing_of(roles_of(request.user)))


@require_POST
def theme_switch(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or the device's own (anything else) on this device, and go back to the page."""
    chosen = request.POST.get("theme", "")
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(back if is_ours else "/")
    # "device" is kept too: it overrules the theme of the person's own settings on this device.
    kept = chosen if chosen in THEMES else "device"
    response.set_cookie(THEME_COOKIE, kept, YEAR_SECONDS, samesite="Lax", secure=request.is_secure())
    return response


_PROBLEMS = {
    400: ("invalid", 400, "This request cannot be read."),
    403: ("not_allowed", 403, "You may not do this."),
    404: ("not_found", 404, "There is nothing at this address."),
    429: ("throttled", 429, "Too many requests. Wait as long as Retry-After says."),
    503: ("unavailable", 503, "Try again in a few seconds."),
}


def _answer(request: HttpRequest, status: int, **context: object) -> HttpResponse:
    """An error page that needs no database; plain JSON for the API, which has readers of its own."""
    if request.path.startswith(MACHINE_PATHS):
        return plain_problem(*_PROBLEMS.get(status, ("internal", 500, "This was recorded. Try again.")))
    theme = request.COOKIES.get(THEME_COOKIE, "")
    context = {"theme": theme if theme in THEMES else "", "path": request.path, **context}
    return HttpResponse(render_to_string(f"{status}.html", context), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 403, reason=str(exception or ""))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    """The database does not answer: say so, and let browsers and programs come back by themselves."""
    response = _answer(request, 503)
    response["Retry-After"] = "5"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose page grew too old, or that came from elsewhere; the way back keeps what was typed."""
    if request.path.startswith(MACHINE_PATHS):
        return plain_problem("not_allowed", 403, "The CSRF token is missing or wrong.")
    return render(request, "403_csrf.html", {"theme": request.COOKIES.get(THEME_COOKIE, "")}, status=403)
