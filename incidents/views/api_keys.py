"""API keys: issued, shown once, revoked. Administrators look after everybody's, people after their own."""

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions.access import issue_key, revoke_key
from incidents.forms.settings import KeyForm
from incidents.models import ApiKey, User
from incidents.views.dialogs import attempt, go
from incidents.views.gate import Request, page


@never_cache
@page("view_desk")
def api_keys(request: Request) -> HttpResponse:
    """The list, and after issuing the new key's text, this once."""
    form = KeyForm(request.POST or None, people=_holders(request), initial={"user": request.user.pk})
    issued = None
    if request.method == "POST" and attempt(form, lambda given: _issue(request, given)):
        issued = form.result[1]  # type: ignore[attr-defined]
        form = KeyForm(people=_holders(request), initial={"user": request.user.pk})
    context = {"keys": _keys(request), "form": form, "issued": issued, "now": timezone.now()}
    status = 422 if request.method == "POST" and issued is None else 200
    return render(request, "incidents/settings/api_keys.html", context, status=status)


def _issue(request: Request, given: dict) -> tuple[ApiKey, str]:
    return issue_key(given.pop("user"), **given, actor=request.user, at=timezone.now())


def _holders(request: Request) -> QuerySet[User]:
    if permissions.can(request.user, "configure"):
        return User.objects.filter(is_active=True)
    return User.objects.filter(pk=request.user.pk)


def _keys(request: Request) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(user__in=_holders(request)).select_related("user")[:200]


@page("view_desk")
@require_POST
def api_key_revoke(request: Request, pk: int) -> HttpResponse:
    if not _keys(request).model.objects.filter(pk=pk, user__in=_holders(request)).exists():
        raise Http404("There is no such key.")
    key = revoke_key(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("api_keys"), f"“{key.name}” no longer works.")
