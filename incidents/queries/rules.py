"""Reading alert rules: in their order, and in words."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet

from incidents.models import Alert, AlertRule, Service
from incidents.queries.alert_rules import Matches, active_rules, dry_run, first_that_fits

JOINING = " and "
NEWEST = 10


def rules() -> QuerySet[AlertRule]:
    """All of them, the first asked first, with what they name."""
    return AlertRule.objects.select_related("integration", "service", "team").prefetch_related("services")


def conditions_in_words(rule: AlertRule, services: list[str] | None = None) -> str:
    """“severity is critical and service is Checkout”; “an alert fires” when it asks for nothing."""
    named = [service.name for service in rule.services.all()] if services is None else services
    said = []
    if rule.severities:
        said.append(f"severity is {' or '.join(rule.severities)}")
    if named:
        said.append(f"service is {' or '.join(named)}")
    if rule.integration_id:
        said.append(f"it comes from {rule.integration}")
    if rule.text_contains:
        said.append(f"its text contains “{rule.text_contains}”")
    said += [f"{name} is “{value}”" for name, value in rule.label_equals.items()]
    return JOINING.join(said) or "any alert fires"


def outcome_in_words(rule: AlertRule) -> str:
    """“open a ticket for Platform, after 2 min”."""
    words = {
        AlertRule.Outcome.TICKET: "open a ticket",
        AlertRule.Outcome.CANDIDATE: "propose a major incident",
        AlertRule.Outcome.NOTHING: "keep the alert only",
    }[AlertRule.Outcome(rule.outcome)]
    if rule.team_id and rule.outcome == AlertRule.Outcome.TICKET:
        words += f" for {rule.team}"
    if rule.after_seconds and rule.outcome != AlertRule.Outcome.NOTHING:
        words += f", when it still fires after {_length(rule.after_seconds)}"
    return words


def _length(seconds: int) -> str:
    if seconds % 60:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds % 3600 else f"{seconds // 3600} h"


@dataclass(frozen=True)
class Tried:
    """`newest`: the latest alerts it would have met, with the rule that decides and whether that is this one."""

    matches: Matches
    newest: list[tuple[Alert, AlertRule | None, bool]]


def try_rule(draft: AlertRule, services: list[Service], *, since: datetime) -> Tried:
    """A rule, saved or not, on the alerts since then (aware), in its place among the others (a new one is asked
    first); writes nothing."""
    named = [service.pk for service in services]
    matches = dry_run(draft, since, service_ids=named)
    others = [rule for rule in active_rules() if rule.pk != draft.pk]
    earlier = [rule for rule in others if draft.pk and (rule.position, rule.pk) < (draft.position, draft.pk)]
    newest = []
    for alert in matches.alerts[:NEWEST]:
        first = first_that_fits([*earlier, draft], alert, integration_id=alert.integration_id)
        newest.append((alert, first, first is draft))
    return Tried(matches, newest)


def undecided() -> int:
    """Alerts that are open and that no rule made anything of."""
    waiting = Alert.objects.filter(ended_at__isnull=True, ticket=None, candidate=None, major_incident=None)
    return waiting.filter(is_drill=False).aggregate(n=Count("pk"))["n"]
