"""Declaring a major incident: from nothing, from a candidate, or from tickets."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.actions import major_incidents
from incidents.forms.declare import DeclareForm
from incidents.models import User
from incidents.queries.declaring import beginning_of, preview_of
from incidents.views.acting import attempt, done, entered

FRAGMENT = "incidents/declare/_fragment.html"


@entered
def declare(request: HttpRequest) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]
    if request.method != "POST":
        permissions.require(user, "declare")
        begun = beginning_of(user, request.GET.get("candidate", ""), request.GET.get("tickets", ""))
        return _show(request, DeclareForm(user=user, initial=begun))
    form = DeclareForm(request.POST, user=user)
    succeeded, incident = attempt(form, lambda given: _declare(user, dict(given)))
    if succeeded:
        said = f"{incident.ref} is declared. The four audiences are being told."
        return done(request, said, back=reverse("war_room", args=[incident.ref]), leave=True)
    return _show(request, form, status=422)


def _declare(user: User, given: dict[str, Any]) -> Any:
    started_at = given.pop("started_at")
    clocks = {"started_at": started_at} if started_at else {}
    return major_incidents.declare(**given, clocks_given=clocks, actor=user, at=timezone.now())


def _show(request: HttpRequest, form: DeclareForm, status: int = 200) -> HttpResponse:
    name = FRAGMENT if getattr(request, "htmx", False) else "incidents/declare/declare.html"
    context = {"form": form, "preview": preview_of(form.user, form), "back": reverse("command")}
    return render(request, name, context, status=status)


@entered
def preview(request: HttpRequest) -> HttpResponse:
    """What declaring what is typed now would do. Nothing is written."""
    user: User = request.user  # type: ignore[assignment]
    permissions.require(user, "declare")
    form = DeclareForm(request.POST, user=user)
    return render(
        request, "incidents/declare/preview/_fragment.html", {"form": form, "preview": preview_of(user, form)}
    )


@entered
def services(request: HttpRequest) -> HttpResponse:
    """The choice of services cut down to those that match what is typed; chosen ones always stay."""
    permissions.require(request.user, "declare")  # type: ignore[arg-type]
    form = DeclareForm(request.POST, user=request.user)
    words = request.POST.get("service_words", "").strip().casefold()
    chosen = set(request.POST.getlist("services"))
    options = [o for o in form["services"] if words in str(o.choice_label).casefold() or str(o.data["value"]) in chosen]
    return render(request, "incidents/declare/_services.html", {"options": options})
