"""The RACI matrix: shown as the table, edited by an administrator, every saving a new version."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.actions.raci import save_matrix
from incidents.errors import Invalid, ProcessError
from incidents.forms.settings import RaciForm
from incidents.models import RaciMatrix, default_cells
from incidents.process import ROLE_ABBREVIATIONS, STEP_BY_KEY, Role
from incidents.views.dialogs import go, put_errors
from incidents.views.gate import Request, page


@page("view_desk")
def raci(request: Request) -> HttpResponse:
    """`?version=2` shows an older one; the newest may be edited with `?edit=1`."""
    versions = list(RaciMatrix.objects.select_related("created_by"))
    shown = _chosen(versions, request.GET.get("version", ""))
    newest = versions[0].version if versions else 0
    may_edit = permissions.can(request.user, "configure") and shown.version == newest
    if request.method == "POST":
        return _save(request, shown, versions)
    form = RaciForm(matrix=shown) if may_edit and request.GET.get("edit") else None
    return _show(request, shown, versions, form=form, may_edit=may_edit)


def _chosen(versions: list[RaciMatrix], asked: str) -> RaciMatrix:
    if not asked and versions:
        return versions[0]
    for one in versions:
        if str(one.version) == asked:
            return one
    if asked:
        raise Http404("There is no such version of the matrix.")
    return RaciMatrix(version=0, cells=default_cells(), note="As shipped")


def _save(request: Request, shown: RaciMatrix, versions: list[RaciMatrix]) -> HttpResponse:
    permissions.require(request.user, "configure")
    form = RaciForm(request.POST, matrix=shown)
    if form.is_valid():
        given = form.cleaned_data
        try:
            saved = save_matrix(
                form.cells, note=given["note"], based_on=given["based_on"], actor=request.user, at=timezone.now()
            )
            return go(request, reverse("raci"), f"Saved as version {saved.version}. Open incidents keep theirs.")
        except ProcessError as refusal:
            _put_at_rows(form, refusal)
    return _show(request, shown, versions, form=form, may_edit=True, status=422)


def _put_at_rows(form: RaciForm, refusal: ProcessError) -> None:
    errors = refusal.errors if isinstance(refusal, Invalid) else {}
    form.row_errors = {key: sentences for key, sentences in errors.items() if key in STEP_BY_KEY}
    if not form.row_errors:
        put_errors(form, refusal)


def _show(
    request: Request, shown: RaciMatrix, versions: list[RaciMatrix], *, status: int = 200, **context: Any
) -> HttpResponse:
    columns = [(ROLE_ABBREVIATIONS[role], role.label) for role in Role]
    context |= {"matrix": shown, "versions": versions, "columns": columns}
    return render(request, "incidents/settings/raci.html", context, status=status)
