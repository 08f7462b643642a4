"""Which rule an alert meets, and which alerts a rule would have met."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from incidents.models import Alert, AlertRule

SHOWN = 50
LOOKED_AT = 100_000


class AlertLike(Protocol):
    """What rules read: a saved alert, or one that is about to be."""

    severity: str
    title: str
    body: str
    labels: Mapping[str, str]
    service_id: int | None


def active_rules() -> list[AlertRule]:
    """In the order in which they are asked, each with `service_ids`. One query."""
    rules = AlertRule.objects.filter(is_active=True).select_related("service")
    named = ArrayAgg("services", filter=Q(services__isnull=False), default=[], distinct=True)
    return list(rules.annotate(service_ids=named).order_by("position", "id"))


def fits(rule: AlertRule, alert: AlertLike, *, integration_id: int | None = None) -> bool:
    """Whether every condition of the rule holds; empty ones always do.

    `integration_id` is the alert's, None: as it says itself. Services: the alert's own must be among them. Labels:
    every one named must have that value. Text: in title or body, whatever the case.
    """
    sender = integration_id if integration_id is not None else getattr(alert, "integration_id", None)
    return _is_about(rule, alert, sender) and _says(rule, alert)


def _is_about(rule: AlertRule, alert: AlertLike, sender: int | None) -> bool:
    if rule.integration_id is not None and rule.integration_id != sender:
        return False
    if rule.severities and alert.severity not in rule.severities:
        return False
    wanted = services_of(rule)
    return not wanted or alert.service_id in wanted


def _says(rule: AlertRule, alert: AlertLike) -> bool:
    labels, wanted_labels = alert.labels, rule.label_equals
    if wanted_labels and any(str(labels.get(name, "")) != str(value) for name, value in wanted_labels.items()):
        return False
    text = rule.text_contains and rule.text_contains.casefold()
    return not text or text in alert.title.casefold() or text in alert.body.casefold()


def services_of(rule: AlertRule) -> frozenset[int]:
    """Services the rule is limited to; empty: all. Asks once a rule unless `active_rules` brought them."""
    found = getattr(rule, "service_ids", None)
    if found is None:
        found = [service.pk for service in rule.services.all()] if rule.pk else []
    if not isinstance(found, frozenset):
        found = rule.service_ids = frozenset(found)  # type: ignore[attr-defined]
    return found


def first_that_fits(rules: Iterable[AlertRule], alert: AlertLike, *, integration_id: int) -> AlertRule | None:
    """The rule that decides; None when none fits, which means: nothing."""
    return next((rule for rule in rules if fits(rule, alert, integration_id=integration_id)), None)


class Rulebook:
    """The rules as one sender's alerts meet them. Which of them severity and service leave is found out once for each
    pair, however many alerts there are."""

    def __init__(self, rules: Sequence[AlertRule], *, integration_id: int) -> None:
        self.rules, self.integration_id = rules, integration_id
        self._left: dict[tuple[str, int | None], list[tuple[AlertRule, bool]]] = {}

    def first_that_fits(self, alert: AlertLike) -> AlertRule | None:
        left = self._left.get((alert.severity, alert.service_id))
        if left is None:
            left = self._left[alert.severity, alert.service_id] = self._leave(alert)
        for rule, fits_all in left:
            if fits_all or _says(rule, alert):
                return rule
        return None

    def _leave(self, alert: AlertLike) -> list[tuple[AlertRule, bool]]:
        """Up to the first that asks nothing more; the second says whether the rule does."""
        left: list[tuple[AlertRule, bool]] = []
        for rule in self.rules:
            if _is_about(rule, alert, self.integration_id):
                left.append((rule, not rule.label_equals and not rule.text_contains))
                if left[-1][1]:
                    break
        return left


@dataclass(frozen=True)
class Matches:
    """`count` alerts met the rule and lasted long enough, of `looked_at`; `alerts` are the latest of them.

    `is_cut`: there were more alerts in the time than are looked at.
    """

    count: int
    looked_at: int
    alerts: list[Alert]
    is_cut: bool


def dry_run(rule: AlertRule, since: datetime, *, service_ids: Iterable[int] | None = None) -> Matches:
    """What this rule alone would have met among the alerts begun since then (aware); writes nothing.

    The rule may be unsaved: name its services in `service_ids`. Drills and alerts in maintenance do not count.
    """
    if service_ids is not None:
        rule.service_ids = list(service_ids)  # type: ignore[attr-defined]
    count = looked_at = 0
    shown: list[Alert] = []
    for alert in _narrowed(rule, since)[: LOOKED_AT + 1].iterator(chunk_size=2000):
        looked_at += 1
        if looked_at <= LOOKED_AT and fits(rule, alert):
            count += 1
            if len(shown) < SHOWN:
                shown.append(alert)
    return Matches(count, min(looked_at, LOOKED_AT), shown, looked_at > LOOKED_AT)


def _narrowed(rule: AlertRule, since: datetime) -> QuerySet[Alert]:
    """What the database can tell of the conditions, the newest first."""
    alerts = Alert.objects.filter(first_received_at__gte=since, is_drill=False, in_maintenance=False)
    if rule.integration_id is not None:
        alerts = alerts.filter(integration_id=rule.integration_id)
    if rule.severities:
        alerts = alerts.filter(severity__in=rule.severities)
    if services := services_of(rule):
        alerts = alerts.filter(service_id__in=services)
    if rule.after_seconds:
        lasting = timedelta(seconds=rule.after_seconds)
        alerts = alerts.filter(
            Q(ended_at__gte=F("started_at") + lasting)
            | Q(ended_at__isnull=True, started_at__lte=timezone.now() - lasting)
        )
    return alerts.select_related("service", "integration").order_by("-id")
