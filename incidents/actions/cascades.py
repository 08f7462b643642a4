"""What a major incident does to its tickets: resolved with it, reopened with it. One result row for every child.

A job runs in batches, each its own transaction, and can be run again at any point: a child that has its row is
done. Jobs of one incident run in the order in which they were made.
"""

from datetime import datetime, timedelta

from django.db import transaction

from incidents import events
from incidents.actions import major_incidents
from incidents.actions.locking import lock_incident
from incidents.actions.ticket_states import record_status
from incidents.models import (
    CascadeJob,
    CascadeResult,
    MajorIncident,
    Organisation,
    Review,
    Ticket,
    TicketStatus,
    TimelineEvent,
)
from incidents.process import EventKind, Stage

BATCH = 200


def run_waiting(*, at: datetime, batch: int = BATCH) -> int:
    """Runs every unfinished job to its end; counts the children it looked at. Safe to run twice, or at once."""
    handled = 0
    for job_id in list(CascadeJob.objects.filter(finished_at__isnull=True).values_list("pk", flat=True)):
        while (count := run_batch(job_id, at=at, batch=batch)) is not None:
            handled += count
    return handled


@transaction.atomic
def run_batch(job_id: int, *, at: datetime, batch: int = BATCH) -> int | None:
    """The next children of a job; None when it is finished, waits for an earlier one, or somebody else runs it."""
    incident = lock_incident(CascadeJob.objects.values_list("major_incident", flat=True).get(pk=job_id))
    job = CascadeJob.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=job_id).first()
    if job is None or job.finished_at is not None:
        return None
    if incident.cascades.filter(finished_at__isnull=True, pk__lt=job.pk).exists():
        return None
    handled = CascadeResult.objects.filter(job=job).values("ticket")
    children = Ticket.objects.select_for_update(of=("self",)).filter(major_incident=incident)
    tickets = list(children.exclude(pk__in=handled).order_by("pk")[:batch])
    if not tickets:
        _finish(job, incident, at)
        return None
    act = _resolve if job.kind == CascadeJob.Kind.RESOLVE else _reopen
    CascadeResult.objects.bulk_create([act(job, incident, ticket, at) for ticket in tickets])
    return len(tickets)


def _finish(job: CascadeJob, incident: MajorIncident, at: datetime) -> None:
    """Closes the job. Notifications hear of it and ask each requester whether it works."""
    job.finished_at = at
    job.save(update_fields=["finished_at"])
    count = job.results.filter(outcome="done").count()
    if job.results.exists():
        events.record(
            EventKind.TICKETS_CASCADED,
            incident,
            actor=None,
            at=at,
            kind=job.kind,
            count=count,
            unchanged=job.results.count() - count,
            job_id=job.pk,
        )


def _result(job: CascadeJob, ticket: Ticket, at: datetime, detail: str, *, done: bool) -> CascadeResult:
    return CascadeResult(job=job, ticket=ticket, outcome="done" if done else "unchanged", detail=detail, at=at)


def _resolve(job: CascadeJob, incident: MajorIncident, ticket: Ticket, at: datetime) -> CascadeResult:
    if incident.stage not in (Stage.MAINTENANCE, Stage.CLOSED):
        return _result(job, ticket, at, f"{incident.ref} was reopened in between", done=False)
    if not ticket.is_open:
        return _result(job, ticket, at, f"was {ticket.get_status_display().lower()} already", done=False)
    before = ticket.status
    ticket.to_resolved()
    ticket.resolved_at = max(incident.resolved_at or at, ticket.reported_at)
    ticket.resolution, ticket.hold_reason = f"Resolved with {incident.ref}: {incident.title}", ""
    ticket.save(update_fields=["status", "resolved_at", "resolution", "hold_reason", "updated_at"])
    record_status(ticket, before, actor=None, at=at, reason=ticket.resolution, cascade=job.pk)
    return _result(job, ticket, at, "resolved", done=True)


def _reopen(job: CascadeJob, incident: MajorIncident, ticket: Ticket, at: datetime) -> CascadeResult:
    """Only what the last resolving cascade resolved, and nobody reopened since."""
    last = incident.cascades.filter(kind=CascadeJob.Kind.RESOLVE, pk__lt=job.pk).last()
    if last is None or not last.results.filter(ticket=ticket, outcome="done").exists():
        return _result(job, ticket, at, f"was not resolved by {incident.ref}", done=False)
    if ticket.is_open:
        return _result(job, ticket, at, "was open again already", done=False)
    before = ticket.status
    ticket.to_reopened()
    ticket.resolved_at = ticket.closed_at = None
    ticket.save(update_fields=["status", "resolved_at", "closed_at", "updated_at"])
    record_status(ticket, before, actor=None, at=at, reason=f"{incident.ref} came back.", cascade=job.pk)
    return _result(job, ticket, at, "reopened", done=True)


def answers(incident: MajorIncident) -> dict[str, int]:
    """What requesters said since it was resolved: {"works": n, "still_broken": n, "waiting": n}."""
    children = incident.tickets.all()
    still_broken = len(still_broken_people(incident))
    return {
        "works": children.filter(status=TicketStatus.CLOSED).count(),
        "still_broken": still_broken,
        "waiting": children.filter(status=TicketStatus.RESOLVED).count(),
    }


def still_broken_people(incident: MajorIncident) -> set[str]:
    """The distinct requesters who answered "still broken" within the observation window; empty before resolution."""
    if incident.resolved_at is None:
        return set()
    review = Review.objects.filter(incident=incident).first()
    hours = review.observation_hours if review else Organisation.current().observation_hours
    said = TimelineEvent.objects.filter(
        ticket__major_incident=incident,
        kind=EventKind.TICKET_STATUS_CHANGED,
        payload__still_broken=True,
        at__gte=incident.resolved_at,
        at__lte=incident.resolved_at + timedelta(hours=hours),
    )
    rows = said.values_list("ticket__requester", "ticket__requester_email", "ticket")
    return {f"person {person}" if person else (email.lower() or f"ticket {pk}") for person, email, pk in rows}


def reopen_failed_observations(*, at: datetime) -> int:
    """Reopens, as the system itself, every incident whose requesters say that it is still broken. Counts them."""
    threshold = max(1, Organisation.current().still_broken_to_reopen)
    resolved = MajorIncident.objects.filter(
        stage__in=[Stage.MAINTENANCE, Stage.CLOSED], resolved_at__isnull=False, merged_into__isnull=True
    )
    suspects = resolved.filter(
        tickets__events__payload__still_broken=True, tickets__events__kind=EventKind.TICKET_STATUS_CHANGED
    )
    reopened = 0
    for pk in list(suspects.distinct().values_list("pk", flat=True)):
        with transaction.atomic():
            incident = lock_incident(pk)
            if incident.stage not in (Stage.MAINTENANCE, Stage.CLOSED):
                continue
            people = still_broken_people(incident)
            if len(people) < threshold:
                continue
            reason = f"{len(people)} people answered “still broken” in the observation window."
            major_incidents.reopen(pk, reason=reason, actor=None, at=at)
            reopened += 1
    return reopened
