"""The organisation: its settings, the priority table, its holidays."""

from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from incidents.actions import organisation as acts
from incidents.forms.organisation import HolidayForm, OrganisationForm, PriorityTableForm, TeamForm
from incidents.models import Holiday, Organisation, Team
from incidents.queries.organisation import holidays
from incidents.queries.people import teams_with_members
from incidents.views.dialogs import attempt, dialog, go
from incidents.views.gate import Request, page


@page("configure")
def organisation(request: Request) -> HttpResponse:
    """Shows the settings, or saves them."""
    row = Organisation.current()
    form = OrganisationForm(request.POST or None, initial=OrganisationForm.initial_of(row))
    if request.method == "POST":
        return _saved_or(request, row, form, form=form)
    return _show(request, row, form=form)


@page("configure")
@require_POST
def priority_table(request: Request) -> HttpResponse:
    row = Organisation.current()
    table = PriorityTableForm(request.POST, table=row.priority_table)
    return _saved_or(request, row, table, table=table)


def _saved_or(request: Request, row: Organisation, given: BaseForm, **forms: BaseForm) -> HttpResponse:
    def save(cleaned: dict) -> None:
        changes = {"priority_table": cleaned} if isinstance(given, PriorityTableForm) else cleaned
        acts.edit_organisation(changes=changes, actor=request.user, at=timezone.now())

    if attempt(given, save):
        return go(request, reverse("organisation"), "The settings are saved.")
    return _show(request, row, status=422, **forms)


def _show(
    request: Request,
    row: Organisation,
    *,
    form: BaseForm | None = None,
    table: BaseForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "organisation": row,
        "form": form or OrganisationForm(initial=OrganisationForm.initial_of(row)),
        "table": table or PriorityTableForm(table=row.priority_table),
        "holidays": holidays(timezone.localdate()),
        "teams": teams_with_members(),
    }
    return render(request, "incidents/organisation/organisation.html", context, status=status)


@page("configure")
def holiday_new(request: Request) -> HttpResponse:
    return dialog(
        request,
        HolidayForm(request.POST or None),
        lambda given: acts.add_holiday(**given, actor=request.user, at=timezone.now()),
        title="New holiday",
        text="Service hours do not count on this day.",
        submit="Add",
        back=reverse("organisation"),
    )


@page("configure")
@require_POST
def holiday_remove(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(Holiday, pk=pk)
    acts.remove_holiday(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("organisation"), f"{found.name} is no longer a holiday.")


@page("configure")
@require_http_methods(["GET", "POST"])
def team_new(request: Request) -> HttpResponse:
    return _team(request, None, title="New team")


@page("configure")
@require_http_methods(["GET", "POST"])
def team_edit(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(Team, pk=pk)
    return _team(request, found, title=f"Edit {found.name}")


def _team(request: Request, team: Team | None, *, title: str) -> HttpResponse:
    form = TeamForm(request.POST or None, initial=TeamForm.initial_of(team) if team else None)

    def save(given: dict) -> None:
        changes = form.changes() if team else given
        acts.save_team(team.pk if team else None, changes=changes, actor=request.user, at=timezone.now())

    return dialog(request, form, save, title=title, back=reverse("organisation"))
