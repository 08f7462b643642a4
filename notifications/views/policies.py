"""Escalation policies: who is paged on which occasion, read by the desk, changed by administrators."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from incidents.permissions import can, require
from incidents.views.dialogs import dialog, sent
from notifications.escalation_policy import save_policy
from notifications.forms import PolicyForm
from notifications.models import Occasion
from notifications.page_queries import policies_shown
from notifications.views.door import reader, signed_in


@require_GET
@signed_in
def escalation_policies(request: HttpRequest) -> HttpResponse:
    require(reader(request), "view_desk")
    context = {"policies": policies_shown(at=timezone.now()), "may_change": can(reader(request), "configure")}
    return render(request, "notifications/policies.html", context)


@signed_in
def escalation_policy(request: HttpRequest, occasion: str) -> HttpResponse:
    """Changes what happens from the next page on; pages under way keep theirs."""
    require(reader(request), "configure")
    if occasion not in Occasion.values:
        raise Http404
    shown = next(one for one in policies_shown(at=timezone.now()) if one.occasion == occasion)
    form = PolicyForm(
        sent(request), initial=PolicyForm.initial_of(shown.plain_steps, shown.repeat), steps=shown.plain_steps
    )
    return dialog(
        request,
        form,
        lambda given: save_policy(occasion, **given, actor=reader(request), at=timezone.now()),
        title=str(Occasion(occasion).label),
        said="Saved. Pages under way keep the policy they began with.",
        back=reverse("escalation_policies"),
        template="notifications/pages/_policy.html",
        wide=True,
    )
