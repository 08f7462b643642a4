"""What a requester may read: outages in public words, and their own reports."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from incidents import markup
from incidents.models import MajorIncident, StatusUpdate, Ticket, User
from incidents.permissions import visible_tickets
from incidents.process import OPEN_STAGES, Audience


@dataclass(frozen=True)
class Outage:
    """Only what users are told. `html` is the latest update written for them, "" before the first one."""

    title: str
    services: list[str]
    since: datetime | None
    html: str
    told_at: datetime | None
    next_update_at: datetime | None
    is_restored: bool


def public_heading(services: list[str]) -> str:
    """What the public calls an incident: its services. The title is internal."""
    if not services:
        return "Disruption of our services"
    *first, last = services
    return f"Disruption of {', '.join(first)} and {last}" if first else f"Disruption of {last}"


def current_outages() -> list[Outage]:
    """Open major incidents without drills, the newest first. Two queries and one for the services."""
    return [_outage(one, update) for one, update in current_outage_rows()]


def current_outage_rows() -> list[tuple[MajorIncident, StatusUpdate | None]]:
    """The same with the latest update written for users, None before the first one; for what is said elsewhere."""
    public = StatusUpdate.objects.filter(incident=OuterRef("pk"), audiences__contains=[Audience.USERS])
    rows = MajorIncident.objects.filter(stage__in=OPEN_STAGES, is_drill=False, merged_into=None)
    rows = rows.annotate(last_told=Subquery(public.order_by("-published_at", "-id").values("pk")[:1]))
    incidents = list(rows.prefetch_related("services")[:50])
    told = StatusUpdate.objects.in_bulk([one.last_told for one in incidents if one.last_told])
    return [(one, told.get(one.last_told)) for one in incidents]


def _outage(incident: MajorIncident, update: StatusUpdate | None) -> Outage:
    services = [service.name for service in incident.services.all()]
    return Outage(
        title=public_heading(services),
        services=services,
        since=incident.started_at or incident.detected_at,
        html=markup.render(str(update.texts.get(Audience.USERS, ""))) if update else "",
        told_at=update.published_at if update else None,
        next_update_at=incident.next_update_at,
        is_restored=incident.restored_at is not None,
    )


def my_reports(user: User, *, most: int = 50) -> list[Ticket]:
    """The person's own and watched tickets, the newest first; for staff only the ones they reported themselves."""
    mine = visible_tickets(user).filter(requester=user)
    return list(mine.select_related("service").order_by("-id")[:most])
