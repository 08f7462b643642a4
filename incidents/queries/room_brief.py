"""One incident in the words of the business: what does not work, for whom, what it costs, when it is said next."""

from dataclasses import dataclass
from datetime import datetime

from incidents.models import Approval, MajorIncident, StatusUpdate
from incidents.process import Audience, Stage
from incidents.queries.war_room import Room

WHERE_IT_STANDS = {
    Stage.IDENTIFICATION: ("Being assessed", "The disruption is confirmed; people are called together."),
    Stage.CONTAINMENT: ("Being contained", "The team keeps the damage from growing and looks for a way around it."),
    Stage.RESOLUTION: ("Being fixed", "The cause is known well enough; the fix is being put in place."),
    Stage.MAINTENANCE: ("Fixed", "It works again. What happened is being reviewed."),
    Stage.CLOSED: ("Over", "Reviewed, documented and closed."),
    Stage.STOOD_DOWN: ("False alarm", "There was no major disruption."),
}


@dataclass(frozen=True)
class Brief:
    """`update` is the newest one that management or key stakeholders may read, `words` its text."""

    room: Room
    headline: str
    standing: str
    standing_means: str
    update: StatusUpdate | None
    words: str
    decisions: list[Approval]


def brief(room: Room) -> Brief:
    standing, means = WHERE_IT_STANDS[Stage(room.incident.stage)]
    update = _newest(room.incident, room.now)
    pending = [one for one in room.approvals if one.state == Approval.State.PENDING]
    return Brief(room, headline(room), standing, means, update, _words(update), pending)


def headline(room: Room) -> str:
    """“Checkout and Search do not work for customers and employees.”, or that they do again."""
    incident = room.incident
    down = [row.service.name for row in room.open_downtime if row.service]
    known = list(dict.fromkeys(row["service"].name for row in room.service_rows if row["service"]))
    names = list(dict.fromkeys(down)) or known
    if not names:
        return incident.title
    subject = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    one = len(names) == 1
    if not down:
        return f"{subject} {'works' if one else 'work'} again."
    whom = {"both": "customers and employees", "customers": "customers", "employees": "employees"}
    said = whom.get(incident.affects, "everybody")
    return f"{subject} {'does' if one else 'do'} not work as {'it' if one else 'they'} should for {said}."


def _newest(incident: MajorIncident, now: datetime) -> StatusUpdate | None:
    rows = StatusUpdate.objects.filter(incident=incident, undone_at=None).select_related("author")
    for update in rows.order_by("-published_at", "-id")[:20]:
        readable = [one for one in (Audience.MANAGEMENT, Audience.KEY_STAKEHOLDERS) if one in update.audiences]
        if any((update.leaves_to(one) or update.published_at) <= now for one in readable):
            return update
    return None


def _words(update: StatusUpdate | None) -> str:
    if update is None:
        return ""
    return str(update.texts.get(Audience.MANAGEMENT) or update.texts.get(Audience.KEY_STAKEHOLDERS) or "")
