"""One act on many tickets: jobs with one result row a ticket, none skipped silently.

A job runs in batches, each its own transaction, and can be run again at any point: a ticket whose row does not wait
any more is done. What breaks is tried three times before it stays failed; what the process refuses is unchanged, with
its sentence. Jobs of one incident run in the order in which they were made.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, QuerySet

from incidents import events, permissions
from incidents.actions import cascade_acts
from incidents.actions.locking import lock_incident
from incidents.actions.wake import wake
from incidents.errors import Invalid, ProcessError, WrongStage
from incidents.models import CascadeJob, CascadeOutcome, CascadeResult, MajorIncident, Ticket, User
from incidents.process import EventKind

BATCH = 50
MOST_TICKETS = 20_000
ATTEMPTS = 3
FIRST_RETRY = timedelta(seconds=15)
_log = logging.getLogger(__name__)


@transaction.atomic
def begin(
    kind: str,
    tickets: QuerySet[Ticket],
    *,
    incident: MajorIncident | None = None,
    parameters: dict | None = None,
    actor: User,
    at: datetime,
) -> CascadeJob:
    """A job over the chosen tickets, each with its row from now on; workers do the rest.

    Raises Invalid when nothing is chosen, too much is, or the act lacks what it needs; NotAccountable for somebody who
    does not work on tickets.
    """
    permissions.require(actor, "work_ticket")
    cascade_acts.check(kind, incident, parameters or {})
    numbers = list(tickets.order_by().values_list("pk", flat=True)[: MOST_TICKETS + 1])
    if not numbers:
        raise Invalid(tickets="Choose at least one ticket.")
    if len(numbers) > MOST_TICKETS:
        raise Invalid(tickets=f"At most {MOST_TICKETS:,} tickets at once. Narrow the filter.")
    job = CascadeJob.objects.create(
        major_incident=incident, kind=kind, requested_by=actor, parameters=parameters or {}, created_at=at
    )
    _add_rows(job, numbers, at)
    wake()
    return job


def _add_rows(job: CascadeJob, numbers: Iterable[int], at: datetime) -> None:
    rows = (CascadeResult(job=job, ticket_id=number, at=at) for number in sorted(numbers))
    CascadeResult.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)


def run_waiting(*, at: datetime, batch: int = BATCH) -> int:
    """Runs every unfinished job as far as it goes; counts the tickets it looked at. Safe to run twice, or at once."""
    handled = 0
    for job_id in list(CascadeJob.objects.filter(finished_at__isnull=True).values_list("pk", flat=True)):
        handled += run(job_id, at=at, batch=batch)
    return handled


def run(job_id: int, *, at: datetime, batch: int = BATCH) -> int:
    """One job, as far as it goes now; counts the tickets it looked at."""
    handled = 0
    while (count := run_batch(job_id, at=at, batch=batch)) is not None:
        handled += count
    return handled


@transaction.atomic
def run_batch(job_id: int, *, at: datetime, batch: int = BATCH) -> int | None:
    """The next tickets of a job; None when it is finished, waits for an earlier one or for its next attempt, or
    somebody else runs it."""
    parent = CascadeJob.objects.values_list("major_incident", flat=True).get(pk=job_id)
    incident = lock_incident(parent) if parent else None
    job = CascadeJob.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=job_id).first()
    if job is None or job.finished_at is not None:
        return None
    if incident is not None and incident.cascades.filter(finished_at__isnull=True, pk__lt=job.pk).exists():
        return None
    waiting = job.results.filter(outcome=CascadeOutcome.WAITING)
    rows = list(waiting.exclude(not_before__gt=at).order_by("pk")[:batch])
    if not rows and _find_children(job, incident, at):
        return 0
    if not rows:
        if not waiting.exists():
            _finish(job, incident, at)
        return None
    _handle(job, incident, rows, at)
    return len(rows)


def _find_children(job: CascadeJob, incident: MajorIncident | None, at: datetime) -> bool:
    """What follows from the incident takes every child, those linked meanwhile, too."""
    if incident is None or not job.is_of_incident:
        return False
    known = CascadeResult.objects.filter(job=job).values("ticket")
    numbers = list(incident.tickets.exclude(pk__in=known).order_by().values_list("pk", flat=True))
    _add_rows(job, numbers, at)
    return bool(numbers)


def _handle(job: CascadeJob, incident: MajorIncident | None, rows: list[CascadeResult], at: datetime) -> None:
    chosen = Ticket.objects.select_for_update(of=("self",)).filter(pk__in=[row.ticket_id for row in rows])
    work = cascade_acts.Batch(job, incident, {ticket.pk: ticket for ticket in chosen.order_by("pk")}, at)
    for row in rows:
        _do_one(work, row, at)
    work.finish()
    CascadeResult.objects.bulk_update(rows, ["outcome", "detail", "attempts", "not_before", "at"])


def _do_one(work: cascade_acts.Batch, row: CascadeResult, at: datetime) -> None:
    """One ticket in a savepoint of its own: what goes wrong with it stops no other."""
    row.attempts, row.at, row.not_before = row.attempts + 1, at, None
    try:
        with transaction.atomic():
            detail, is_done = work.do(work.tickets[row.ticket_id])
        row.outcome = CascadeOutcome.DONE if is_done else CascadeOutcome.UNCHANGED
        row.detail = detail[:250]
    except ProcessError as refusal:
        row.outcome, row.detail = CascadeOutcome.UNCHANGED, refusal.message[:250]
    except Exception as error:  # whatever it is, it is written down and tried again
        _log.exception("a ticket of a job failed", extra={"job": row.job_id, "ticket": row.ticket_id})
        row.detail = f"{type(error).__name__}: {error}"[:250]
        if row.attempts >= ATTEMPTS:
            row.outcome = CascadeOutcome.FAILED
        else:
            row.not_before = at + FIRST_RETRY * row.attempts


def _finish(job: CascadeJob, incident: MajorIncident | None, at: datetime) -> None:
    """Closes the job; on the incident's timeline stands what became of its tickets."""
    job.finished_at = at
    job.save(update_fields=["finished_at"])
    counts = counts_of(job)
    if incident is None or not sum(counts.values()):
        return
    events.record(
        EventKind.TICKETS_CASCADED,
        incident,
        actor=job.requested_by,
        at=at,
        kind=job.kind,
        count=counts[CascadeOutcome.DONE],
        unchanged=counts[CascadeOutcome.UNCHANGED],
        failed=counts[CascadeOutcome.FAILED],
        job_id=job.pk,
    )


def counts_of(job: CascadeJob) -> dict[str, int]:
    """Tickets by outcome, none left out."""
    found = dict(job.results.order_by().values_list("outcome").annotate(n=Count("pk")))
    return {outcome: found.get(outcome, 0) for outcome in CascadeOutcome.values}


@transaction.atomic
def retry_failed(job_id: int, *, actor: User, at: datetime) -> CascadeJob:
    """What failed waits again, with all its attempts. Raises WrongStage when nothing did."""
    permissions.require(actor, "work_ticket")
    job = CascadeJob.objects.select_for_update(of=("self",)).get(pk=job_id)
    count = job.results.filter(outcome=CascadeOutcome.FAILED).update(
        outcome=CascadeOutcome.WAITING, attempts=0, not_before=None, at=at
    )
    if not count:
        raise WrongStage("Nothing of this job has failed, so there is nothing to try again.")
    job.finished_at = None
    job.save(update_fields=["finished_at"])
    wake()
    return job
