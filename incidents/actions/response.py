"""What the team does together: bridge, war room, notes, decisions, situation, tasks."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from incidents import events, markup
from incidents.actions import bridges, room_files, rounds, steps
from incidents.actions.locking import check_open, lock_incident
from incidents.actions.work import add_task, change_task
from incidents.errors import Duplicate, Invalid, NotAccountable, WrongStage
from incidents.models import (
    Bridge,
    MajorIncident,
    Presence,
    TimelineEdit,
    TimelineEvent,
    User,
    WarRoom,
)
from incidents.permissions import require, require_step
from incidents.process import EventKind
from incidents.queries.mentions import mentioned

__all__ = ["add_task", "change_task"]
"""Of the room too, though they have a module of their own."""


LONGEST_KEY = 64


def _check_url(field: str, url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in ("https", "http") or not parts.hostname or len(url) > 500:
        raise Invalid(**{field: "Give a whole address that begins with https://."})
    return url.strip()


def _check_text(text: str, field: str = "text") -> str:
    text = text.strip()
    if not text:
        raise Invalid(**{field: "Write something."})
    if len(text) > markup.MAX_CHARACTERS:
        raise Invalid(**{field: f"At most {markup.MAX_CHARACTERS:,} characters."})
    return text


@transaction.atomic
def set_bridge(
    incident_id: int, *, join_url: str = "", provider: str = "other", dial_in: str = "", actor: User, at: datetime
) -> Bridge:
    """Sets or replaces the conference bridge, a link or a number or both; the accepted team is invited to it.

    Guarded by the step "bridge".
    """
    incident = lock_incident(incident_id)
    require_step(actor, incident, "bridge")
    check_open(incident, "setting the bridge")
    if len(dial_in) > 200:
        raise Invalid(dial_in="At most 200 characters.")
    dial_in = " ".join(dial_in.split())
    if join_url.strip() or not dial_in:
        join_url = _check_url("join_url", join_url)
    if provider not in Bridge.Provider.values:
        raise Invalid(provider=f"Known providers: {', '.join(Bridge.Provider.values)}.")
    return bridges.keep(incident, join_url.strip(), provider=provider, dial_in=dial_in, actor=actor, at=at)


@transaction.atomic
def join_bridge(incident_id: int, *, actor: User, at: datetime) -> Bridge:
    """Somebody pressed "join": the roll-call. Returns the bridge to go to. Pressing again says nothing new."""
    incident = lock_incident(incident_id)
    require(actor, "view_incident", incident)
    return bridges.call(incident, actor, actor=actor, at=at)


@transaction.atomic
def open_war_room(incident_id: int, *, location: str = "", url: str = "", actor: User, at: datetime) -> WarRoom:
    """Opens the war room: a place for those on site, a link for the others. Guarded by the step "war_room"."""
    incident = lock_incident(incident_id)
    require_step(actor, incident, "war_room")
    check_open(incident, "opening the war room")
    if len(location) > 200:
        raise Invalid(location="At most 200 characters.")
    url = _check_url("url", url) if url.strip() else ""
    room, created = WarRoom.objects.get_or_create(
        incident=incident,
        defaults={"location": location.strip(), "url": url, "opened_by": actor, "opened_at": at},
    )
    if not created:
        room.location, room.url = location.strip(), url
        room.save(update_fields=["location", "url"])
    events.record(EventKind.WAR_ROOM_OPENED, incident, actor=actor, at=at, location=room.location, url=room.url)
    steps.refresh(incident, actor=actor, at=at)
    return room


@transaction.atomic
def enter_war_room(incident_id: int, *, actor: User, at: datetime) -> Presence:
    """Somebody is here now. Entering twice is being here once; the first entry after opening counts."""
    incident = lock_incident(incident_id)
    require(actor, "view_incident", incident)
    room = WarRoom.objects.filter(incident=incident).first()
    if room is None:
        raise WrongStage("The war room is not open yet.")
    present = incident.presences.filter(user=actor, left_at__isnull=True).first()
    if present is not None and present.entered_at >= room.opened_at:
        return present
    if present is not None:
        present.left_at = max(at, present.entered_at)
        present.save(update_fields=["left_at"])
    present = Presence.objects.create(incident=incident, user=actor, entered_at=at)
    events.record(EventKind.WAR_ROOM_ENTERED, incident, actor=actor, at=at, person=actor.display_name)
    steps.refresh(incident, actor=actor, at=at)
    return present


@transaction.atomic
def leave_war_room(incident_id: int, *, actor: User, at: datetime) -> Presence:
    incident = lock_incident(incident_id)
    require(actor, "view_incident", incident)
    present = incident.presences.filter(user=actor, left_at__isnull=True).first()
    if present is None:
        raise WrongStage("You are not in the war room.")
    present.left_at = max(at, present.entered_at)
    present.save(update_fields=["left_at"])
    events.record(EventKind.WAR_ROOM_LEFT, incident, actor=actor, at=at, person=actor.display_name)
    return present


@transaction.atomic
def post_note(
    incident_id: int, *, text: str = "", files: Iterable[Any] = (), key: str = "", actor: User, at: datetime
) -> TimelineEvent:
    """Somebody says something, or pastes a screenshot; the timeline is the chat. Whoever is mentioned is told.
    Possible on closed incidents too (the record goes on). Raises Invalid naming what is wrong with which file.

    With a `key` the same note sent again, because its answer was lost on the way, is there once.
    """
    incident = lock_incident(incident_id)
    require(actor, "contribute", incident)
    if key and (sent := incident.events.filter(kind=EventKind.NOTE, actor=actor, payload__key=key).first()):
        return sent
    given = list(files)
    text = _check_text(text) if text.strip() or not given else ""
    kept = room_files.keep(incident, given, actor=actor, at=at)
    more: dict[str, Any] = {"files": room_files.told(kept)} if kept else {}
    more |= {"key": key[:LONGEST_KEY]} if key else {}
    return events.record(EventKind.NOTE, incident, actor=actor, at=at, text=text, **_mentions(text, incident), **more)


def _mentions(text: str, incident: MajorIncident) -> dict[str, Any]:
    """For the payload: whom the text means by their @names."""
    named = [{"id": person.pk, "name": person.display_name} for person in mentioned(text, incident)]
    return {"mentions": named} if named else {}


@transaction.atomic
def record_decision(
    incident_id: int,
    *,
    text: str,
    rationale: str = "",
    objections: str = "",
    objections_within: int | None = None,
    actor: User,
    at: datetime,
) -> TimelineEvent:
    """A decision with why it was taken and who objected.

    With `objections_within` minutes the team is asked for strong objections first; without one it stands then.
    """
    incident = lock_incident(incident_id)
    require(actor, "contribute", incident)
    text = _check_text(text)
    closes_at = rounds.closing_time(objections_within, at) if objections_within else None
    event = events.record(
        EventKind.DECISION, incident, actor=actor, at=at, text=text, rationale=rationale.strip(),
        objections=objections.strip(), closes_at=closes_at and closes_at.isoformat(), **_mentions(text, incident),
    )  # fmt: skip
    if closes_at is not None:
        rounds.ask(event, incident, closes_at)
    return event


@transaction.atomic
def edit_entry(event_id: int, *, text: str, actor: User, at: datetime) -> TimelineEvent:
    """A later wording of one's own note or decision; every earlier one is kept."""
    event = TimelineEvent.objects.select_related("incident").get(pk=event_id)
    if event.incident is None or event.kind not in (EventKind.NOTE, EventKind.DECISION):
        raise Invalid(text="Only notes and decisions can be reworded; the rest is the record.")
    lock_incident(event.incident.pk)
    if event.actor_id != actor.pk:
        raise NotAccountable("Only the author rewords an entry.", who_may=[event.actor.email] if event.actor else [])
    text = _check_text(text)
    TimelineEdit.objects.create(event=event, text=text, html=markup.render(text), edited_by=actor, edited_at=at)
    events.live.changed(f"MI-{event.incident.pk}", "edited", event.seq)
    return event


def _merged(incident: MajorIncident, mine: dict[str, str], seen_at: datetime | None, actor: User) -> dict[str, str]:
    """My words where I changed them since `seen_at`, the present ones elsewhere."""
    now = {name: getattr(incident, name) for name in mine}
    rows = incident.events.filter(kind=EventKind.SITUATION_CHANGED)
    event = rows.filter(at=seen_at).order_by("seq").last() if seen_at else None
    said = event.payload if event else {}
    base = {"conditions": said.get("conditions", ""), "needs": said.get("needs", "")}
    base["actions_summary"] = said.get("actions", "")
    both = [name for name in mine if mine[name] != base[name] and now[name] != base[name] and mine[name] != now[name]]
    other = incident.situation_changed_by
    if both and other is not None and other.pk != actor.pk:
        seen = incident.situation_changed_at
        raise Duplicate(
            f"Somebody else changed the situation meanwhile: {other.display_name}. Their words stand at the field; "
            "take over what you need. Saving again puts yours in their place.",
            theirs={name: now[name] for name in both}, who=other.display_name, seen_at=seen and seen.isoformat(),
        )  # fmt: skip
    return {name: text if text != base[name] else now[name] for name, text in mine.items()}


@transaction.atomic
def set_situation(
    incident_id: int, *, conditions: str, actions_summary: str, needs: str, seen_at: datetime | None, actor: User,
    at: datetime,
) -> MajorIncident:  # fmt: skip
    """Conditions, Actions, Needs: the pinned summary. `seen_at` is the version that was edited (None: the first).

    What somebody else wrote in another field meanwhile stays. Raises Duplicate, with their words by field in
    `theirs`, when both changed the same one, so that nothing is overwritten unseen.
    """
    incident = lock_incident(incident_id)
    require(actor, "contribute", incident)
    given = {"conditions": conditions, "actions_summary": actions_summary, "needs": needs}
    mine = {name: text.strip()[: markup.MAX_CHARACTERS] for name, text in given.items()}
    if incident.situation_changed_at != seen_at:
        mine = _merged(incident, mine, seen_at, actor)
    for name, text in mine.items():
        setattr(incident, name, text)
    incident.situation_changed_at, incident.situation_changed_by = at, actor
    incident.save()
    events.record(EventKind.SITUATION_CHANGED, incident, actor=actor, at=at, conditions=incident.conditions,
                  actions=incident.actions_summary, needs=incident.needs)  # fmt: skip
    return incident
