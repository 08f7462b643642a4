"""What paging writes into the record of a candidate or a major incident, and how a page is answered."""

from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import events, permissions
from incidents.actions import candidates, seats
from incidents.actions.locking import lock_incident
from incidents.models import Candidate, MajorIncident, TimelineEvent, User
from incidents.process import AccountRole, EventKind, Role, SeatState

KINDS = (
    EventKind.PAGED,
    EventKind.PAGE_ANSWERED,
    EventKind.PAGE_PASSED_ON,
    EventKind.PAGE_UNANSWERED,
    EventKind.PAGE_LATE,
)


def lock_subject(candidate_id: int | None, incident_id: int | None) -> Candidate | MajorIncident:
    """What the page is about, under its row lock, before the page's own: the order everybody locks in."""
    return candidates.locked(candidate_id) if candidate_id else lock_incident(incident_id or 0)


def record(
    kind: EventKind, subject: Candidate | MajorIncident, *, actor: User | None, at: datetime, **payload: Any
) -> TimelineEvent:
    """One entry about paging, in the transaction of the caller, who holds the subject's lock. ValueError for another
    kind."""
    if kind not in KINDS:
        raise ValueError(kind)
    return events.record(kind, subject, actor=actor, at=at, **payload)


def is_wanted(subject: Candidate | MajorIncident) -> bool:
    """Whether somebody has to be paged for it still."""
    if isinstance(subject, Candidate):
        return subject.status == "open"
    return subject.is_open


@transaction.atomic
def answer(subject_id: int, *, is_candidate: bool, actor: User, at: datetime) -> None:
    """The paged person takes it: acknowledges the candidate, or takes command of an incident nobody commands.

    Raises NotAccountable, WrongStage.
    """
    if is_candidate:
        candidates.acknowledge(subject_id, actor=actor, at=at)
        return
    incident = lock_incident(subject_id)
    permissions.require(actor, "acknowledge_candidate")
    is_empty = not incident.seats.filter(role=Role.MAJOR_INCIDENT_MANAGER, state=SeatState.ACCEPTED).exists()
    if is_empty and incident.is_open and actor.has_role(AccountRole.MAJOR_INCIDENT_MANAGER):
        seats.take_command(incident.pk, actor=actor, at=at)
    else:
        record(EventKind.PAGE_ANSWERED, incident, actor=actor, at=at)
