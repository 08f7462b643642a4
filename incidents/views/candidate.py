"""A candidate: its evidence, whom it waits for, and the verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.actions import candidates
from incidents.forms.candidates import CandidateForm, DismissForm, LinkForm
from incidents.models import Candidate, User
from incidents.queries.arrival_chart import arrival_chart
from incidents.queries.command import evidence_of
from incidents.views.acting import attempt, done, entered, show_dialog


@dataclass(frozen=True)
class Verdict:
    title: str
    submit: str
    said: str
    run: Callable[[int, dict[str, Any], dict[str, Any]], Any]
    form: type[CandidateForm] = CandidateForm
    text: str = ""
    danger: bool = False
    needs: str = "judge_candidate"


VERDICTS = {
    "acknowledge": Verdict(
        "Acknowledge", "Acknowledge", "Acknowledged; nobody else is paged.",
        lambda pk, given, by: candidates.acknowledge(pk, **by), text="You have seen it and decide. The paging stops.",
        needs="acknowledge_candidate",
    ),
    "link": Verdict(
        "Link to an open major incident", "Link", "Linked; its tickets are children now.",
        lambda pk, given, by: candidates.link(pk, incident_id=given["incident"].pk, **by), LinkForm,
        "Its tickets become children of that incident.",
    ),
    "dismiss": Verdict(
        "Dismiss", "Dismiss", "Dismissed.",
        lambda pk, given, by: candidates.dismiss(pk, reason=given["reason"], **by), DismissForm,
        "It is no major incident. Its tickets go on in the queue.", danger=True,
    ),
}  # fmt: skip


def load(request: HttpRequest, pk: int) -> Candidate:
    """404 for one that is not there or not this person's to see."""
    rows = permissions.visible_candidates(request.user)  # type: ignore[arg-type]
    found = rows.select_related("service", "raised_by", "acknowledged_by", "decided_by", "major_incident")
    if candidate := found.filter(pk=pk).first():
        return candidate
    raise Http404(f"There is no candidate CAN-{pk} that you may see.")


@entered
def candidate(request: HttpRequest, pk: int) -> HttpResponse:
    row = load(request, pk)
    return render(request, "incidents/candidate/candidate.html", _shown(row))


@entered
def fragment(request: HttpRequest, pk: int) -> HttpResponse:
    row = load(request, pk)
    return render(request, "incidents/candidate/_fragment.html", _shown(row))


def _shown(row: Candidate) -> dict[str, Any]:
    now = timezone.now()
    return {"candidate": row, "evidence": evidence_of(row, now), "arrivals": arrival_chart(row, now)}


@entered
def candidate_act(request: HttpRequest, pk: int, verdict: str) -> HttpResponse:
    row, wanted = load(request, pk), VERDICTS.get(verdict)
    if wanted is None:
        raise Http404("There is no such verdict.")
    user: User = request.user  # type: ignore[assignment]
    permissions.require(user, wanted.needs, row)
    form = wanted.form(request.POST if request.method == "POST" else None, user=user)
    by = {"actor": user, "at": timezone.now()}
    back = reverse("candidate", args=[row.ref])
    if request.method == "POST":
        succeeded, _ = attempt(form, lambda given: wanted.run(row.pk, given, by))
        if succeeded:
            return done(request, wanted.said, back=back)
    return show_dialog(
        request, form, fragment="incidents/acts/dialog.html", back=back, act=wanted, subject=f"{row.ref} {row.title}"
    )
