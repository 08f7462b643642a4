"""What the public may read: services and their state, and what was written for users. Nothing internal."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from incidents import markup
from incidents.models import AffectedService, DowntimeInterval, MaintenanceWindow, MajorIncident, Service, StatusUpdate
from incidents.process import OPEN_STAGES, Audience, Stage
from incidents.queries.portal import public_heading

RECENTLY = timedelta(days=7)
UPDATES_SHOWN = 10


@dataclass(frozen=True)
class PublicService:
    name: str
    state: str


@dataclass(frozen=True)
class PublicUpdate:
    html: str
    published_at: datetime


@dataclass
class PublicIncident:
    """Named by its services: the title is internal."""

    services: list[str]
    state: str
    began_at: datetime | None
    restored_at: datetime | None
    next_update_at: datetime | None
    updates: list[PublicUpdate] = field(default_factory=list)

    @property
    def heading(self) -> str:
        return public_heading(self.services)


@dataclass(frozen=True)
class PublicStatus:
    services: list[PublicService]
    now: list[PublicIncident]
    lately: list[PublicIncident]

    @property
    def is_calm(self) -> bool:
        return not self.now and all(service.state != "outage" for service in self.services)


def read(at: datetime) -> PublicStatus:
    """The state at `at`, in a constant number of queries. Drills and incidents without a public update are not here."""
    told = StatusUpdate.objects.filter(audiences__contains=[Audience.USERS]).order_by("-published_at", "-id")
    shown = MajorIncident.objects.filter(is_drill=False, is_imported=False, merged_into__isnull=True).exclude(
        stage=Stage.STOOD_DOWN
    )
    shown = shown.filter(pk__in=told.values("incident")).filter(
        Q(stage__in=OPEN_STAGES) | Q(closed_at__gte=at - RECENTLY)
    )
    rows = {incident.pk: _public(incident) for incident in shown.order_by("-id")[:50]}
    is_over = {incident.pk: incident.resolved_at is not None for incident in shown.order_by("-id")[:50]}
    for link in AffectedService.objects.filter(incident__in=rows).select_related("service").order_by("id"):
        rows[link.incident_id].services.append(link.service.name)
    for update in told.filter(incident__in=rows)[: UPDATES_SHOWN * 20]:
        updates = rows[update.incident_id].updates
        if len(updates) < UPDATES_SHOWN:
            updates.append(PublicUpdate(markup.render(update.texts.get(Audience.USERS, "")), update.published_at))
    return PublicStatus(
        services=_services(at),
        now=[row for pk, row in rows.items() if not is_over[pk]],
        lately=[row for pk, row in rows.items() if is_over[pk]],
    )


def _public(incident: MajorIncident) -> PublicIncident:
    state = "Being worked on"
    if incident.resolved_at:
        state = "Solved"
    elif incident.restored_at:
        state = "Working again, being watched"
    elif incident.contained_at:
        state = "Under control"
    due = incident.next_update_at if not incident.resolved_at else None
    return PublicIncident([], state, incident.started_at or incident.declared_at, incident.restored_at, due)


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
    return [
        PublicService(service.name, states.get(service.pk, "operational"))
        for service in Service.objects.filter(is_active=True).order_by("tier", "name")
    ]
