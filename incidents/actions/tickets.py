"""What is done with tickets. The life of one is in `ticket_states`; all of it is reached from here."""

from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import events, markup, permissions
from incidents.actions import arrivals
from incidents.actions.duplicates import conversation, others_who_reported
from incidents.actions.input import (
    clean_choice,
    clean_email,
    clean_level,
    clean_person,
    clean_text,
    clean_time,
    clean_title,
    unknown_fields,
)
from incidents.actions.sla_follow import begin, follow
from incidents.actions.ticket_escalation import escalate
from incidents.actions.ticket_files import attach
from incidents.actions.ticket_links import keep_open, link, propose, unlink
from incidents.actions.ticket_states import (
    acknowledge,
    allow,
    answer_whether_it_works,
    assign,
    close,
    hold,
    locked,
    reopen,
    resolve,
    start_work,
)
from incidents.errors import Invalid
from incidents.models import (
    Channel,
    MajorIncident,
    Organisation,
    Service,
    Team,
    Ticket,
    TicketComment,
    TicketKind,
    TicketReading,
    TicketStatus,
    TicketWatcher,
    User,
)
from incidents.priority import Priority, priority_for
from incidents.process import EventKind
from incidents.queries.sla import current_rules
from incidents.sealed import seal
from incidents.written_together import insert_together

__all__ = [
    "acknowledge",
    "answer_whether_it_works",
    "assign",
    "attach",
    "close",
    "comment",
    "edit_ticket",
    "escalate",
    "hold",
    "keep_open",
    "link",
    "mark_read",
    "open_ticket",
    "propose",
    "reopen",
    "resolve",
    "start_work",
    "unlink",
    "unwatch",
    "watch",
]


@transaction.atomic
def open_ticket(
    *,
    title: str,
    channel: str,
    actor: User | None,
    at: datetime,
    description: str = "",
    kind: str = TicketKind.INCIDENT,
    requester: User | None = None,
    requester_email: str = "",
    service: Service | None = None,
    configuration_item: str = "",
    impact: int = 3,
    urgency: int = 3,
    priority: str | None = None,
    major_incident: MajorIncident | None = None,
    reported_at: datetime | None = None,
    team: Team | None = None,
    no_answer: str = "",
    began_at: datetime | None = None,
    callback_number: str = "",
) -> Ticket:
    """Files one report. Priority follows from impact and urgency unless given.

    Filing is never an acknowledgement. `reported_at` None means `at`; it may be backdated. In the portal, and
    for people who do not work the desk, whoever files it is the requester unless somebody else is named.
    `no_answer` says why the requester is not told that the report arrived; "" lets them be told.
    `began_at` is since when it does not work, as the requester says, and moves no other clock.
    """
    allow(actor, "open_ticket")
    organisation = Organisation.current()
    requester, email = _requester(requester, requester_email, _filer(actor, channel))
    ticket = Ticket(
        title=clean_title(title),
        description=clean_text("description", description),
        kind=clean_choice("kind", kind, TicketKind.values),
        channel=clean_choice("channel", channel, Channel.values),
        requester=requester,
        requester_email=email,
        service=_service(service),
        configuration_item=clean_text("configuration_item", configuration_item, 200),
        impact=clean_level("impact", impact),
        urgency=clean_level("urgency", urgency),
        priority=_priority(priority, impact, urgency, organisation),
        team=team,
        created_by=actor,
        reported_at=clean_time("reported_at", reported_at, not_after=at) if reported_at else at,
        began_at=clean_time("began_at", began_at, not_after=at) if began_at else None,
        callback_sealed=seal(clean_text("callback_number", callback_number, 40)),
    )
    clocks = begin(ticket, at=at, rules=current_rules(organisation))
    unanswered: dict[str, Any] = {"no_answer": no_answer} if no_answer else {}
    event = events.drafted(
        EventKind.TICKET_OPENED,
        ticket,
        actor=actor,
        at=at,
        title=ticket.title,
        channel=ticket.channel,
        priority=ticket.priority,
        service=service.name if service else None,
        **unanswered,
    )
    arrival = arrivals.arrival_of(ticket)
    insert_together(ticket, [event], [arrival] if arrival else [], clocks)
    ticket._prefetched_objects_cache = {"clocks": clocks}  # type: ignore[attr-defined]  # shown without asking again
    events.announce(event)
    if arrival:
        arrivals.ring()
    if major_incident is not None:
        return link([ticket.pk], incident_id=major_incident.pk, actor=actor, at=at)[0]
    return ticket


def _filer(actor: User | None, channel: str) -> User | None:
    """Who reports for themselves by filing; None for technicians noting a call, monitoring and mail."""
    if actor is None or channel in (Channel.MONITORING, Channel.EMAIL):
        return None
    return actor if channel == Channel.PORTAL or not permissions.can(actor, "work_ticket") else None


def _requester(person: User | None, email: str, fallback: User | None) -> tuple[User | None, str]:
    """The account behind an address is the requester; an address nobody has is kept as text."""
    address = clean_email("requester_email", email)
    if person is None and address:
        person = User.objects.filter(email__iexact=address, is_active=True).first()
    elif person is None:
        person = fallback
    clean_person("requester", person)
    return person, address or (person.email if person else "")


def _service(service: Service | None) -> Service | None:
    if service is not None and not service.is_active:
        raise Invalid(service=f"{service.name} is no longer offered. Choose another service or none.")
    return service


def _priority(given: str | None, impact: int, urgency: int, organisation: Organisation) -> str:
    if given:
        return clean_choice("priority", given, Priority.values)
    return priority_for(impact, urgency, organisation.priority_table)


_CLEAN = {
    "title": clean_title,
    "description": lambda value: clean_text("description", value),
    "configuration_item": lambda value: clean_text("configuration_item", value, 200),
    "resolution": lambda value: clean_text("resolution", value),
    "kind": lambda value: clean_choice("kind", value, TicketKind.values),
    "channel": lambda value: clean_choice("channel", value, Channel.values),
    "impact": lambda value: clean_level("impact", value),
    "urgency": lambda value: clean_level("urgency", value),
    "service": _service,
}
_BY_ACT = ("status", "assignee", "team", "major_incident", "reason")
_OTHER = ("priority", "requester", "requester_email", "reported_at")


@transaction.atomic
def edit_ticket(ticket_id: int, *, changes: dict[str, Any], actor: User, at: datetime) -> Ticket:
    """Corrects fields; what stood there before goes into the record.

    `status`, `assignee`, `team` and `major_incident` go through the act they stand for (a hold or reopening takes
    `reason`, resolving `resolution`). A new impact or urgency gives a new priority unless one is named too.
    """
    unknown_fields(changes, (*_CLEAN, *_BY_ACT, *_OTHER))
    if "major_incident" in changes:
        _set_parent(ticket_id, changes["major_incident"], str(changes.get("reason") or ""), actor, at)
    ticket = locked(ticket_id)
    allow(actor, "work_ticket", ticket)
    before = {name: getattr(ticket, name) for name in (*_CLEAN, *_OTHER)}
    for name, clean in _CLEAN.items():
        if name in changes:
            setattr(ticket, name, clean(changes[name]))
    if "requester" in changes or "requester_email" in changes:
        ticket.requester, ticket.requester_email = _requester(
            changes.get("requester"), changes.get("requester_email") or "", None
        )
    if changes.get("reported_at"):
        ticket.reported_at = clean_time("reported_at", changes["reported_at"], not_after=at)
    if changes.keys() & {"impact", "urgency", "priority"}:
        ticket.priority = _priority(changes.get("priority"), ticket.impact, ticket.urgency, Organisation.current())
    changed = [name for name, value in before.items() if getattr(ticket, name) != value]
    if changed:
        promised: list[str] = []
        if {"priority", "service", "reported_at"}.intersection(changed):
            promised = follow(ticket, at=at, reported_before=before["reported_at"])
        ticket.save(update_fields=[*changed, *promised, "updated_at"])
        shown = {name: [_shown(before[name]), _shown(getattr(ticket, name))] for name in changed}
        events.record(EventKind.TICKET_EDITED, ticket, actor=actor, at=at, changes=shown)
        if {"service", "kind"}.intersection(changed):
            arrivals.filed_anew(ticket)
    if "assignee" in changes or "team" in changes:
        assign(
            ticket_id,
            assignee=changes.get("assignee", ticket.assignee),
            team=changes.get("team", ticket.team),
            actor=actor,
            at=at,
        )
    if "status" in changes:
        _set_status(ticket_id, changes, actor, at)
    return locked(ticket_id)


def _shown(value: object) -> object:
    """The value as JSON; long texts in short."""
    if value is None or isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)[:500]


def _set_parent(ticket_id: int, parent: MajorIncident | None, reason: str, actor: User, at: datetime) -> None:
    current = Ticket.objects.values_list("major_incident", flat=True).get(pk=ticket_id)
    if current == (parent.pk if parent else None):
        return
    if parent is None:
        unlink(ticket_id, reason=reason or "Unlinked while editing.", actor=actor, at=at)
    else:
        link([ticket_id], incident_id=parent.pk, actor=actor, at=at)


def _set_status(ticket_id: int, changes: dict[str, Any], actor: User, at: datetime) -> None:
    """A named state becomes the act that leads there; the state it has already is no act."""
    ticket = locked(ticket_id)
    target = clean_choice("status", changes["status"], TicketStatus.values)
    reason = str(changes.get("reason") or "")
    if target == ticket.status:
        return
    if target == TicketStatus.IN_PROGRESS and not ticket.is_open:
        reopen(ticket_id, reason=reason, actor=actor, at=at)
    elif target == TicketStatus.IN_PROGRESS:
        start_work(ticket_id, actor=actor, at=at)
    elif target == TicketStatus.ON_HOLD:
        hold(ticket_id, reason=reason, actor=actor, at=at)
    elif target == TicketStatus.RESOLVED:
        resolve(ticket_id, resolution=ticket.resolution or reason, actor=actor, at=at)
    elif target == TicketStatus.CLOSED:
        close(ticket_id, actor=actor, at=at)
    elif target == TicketStatus.ASSIGNED and ticket.status == TicketStatus.NEW:
        assign(ticket_id, assignee=ticket.assignee or actor, team=ticket.team, actor=actor, at=at)
    else:
        raise Invalid(status=f"{ticket.ref} cannot go back to “{target}”.")


@transaction.atomic
def comment(
    ticket_id: int, *, text: str, public: bool, actor: User | None, at: datetime, sender: str = ""
) -> TicketComment:
    """One entry of the conversation; only public ones reach the requester, who can write no other kind.

    What is written to a duplicate stands in the ticket it was merged into, marked with where it came from. `sender`
    is the address it was mailed from by somebody who has no account: they are not sent their own words.
    """
    ticket, origin = conversation(ticket_id, actor)
    allow(actor, "comment_ticket" if public else "work_ticket", origin or ticket)
    said = clean_text("text", text, required=True)
    row = TicketComment.objects.create(
        ticket=ticket, author=actor, text=said, html=markup.render(said), public=bool(public), origin=origin,
        created_at=at,
    )  # fmt: skip
    ticket.save(update_fields=["updated_at"])
    mailed: dict[str, Any] = {"sender": sender} if sender else {}
    events.record(
        EventKind.TICKET_COMMENTED, ticket, actor=actor, at=at, text=said, comment_id=row.pk, public=bool(public),
        origin=origin.ref if origin else None, **mailed,
    )  # fmt: skip
    if public and origin is None and actor is not None and actor.pk != ticket.requester_id:
        for duplicate in others_who_reported(ticket):
            events.record(
                EventKind.TICKET_COMMENTED, duplicate, actor=actor, at=at, text=said, comment_id=row.pk, public=True,
                through=ticket.ref,
            )  # fmt: skip
    return row


@transaction.atomic
def watch(ticket_id: int, *, user: User | None = None, actor: User, at: datetime) -> TicketWatcher:
    """Hears of what happens to it. `user` None means the actor; the desk may add anybody."""
    ticket = locked(ticket_id)
    person = user or actor
    allow(actor, "view_ticket" if person == actor else "work_ticket", ticket)
    clean_person("user", person)
    return TicketWatcher.objects.get_or_create(ticket=ticket, user=person, defaults={"created_at": at})[0]


@transaction.atomic
def unwatch(ticket_id: int, *, user: User | None = None, actor: User, at: datetime) -> None:
    """No longer hears of it; nothing happens when the person did not watch."""
    ticket = locked(ticket_id)
    person = user or actor
    allow(actor, "view_ticket" if person == actor else "work_ticket", ticket)
    TicketWatcher.objects.filter(ticket=ticket, user=person).delete()


def mark_read(ticket_id: int, *, actor: User, at: datetime) -> None:
    """The person has looked at it: what came before is no longer unread. No act in the record."""
    TicketReading.objects.update_or_create(ticket_id=ticket_id, user=actor, defaults={"read_at": at})
