"""“I'm affected too”: said and taken back, each in one click."""

from bisect import bisect_right
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from incidents import events, live
from incidents.actions.locking import lock_incident
from incidents.actions.ticket_states import allow
from incidents.errors import WrongStage
from incidents.models import AffectedPerson, Candidate, MajorIncident, Service, User
from incidents.process import EventKind
from incidents.queries import affected

MARKS = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
"""The record says when so many people are reached: an entry for each click would bury everything else."""


@transaction.atomic
def say_affected(incident_id: int, *, actor: User, at: datetime) -> int:
    """Counts the person once, whatever they click; answers how many people say so now.

    Raises WrongStage when the incident is over, MajorIncident.DoesNotExist for one that is not public (a drill).
    """
    incident = lock_incident(incident_id)
    allow(actor, "use_portal")
    if incident.is_drill:
        raise MajorIncident.DoesNotExist
    if not incident.is_open or incident.merged_into_id:
        raise WrongStage(f"This disruption is over ({incident.get_stage_display().lower()}). If it is back, report it.")
    if not affected.of_incident(incident.pk).filter(user=actor).exists():
        again = {"service": incident.services.first(), "said_at": at, "taken_back_at": None}
        AffectedPerson.objects.update_or_create(incident=incident, user=actor, defaults=again)
    people = affected.of_incident(incident.pk).count()
    _record_mark(incident, people, at)
    live.changed(incident.ref, "affected")
    live.changed("desk", "affected")
    return people


@transaction.atomic
def say_affected_by_candidate(candidate_id: int, *, actor: User, at: datetime) -> int:
    """The same for something that is not declared (yet). One that became an incident counts there."""
    candidate = Candidate.objects.select_for_update(of=("self",)).get(pk=candidate_id)
    allow(actor, "use_portal")
    if candidate.major_incident_id and candidate.major_incident and candidate.major_incident.is_open:
        return say_affected(candidate.major_incident_id, actor=actor, at=at)
    if not candidate.is_open:
        raise WrongStage("This is over meanwhile. If it still does not work, send your report.")
    service: Service | None = candidate.service
    AffectedPerson.objects.update_or_create(
        candidate=candidate, user=actor, defaults={"service": service, "said_at": at, "taken_back_at": None}
    )
    people = affected.of_candidate(candidate.pk).count()
    _record_mark(candidate, people, at)
    live.changed(candidate.ref, "affected")
    live.changed("command", "affected")
    return people


@transaction.atomic
def take_back(incident_id: int, *, actor: User, at: datetime) -> int:
    """The person is not affected after all; nothing happens when they never said so. Answers how many remain."""
    incident = lock_incident(incident_id)
    allow(actor, "use_portal")
    affected.of_incident(incident.pk).filter(user=actor).update(taken_back_at=at)
    live.changed(incident.ref, "affected")
    live.changed("desk", "affected")
    return affected.of_incident(incident.pk).count()


@transaction.atomic
def take_back_from_candidate(candidate_id: int, *, actor: User, at: datetime) -> None:
    """The same for something that is not declared; of one that became an incident it is taken back there."""
    candidate = Candidate.objects.select_for_update(of=("self",)).get(pk=candidate_id)
    allow(actor, "use_portal")
    affected.of_candidate(candidate.pk).filter(user=actor).update(taken_back_at=at)
    if candidate.major_incident_id:
        take_back(candidate.major_incident_id, actor=actor, at=at)
    live.changed(candidate.ref, "affected")


def carry_over(said: QuerySet[AffectedPerson], incident: MajorIncident) -> None:
    """What was said of a candidate, or of an incident that was merged, counts for `incident` from now on.

    Whoever said it there too counts once. The caller holds the incident's lock.
    """
    people = list(said.filter(taken_back_at__isnull=True).values_list("user", flat=True))
    there = AffectedPerson.objects.filter(incident=incident, user__in=people)
    there.update(taken_back_at=None)
    said.exclude(user__in=list(there.values_list("user", flat=True))).filter(taken_back_at__isnull=True).update(
        incident=incident, candidate=None
    )


def _record_mark(subject: MajorIncident | Candidate, people: int, at: datetime) -> None:
    """One entry when a mark is reached for the first time; the caller holds the lock."""
    reached = bisect_right(MARKS, people)
    if not reached:
        return
    known = subject.events.filter(kind=EventKind.AFFECTED_COUNTED)
    if known.filter(payload__people__gte=MARKS[reached - 1]).exists():
        return
    events.record(EventKind.AFFECTED_COUNTED, subject, actor=None, at=at, people=people)
