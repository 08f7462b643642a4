"""When every alert of a record has resolved, recovery is proposed to people; when one fires again, taken back.

Never decided: a monitoring tool does not know whether the service works for its users.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from incidents import events
from incidents.alert_episodes import Episode
from incidents.alert_words import time_of
from incidents.models import (
    OPEN_CANDIDATE_STATUSES,
    OPEN_TICKET_STATUSES,
    Alert,
    Candidate,
    MajorIncident,
    Ticket,
)
from incidents.process import OPEN_STAGES, EventKind

_OWNERS: tuple[tuple[str, type[Ticket] | type[Candidate] | type[MajorIncident], Q, str], ...] = (
    ("ticket", Ticket, Q(status__in=OPEN_TICKET_STATUSES), "if it works, resolve the ticket"),
    ("candidate", Candidate, Q(status__in=OPEN_CANDIDATE_STATUSES), "if the service works, dismiss the candidate"),
    ("major_incident", MajorIncident, Q(stage__in=OPEN_STAGES), "if the service works, restore it"),
)
RESTLESS = Q(ended_at__isnull=True) | Q(is_flapping=True)
"""Fires, or cannot make up its mind."""


def review(episodes: Iterable[Episode], *, at: datetime) -> None:
    """Looks at the records of alerts that began, came back or ended; outside a transaction, the alerts committed."""
    changed = [one for one in episodes if one.ended or one.returned or one.decided]
    _review({owner: {getattr(one, f"{owner}_id") for one in changed} - {None} for owner, *_ in _OWNERS}, at=at)


def review_alerts(alert_ids: Iterable[int], *, at: datetime) -> None:
    """The same for saved alerts."""
    rows = Alert.objects.filter(pk__in=list(alert_ids)).values_list("ticket_id", "candidate_id", "major_incident_id")
    found = list(rows)
    _review({owner: {row[n] for row in found} - {None} for n, (owner, *_) in enumerate(_OWNERS)}, at=at)


def review_all(*, at: datetime) -> None:
    """Every open record: makes up for what was lost between an alert's commit and its review."""
    _review({owner: None for owner, *_ in _OWNERS}, at=at)


def _review(ids: dict[str, set[int] | None], *, at: datetime) -> None:
    for owner, model, is_open, advice in _OWNERS:
        wanted = ids[owner]
        if wanted is not None and not wanted:
            continue
        records = model._default_manager.filter(is_open)
        if wanted is not None:
            records = records.filter(pk__in=wanted)
        for pk in _to_turn(records, owner).order_by("pk").values_list("pk", flat=True):
            _turn(model, pk, owner, advice, at)


def _to_turn(records: QuerySet, owner: str) -> QuerySet:
    """Those whose proposal does not say what their alerts say. One query."""
    alerts = Alert.objects.filter(**{owner: OuterRef("pk")}, is_drill=False)
    fires = Exists(alerts.filter(RESTLESS))
    return records.filter(
        (Q(alerts_resolved_at__isnull=False) & fires) | (Q(alerts_resolved_at__isnull=True) & Exists(alerts) & ~fires)
    )


@transaction.atomic
def _turn(
    model: type[Ticket] | type[Candidate] | type[MajorIncident], pk: int, owner: str, advice: str, at: datetime
) -> None:
    record = model._default_manager.select_for_update(of=("self",)).get(pk=pk)
    if not _to_turn(model._default_manager.filter(pk=pk), owner).exists():
        return  # somebody else did it
    alerts = record.alerts.filter(is_drill=False)
    if record.alerts_resolved_at is not None:
        record.alerts_resolved_at = None
        record.save(update_fields=["alerts_resolved_at"])
        firing = alerts.filter(RESTLESS).order_by("-last_received_at").first()
        named = f"“{firing.title[:300]}” fires again" if firing else "An alert fires again"
        text = f"{named}; the proposal that it has recovered is taken back."
        events.record(EventKind.ALERTS_FIRE_AGAIN, record, actor=None, at=at, text=text)
        return
    count, since = alerts.count(), alerts.aggregate(last=Max("ended_at"))["last"]
    record.alerts_resolved_at = since
    record.save(update_fields=["alerts_resolved_at"])
    have = "The alert has" if count == 1 else f"All {count:,} alerts have"
    text = f"{have} resolved since {time_of(since)}; {advice}."
    events.record(
        EventKind.ALERTS_RESOLVED, record, actor=None, at=at, text=text, alerts=count, since=since.isoformat()
    )
