"""Past major incidents with everything that belongs to them, written in the state they ended in."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model

from incidents import markup
from incidents.models import (
    AffectedService,
    Bridge,
    ClockEntry,
    DowntimeInterval,
    IncidentStep,
    MajorIncident,
    Seat,
    Service,
    StageEntry,
    StatusUpdate,
    Task,
    Ticket,
    TimelineEvent,
    UpdatePromise,
    User,
    WarRoom,
)
from incidents.priority import priority_for
from incidents.process import CLOCKS, STEPS, EventKind, Role, Stage, StepState, group_of
from metrics.demo import tickets
from metrics.demo.organisation import SERVICES
from metrics.demo.outages import CAME_BACK_NOTE, OUTAGES, Outage
from metrics.demo.people import Cast
from metrics.demo.reports import DURING_AN_OUTAGE
from metrics.demo.tickets import CUSTOMERS

LEVELS = {"SEV1": (1, 1), "SEV2": (1, 2), "SEV3": (2, 2)}
CADENCE = {"SEV1": 30, "SEV2": 30, "SEV3": 60}
OWNERS = {entry.key: entry.owner for entry in SERVICES}


@dataclass
class Past:
    """One past incident while it is being written. Moments are aware; `events` are (at, kind, actor, text, payload)."""

    outage: Outage
    clocks: dict[str, datetime | None]
    manager: User
    engineers: list[User]
    services: list[Service]
    users_affected: int
    is_closed: bool
    intervals: list[tuple[Service, datetime, datetime]] = field(default_factory=list)
    incident: MajorIncident = None  # type: ignore[assignment]
    events: list[tuple[datetime, EventKind, User | None, str, dict[str, Any]]] = field(default_factory=list)

    def moment(self, clock: str) -> datetime:
        found = self.clocks[clock]
        assert found is not None
        return found

    def tell(self, at: datetime, kind: EventKind, actor: User | None, text: str = "", **payload: Any) -> None:
        self.events.append((at, kind, actor, text, payload))


def plan(cast: Cast, dice: random.Random) -> list[Past]:
    """When each outage happened and how fast it went; the desk gets better over the months."""
    found = []
    count = len(OUTAGES)
    spread = (tickets.DAYS - 20) / count
    days = [round(tickets.DAYS - 10 - spread * (number + dice.uniform(0.1, 0.8))) for number in range(count - 1)] + [0]
    for number, (outage, back) in enumerate(zip(OUTAGES, days, strict=True)):
        practice = 1.25 - 0.6 * number / count
        if back:
            day = (cast.at - timedelta(days=back)).astimezone(cast.zone)
            hour = dice.choice((2, 6, 8, 9, 10, 11, 13, 14, 15, 17, 19, 20))
            local = day.replace(hour=hour, minute=dice.randrange(60), second=0, microsecond=0)
            started = local.astimezone(cast.at.tzinfo)
        else:
            started = (cast.at - timedelta(hours=27)).replace(second=0, microsecond=0)
        found.append(_one(cast, dice, outage, started, practice, number))
    return found


def _minutes(dice: random.Random, usual: float) -> timedelta:
    return timedelta(minutes=max(1, round(dice.gauss(usual, usual * 0.3))))


def _one(cast: Cast, dice: random.Random, outage: Outage, started: datetime, practice: float, number: int) -> Past:
    restored = started + timedelta(minutes=outage.minutes)
    detected = started + _minutes(dice, 7 * practice)
    reported = detected + timedelta(minutes=dice.choice((0, 0, 1, 2, 4)))
    acknowledged = reported + _minutes(dice, 6 * practice)
    declared = acknowledged + _minutes(dice, 8 * practice)
    contained = min(declared + _minutes(dice, outage.minutes * 0.35), restored)
    resolved = restored + _minutes(dice, 35 * practice)
    services = [cast.services[key] for key in (outage.service, *outage.extra)]
    past = Past(
        outage,
        {
            "started_at": started, "detected_at": detected, "reported_at": reported, "acknowledged_at": acknowledged,
            "declared_at": declared, "contained_at": max(contained, declared), "restored_at": restored,
            "resolved_at": resolved, "closed_at": None,
        },
        cast.people["deputy" if number % 3 == 2 else "manager"],
        _engineers(cast, dice, outage),
        services,
        users_affected=dice.choice((40, 350, 1_200, 4_800, 12_400, 31_000)),
        is_closed=False,
    )  # fmt: skip
    _downtime(past, dice)
    closing = past.moment("resolved_at") + timedelta(days=dice.uniform(1.5, 6))
    if closing < cast.at:
        past.clocks["closed_at"], past.is_closed = closing, True
    return past


def _engineers(cast: Cast, dice: random.Random, outage: Outage) -> list[User]:
    owner = cast.people[OWNERS[outage.service]]
    staff = [user for user in cast.with_role("technical_staff") if user != owner]
    lead = [owner] if owner in cast.with_role("technical_staff") else []
    return [*lead, *dice.sample(staff, 2 - len(lead) + (outage.severity == "SEV1"))]


def _downtime(past: Past, dice: random.Random) -> None:
    """The first service from beginning to end, those after it a little shorter; twice when it came back."""
    started, restored = past.moment("started_at"), past.moment("restored_at")
    for number, service in enumerate(past.services):
        late = timedelta(minutes=3 * number)
        past.intervals.append(
            (service, started + late, restored - late if restored - late > started + late else restored)
        )
    if past.outage.came_back:
        again = past.moment("resolved_at") + timedelta(hours=3)
        end = again + timedelta(minutes=dice.randrange(15, 40))
        past.intervals.append((past.services[0], again, end))
        past.clocks["restored_at"], past.clocks["resolved_at"] = end, end + timedelta(minutes=25)


# --- Writing -----------------------------------------------------------------------------------
def load(cast: Cast, dice: random.Random) -> list[Past]:
    """All of them, with services, downtime, clocks, seats, steps, bridge, war room, updates and tasks."""
    pasts = plan(cast, dice)
    incidents = MajorIncident.objects.bulk_create([_incident(cast, past) for past in pasts])
    for past, incident in zip(pasts, incidents, strict=True):
        past.incident = incident
    rows: list[Model] = []
    for past in pasts:
        rows += _frame(past)
        rows += _team(cast, past)
        rows += _told(past, dice)
        rows += _worked(cast, past, dice)
    create_all(rows)
    return pasts


def create_all(rows: list[Model]) -> None:
    """One statement for each kind of row, in the order the kinds first appear."""
    kinds = dict.fromkeys(type(row) for row in rows)
    for kind in kinds:
        kind._default_manager.bulk_create([row for row in rows if type(row) is kind])


def _incident(cast: Cast, past: Past) -> MajorIncident:
    outage = past.outage
    impact, urgency = LEVELS[outage.severity]
    return MajorIncident(
        title=outage.title,
        description=outage.conditions,
        stage=Stage.CLOSED if past.is_closed else Stage.MAINTENANCE,
        impact=impact,
        urgency=urgency,
        priority=priority_for(impact, urgency),
        severity=outage.severity,
        affects="employees" if outage.service in ("hr", "network", "warehouse", "data-platform") else "customers",
        users_affected=past.users_affected,
        revenue_impact="Orders are lost while it lasts." if outage.severity == "SEV1" else "",
        reputation_impact="Customers write about it publicly." if outage.severity == "SEV1" else "",
        matrix=cast.matrix,
        declared_by=past.manager,
        conditions=outage.conditions,
        actions_summary=f"{outage.fix}.",
        needs="Nothing.",
        situation_changed_at=past.moment("restored_at"),
        situation_changed_by=past.manager,
        corrected_clocks=["started_at"],
        **past.clocks,
    )


def _frame(past: Past) -> list[Model]:
    """Affected services, downtime, history of clocks and stages, the ten steps."""
    incident, manager = past.incident, past.manager
    rows: list[Model] = [
        AffectedService(incident=incident, service=service, added_at=past.moment("declared_at"))
        for service in past.services
    ]
    rows += [
        DowntimeInterval(incident=incident, service=service, started_at=start, ended_at=end, follows_clocks=False)
        for service, start, end in past.intervals
    ]
    rows += [
        ClockEntry(
            incident=incident, clock=clock, value=value, set_by=manager,
            set_at=past.moment("contained_at") if clock == "started_at" else value,
            is_correction=clock == "started_at",
            reason="Found in the logs of the service." if clock == "started_at" else "",
        )
        for clock in CLOCKS
        if (value := past.clocks[clock]) is not None
    ]  # fmt: skip
    before = ""
    for name, stage, at in _stages(past):
        rows.append(
            StageEntry(incident=incident, transition=name, from_stage=before, to_stage=stage, by=manager, at=at)
        )
        kind = {"declare": None, "confirm_resolution": EventKind.RESOLVED, "close": EventKind.CLOSED}.get(
            name, EventKind.STAGE_CHANGED
        )
        if kind:
            past.tell(at, kind, manager, **{"from": before, "to": stage})
        before = stage
    return rows + _steps(past)


def _stages(past: Past) -> list[tuple[str, Stage, datetime]]:
    declared, contained, resolved = (past.moment(name) for name in ("declared_at", "contained_at", "resolved_at"))
    found = [
        ("declare", Stage.IDENTIFICATION, declared),
        ("begin_containment", Stage.CONTAINMENT, declared + timedelta(minutes=3)),
        ("begin_resolution", Stage.RESOLUTION, max(contained, declared + timedelta(minutes=6))),
        ("confirm_resolution", Stage.MAINTENANCE, resolved),
    ]
    if past.is_closed:
        found.append(("close", Stage.CLOSED, past.moment("closed_at")))
    return found


def _steps(past: Past) -> list[Model]:
    """All done on closed incidents; maintenance is open on the others. Now and then a step was waived."""
    opened = {stage: at for _, stage, at in _stages(past)}
    ended = {
        Stage.IDENTIFICATION: opened[Stage.CONTAINMENT],
        Stage.CONTAINMENT: opened[Stage.RESOLUTION],
        Stage.RESOLUTION: past.moment("resolved_at"),
        Stage.MAINTENANCE: past.clocks["closed_at"],
    }
    number = past.incident.pk
    rows: list[Model] = []
    for position, step in enumerate(STEPS):
        end = ended[step.stage]
        row = IncidentStep(incident=past.incident, key=step.key, position=position, opened_at=opened[step.stage])
        if end is None:
            row.state, row.missing = StepState.OPEN, ["Not done yet."]
        elif number % 7 == 3 and step.key == "war_room":
            row.state, row.waived_by = StepState.WAIVED, past.manager
            row.waiver_reason = "Everybody was on the bridge already; the outage was nearly over."
            past.tell(end, EventKind.STEP_WAIVED, past.manager, step=step.key, title=step.title,
                      reason=row.waiver_reason)  # fmt: skip
        else:
            row.state, row.done_by = StepState.DONE, past.manager
            row.done_at = end if step.key != "declare" else past.moment("declared_at")
            row.by_fallback = number % 11 == 5 and step.key in ("problem", "bridge")
            row.evidence = {"recorded_at": f"{row.done_at:%Y-%m-%dT%H:%M:%SZ}"}
            past.tell(row.done_at, EventKind.STEP_DONE, past.manager, step=step.key, title=step.title,
                      evidence=row.evidence)  # fmt: skip
        rows.append(row)
    return rows


def _team(cast: Cast, past: Past) -> list[Model]:
    declared = past.moment("declared_at")
    seats = [
        (Role.MAJOR_INCIDENT_MANAGER, past.manager),
        *((Role.TECHNICAL_STAFF, engineer) for engineer in past.engineers),
        (Role.SERVICE_DESK_TECHNICIAN, cast.people["jonas"]),
        (Role.MIT, cast.people["stakeholder"]),
        (Role.CHANGE_MANAGER, cast.people["change"]),
        (Role.PROBLEM_MANAGER, cast.people["problem"]),
    ]
    if past.outage.service == "payments":
        seats.append((Role.EXTERNAL_CONSULTANT, cast.people["consultant"]))
    past.tell(declared, EventKind.DECLARED, past.manager, title=past.outage.title, severity=past.outage.severity,
              services=[service.name for service in past.services], is_drill=False)  # fmt: skip
    rows: list[Model] = []
    for number, (role, user) in enumerate(seats):
        answered = declared + timedelta(seconds=35 * number)
        rows.append(
            Seat(incident=past.incident, role=role, user=user, state="accepted", invited_by=past.manager,
                 invited_at=declared, answered_at=answered)
        )  # fmt: skip
        past.tell(answered, EventKind.SEAT_ACCEPTED, user, role=role, person=user.display_name)
    url = f"https://meet.jit.si/larkmoor-{past.incident.ref}"
    rows.append(Bridge(incident=past.incident, provider="jitsi", join_url=url, set_by=past.manager,
                       set_at=declared + timedelta(minutes=2), dial_in="+49 30 5550 900"))  # fmt: skip
    rows.append(WarRoom(incident=past.incident, location="Room Matterhorn, 3rd floor", url=url,
                        opened_by=past.manager, opened_at=declared + timedelta(minutes=3)))  # fmt: skip
    past.tell(declared + timedelta(minutes=2), EventKind.BRIDGE_SET, past.manager, join_url=url, provider="jitsi")
    past.tell(declared + timedelta(minutes=3), EventKind.WAR_ROOM_OPENED, past.manager,
              location="Room Matterhorn, 3rd floor")  # fmt: skip
    past.tell(declared + timedelta(minutes=4), EventKind.WAR_ROOM_ENTERED, past.manager,
              person=past.manager.display_name)  # fmt: skip
    return rows


def _told(past: Past, dice: random.Random) -> list[Model]:
    """Updates in the promised rhythm; once in a while one was late."""
    incident, manager, outage = past.incident, past.manager, past.outage
    every = timedelta(minutes=CADENCE[outage.severity])
    at, end = past.moment("declared_at"), past.moment("restored_at")
    rows: list[Model] = []
    due = at + every
    number = 0
    while due < end:
        was_late = dice.random() < 0.2
        published = (
            due + timedelta(minutes=dice.randrange(2, 9)) if was_late else due - timedelta(minutes=dice.randrange(1, 6))
        )
        words = (
            f"{outage.conditions} We know what is affected and are looking for the cause.",
            f"The cause is found: {outage.cause[0].lower()}{outage.cause[1:]} We are working on it.",
            f"The correction is under way: {outage.fix}.",
        )[min(number, 2)]
        rows.append(UpdatePromise(incident=incident, due_at=due, made_at=at, made_by=manager, settled_at=published,
                                  state="broken" if was_late else "kept"))  # fmt: skip
        rows.append(_update(past, published, words, published + every))
        at, due, number = published, published + every, number + 1
    rows.append(UpdatePromise(incident=incident, due_at=due, made_at=at, made_by=manager, state="kept", settled_at=end))
    rows.append(_update(past, end, f"{past.services[0].name} works again. We keep watching it.", None))
    past.tell(past.moment("contained_at"), EventKind.CONTAINED, manager,
              contained_at=past.moment("contained_at").isoformat())  # fmt: skip
    past.tell(end, EventKind.RESTORED, manager, services=[service.name for service in past.services])
    return rows


def _update(past: Past, at: datetime, words: str, next_at: datetime | None) -> StatusUpdate:
    audiences = ["technical", "management", "key_stakeholders", "users"]
    past.tell(at, EventKind.UPDATE_PUBLISHED, past.manager, words, audiences=audiences)
    return StatusUpdate(incident=past.incident, texts=dict.fromkeys(audiences, words), audiences=audiences,
                        author=past.manager, published_at=at, next_update_at=next_at)  # fmt: skip


def _worked(cast: Cast, past: Past, dice: random.Random) -> list[Model]:
    declared, contained, lead = past.moment("declared_at"), past.moment("contained_at"), past.engineers[0]
    middle = declared + (contained - declared) / 2
    past.tell(middle, EventKind.NOTE, lead, f"Looking at {past.services[0].name}. {past.outage.conditions}")
    past.tell(contained, EventKind.NOTE, past.engineers[-1], f"Cause found: {past.outage.cause}")
    past.tell(contained, EventKind.DECISION, past.manager, f"{past.outage.fix}.",
              rationale="It is the fastest way back that can be undone.")  # fmt: skip
    if past.outage.came_back:
        past.tell(past.intervals[-1][1], EventKind.NOTE, lead, CAME_BACK_NOTE)
    titles = ("Collect logs from the beginning", past.outage.fix, "Check that customers see it work")
    rows: list[Model] = []
    for number, title in enumerate(titles):
        done = contained + timedelta(minutes=7 * number)
        rows.append(
            Task(incident=past.incident, title=title, assignee=past.engineers[number % len(past.engineers)],
                 status="done", created_by=past.manager, created_at=declared + timedelta(minutes=5), done_at=done)
        )  # fmt: skip
    return rows


def write_timelines(pasts: list[Past]) -> None:
    """Everything told about each incident in the order it happened, numbered without a gap."""
    rows = []
    for past in pasts:
        past.events.sort(key=lambda event: event[0])
        for seq, (at, kind, actor, text, payload) in enumerate(past.events, start=1):
            rows.append(
                TimelineEvent(incident=past.incident, seq=seq, kind=kind, group=group_of(kind), actor=actor, at=at,
                              recorded_at=at, text=text, html=markup.render(text) if text else "", payload=payload)
            )  # fmt: skip
        past.incident.last_seq = len(past.events)
    TimelineEvent.objects.bulk_create(rows)
    MajorIncident.objects.bulk_update([past.incident for past in pasts], ["last_seq"])


def load_children(cast: Cast, pasts: list[Past], dice: random.Random) -> list[Ticket]:
    """The tickets that came in during each outage; they were resolved with it."""
    rows = []
    for past in pasts:
        began, ended = past.moment("reported_at"), past.moment("restored_at")
        for number in range(dice.randrange(6, 22)):
            at = began if number == 0 else began + (ended - began) * dice.random() * 0.8
            rows.append(_child(cast, past, at, dice))
    return Ticket.objects.bulk_create(rows)


def _child(cast: Cast, past: Past, at: datetime, dice: random.Random) -> Ticket:
    is_customer = dice.random() < 0.4
    technician = dice.choice(cast.with_role("service_desk_technician"))
    resolved = past.moment("resolved_at")
    closed = resolved + timedelta(days=1)
    return Ticket(
        title=dice.choice(DURING_AN_OUTAGE[past.outage.service]), description=past.outage.conditions,
        channel=dice.choices(["portal", "email", "hotline", "monitoring"], [5, 3, 4, 2])[0],
        requester=None if is_customer else dice.choice(cast.with_role("requester")),
        requester_email=f"{dice.choice(CUSTOMERS)}@customer.example" if is_customer else "",
        service=past.services[0], impact=2, urgency=2, priority=priority_for(2, 2),
        status="closed" if closed < cast.at else "resolved", closed_at=closed if closed < cast.at else None,
        assignee=technician, team=cast.teams["service-desk"], created_by=technician, reported_at=at,
        acknowledged_at=max(past.moment("acknowledged_at"), at + timedelta(minutes=1)), acknowledged_by=technician,
        resolved_at=resolved, resolution=f"Solved with {past.incident.ref}: {past.outage.fix}.",
        major_incident=past.incident,
    )  # fmt: skip
