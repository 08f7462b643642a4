"""Acts on many tickets: chosen in a list, asked for in a dialog, followed on a page with one row a ticket."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.forms import BaseForm
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import cascades, merging
from incidents.actions import tickets as acts
from incidents.errors import Invalid
from incidents.forms import ticket_jobs as forms
from incidents.forms.tickets import AssignForm, ResolveForm
from incidents.models import CascadeJob, CascadeOutcome, MajorIncident, Ticket
from incidents.queries.chosen import Chosen, reach_of
from incidents.queries.merging import merge_preview
from incidents.queries.paging import page_of
from incidents.views.dialogs import dialog, go, sent, way_back
from incidents.views.gate import Request, page

AT_ONCE = 25
"""So many tickets are done while the person waits; more are left to a worker."""
_Given = dict[str, Any]


@dataclass(frozen=True)
class Bulk:
    """One act: its form, its words, and what of the form the job needs."""

    form: type[BaseForm]
    title: str
    submit: str
    parameters: Callable[[_Given], _Given]


def _ids(given: _Given) -> _Given:
    return {f"{name}_id": given[name].pk for name in ("assignee", "team", "service") if given.get(name)}


BULK = {
    "assign": Bulk(AssignForm, "Assign", "Assign", _ids),
    "service": Bulk(forms.ServiceForm, "Which service are they about?", "Set service", _ids),
    "link": Bulk(forms.LinkManyForm, "Link to a major incident", "Link", lambda given: {}),
    "unlink": Bulk(forms.UnlinkForm, "Unlink from the major incident", "Unlink", lambda given: given),
    "resolve": Bulk(ResolveForm, "Resolve", "Resolve", lambda given: given),
    "close": Bulk(forms.NothingForm, "Close", "Close", lambda given: {}),
    "reply": Bulk(forms.ReplyForm, "Reply to the requesters", "Send", lambda given: given),
}


@page("work_ticket")
def bulk(request: Request, act: str) -> HttpResponse:
    """A dialog about the chosen tickets: assign, service, link, unlink, resolve, close, reply."""
    chosen, what = Chosen.read(request.GET, request.POST), BULK[act]
    parent = _parent(request)
    form = what.form(sent(request), initial={"incident": parent})
    result: dict[str, Any] = {}

    def do(given: _Given) -> None:
        if chosen.only and act in ("assign", "link"):
            return _do_one(chosen.only, act, given, request)
        incident = given.get("incident") or parent
        result["job"] = start(request, act, chosen, incident, what.parameters(given))
        return None

    return dialog(
        request, form, do, title=what.title, text=_words(act, chosen, request), submit=what.submit,
        back=lambda _: _after(request, chosen, result.get("job")),
    )  # fmt: skip


def start(request: Request, act: str, chosen: Chosen, incident: MajorIncident | None, parameters: _Given) -> CascadeJob:
    """Makes the job; a small one is done at once."""
    job = cascades.begin(
        act, chosen.rows(request.user), incident=incident, parameters=parameters, actor=request.user,
        at=timezone.now(),
    )  # fmt: skip
    if job.results.count() <= AT_ONCE:
        cascades.run(job.pk, at=timezone.now())
    return job


def _do_one(number: int, act: str, given: _Given, request: Request) -> None:
    by: _Given = {"actor": request.user, "at": timezone.now()}
    if act == "link":
        acts.link([number], incident_id=given["incident"].pk, **by)
    else:
        acts.assign(number, **given, **by)


def _parent(request: Request) -> MajorIncident | None:
    number = request.GET.get("incident", "")
    return MajorIncident.objects.filter(pk=number).first() if number.isdecimal() and len(number) < 15 else None


def _words(act: str, chosen: Chosen, request: Request) -> str:
    """Which tickets, and of a reply whom it reaches."""
    named = chosen.named(request.user)
    if act != "reply":
        return named
    reach = reach_of(chosen.rows(request.user))
    silent = f" {reach.silent} of the tickets have nobody who could be told." if reach.silent else ""
    people = "1 person is" if reach.people == 1 else f"{reach.people:,} people are"
    return f"{reach.tickets:,} ticket{'' if reach.tickets == 1 else 's'}: {people} told, each once.{silent}"


def _after(request: Request, chosen: Chosen, job: CascadeJob | None) -> str:
    """Back to the list when all is done; else to the page that says what was not, and why."""
    default = reverse("ticket", args=[chosen.only]) if chosen.only else reverse("ticket_list")
    if job is None:
        return way_back(request, default)
    counts = cascades.counts_of(job)
    is_done = counts[CascadeOutcome.DONE] == sum(counts.values())
    return way_back(request, default) if is_done else reverse("ticket_job", args=[job.pk])


@page("work_ticket")
@require_POST
def take_tickets(request: Request) -> HttpResponse:
    """The chosen tickets become mine."""
    chosen = Chosen.read(request.POST)
    job = start(request, "assign", chosen, None, {"assignee_id": request.user.pk})
    done = cascades.counts_of(job)[CascadeOutcome.DONE]
    back = _after(request, Chosen(()), job)
    return go(request, back, f"{done} {'ticket is' if done == 1 else 'tickets are'} yours now.")


@page("work_ticket")
def tickets_merge(request: Request) -> HttpResponse:
    """The chosen tickets become one of them."""
    chosen = Chosen.read(request.GET)
    rows = list(chosen.rows(request.user).select_related("requester").order_by("reported_at", "pk")[:51])
    form = forms.MergeManyForm(sent(request), chosen=rows)

    def merge(given: _Given) -> Ticket:
        if chosen.matching is not None:
            raise Invalid("Tick the tickets that are one; a whole filter is not merged.")
        by: _Given = {"actor": request.user, "at": timezone.now()}
        return merging.merge_all([row.pk for row in rows], into_id=int(given["into"]), reason=given["reason"], **by)

    return dialog(
        request, form, merge, title="Merge into one ticket", text=chosen.named(request.user), submit="Merge",
        back=lambda ticket: reverse("ticket", args=[ticket.pk]), template="incidents/ticket/merging/_dialog.html",
        preview=merge_preview(rows[1:], rows[0]) if len(rows) > 1 else None,
    )  # fmt: skip


@page("view_desk")
def ticket_job(request: Request, pk: int) -> HttpResponse:
    return _show_job(request, pk, "job")


@page("view_desk")
def ticket_job_now(request: Request, pk: int) -> HttpResponse:
    """The figures and rows, fetched again while the job runs."""
    return _show_job(request, pk, "_now")


def _show_job(request: Request, pk: int, name: str) -> HttpResponse:
    jobs = CascadeJob.objects.select_related("major_incident", "requested_by")
    job = get_object_or_404(jobs, pk=pk)
    counts = cascades.counts_of(job)
    outcome = request.GET.get("outcome", "")
    rows = job.results.select_related("ticket__requester")
    if outcome in CascadeOutcome.values:
        rows = rows.filter(outcome=outcome)
    elif outcome:
        raise Http404
    context = {
        "job": job,
        "counts": [(value, CascadeOutcome(value).label, number) for value, number in counts.items()],
        "total": sum(counts.values()),
        "finished": sum(counts.values()) - counts[CascadeOutcome.WAITING],
        "failed": counts[CascadeOutcome.FAILED],
        "outcome": outcome,
        "page": page_of(rows, ("id",), request.GET.get("after", "")),
    }
    return render(request, f"incidents/ticket_jobs/{name}.html", context)


@page("work_ticket")
@require_POST
def ticket_job_retry(request: Request, pk: int) -> HttpResponse:
    job = get_object_or_404(CascadeJob, pk=pk)
    cascades.retry_failed(job.pk, actor=request.user, at=timezone.now())
    return go(request, reverse("ticket_job", args=[pk]), "What failed is tried again.")
