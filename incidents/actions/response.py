"""What the team does together: bridge, war room, notes, decisions, situation, tasks."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from incidents import events, markup
from incidents.actions import bridges, steps
from incidents.actions.locking import check_open, lock_incident
from incidents.errors import Duplicate, Invalid, NotAccountable, WrongStage
from incidents.models import (
    Bridge,
    MajorIncident,
    Presence,
    Task,
    TaskStatus,
    TimelineEdit,
    TimelineEvent,
    User,
    WarRoom,
)
from incidents.permissions import require, require_step
from incidents.process import EventKind


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
def post_note(incident_id: int, *, text: str, actor: User, at: datetime) -> TimelineEvent:
    """Somebody says something; the timeline is the chat. Possible on closed incidents too (the record goes on)."""
    incident = lock_incident(incident_id)
    require(actor, "contribute", incident)
    return events.record(EventKind.NOTE, incident, actor=actor, at=at, text=_check_text(text))


@transaction.atomic
def record_decision(
    incident_id: int, *, text: str, rationale: str = "", objections: str = "", actor: User, at: datetime
) -> TimelineEvent:
    """A decision with why it was taken and who objected."""
    incident = lock_incident(incident_id)
    require(actor, "contribute", incident)
    return events.record(
        EventKind.DECISION, incident, actor=actor, at=at, text=_check_text(text), rationale=rationale.strip(),
        objections=objections.strip(),
    )  # fmt: skip


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


@transaction.atomic
def set_situation(
    incident_id: int, *, conditions: str, actions_summary: str, needs: str, seen_at: datetime | None, actor: User,
    at: datetime,
) -> MajorIncident:  # fmt: skip
    """Conditions, Actions, Needs: the pinned summary. `seen_at` is the version that was edited (None: the first);
    raises Duplicate when somebody else wrote in between, so that nothing is overwritten unseen."""
    incident = lock_incident(incident_id)
    require(actor, "contribute", incident)
    if incident.situation_changed_at != seen_at and incident.situation_changed_by_id != actor.pk:
        raise Duplicate("Somebody else changed the situation meanwhile. Read it, then save again.")
    incident.conditions, incident.actions_summary, incident.needs = (
        text.strip()[: markup.MAX_CHARACTERS] for text in (conditions, actions_summary, needs)
    )
    incident.situation_changed_at, incident.situation_changed_by = at, actor
    incident.save()
    events.record(EventKind.SITUATION_CHANGED, incident, actor=actor, at=at, conditions=incident.conditions,
                  actions=incident.actions_summary, needs=incident.needs)  # fmt: skip
    return incident


@transaction.atomic
def add_task(
    incident_id: int,
    *,
    title: str,
    assignee: User | None = None,
    due_at: datetime | None = None,
    actor: User,
    at: datetime,
) -> Task:
    """A piece of work. Raises Duplicate when the same words are open already, naming who does it."""
    incident = lock_incident(incident_id)
    require(actor, "contribute", incident)
    title = _check_text(title, "title")
    if len(title) > 250:
        raise Invalid(title="At most 250 characters.")
    same = incident.tasks.filter(title__iexact=title, status__in=[TaskStatus.OPEN, TaskStatus.IN_PROGRESS])
    if twin := same.select_related("assignee").first():
        doing = twin.assignee.display_name if twin.assignee else "nobody yet"
        raise Duplicate(f"This task is open already (assigned to {doing}).", task=twin.pk)
    task = Task.objects.create(
        incident=incident, title=title, assignee=assignee, due_at=due_at, created_by=actor, created_at=at
    )
    events.record(
        EventKind.TASK_ADDED, incident, actor=actor, at=at, task_id=task.pk, title=title,
        assignee_id=assignee and assignee.pk, assignee=assignee and assignee.display_name,
    )  # fmt: skip
    return task


@transaction.atomic
def change_task(task_id: int, *, changes: dict[str, Any], actor: User, at: datetime) -> Task:
    """Changes `title`, `assignee`, `due_at` or `status` of a task."""
    incident = lock_incident(Task.objects.values_list("incident", flat=True).get(pk=task_id))
    require(actor, "contribute", incident)
    task = Task.objects.select_related("assignee").get(pk=task_id)
    if "title" in changes:
        task.title = _check_text(changes["title"], "title")[:250]
    if "assignee" in changes:
        task.assignee = changes["assignee"]
    if "due_at" in changes:
        task.due_at = changes["due_at"]
    if "status" in changes:
        if changes["status"] not in TaskStatus.values:
            raise Invalid(status=f"Known: {', '.join(TaskStatus.values)}.")
        task.status = changes["status"]
        task.done_at = at if task.status == TaskStatus.DONE else None
    task.save()
    events.record(
        EventKind.TASK_CHANGED, incident, actor=actor, at=at, task_id=task.pk, title=task.title, status=task.status,
        assignee=task.assignee and task.assignee.display_name,
    )  # fmt: skip
    return task
