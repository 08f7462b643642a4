"""Alert rules as people set them: made, corrected, put in order, removed. What they decide is decided elsewhere."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from incidents import permissions
from incidents.actions.input import clean_choice, clean_level, clean_number, clean_text, unknown_fields
from incidents.errors import Duplicate, Invalid
from incidents.models import AlertRule, AlertSeverity, Service, User

STEP = 10
"""Between positions, so that a rule can be put between two others by its number."""
_LONGEST_WAIT = 7 * 24 * 3600
_MOST_LABELS = 20


def _severities(value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        raise Invalid(severities="Give a list.")
    wanted = {clean_choice("severities", one, AlertSeverity.values) for one in value}
    return [severity for severity in AlertSeverity.values if severity in wanted]


def _labels(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Invalid(label_equals="Give label names with the value each must have.")
    if len(value) > _MOST_LABELS:
        raise Invalid(label_equals=f"At most {_MOST_LABELS} labels.")
    return {
        clean_text("label_equals", name, 120, required=True): clean_text("label_equals", text, 500)
        for name, text in value.items()
    }


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(is_active="Use true or false.")
    return value


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: " ".join(clean_text("name", value, 120, required=True).split()),
    "position": lambda value: clean_number("position", value),
    "is_active": _truth,
    "integration": lambda value: value,
    "severities": _severities,
    "text_contains": lambda value: clean_text("text_contains", value, 200),
    "label_equals": _labels,
    "outcome": lambda value: clean_choice("outcome", value, AlertRule.Outcome.values),
    "after_seconds": lambda value: clean_number("after_seconds", value, most=_LONGEST_WAIT),
    "impact": lambda value: clean_level("impact", value),
    "urgency": lambda value: clean_level("urgency", value),
    "service": lambda value: value,
    "team": lambda value: value,
}


def drafted(changes: dict[str, Any], rule: AlertRule | None = None) -> tuple[AlertRule, list[Service] | None]:
    """The rule as it would be, unsaved, and the services it is to be about (None: as they are). Raises Invalid."""
    unknown_fields(changes, (*_CLEAN, "services"))
    rule = rule or AlertRule()
    for field, value in changes.items():
        if field in _CLEAN:
            setattr(rule, field, _CLEAN[field](value))
    services = changes.get("services")
    return rule, None if services is None else list(services)


@transaction.atomic
def save_rule(rule_id: int | None = None, *, changes: dict[str, Any], actor: User, at: datetime) -> AlertRule:
    """Makes a rule (`rule_id` None) or corrects one. A new one is asked first unless `position` says otherwise: put
    last, the general rules that are there already would leave it nothing.

    Raises AlertRule.DoesNotExist, and Duplicate when the name is taken.
    """
    permissions.require(actor, "configure_integrations")
    found = None if rule_id is None else AlertRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
    rule, services = drafted(changes, found)
    if rule_id is None:
        for needed in ("name", "outcome"):
            if needed not in changes:
                raise Invalid(**{needed: "This is needed."})
        if "position" not in changes:
            rule.position = _first_place()
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError:
        raise Duplicate(f"There is a rule called “{rule.name}” already.") from None
    if services is not None:
        rule.services.set(services)
    return rule


@transaction.atomic
def move_rule(rule_id: int, *, up: bool, actor: User, at: datetime) -> AlertRule:
    """One place up or down; at the end it stays. All rules are locked, there are few. Raises AlertRule.DoesNotExist."""
    permissions.require(actor, "configure_integrations")
    rules = list(AlertRule.objects.select_for_update(of=("self",)).order_by("position", "id"))
    place = next((number for number, rule in enumerate(rules) if rule.pk == rule_id), None)
    if place is None:
        raise AlertRule.DoesNotExist
    other = place - 1 if up else place + 1
    if 0 <= other < len(rules):
        rules[place], rules[other] = rules[other], rules[place]
    _number(rules)
    return next(rule for rule in rules if rule.pk == rule_id)


def _first_place() -> int:
    """A position before all others, which make room when there is none."""
    rules = list(AlertRule.objects.select_for_update(of=("self",)).order_by("position", "id"))
    if rules and rules[0].position < STEP:
        _number(rules, start=2)
    return rules[0].position - STEP if rules else 10 * STEP


def _number(rules: Iterable[AlertRule], start: int = 1) -> None:
    moved = []
    for number, rule in enumerate(rules, start=start):
        if rule.position != number * STEP:
            rule.position = number * STEP
            moved.append(rule)
    AlertRule.objects.bulk_update(moved, ["position"])


@transaction.atomic
def remove_rule(rule_id: int, *, actor: User, at: datetime) -> None:
    """What it decided stays decided. Raises AlertRule.DoesNotExist."""
    permissions.require(actor, "configure_integrations")
    AlertRule.objects.select_for_update(of=("self",)).get(pk=rule_id).delete()
