"""The RACI matrix: the table of the process, its versions, and the editor of administrators."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.actions.raci import save_matrix
from incidents.errors import Invalid, Stale
from incidents.forms.raci import MatrixForm
from incidents.queries import raci as reading
from incidents.templatetags.records import number_of
from incidents.views.dialogs import go
from incidents.views.gate import Request, page


@page("view_desk")
def raci(request: Request) -> HttpResponse:
    """The newest version, or an older one by `?version=`."""
    newest = reading.newest_matrix()
    wanted = request.GET.get("version", "")
    shown = reading.matrix_version(number_of(wanted) or 0) if wanted else newest
    if shown is None:
        raise Http404("There is no such version of the matrix.")
    counts = reading.incidents_by_version()
    context = {
        "matrix": shown,
        "is_newest": shown.version == newest.version,
        "rows": reading.matrix_rows(shown, reading.matrix_before(shown)),
        "columns": reading.COLUMNS,
        "versions": [(one, counts.get(one.pk)) for one in reading.versions()],
        "may_configure": permissions.can(request.user, "configure"),
    }
    return render(request, "incidents/raci/raci.html", context)


@page("configure")
def raci_edit(request: Request) -> HttpResponse:
    matrix = reading.newest_matrix()
    form = MatrixForm(request.POST or None, matrix=matrix)
    if request.method == "POST" and _save(request, form):
        return go(request, reverse("raci"), "Saved. New major incidents get this version; those under way keep theirs.")
    context = {"form": form, "matrix": matrix, "columns": reading.COLUMNS}
    return render(request, "incidents/raci/edit.html", context, status=422 if request.method == "POST" else 200)


def _save(request: Request, form: MatrixForm) -> bool:
    """A refusal lands at its row. After somebody else's version the next saving is based on theirs, once seen."""
    if not form.is_valid():
        return False
    given = form.cleaned_data
    try:
        save_matrix(form.cells(), note=given["note"], based_on=given["based_on"], actor=request.user, at=timezone.now())
    except Invalid as refusal:
        form.refuse(refusal.errors)
        return False
    except Stale as refusal:
        form.add_error(None, f"{refusal.message} Cells that differ from it are marked; save again to keep yours.")
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data["based_on"] = form.matrix.version  # type: ignore[index]
        return False
    return True
