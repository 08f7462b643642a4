"""People: the list, invitations, roles, access; and one's own settings."""

from collections.abc import Callable

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import people as acts
from incidents.forms.people import InviteForm, MeForm, PersonForm
from incidents.models import User
from incidents.process import AccountRole
from incidents.queries.paging import page_of
from incidents.queries.people import accounts
from incidents.views.dialogs import attempt, dialog, go
from incidents.views.gate import Request, page


@page("configure")
def people(request: Request) -> HttpResponse:
    asked = {name: request.GET.get(name, "")[:200] for name in ("q", "role")}
    state = request.GET.get("state", "active")
    context = {
        "page": page_of(accounts(**asked, state=state), ("name", "id"), request.GET.get("after", "")),
        "asked": asked | {"state": state},
        "roles": AccountRole.choices,
        "states": [("active", "Active"), ("disabled", "Disabled"), ("all", "All")],
        "labels": dict(AccountRole.choices),
    }
    return render(request, "incidents/people/people.html", context)


@page("configure")
def person_invite(request: Request) -> HttpResponse:
    return dialog(
        request,
        InviteForm(request.POST or None),
        lambda given: acts.invite_person(**given, actor=request.user, at=timezone.now()),
        title="Invite a person",
        text="They get a mail with a link to choose a password.",
        submit="Send invitation",
        back=reverse("people"),
        said="The invitation is on its way.",
    )


@page("configure")
def person_edit(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(User.objects.prefetch_related("role_rows"), pk=pk)
    form = PersonForm(request.POST or None, initial=PersonForm.initial_of(found))
    return dialog(
        request,
        form,
        lambda given: acts.edit_person(pk, changes=form.changes(), actor=request.user, at=timezone.now()),
        title=f"Edit {found.display_name}",
        back=reverse("people"),
        said="Saved.",
    )


_ACTS: dict[str, tuple[Callable[..., User], str]] = {
    "deactivate": (acts.deactivate_person, "can no longer sign in."),
    "activate": (acts.activate_person, "may sign in again."),
    "send-link": (acts.send_password_link, "gets a link to choose a password."),
}


@page("configure")
@require_POST
def person_do(request: Request, pk: int, act: str) -> HttpResponse:
    """deactivate, activate, send-link."""
    if act not in _ACTS:
        raise Http404
    found = get_object_or_404(User, pk=pk)
    done, words = _ACTS[act]
    done(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("people"), f"{found.display_name} {words}")


@page()
def my_settings(request: Request) -> HttpResponse:
    """One's own name, phone, time zone and look."""
    form = MeForm(request.POST or None, initial=MeForm.initial_of(request.user))

    def save(given: dict[str, object]) -> None:
        acts.edit_person(request.user.pk, changes=form.changes(), actor=request.user, at=timezone.now())

    if request.method == "POST" and attempt(form, save):
        return go(request, reverse("my_settings"), "Saved.")
    status = 422 if request.method == "POST" else 200
    roles = [AccountRole(role).label for role in sorted(request.user.account_roles)]
    return render(request, "incidents/people/me.html", {"form": form, "roles": roles}, status=status)
