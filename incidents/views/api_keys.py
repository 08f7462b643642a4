"""API keys: issued and shown once, seen by their prefix afterwards, revoked."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import access as acts
from incidents.forms.access import KeyForm
from incidents.models import ApiKey
from incidents.queries.access import ORDER, key_rows, keys
from incidents.queries.paging import page_of
from incidents.views.dialogs import FRAGMENT, PAGE, attempt, go, way_back
from incidents.views.gate import Request, page

KEY_LASTS = timedelta(days=90)


@page("view_desk")
def api_keys(request: Request) -> HttpResponse:
    """Own keys; administrators may look at everybody's."""
    may_see_all = permissions.can(request.user, "configure")
    sees_all = may_see_all and request.GET.get("whose") == "all"
    found = page_of(keys(None if sees_all else request.user), ORDER, request.GET.get("after", ""))
    context = {
        "page": found,
        "rows": key_rows(found.rows, timezone.now()),
        "sees_all": sees_all,
        "may_see_all": may_see_all,
    }
    return render(request, "incidents/api_keys/api_keys.html", context)


@page("view_desk")
def api_key_new(request: Request) -> HttpResponse:
    """Issues a key. Its text is in this one answer and nowhere else."""
    form = KeyForm(request.POST or None, initial={"expires_at": timezone.now() + KEY_LASTS, "scopes": ["read"]})

    def issue(given: dict) -> tuple[ApiKey, str]:
        return acts.issue_key(request.user, **given, actor=request.user, at=timezone.now())

    if request.method == "POST" and attempt(form, issue):
        key, secret = form.result  # type: ignore[attr-defined]
        response = _show(request, ISSUED, title="Your new key", key=key, secret=secret)
        response["Cache-Control"] = "no-store"
        return response
    words = {"text": "Other software signs in with it as you.", "submit": "Issue the key"}
    return _show(request, FRAGMENT, title="New API key", form=form, action=request.get_full_path(), **words)


ISSUED = "incidents/api_keys/_issued.html"


def _show(request: Request, fragment: str, **context: object) -> HttpResponse:
    name = fragment if getattr(request, "htmx", False) else PAGE
    refused = request.method == "POST" and fragment == FRAGMENT
    return render(request, name, context | {"fragment": fragment}, status=422 if refused else 200)


@page()
@require_POST
def api_key_revoke(request: Request, pk: int) -> HttpResponse:
    """It stops working at once."""
    mine_or_any = ApiKey.objects.all() if permissions.can(request.user, "configure") else request.user.api_keys.all()
    found = acts.revoke_key(get_object_or_404(mine_or_any, pk=pk).pk, actor=request.user, at=timezone.now())
    return go(request, way_back(request, reverse("api_keys")), f"“{found.name}” no longer works.")
