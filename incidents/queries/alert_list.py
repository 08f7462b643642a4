"""Reading alerts: the list with its filters, one alert with what was before, what is linked to a record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from incidents.models import Alert, AlertSeverity, AlertState, Candidate, MajorIncident, Ticket
from incidents.queries.words import matching, reference_number

ORDERS: dict[str, tuple[str, ...]] = {
    "newest": ("-id",),
    "oldest": ("id",),
    "began": ("-started_at", "-id"),
    "heard": ("-last_received_at", "-id"),
    "repeats": ("-reports", "-id"),
}
SORT_WORDS = {
    "newest": "Newest",
    "oldest": "Oldest",
    "began": "Began last",
    "heard": "Heard last",
    "repeats": "Most repeated",
}
MARKS = {"flapping": "Flapping", "maintenance": "In maintenance", "drill": "Tests and drills"}
PANEL = 6
EPISODES = 10


@dataclass(frozen=True)
class AlertFilter:
    """What the address of the list says. Unknown values count as not given, so an old link still opens."""

    status: str = "open"
    severity: str = ""
    service: str = ""
    source: str = ""
    mark: str = ""
    linked: str = ""
    q: str = ""
    sort: str = "newest"
    given: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "AlertFilter":
        known = {
            "status": ("open", "all", *AlertState.values),
            "severity": tuple(AlertSeverity.values),
            "mark": tuple(MARKS),
            "linked": ("yes", "no"),
            "sort": tuple(ORDERS),
        }
        given = {name: query.get(name, "").strip()[:200] for name in cls.__dataclass_fields__ if name != "given"}
        kept = {name: value for name, value in given.items() if value and value in known.get(name, (value,))}
        return cls(**kept, given=dict(kept))

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the order was asked for."""
        return bool(set(self.given) - {"sort"})


def shown_alerts() -> QuerySet[Alert]:
    """Alerts with what a row names. Tests and drills are left out unless asked for."""
    return Alert.objects.select_related("integration", "service", "ticket", "candidate", "major_incident")


def filtered_alerts(asked: AlertFilter) -> QuerySet[Alert]:
    """Alerts the filter lets through, in no order yet."""
    rows = shown_alerts()
    if asked.q and (number := reference_number(asked.q, "ALERT")) is not None:
        return rows.filter(pk=number)
    rows = rows.filter(is_drill=asked.mark == "drill")
    if asked.q:
        rows = matching(rows, asked.q, "title", "body")
    if asked.status == "open":
        rows = rows.filter(ended_at__isnull=True)
    elif asked.status != "all":
        rows = rows.filter(status=asked.status)
    if asked.severity:
        rows = rows.filter(severity=asked.severity)
    if asked.service:
        rows = rows.filter(service__slug=asked.service) if asked.service != "none" else rows.filter(service=None)
    if asked.source.isdigit() and len(asked.source) < 15:
        rows = rows.filter(integration=int(asked.source))
    if asked.mark in ("flapping", "maintenance"):
        rows = rows.filter(**{"is_flapping" if asked.mark == "flapping" else "in_maintenance": True})
    if asked.linked:
        anything = Q(ticket__isnull=False) | Q(candidate__isnull=False) | Q(major_incident__isnull=False)
        rows = rows.filter(anything if asked.linked == "yes" else ~anything)
    return rows


def counters() -> dict[str, int]:
    """The figures above the list, of alerts that have not ended; one query."""
    return Alert.objects.filter(ended_at__isnull=True, is_drill=False).aggregate(
        open=Count("pk"),
        critical=Count("pk", filter=Q(severity=AlertSeverity.CRITICAL)),
        unlinked=Count("pk", filter=Q(ticket=None, candidate=None, major_incident=None)),
        flapping=Count("pk", filter=Q(is_flapping=True)),
        maintenance=Count("pk", filter=Q(in_maintenance=True)),
    )


@dataclass(frozen=True)
class Moment:
    """One known point of an alert's life."""

    icon: str
    title: str
    at: Any
    note: str = ""


@dataclass(frozen=True)
class AlertPage:
    """One alert: what is known of its states, oldest first, and the other episodes of its key, newest first."""

    alert: Alert
    moments: list[Moment]
    episodes: list[Alert]
    labels: list[tuple[str, str]]


def alert_page(alert_id: int) -> AlertPage:
    """Raises Alert.DoesNotExist."""
    alert = shown_alerts().select_related("rule").get(pk=alert_id)
    others = Alert.objects.filter(integration=alert.integration_id, dedup_key=alert.dedup_key).exclude(pk=alert.pk)
    labels = sorted((str(name), str(value)) for name, value in (alert.labels or {}).items())
    return AlertPage(alert, _moments(alert), list(others.order_by("-id")[:EPISODES]), labels)


def _moments(alert: Alert) -> list[Moment]:
    """The sender's own times where it gave them, ours otherwise."""
    found = [Moment("bell-ringing", "Began to fire", alert.started_at)]
    if alert.first_received_at != alert.started_at:
        found.append(Moment("inbox", "Reached us", alert.first_received_at))
    if alert.status == AlertState.ACKNOWLEDGED:
        found.append(Moment("eye", "Acknowledged at the sender", alert.state_at))
    elif alert.is_flapping or alert.changes > 2:
        found.append(Moment("refresh", "Changed last", alert.state_at, f"{alert.changes} changes of state"))
    if alert.reports > 1:
        found.append(Moment("repeat", "Said again", alert.last_received_at, f"{alert.reports} times in all"))
    if alert.ended_at:
        found.append(Moment("circle-check", "Resolved", alert.ended_at))
    return sorted(found, key=lambda moment: moment.at)


def alerts_of(record: Ticket | Candidate | MajorIncident) -> tuple[list[Alert], int]:
    """The alerts linked to a record, those that fire first and then the newest, at most six, and how many there are.

    Two queries. Those of an incident's tickets and candidates count as its own.
    """
    rows = Alert.objects.select_related("integration", "service")
    if isinstance(record, Ticket):
        rows = rows.filter(ticket=record)
    elif isinstance(record, Candidate):
        rows = rows.filter(candidate=record)
    else:
        rows = rows.filter(
            Q(major_incident=record) | Q(candidate__major_incident=record) | Q(ticket__major_incident=record)
        )
    found = list(rows.order_by(F("ended_at").desc(nulls_first=True), "-id")[: PANEL + 1])
    if len(found) <= PANEL:
        return found, len(found)
    return found[:PANEL], rows.count()


def open_count(rows: list[Alert]) -> int:
    return sum(alert.ended_at is None for alert in rows)
