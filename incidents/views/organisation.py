"""Settings of the organisation, its audiences, and who is on call."""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents import permissions
from incidents.actions import organisation as acts
from incidents.actions.holidays import set_holidays
from incidents.forms.settings import AudienceForm, OrganisationForm, ShiftForm
from incidents.models import AudienceMembership, OnCallShift, Organisation
from incidents.process import AccountRole, Audience
from incidents.views.dialogs import attempt, dialog, go
from incidents.views.gate import Request, page


@page("configure")
def organisation(request: Request) -> HttpResponse:
    form = OrganisationForm(request.POST or None, initial=OrganisationForm.initial_of(Organisation.current()))

    @transaction.atomic
    def save(given: dict[str, Any]) -> None:
        at = timezone.now()
        acts.edit_organisation(changes=form.settings(), actor=request.user, at=at)
        set_holidays(given["holidays"], actor=request.user, at=at)

    if request.method == "POST" and attempt(form, save):
        return go(request, reverse("organisation"), "Saved.")
    status = 422 if request.method == "POST" else 200
    return render(request, "incidents/settings/organisation.html", {"form": form}, status=status)


@page("configure")
def audiences(request: Request) -> HttpResponse:
    kept = {row.audience: row for row in AudienceMembership.objects.prefetch_related("people")}
    labels = dict(AccountRole.choices)
    rows = [
        {
            "audience": audience,
            "row": kept.get(audience),
            "roles": [labels[role] for role in kept[audience].roles if role in labels] if audience in kept else [],
        }
        for audience in Audience
    ]
    return render(request, "incidents/settings/audiences.html", {"rows": rows})


@page("configure")
def audience(request: Request, name: str) -> HttpResponse:
    if name not in Audience.values:
        raise Http404("There is no such audience.")
    row = AudienceMembership.objects.filter(audience=name).first()
    initial = {"roles": row.roles, "people": row.people.all(), "empty_reason": row.empty_reason} if row else {}
    return dialog(
        request,
        AudienceForm(request.POST or None, initial=initial),
        lambda given: acts.set_audience(name, **given, actor=request.user, at=timezone.now()),
        title=Audience(name).label,
        text="Who is told about every major incident, besides those the incident itself adds.",
        back=reverse("audiences"),
        said="Saved.",
    )


@page("view_desk")
def on_call(request: Request) -> HttpResponse:
    """Who is on call now and next."""
    now = timezone.now()
    shifts = list(
        OnCallShift.objects.filter(ends_at__gt=now).select_related("person").order_by("starts_at", "rank")[:200]
    )
    context = {
        "current": [one for one in shifts if one.starts_at <= now],
        "coming": [one for one in shifts if one.starts_at > now],
        "labels": dict(AccountRole.choices),
        "uncovered": _uncovered([one for one in shifts if one.starts_at <= now]),
        "may_edit": permissions.can(request.user, "configure_services"),
    }
    return render(request, "incidents/settings/on_call.html", context)


_SHOULD_BE_COVERED = (AccountRole.MAJOR_INCIDENT_MANAGER, AccountRole.SERVICE_DESK_MANAGER)


def _uncovered(current: list[OnCallShift]) -> list[str]:
    covered = {one.role for one in current}
    return [role.label for role in _SHOULD_BE_COVERED if role not in covered]


@page("configure_services")
def shift_new(request: Request) -> HttpResponse:
    return dialog(
        request,
        ShiftForm(request.POST or None),
        lambda given: acts.add_shift(**given, actor=request.user, at=timezone.now()),
        title="Add a shift",
        submit="Add",
        back=reverse("on_call"),
    )


@page("configure_services")
@require_POST
def shift_remove(request: Request, pk: int) -> HttpResponse:
    get_object_or_404(OnCallShift, pk=pk)
    acts.remove_shift(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("on_call"), "The shift is removed.")
