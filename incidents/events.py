"""Everything that happens is recorded here: one timeline event and one signal, in the caller's transaction."""

from datetime import datetime
from typing import Any

from django.db.models import F, Model
from django.dispatch import Signal
from django.utils import timezone

from incidents import live, markup
from incidents.models import Candidate, Change, MajorIncident, Problem, Ticket, TimelineEvent, User
from incidents.process import EventKind, group_of

event_recorded = Signal()
"""Sent with `event` (a saved TimelineEvent) inside the transaction of the act. The only door upwards:
receivers write their own rows (deliveries, figures) and raise only when the act itself must not happen."""


def record(
    kind: EventKind,
    subject: Model,
    /,
    *,
    actor: User | None,
    at: datetime,
    incident: MajorIncident | None = None,
    text: str = "",
    **payload: Any,
) -> TimelineEvent:
    """Writes what happened to `subject` (an incident, ticket, candidate, problem or change).

    `incident` puts the act on that incident's timeline as well. `actor` is None for the system itself.
    `payload` must be JSON: references, names and figures, so that the entry reads the same for ever.
    The caller holds the row lock of the incident, which is what keeps `seq` without a gap.
    """
    event = drafted(kind, subject, actor=actor, at=at, incident=incident, text=text, **payload)
    event.save(force_insert=True)
    announce(event)
    return event


def drafted(
    kind: EventKind,
    subject: Model,
    /,
    *,
    actor: User | None,
    at: datetime,
    incident: MajorIncident | None = None,
    text: str = "",
    **payload: Any,
) -> TimelineEvent:
    """The event for a caller who writes it together with other rows, and announces it after."""
    incident = subject if isinstance(subject, MajorIncident) else incident
    return TimelineEvent(
        incident=incident,
        ticket=subject if isinstance(subject, Ticket) else None,
        candidate=subject if isinstance(subject, Candidate) else None,
        problem=subject if isinstance(subject, Problem) else None,
        change=subject if isinstance(subject, Change) else None,
        seq=_next_seq(incident) if incident else None,
        kind=kind,
        group=group_of(kind),
        actor=actor,
        at=at,
        recorded_at=timezone.now(),
        text=text,
        html=markup.render(text) if text else "",
        payload=payload,
    )


def announce(event: TimelineEvent) -> None:
    """Tells everybody who listens that the event is written, in its transaction, and open pages after it."""
    event_recorded.send(sender=TimelineEvent, event=event)
    _nudge(event)


def _next_seq(incident: MajorIncident) -> int:
    MajorIncident.objects.filter(pk=incident.pk).update(last_seq=F("last_seq") + 1)
    incident.last_seq = MajorIncident.objects.values_list("last_seq", flat=True).get(pk=incident.pk)
    return incident.last_seq


def _nudge(event: TimelineEvent) -> None:
    if event.incident_id:
        live.changed(f"MI-{event.incident_id}", event.kind, event.seq)
        live.changed("command", event.kind)
    for prefix, pk in (
        ("INC", event.ticket_id if event.kind != EventKind.TICKET_OPENED else None),  # nobody has it open yet
        ("CAN", event.candidate_id),
        ("PRB", event.problem_id),
        ("CHG", event.change_id),
    ):
        if pk:
            live.changed(f"{prefix}-{pk}", event.kind)
    if event.ticket_id:
        live.changed("desk", event.kind)
    if event.candidate_id:
        live.changed("command", event.kind)
