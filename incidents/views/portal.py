"""The portal: is it known? If not, report it."""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import affected, kept_files
from incidents.actions import tickets as acts
from incidents.errors import ProcessError
from incidents.forms.portal import ReportForm
from incidents.models import Channel, KeptFile, MajorIncident, Ticket
from incidents.queries.portal import current_outages, my_reports, solved_lately
from incidents.views.dialogs import attempt, go, sent
from incidents.views.gate import Request, page

SHORT_LIST = 6


@page("use_portal")
def portal(request: Request) -> HttpResponse:
    if request.method == "POST":
        return _reported(request)
    return _shown(request, ReportForm(), [])


def _shown(request: Request, form: ReportForm, kept: list[KeptFile], status: int = 200) -> HttpResponse:
    context = {
        "outages": current_outages(request.user),
        "lately": solved_lately(timezone.now()),
        "reports": my_reports(request.user, show="open", size=SHORT_LIST),
        "form": form,
        "kept": kept,
    }
    return render(request, "incidents/portal/portal.html", context, status=status)


def _reported(request: Request) -> HttpResponse:
    """Good files are kept first, so that whatever else is refused, none has to be chosen again."""
    form = ReportForm(sent(request), request.FILES)
    by: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    kept = kept_files.kept_of(request.user, request.POST.getlist("kept"))
    added, refused = kept_files.keep(request.FILES.getlist("attachments"), beside=len(kept), **by)
    files = [*kept, *added]
    for sentence in refused:
        form.add_error("attachments", sentence)
    if attempt(form, lambda given: _report(form, files, by)):
        made = form.result  # type: ignore[attr-defined]
        return go(request, reverse("ticket", args=[made.pk]), f"Thank you. Your report is {made.ref}.")
    return _shown(request, form, files, status=422)


@transaction.atomic
def _report(form: ReportForm, files: list[KeptFile], by: dict[str, Any]) -> Ticket:
    made = acts.open_ticket(**form.report(), channel=Channel.PORTAL, **by)
    kept_files.attach_kept(made.pk, files, **by)
    return made


@page("use_portal")
def portal_outages(request: Request) -> HttpResponse:
    """Current outages in public words, asked for again every half minute."""
    return render(request, "incidents/portal/_outages.html", {"outages": current_outages(request.user)})


@page("use_portal")
@require_POST
def portal_affected(request: Request, pk: int) -> HttpResponse:
    """One click: I'm affected too, or (`undo`) not after all."""
    try:
        if request.POST.get("undo"):
            affected.take_back(pk, actor=request.user, at=timezone.now())
        else:
            affected.say_affected(pk, actor=request.user, at=timezone.now())
    except MajorIncident.DoesNotExist:
        raise Http404("There is no such disruption.") from None
    except ProcessError as refusal:
        if not getattr(request, "htmx", False):
            raise
        return _outages(request, refusal.message)
    if getattr(request, "htmx", False):
        return _outages(request)
    return go(request, reverse("portal"))


def _outages(request: Request, sentence: str = "") -> HttpResponse:
    context = {"outages": current_outages(request.user), "sentence": sentence}
    return render(request, "incidents/portal/_outages.html", context)
