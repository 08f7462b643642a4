"""What a webhook is told: the event and its record, in the shapes of the REST API, as the owner may read them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework.utils.encoders import JSONEncoder

from incidents import permissions
from incidents.api.candidates import CandidateOut, candidate_rows
from incidents.api.changes import ChangeOut, change_rows
from incidents.api.fields import utc_text
from incidents.api.incident_shapes import IncidentOut, incident_rows
from incidents.api.problems import ProblemOut, problem_rows
from incidents.api.response import EntryOut
from incidents.api.tickets import TicketOut, ticket_rows
from incidents.api.updates import UpdateOut
from incidents.models import StatusUpdate, TimelineEvent, User
from incidents.process import EventKind
from notifications.webhooks.catalogue import NAME_OF, TEST


class NotForOwner(Exception):
    """The owner may not read what happened; says why."""


@dataclass(frozen=True)
class _Part:
    """One record of an event: its name in `data`, the column it stands in, how it is read and shown."""

    name: str
    column: str
    rows: Callable[[Any], QuerySet]
    Out: type[Any]


_PARTS = (
    _Part("ticket", "ticket_id", ticket_rows, TicketOut),
    _Part("candidate", "candidate_id", candidate_rows, CandidateOut),
    _Part("problem", "problem_id", problem_rows, ProblemOut),
    _Part("change", "change_id", change_rows, ChangeOut),
    _Part("major_incident", "incident_id", incident_rows, IncidentOut),
)


def envelope(type: str, at: datetime, data: dict[str, Any]) -> str:
    """The body as Standard Webhooks wants it. Written once: what is signed are these very bytes."""
    whole = {"type": type, "timestamp": utc_text(at), "data": data}
    return json.dumps(whole, cls=JSONEncoder, ensure_ascii=False, separators=(",", ":"))


def body_of(event: TimelineEvent, owner: User) -> str:
    """The message about an event. Raises NotForOwner when a record of it is not the owner's to read."""
    if not permissions.can(owner, "view_desk"):
        raise NotForOwner(f"{owner.email} may not read the desk.")
    data: dict[str, Any] = {"event": EntryOut(event).data}
    for part in _PARTS:
        pk = getattr(event, part.column)
        if not pk:
            continue
        record = part.rows(owner).filter(pk=pk).first()
        if record is None:
            raise NotForOwner(f"{owner.email} may not read this {part.name.replace('_', ' ')}.")
        data[part.name] = part.Out(record).data
    if event.kind == EventKind.UPDATE_PUBLISHED:
        update = StatusUpdate.objects.select_related("author").filter(pk=event.payload.get("update_id")).first()
        data["update"] = UpdateOut(update).data if update else None
    return envelope(NAME_OF[event.kind], event.at, data)


def test_body(name: str, by: User, at: datetime) -> str:
    """What the test button sends."""
    return envelope(TEST, at, {"webhook": name, "text": "It works. This is a test.", "sent_by": by.email})
