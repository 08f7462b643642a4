"""What a back-test reads: past reports, what was usual and ordinary before them, declared incidents."""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import Coalesce, Left

from incidents.alike import BODY_CHARACTERS, Vocabulary
from incidents.detection import Calendar, InForce, Thresholds
from incidents.models import Backtest, InfluxThresholds, MajorIncident, Service, Ticket, TicketKind
from incidents.process import Stage
from incidents.queries.influx import in_force, source_number, source_of, thresholds_from
from incidents.replay import Raised, Report

SAMPLE = 4_000
BEFORE = timedelta(minutes=30)
"""A proposal so long before the impact is known to have begun still counts for it."""
LONGEST = timedelta(hours=4)
"""An outage whose end nobody wrote down is taken to last so long."""


def reports(since: datetime, until: datetime) -> Iterator[Report]:
    """Incident tickets in the order they came, without those of drills. One query, read in pieces."""
    rows = Ticket.objects.filter(kind=TicketKind.INCIDENT, reported_at__gte=since, reported_at__lt=until)
    rows = rows.exclude(major_incident__is_drill=True).annotate(opening=Left("description", BODY_CHARACTERS))
    for one in rows.defer("description", "resolution").order_by("reported_at", "pk").iterator(2_000):
        source = source_number(source_of(one))
        yield Report(one.pk, one.reported_at, one.service_id, source, one.title, one.opening, one.major_incident_id)


def words_before(at: datetime) -> Vocabulary:
    """Which words were ordinary at that moment."""
    rows = Ticket.objects.filter(kind=TicketKind.INCIDENT, major_incident=None, reported_at__lt=at)
    latest = rows.annotate(opening=Left("description", BODY_CHARACTERS)).order_by("-reported_at")
    return Vocabulary.of(latest.values_list("title", "opening")[:SAMPLE])


def stored(thresholds: InForce) -> dict[str, Any]:
    """As JSON."""
    return {
        "default": asdict(thresholds.default),
        "services": {str(pk): asdict(own) for pk, own in thresholds.services.items()},
    }


def read(saved: dict[str, Any]) -> InForce:
    """From JSON."""
    default = thresholds_from(saved.get("default", {}), Thresholds())
    return InForce(default, {int(pk): thresholds_from(own, default) for pk, own in saved.get("services", {}).items()})


def tried(job: Backtest) -> InForce:
    """The thresholds a back-test tries: for one service beside what is in force for the others, or for all."""
    saved = read(job.saved)
    own = thresholds_from(job.tried, saved.of(job.service_id))
    if job.service_id is None:
        return InForce(own, saved.services)
    return InForce(saved.default, {**saved.services, job.service_id: own})


# --- What was declared ------------------------------------------------------------------------
@dataclass(frozen=True)
class Declared:
    """A major incident of the period. `moment` is when it was declared, or else reported."""

    pk: int
    title: str
    services: frozenset[int]
    moment: datetime
    began: datetime
    ended: datetime
    tickets: int

    def fits(self, raised: Raised) -> bool:
        """Whether a proposal was about this one: by its tickets, or by service and time."""
        if raised.incident() == self.pk:
            return True
        is_service = raised.service in self.services
        return bool(is_service) and self.began - BEFORE <= raised.at <= self.ended


def declared(since: datetime, until: datetime) -> list[Declared]:
    """Without drills, false alarms and merged ones; oldest first. Two queries."""
    rows = MajorIncident.objects.filter(is_drill=False, merged_into=None).exclude(stage=Stage.STOOD_DOWN)
    rows = rows.annotate(
        moment=Coalesce("declared_at", "reported_at", "detected_at", "started_at"),
        ticket_count=Count("tickets", filter=Q(tickets__kind=TicketKind.INCIDENT)),
    ).filter(moment__gte=since, moment__lt=until)
    found = []
    for one in rows.prefetch_related("affected").order_by("moment"):
        moment: datetime = one.moment
        known = [at for at in (one.started_at, one.detected_at, one.reported_at, moment) if at]
        ended = one.restored_at or one.resolved_at or moment + LONGEST
        services = frozenset(row.service_id for row in one.affected.all())
        found.append(Declared(one.pk, one.title, services, moment, min(known), ended, one.ticket_count))
    return found


def week_of(at: datetime, calendar: Calendar) -> str:
    """The Monday of its week, as the organisation's clocks show it."""
    day = at.astimezone(calendar.zone).date()
    return (day - timedelta(days=day.weekday())).isoformat()


# --- The page ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """Thresholds of the organisation (`service` None) or of one service, with who saved them."""

    service: Service | None
    thresholds: Thresholds
    saved: InfluxThresholds | None

    @property
    def one_in(self) -> str:
        """How rare a window must be: 1,000,000 for one in a million."""
        return f"{round(1 / self.thresholds.tail):,}"


def in_force_rows() -> list[Row]:
    """The organisation first, then each service that has its own, by name. Two queries."""
    now = in_force()
    latest: dict[int | None, InfluxThresholds] = {}
    for one in InfluxThresholds.objects.select_related("service", "set_by").order_by("pk"):
        latest[one.service_id] = one
    own = [Row(one.service, now.of(pk), one) for pk, one in latest.items() if pk in now.services]
    return [Row(None, now.default, latest.get(None)), *sorted(own, key=lambda row: str(row.service))]


def changes(*, most: int = 12) -> list[InfluxThresholds]:
    """Who changed what and when, the latest first."""
    return list(InfluxThresholds.objects.select_related("service", "set_by", "backtest")[:most])


def latest(*, most: int = 8) -> list[Backtest]:
    return list(Backtest.objects.select_related("service", "asked_by").defer("result")[:most])


def service_names(pks: Collection[int]) -> dict[int, str]:
    return dict(Service.objects.filter(pk__in=pks).values_list("pk", "name"))
