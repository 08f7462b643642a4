"""What each figure means, and its target."""

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.forms.fields import DeskForm
from incidents.models import Organisation
from incidents.views.dialogs import dialog, sent
from incidents.views.gate import Request, page
from metrics.definitions import KPI_BY_KEY, KPIS, MORE_IS_BETTER, OTHERS, Kpi, Unit
from metrics.drill import CLOCK_WORDS
from metrics.models import Target
from metrics.targets import set_target

_MINUTES, _DAYS = 60, 86_400


def _scale(kpi: Kpi) -> tuple[float, str]:
    """By how much the number people type is multiplied, and what they are asked for."""
    if kpi.key == "mtbf":
        return _DAYS, "days"
    if kpi.unit == Unit.SECONDS:
        return _MINUTES, "minutes"
    if kpi.unit == Unit.SHARE:
        return 0.01, "per cent"
    return 1, f"{Organisation.current().currency} a month" if kpi.unit == Unit.MONEY else "a month"


class TargetForm(DeskForm):
    value = forms.FloatField(required=False, min_value=0)


@page("view_figures")
def kpi_definitions(request: Request) -> HttpResponse:
    targets = {row.kpi: row for row in Target.objects.select_related("set_by")}
    rows = [
        {
            "kpi": kpi,
            "start": CLOCK_WORDS.get(kpi.start, ""),
            "end": CLOCK_WORDS.get(kpi.end, ""),
            "others": OTHERS.get(kpi.key, ()),
            "target": targets.get(kpi.key),
            "more_is_better": kpi.key in MORE_IS_BETTER,
        }
        for kpi in KPIS
    ]
    return render(
        request,
        "metrics/definitions.html",
        {"rows": rows, "may_set": permissions.can(request.user, "configure_figures"),
         "currency": Organisation.current().currency},
    )  # fmt: skip


@page("configure_figures")
def target_edit(request: Request, key: str) -> HttpResponse:
    kpi = KPI_BY_KEY.get(key)
    if kpi is None:
        raise Http404
    factor, words = _scale(kpi)
    now = Target.objects.filter(kpi=key).values_list("value", flat=True).first()
    form = TargetForm(sent(request), initial={"value": None if now is None else round(now / factor, 4)})
    bound = "At least" if key in MORE_IS_BETTER else "At most"
    form.fields["value"].label = f"{bound}, in {words}" if words != "a month" else f"{bound} a month"
    form.fields["value"].help_text = "Leave it empty to have no target."
    return dialog(
        request,
        form,
        lambda given: set_target(
            key, None if given["value"] is None else given["value"] * factor, actor=request.user, at=timezone.now()
        ),
        title=f"Target: {kpi.label}",
        text=kpi.formula,
        back=reverse("kpi_definitions"),
        said="The target is set. Tiles show whether it is met.",
    )
