"""What the public may read: services and their state, and what was written for users. Nothing internal.

Every shape here is a list of what is allowed; a new field of a record is not public until it is named here.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet

from incidents import markup
from incidents.models import AffectedService, DowntimeInterval, MaintenanceWindow, MajorIncident, Service, StatusUpdate
from incidents.process import OPEN_STAGES, Audience, Stage
from incidents.queries.portal import public_heading

RECENTLY = timedelta(days=7)
PLANNED_AHEAD = timedelta(days=60)
UPDATES_SHOWN = 10
SHOWN_AT_MOST = 50


@dataclass(frozen=True)
class PublicService:
    slug: str
    name: str
    state: str


@dataclass(frozen=True)
class PublicUpdate:
    """`corrects` is when the update it puts right was published, `corrected_at` when this one was put right."""

    html: str
    published_at: datetime
    corrects: datetime | None = None
    corrected_at: datetime | None = None


@dataclass
class PublicIncident:
    """Named by its services: the title is internal. `key` is its public name in addresses, which counts nothing."""

    key: str
    services: list[str]
    state: str
    began_at: datetime | None
    restored_at: datetime | None
    next_update_at: datetime | None
    is_over: bool
    changed_at: datetime
    updates: list[PublicUpdate] = field(default_factory=list)
    post_mortem: str = ""
    post_mortem_at: datetime | None = None

    @property
    def heading(self) -> str:
        return public_heading(self.services)


@dataclass(frozen=True)
class PlannedWork:
    """A maintenance window of services the public knows. The title was typed for the public."""

    key: str
    title: str
    services: list[str]
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class PublicStatus:
    services: list[PublicService]
    now: list[PublicIncident]
    lately: list[PublicIncident]
    planned: list[PlannedWork]

    @property
    def is_calm(self) -> bool:
        return not self.now and all(service.state != "outage" for service in self.services)


def public_key(kind: str, pk: int) -> str:
    """A name for addresses that tells neither how many there were nor what they are called inside."""
    made = hmac.new(settings.SECRET_KEY.encode(), f"status {kind} {pk}".encode(), hashlib.sha256)
    return made.hexdigest()[:16]


def read(at: datetime) -> PublicStatus:
    """The state at `at`, in a constant number of queries. Drills and incidents without a public update are not here."""
    rows = describe(shown_incidents(at), at)
    return PublicStatus(
        services=_services(at),
        now=[row for row in rows if not row.is_over],
        lately=[row for row in rows if row.is_over],
        planned=planned_work(at),
    )


def shown_incidents(at: datetime) -> QuerySet[MajorIncident]:
    """What the page shows at `at`: open ones, and those that were closed within the last week, the newest fifty."""
    shown = told_incidents(at).filter(Q(stage__in=OPEN_STAGES) | Q(closed_at__gte=at - RECENTLY))
    return shown.order_by("-id")[:SHOWN_AT_MOST]


def told_incidents(at: datetime) -> QuerySet[MajorIncident]:
    """Real incidents that users were told of by `at`: not drills, imports, false alarms or merged ones."""
    told = StatusUpdate.objects.public(at)
    real = MajorIncident.objects.filter(is_drill=False, is_imported=False, merged_into__isnull=True)
    real = real.annotate(post_mortem=F("document__public_html"), post_mortem_at=F("document__public_published_at"))
    return real.exclude(stage=Stage.STOOD_DOWN).filter(pk__in=told.values("incident"))


def describe(incidents: Iterable[MajorIncident], at: datetime) -> list[PublicIncident]:
    """These incidents in public words as of `at`, in their order. Three queries however many there are."""
    rows = {incident.pk: _public(incident) for incident in incidents}
    links = AffectedService.objects.filter(incident__in=rows, service__is_public=True).select_related("service")
    for link in links.order_by("id"):
        rows[link.incident_id].services.append(link.service.name)
    told = list(StatusUpdate.objects.public(at).filter(incident__in=rows).order_by("-published_at", "-id"))
    times = {update.pk: update.published_at for update in told}
    corrected = {update.corrects_id: update.published_at for update in told if update.corrects_id}
    for update in told:
        updates = rows[update.incident_id].updates
        if len(updates) < UPDATES_SHOWN:
            updates.append(
                PublicUpdate(
                    markup.render(update.texts.get(Audience.USERS, "")),
                    update.published_at,
                    corrects=times.get(update.corrects_id or 0),
                    corrected_at=corrected.get(update.pk),
                )
            )
    return list(rows.values())


def _public(incident: MajorIncident) -> PublicIncident:
    state = "Being worked on"
    if incident.resolved_at:
        state = "Solved"
    elif incident.restored_at:
        state = "Working again, being watched"
    elif incident.contained_at:
        state = "Under control"
    is_published = getattr(incident, "post_mortem_at", None) is not None
    return PublicIncident(
        key=public_key("incident", incident.pk),
        services=[],
        state=state,
        began_at=incident.started_at or incident.declared_at,
        restored_at=incident.restored_at,
        next_update_at=incident.next_update_at if not incident.resolved_at else None,
        is_over=incident.resolved_at is not None,
        changed_at=incident.updated_at,
        post_mortem=(getattr(incident, "post_mortem", "") or "") if is_published else "",
        post_mortem_at=getattr(incident, "post_mortem_at", None),
    )


def public_services() -> QuerySet[Service]:
    return Service.objects.filter(is_active=True, is_public=True).order_by("tier", "name")


def _services(at: datetime) -> list[PublicService]:
    """Down while a downtime interval of a real incident is open; in maintenance while a window runs."""
    down = set(
        DowntimeInterval.objects.filter(
            ended_at__isnull=True, incident__is_drill=False, incident__stage__in=OPEN_STAGES
        )
        .exclude(service__isnull=True)
        .values_list("service_id", flat=True)
    )
    windows = MaintenanceWindow.objects.filter(starts_at__lte=at, ends_at__gt=at)
    planned = set(windows.values_list("services", flat=True))
    states = {**dict.fromkeys(planned, "maintenance_window"), **dict.fromkeys(down, "outage")}
    return [PublicService(row.slug, row.name, states.get(row.pk, "operational")) for row in public_services()]


def planned_work(at: datetime) -> list[PlannedWork]:
    """Windows that run or begin within the next 60 days, the next first; only those of public services."""
    windows = MaintenanceWindow.objects.filter(ends_at__gt=at, starts_at__lt=at + PLANNED_AHEAD)
    found = []
    for window in windows.prefetch_related("services").order_by("starts_at", "id")[:SHOWN_AT_MOST]:
        names = sorted(service.name for service in window.services.all() if service.is_public and service.is_active)
        if names:
            key = public_key("window", window.pk)
            found.append(PlannedWork(key, window.title, names, window.starts_at, window.ends_at))
    return found
