"""People: who has an account, with which roles; invited, corrected, deactivated by administrators."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import people as acts
from incidents.forms.people import InviteForm, PersonForm
from incidents.models import User
from incidents.process import AccountRole
from incidents.queries.paging import page_of
from incidents.queries.people import ORDER, STATES, filtered_people, teams_to_choose
from incidents.views.dialogs import dialog, go, way_back
from incidents.views.gate import Request, page


@page("configure")
def people(request: Request) -> HttpResponse:
    asked = {name: request.GET.get(name, "")[:200] for name in ("q", "role", "team")}
    state = request.GET.get("state", "active")
    context = {
        "page": page_of(filtered_people(**asked, state=state), ORDER, request.GET.get("after", "")),
        "asked": asked | {"state": state},
        "roles": AccountRole.choices,
        "teams": teams_to_choose(),
        "states": list(STATES.items()),
        "now": timezone.now(),
        "is_narrow": any(asked.values()) or state != "active",
    }
    return render(request, "incidents/people/people.html", context)


@page("configure")
def person_invite(request: Request) -> HttpResponse:
    def invite(given: dict[str, Any]) -> User:
        person = acts.invite_person(**given, actor=request.user, at=timezone.now())
        messages.success(
            request, f"{person.display_name} is invited: a link to choose a password went to {person.email}."
        )
        return person

    return dialog(
        request,
        InviteForm(request.POST or None),
        invite,
        title="Invite somebody",
        text="They get a mail with a link to choose their password.",
        submit="Send the invitation",
        wide=True,
        back=lambda invited: reverse("people"),
    )


@page("configure")
def person_edit(request: Request, pk: int) -> HttpResponse:
    """One account: its fields, and below them what can be done with its access."""
    found = get_object_or_404(User.objects.select_related("team", "line_manager"), pk=pk)
    form = PersonForm(request.POST or None, initial=PersonForm.initial_of(found))

    def save(given: dict[str, Any]) -> None:
        acts.edit_person(pk, changes=form.changes(), actor=request.user, at=timezone.now())

    return dialog(
        request,
        form,
        save,
        title=found.display_name,
        said=f"{found.display_name} is saved.",
        back=reverse("people"),
        template="incidents/people/_person.html",
        person=found,
        is_me=found.pk == request.user.pk,
        now=timezone.now(),
    )


_ACTS = {
    "deactivate": (acts.deactivate_person, "can no longer sign in."),
    "activate": (acts.activate_person, "may sign in again."),
    "send-link": (acts.send_password_link, "gets a mail with a link to choose a password."),
}


@page("configure")
@require_POST
def person_do(request: Request, pk: int, act: str) -> HttpResponse:
    """deactivate, activate, send-link (to choose a password)."""
    found = get_object_or_404(User, pk=pk)
    if act not in _ACTS:
        raise Http404
    do, words = _ACTS[act]
    do(found.pk, actor=request.user, at=timezone.now())
    return go(request, way_back(request, reverse("people")), f"{found.display_name} {words}")
