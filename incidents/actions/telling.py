"""What telling people writes into the record of a major incident: chased acknowledgements, messages sent again."""

from datetime import datetime
from typing import Any

from incidents import events
from incidents.actions.locking import lock_incident
from incidents.models import TimelineEvent, User
from incidents.process import EventKind

KINDS = (EventKind.ACKNOWLEDGEMENT_REMINDED, EventKind.ACKNOWLEDGEMENT_MISSING, EventKind.MESSAGES_RESENT)


def record(
    kind: EventKind, incident_id: int, *, actor: User | None, at: datetime, text: str = "", **payload: Any
) -> TimelineEvent:
    """One entry, under the incident's lock, in the transaction of the caller. ValueError for another kind."""
    if kind not in KINDS:
        raise ValueError(kind)
    return events.record(kind, lock_incident(incident_id), actor=actor, at=at, text=text, **payload)
