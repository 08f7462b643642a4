"""What a team needs on paper when the product itself, or the network, is away: numbers first. Markdown, for the PDF."""

from collections.abc import Iterable
from datetime import datetime

from incidents.models import Service, StatusUpdate, TaskStatus, TimelineEvent, people_with_role
from incidents.on_call import on_call
from incidents.process import AccountRole, EventGroup
from incidents.queries.war_room import Room

MOST_ENTRIES, MOST_TASKS = 40, 40
_ON_DUTY = (
    AccountRole.MAJOR_INCIDENT_MANAGER,
    AccountRole.SERVICE_DESK_MANAGER,
    AccountRole.CHANGE_MANAGER,
    AccountRole.PROBLEM_MANAGER,
    AccountRole.TECHNICAL_STAFF,
)


def write(room: Room) -> str:
    """The packet of one incident as it is now; all times UTC."""
    parts = [
        _now(room),
        _section("Numbers: the team", _team(room)),
        _section("Numbers: on duty now", _duty(room.now)),
        _section("Numbers: who owns what is down", _owners(room)),
        _section("Numbers: management", _management()),
        _section("Conditions", room.incident.conditions),
        _section("Actions", room.incident.actions_summary),
        _section("Needs", room.incident.needs),
        _section("Open tasks", _tasks(room)),
        _section("The process: what is done and what waits", _steps(room)),
        _section("Last update to management", _update(room)),
        _section("The record, newest first (UTC)", _record(room)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text.strip()}" if text.strip() else ""


def _cell(text: str) -> str:
    """On one line of a table."""
    return " ".join(text.replace("|", "/").split()) or "–"


def _rows(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    found = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    if not found:
        return ""
    names = list(head)
    return "\n".join([f"| {' | '.join(names)} |", f"|{'---|' * len(names)}", *found])


def _management() -> str:
    people = people_with_role(AccountRole.MANAGEMENT)[:20]
    rows = [(one.display_name, one.job_title, one.phone, one.email) for one in people]
    return _rows(("Who", "As", "Telephone", "E-mail"), rows)


def _now(room: Room) -> str:
    incident, bridge, place = room.incident, room.bridge, room.war_room
    facts = [
        ("Severity and stage", f"{incident.severity}, {incident.get_stage_display()}"),
        ("Impact began", _moment(room.impact_since)),
        ("Declared", _moment(incident.declared_at)),
        ("Manager", room.manager.display_name if room.manager else "nobody seated"),
        ("Manager’s telephone", room.manager.phone if room.manager else ""),
        ("Bridge", bridge.join_url if bridge and not bridge.cancelled_at else "not set"),
        ("Dial-in", bridge.dial_in if bridge and not bridge.cancelled_at else ""),
        ("War room", ", ".join(filter(None, (place.location, place.url))) if place else "not open"),
        ("Down now", ", ".join(row.service.name if row.service else "not known" for row in room.open_downtime)),
        ("Next update due", _moment(incident.next_update_at)),
    ]
    return _rows((incident.ref, _cell(incident.title)), facts)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


def _team(room: Room) -> str:
    return _rows(
        ("Who", "Seat", "Telephone", "E-mail"),
        (
            (
                seat.user.display_name,
                f"{seat.get_role_display()}{'' if seat.state == 'accepted' else ' (has not answered)'}",
                seat.user.phone,
                seat.user.email,
            )
            for seat in room.seats
        ),
    )


def _duty(at: datetime) -> str:
    found = [(role, person) for role in _ON_DUTY for person in on_call(role, at)[:3]]
    return _rows(
        ("Who", "On duty as", "Telephone", "E-mail"),
        ((person.display_name, str(role.label), person.phone, person.email) for role, person in found),
    )


def _owners(room: Room) -> str:
    wanted = {row["service"].pk for row in room.service_rows if row["service"]}
    services = Service.objects.filter(pk__in=wanted).select_related("owner", "team__lead").order_by("tier", "name")
    rows = []
    for service in services:
        lead = service.team.lead if service.team else None
        for person, what in ((service.owner, "owns it"), (lead, "leads the team")):
            if person is not None:
                rows.append((service.name, f"{person.display_name}, {what}", person.phone, person.email))
    return _rows(("Service", "Who", "Telephone", "E-mail"), rows)


def _tasks(room: Room) -> str:
    tasks = [task for task in room.tasks if task.status in (TaskStatus.OPEN, TaskStatus.IN_PROGRESS)]
    rows = [
        (task.title, task.assignee.display_name if task.assignee else "nobody yet", _moment(task.due_at))
        for task in tasks[:MOST_TASKS]
    ]
    return _rows(("Task", "Who", "Due"), rows)


def _steps(room: Room) -> str:
    return _rows(
        ("Step", "State", "Signs for it"),
        ((row.title, row.step.get_state_display(), row.accountable) for row in room.step_rows.values()),
    )


def _update(room: Room) -> str:
    update = StatusUpdate.objects.filter(incident=room.incident, undone_at=None).first()
    if update is None:
        return ""
    words = next((str(text) for text in update.texts.values() if text), "")
    return f"{_moment(update.published_at)}\n\n{words}"


def _record(room: Room) -> str:
    rows = TimelineEvent.objects.filter(incident=room.incident).exclude(group=EventGroup.SYSTEM, text="")
    entries = list(rows.select_related("actor").order_by("-seq")[:MOST_ENTRIES])
    return _rows(
        ("When", "What", "Who"),
        (
            (
                f"{event.at:%d %b %H:%M}",
                f"{event.get_kind_display()}{': ' + event.text[:200] if event.text else ''}",
                event.actor.display_name if event.actor else "System",
            )
            for event in entries
        ),
    )
