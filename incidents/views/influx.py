"""The influx detector: what is in force, who changed it, and trying thresholds on past tickets before saving them."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import backtests as acts
from incidents.forms.influx import BacktestForm
from incidents.models import Backtest, Service
from incidents.queries import backtests as queries
from incidents.queries.backtest_charts import shown
from incidents.queries.influx import in_force
from incidents.views.dialogs import attempt, go
from incidents.views.gate import Request, page


@page("view_desk")
def influx(request: Request) -> HttpResponse:
    service = Service.objects.filter(slug=request.GET.get("service", "")[:120]).first()
    own = in_force().of(service.pk if service else None)
    form = BacktestForm(initial=BacktestForm.initial_of(own, service, timezone.localdate()))
    return _show(request, form)


def _show(request: Request, form: BacktestForm, *, status: int = 200) -> HttpResponse:
    context = {
        "rows": queries.in_force_rows(),
        "changes": queries.changes(),
        "backtests": queries.latest(),
        "form": form,
        "may_configure": permissions.can(request.user, "configure_influx"),
    }
    return render(request, "incidents/influx/influx.html", context, status=status)


@page("configure_influx")
@require_POST
def influx_try(request: Request) -> HttpResponse:
    """Queues a back-test and shows it running."""
    form = BacktestForm(request.POST)

    def ask(given: dict[str, Any]) -> Backtest:
        since, until = form.period()
        return acts.ask(
            since=since, until=until, service=given["service"], thresholds=form.thresholds(), actor=request.user,
            at=timezone.now(),
        )  # fmt: skip

    if attempt(form, ask):
        return go(request, reverse("influx_backtest", args=[form.result.pk]))  # type: ignore[attr-defined]
    return _show(request, form, status=422)


@page("view_desk")
def influx_backtest(request: Request, pk: int) -> HttpResponse:
    return render(request, "incidents/influx/backtest.html", _backtest(request, pk))


@page("view_desk")
def influx_backtest_now(request: Request, pk: int) -> HttpResponse:
    """How far it is, and what it shows once it is done."""
    return render(request, "incidents/influx/_backtest.html", _backtest(request, pk))


def _backtest(request: Request, pk: int) -> dict[str, Any]:
    job = get_object_or_404(Backtest.objects.select_related("service", "asked_by"), pk=pk)
    may = permissions.can(request.user, "configure_influx")
    return {"job": job, "shown": shown(job), "may_configure": may}


@page("configure_influx")
@require_POST
def influx_save(request: Request, pk: int) -> HttpResponse:
    """Puts the thresholds of a finished back-test into force."""
    get_object_or_404(Backtest, pk=pk)
    acts.save(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("influx"), "The thresholds are in force.")


@page("configure_influx")
@require_POST
def influx_follow(request: Request, slug: str) -> HttpResponse:
    """The service follows the organisation's thresholds again."""
    found = get_object_or_404(Service, slug=slug)
    acts.follow_organisation(found.pk, actor=request.user, at=timezone.now())
    return go(request, reverse("influx"), f"{found.name} follows the organisation.")
