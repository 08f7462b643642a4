"""Alert rules: the list in their order, the editor with its dry run."""

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from incidents import permissions
from incidents.actions import rule_settings as acts
from incidents.forms.monitoring import RuleForm
from incidents.models import Alert, AlertRule
from incidents.queries.rules import conditions_in_words, outcome_in_words, rules, try_rule, undecided
from incidents.views.dialogs import attempt, go, sent
from incidents.views.gate import Request, page

DAYS = {"1": 1, "7": 7, "30": 30, "90": 90}
"""How far back a dry run may look."""


@page("view_desk")
def alert_rules(request: Request) -> HttpResponse:
    """In their order: the first that fits decides."""
    found = list(rules())
    context = {
        "rows": [(rule, conditions_in_words(rule), outcome_in_words(rule)) for rule in found],
        "undecided": undecided(),
        "may_configure": permissions.can(request.user, "configure_integrations"),
    }
    return render(request, "incidents/alert_rules/alert_rules.html", context)


@page("configure_integrations")
@require_http_methods(["GET", "POST"])
def rule_new(request: Request) -> HttpResponse:
    """`?alert=7` begins with what that alert looks like."""
    number = request.GET.get("alert", "")
    alert = Alert.objects.filter(pk=number).first() if number.isdigit() and len(number) < 15 else None
    return _editor(request, None, RuleForm(sent(request), initial=RuleForm.initial_from(alert) if alert else None))


@page("configure_integrations")
@require_http_methods(["GET", "POST"])
def rule_edit(request: Request, pk: int) -> HttpResponse:
    rule = get_object_or_404(rules(), pk=pk)
    return _editor(request, rule, RuleForm(sent(request), initial=RuleForm.initial_of(rule)))


def _editor(request: Request, rule: AlertRule | None, form: RuleForm) -> HttpResponse:
    def save(given: dict[str, Any]) -> AlertRule:
        changes = form.fields_of(form.changes() if rule else given)
        return acts.save_rule(rule.pk if rule else None, changes=changes, actor=request.user, at=timezone.now())

    if request.method == "POST" and attempt(form, save):
        saved: AlertRule = form.result  # type: ignore[attr-defined]
        return go(request, reverse("alert_rules") + f"#rule-{saved.pk}", f"“{saved.name}” is saved.")
    context = {"rule": rule, "form": form}
    return render(
        request, "incidents/alert_rules/editor.html", context, status=422 if request.method == "POST" else 200
    )


@page("configure_integrations")
@require_POST
def rule_dry_run(request: Request) -> HttpResponse:
    """What the rule as it stands in the form would have met, and which rule decides about the newest of them.

    `?rule=7` says which one is being edited; a new one stands last. The name may still be missing.
    """
    number = request.GET.get("rule", "")
    rule = AlertRule.objects.filter(pk=number).first() if number.isdigit() and len(number) < 15 else None
    given = request.POST.copy()
    given["name"] = given.get("name") or "Dry run"
    form = RuleForm(given)
    if not form.is_valid():
        return render(request, "incidents/alert_rules/_refused.html", {"form": form}, status=422)
    draft, services = acts.drafted(form.fields_of(form.cleaned_data), rule)
    days = DAYS.get(request.POST.get("days", ""), 7)
    tried = try_rule(draft, services or [], since=timezone.now() - timedelta(days=days))
    name = "_matches" if getattr(request, "htmx", False) else "dry_run"
    context = {"matches": tried.matches, "rows": tried.newest, "days": days}
    return render(request, f"incidents/alert_rules/{name}.html", context)


def _move(up: bool) -> Any:
    return lambda pk, by: acts.move_rule(pk, up=up, **by)


def _switch(on: bool) -> Any:
    return lambda pk, by: acts.save_rule(pk, changes={"is_active": on}, **by)


ACTS: dict[str, tuple[Any, str]] = {
    "up": (_move(True), "is asked earlier now"),
    "down": (_move(False), "is asked later now"),
    "switch-on": (_switch(True), "decides again"),
    "switch-off": (_switch(False), "decides nothing any more"),
    "remove": (lambda pk, by: acts.remove_rule(pk, **by), "is removed"),
}


@page("configure_integrations")
@require_POST
def rule_do(request: Request, pk: int, act: str) -> HttpResponse:
    """One click: up, down, switch on or off, remove. The focus comes back to the rule."""
    rule = get_object_or_404(AlertRule, pk=pk)
    if act not in ACTS:
        raise Http404("Nothing like this is done with a rule.")
    do, words = ACTS[act]
    do(pk, {"actor": request.user, "at": timezone.now()})
    return go(request, reverse("alert_rules") + f"#rule-{pk}", f"“{rule.name}” {words}.")
