"""A candidate: its evidence, whom it waits for, and the verdict."""

from collections.abc import Callable
from dataclasses import dataclass, replace
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


MANY = {
    "acknowledge": replace(
        VERDICTS["acknowledge"], title="Acknowledge several",
        text="You have seen them and decide. The paging of each stops.",
    ),
    "dismiss": replace(
        VERDICTS["dismiss"], title="Dismiss several",
        text="None of them is a major incident; the one reason stays with each. Their tickets go on in the queue.",
    ),
}  # fmt: skip


@entered
def candidates_act(request: HttpRequest, verdict: str) -> HttpResponse:
    """One verdict on the candidates ticked in Command, and a row that says what became of each."""
    wanted = MANY.get(verdict)
    if wanted is None:
        raise Http404("There is no such verdict on several.")
    user: User = request.user  # type: ignore[assignment]
    permissions.require(user, wanted.needs)
    ids = [int(one) for one in request.GET.getlist("candidates") if one.isascii() and one.isdigit() and len(one) < 15]
    rows = permissions.visible_candidates(user).filter(pk__in=ids)
    subject = ", ".join(row.ref for row in rows.order_by("pk")[:12]) or "No candidate is selected."
    form = wanted.form(request.POST if request.method == "POST" else None, user=user)
    back = reverse("command")
    if request.method == "POST":
        by: dict[str, Any] = {"actor": user, "at": timezone.now()}
        succeeded, judged = attempt(
            form, lambda given: candidates.judge_many(ids, verdict, reason=given.get("reason", ""), **by)
        )
        if succeeded:
            return _judged(request, wanted, judged, back)
    return show_dialog(request, form, fragment="incidents/acts/dialog.html", back=back, act=wanted, subject=subject)


def _judged(request: HttpRequest, wanted: Verdict, judged: list[candidates.Judged], back: str) -> HttpResponse:
    """The rows stay in the dialog until they are read; the board behind it is fetched again at once."""
    fragment = "incidents/candidate/_judged.html"
    name = fragment if getattr(request, "htmx", False) else "incidents/acts/page.html"
    done_of = sum(row.outcome == "done" for row in judged)
    context = {"act": wanted, "judged": judged, "done": done_of, "back": back, "fragment": fragment}
    answer = render(request, name, context)
    answer["HX-Trigger"] = "acted"
    return answer
