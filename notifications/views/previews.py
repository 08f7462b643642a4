"""The previews inside the declare and update dialogs: who gets what on which channel. Fragments; they write nothing."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.errors import ProcessError
from incidents.models import Candidate, Service
from incidents.permissions import require, visible_candidates, visible_incidents, visible_tickets
from incidents.priority import Severity
from incidents.process import Audience
from notifications import preview
from notifications.views.door import reader, signed_in

_TEXTS = ("description", "revenue_impact", "reputation_impact")


@require_POST
@signed_in
def declare_preview(request: HttpRequest) -> HttpResponse:
    """What declaring with the fields typed so far would do."""
    require(reader(request), "declare")
    try:
        shown = preview.of_declaration(actor=reader(request), at=timezone.now(), **_declaration(request))
    except ProcessError as refusal:
        return render(request, "notifications/previews/_refused.html", {"refusal": refusal}, status=422)
    return render(request, "notifications/previews/_declaration.html", {"preview": shown})


@require_POST
@signed_in
def update_preview(request: HttpRequest, ref: int) -> HttpResponse:
    """Who would get this status update and in which words."""
    incident = get_object_or_404(visible_incidents(reader(request)), pk=ref)
    require(reader(request), "contribute", incident)
    chosen = [name for name in request.POST.getlist("audiences") if name in Audience.values] or Audience.values
    texts = {name: request.POST.get(f"text_{name}") or request.POST.get("text", "") for name in chosen}
    try:
        shown = preview.of_update(incident, texts=texts, next_update_at=None, actor=reader(request), at=timezone.now())
    except ProcessError as refusal:
        return render(request, "notifications/previews/_refused.html", {"refusal": refusal}, status=422)
    return render(request, "notifications/previews/_update.html", {"preview": shown})


def _declaration(request: HttpRequest) -> dict[str, Any]:
    """The fields of the dialog as far as they are filled in: a preview is shown while somebody still types."""
    post = request.POST
    people = post.get("users_affected", "")
    return {
        "title": post.get("title", "").strip()[:250] or "(no title yet)",
        "services": _services(post.getlist("services")),
        "impact": _level(post.get("impact")),
        "urgency": _level(post.get("urgency")),
        "severity": post.get("severity") if post.get("severity") in Severity.values else None,
        "tickets": list(visible_tickets(reader(request)).filter(pk__in=_numbers(post.getlist("tickets"), "INC"))),
        "candidate": _candidate(request),
        "is_drill": bool(post.get("is_drill")),
        "affects": post.get("affects") if post.get("affects") in ("customers", "employees", "both") else "both",
        "users_affected": int(people) if people.isascii() and people.isdigit() and len(people) < 10 else None,
        **{name: post.get(name, "").strip() for name in _TEXTS},
    }


def _services(given: list[str]) -> list[Service]:
    """Named by id or slug, as the dialog's list sends them."""
    numbers = [value for value in given if value.isascii() and value.isdigit() and len(value) < 19]
    named = Service.objects.filter(pk__in=numbers) | Service.objects.filter(slug__in=[one[:120] for one in given])
    return list(named)


def _candidate(request: HttpRequest) -> Candidate | None:
    numbers = _numbers([request.POST.get("candidate", "")], "CAN")
    return visible_candidates(reader(request)).filter(pk__in=numbers).first() if numbers else None


def _numbers(given: list[str], prefix: str) -> list[int]:
    words = " ".join(given).replace(",", " ").upper().split()
    bare = [word.removeprefix(f"{prefix}-") for word in words]
    return [int(word) for word in bare if word.isascii() and word.isdigit() and len(word) < 19]


def _level(given: str | None) -> int:
    return int(given) if given in ("1", "2", "3", "4") else 2
