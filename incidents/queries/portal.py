"""What a requester may read: outages in public words, and their own reports."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from incidents import markup
from incidents.models import (
    OPEN_CANDIDATE_STATUSES,
    Candidate,
    MajorIncident,
    StatusUpdate,
    Ticket,
    TicketComment,
    TicketReading,
    TicketStatus,
    User,
)
from incidents.permissions import visible_tickets
from incidents.process import OPEN_STAGES, Audience, Stage
from incidents.queries import affected
from incidents.queries.affected import AffectedCount
from incidents.queries.paging import Page, page_of

RECENTLY = timedelta(days=7)
SHOWN_OUTAGES = 50


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
    pk: int = 0
    affected: AffectedCount = AffectedCount()
    my_report: int | None = None
    solved_at: datetime | None = None
    is_correction: bool = False


def public_heading(services: list[str]) -> str:
    """What the public calls an incident: its services. The title is internal."""
    if not services:
        return "Disruption of our services"
    *first, last = services
    return f"Disruption of {', '.join(first)} and {last}" if first else f"Disruption of {last}"


def public_incidents() -> QuerySet[MajorIncident]:
    """Open major incidents everybody may know of: no drills, none that was merged; the newest first."""
    return MajorIncident.objects.filter(stage__in=OPEN_STAGES, is_drill=False, merged_into=None)


def current_outages(reader: User | None = None) -> list[Outage]:
    """What is broken now, the newest first, with what concerns the reader. A constant number of queries.

    What is confirmed as resolved stands under `solved_lately`.
    """
    return _outages(public_incidents().filter(resolved_at__isnull=True), reader)


def solved_lately(at: datetime) -> list[Outage]:
    """Resolved within seven days before `at`, the last first."""
    over = MajorIncident.objects.filter(
        is_drill=False, is_imported=False, merged_into=None, resolved_at__gte=at - RECENTLY
    )
    over = over.exclude(stage=Stage.STOOD_DOWN).order_by("-resolved_at", "-id")
    return _outages(over, None)


def current_outage_rows() -> list[tuple[MajorIncident, StatusUpdate | None]]:
    """The incidents behind `current_outages`, each with its last update for users."""
    return _with_updates(public_incidents().filter(resolved_at__isnull=True))


def _with_updates(rows: QuerySet[MajorIncident]) -> list[tuple[MajorIncident, StatusUpdate | None]]:
    public = StatusUpdate.objects.public(timezone.now()).filter(incident=OuterRef("pk"))
    rows = rows.annotate(last_told=Subquery(public.order_by("-published_at", "-id").values("pk")[:1]))
    incidents = list(rows.prefetch_related("services")[:SHOWN_OUTAGES])
    told = StatusUpdate.objects.in_bulk([one.last_told for one in incidents if one.last_told])
    return [(one, told.get(one.last_told)) for one in incidents]


def _outages(rows: QuerySet[MajorIncident], reader: User | None) -> list[Outage]:
    found = _with_updates(rows)
    incidents = [one for one, _ in found]
    counts: dict[int, AffectedCount] = {}
    mine: dict[int, int] = {}
    if reader is not None and incidents:
        counts = affected.counted([one.pk for one in incidents], reader)
        linked = Ticket.objects.filter(requester=reader, major_incident__in=incidents).order_by("pk")
        mine = {incident: pk for incident, pk in linked.values_list("major_incident", "pk") if incident}
    return [_outage(one, update, counts, mine) for one, update in found]


def _outage(
    incident: MajorIncident, update: StatusUpdate | None, counts: dict[int, AffectedCount], mine: dict[int, int]
) -> Outage:
    services = [service.name for service in incident.services.all()]
    return Outage(
        title=public_heading(services),
        services=services,
        since=incident.started_at or incident.detected_at,
        html=markup.render(str(update.texts.get(Audience.USERS, ""))) if update else "",
        told_at=update.published_at if update else None,
        next_update_at=incident.next_update_at,
        is_restored=incident.restored_at is not None,
        pk=incident.pk,
        affected=counts.get(incident.pk, AffectedCount()),
        my_report=mine.get(incident.pk),
        solved_at=incident.resolved_at,
        is_correction=update is not None and update.corrects_id is not None,
    )


SHOW_WORDS = {"open": "Open", "closed": "Closed", "all": "All"}


def my_reports(user: User, *, show: str = "all", cursor: str = "", size: int = 50) -> Page:
    """One page of the person's own reports, the newest first; each with `is_unread`. Raises Invalid for a bad cursor.

    Something is unread when the desk wrote or resolved after the person last looked.
    """
    rows = _mine(user).select_related("service")
    if show == "open":
        rows = rows.exclude(status=TicketStatus.CLOSED)  # a resolved one waits for the person's answer
    elif show == "closed":
        rows = rows.filter(status=TicketStatus.CLOSED)
    return page_of(rows, ("-id",), cursor, size)


def unread_reports(user: User) -> int:
    return _mine(user).filter(is_unread=True).count()


def _mine(user: User) -> QuerySet[Any]:
    read_at = TicketReading.objects.filter(ticket=OuterRef("pk"), user=user).values("read_at")[:1]
    answers = TicketComment.objects.filter(ticket=OuterRef("pk"), public=True).exclude(author=user)
    rows = visible_tickets(user).filter(requester=user).annotate(my_read_at=Subquery(read_at))
    never: Any = Q(my_read_at__isnull=True)
    unseen = Exists(answers.filter(Q(created_at__gt=OuterRef("my_read_at"))))
    return rows.annotate(
        is_unread=(never & (Exists(answers) | Q(resolved_at__isnull=False)))
        | unseen
        | Q(resolved_at__gt=Subquery(read_at))
    )


_STATE_WORDS: dict[str, tuple[str, str]] = {
    TicketStatus.NEW: ("We have your report", "Nobody has picked it up yet. You hear from us here and by mail."),
    TicketStatus.ASSIGNED: ("We have your report", "It is with {whom}, who will begin with it."),
    TicketStatus.IN_PROGRESS: ("We are working on it", "It is with {whom}."),
    TicketStatus.ON_HOLD: (
        "It waits at the moment",
        "We need something before we can go on. Ask us any time.",
    ),
    TicketStatus.RESOLVED: ("We think it works again", "Please try it, and tell us whether it does."),
    TicketStatus.CLOSED: ("Closed", "If it comes back, say so below and it goes straight back to us."),
}


def state_in_words(ticket: Ticket) -> tuple[str, str]:
    """Headline and sentence a requester reads instead of the desk's word for the state."""
    headline, sentence = _STATE_WORDS[ticket.status]
    whom = ticket.assignee or ticket.team or "our service desk"
    return headline, sentence.format(whom=whom)


def outage_of(ticket: Ticket, reader: User) -> Outage | None:
    """The public outage a report belongs to; None for none, or one that is over."""
    if ticket.major_incident_id is None:
        return None
    found = _outages(public_incidents().filter(pk=ticket.major_incident_id), reader)
    return found[0] if found else None


ALIKE = 0.3


def something_alike(title: str, service_id: int | None) -> Candidate | None:
    """What others report at the moment and nobody has declared: of the same service, or in alike words.

    The requester learns only that there is something; never its title or its number.
    """
    waiting = Candidate.objects.filter(status__in=OPEN_CANDIDATE_STATUSES)
    if service_id and (same := waiting.filter(service=service_id).first()):
        return same
    if len(title.strip()) < 8:
        return None
    by_title = waiting.annotate(alike=TrigramSimilarity("title", title)).filter(alike__gte=ALIKE)
    if found := by_title.order_by("-alike", "pk").first():
        return found
    reported = Ticket.objects.filter(candidate__in=waiting).annotate(alike=TrigramSimilarity("title", title))
    ticket = reported.filter(alike__gte=ALIKE).select_related("candidate").order_by("-alike", "pk").first()
    return ticket.candidate if ticket else None
