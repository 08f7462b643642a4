"""What the war room shows. Each part is asked for once, when the page or fragment that needs it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Case, Exists, OuterRef, Prefetch, QuerySet, When, prefetch_related_objects
from django.utils import timezone

from incidents.models import (
    Approval,
    Bridge,
    ChangeLink,
    CommandHandover,
    Consult,
    DowntimeInterval,
    EntryMark,
    IncidentStep,
    MajorIncident,
    Presence,
    Seat,
    Task,
    TaskStatus,
    User,
    WarRoom,
)
from incidents.permissions import LIVE_SEATS, StepHolders, can, commanders, is_usable, step_holders, visible_incidents
from incidents.process import GATES, OPEN_STAGES, STEP_BY_KEY, AccountRole, Audience, Role, SeatState, Stage, StepState
from incidents.queries.costs import cost_of_downtime, cost_per_hour_now, downtime_seconds
from incidents.queries.mentions import handle_of
from incidents.queries.record import Marked, OpenRound, marks_of, open_rounds, with_record
from incidents.queries.work import Work, work_of

MOST_TASKS = 120
"""Tasks one page lists at most."""

NEXT_ACT = {
    Stage.IDENTIFICATION: ("begin_containment", "Begin containment"),
    Stage.CONTAINMENT: ("begin_resolution", "Begin resolution"),
    Stage.RESOLUTION: ("confirm_resolution", "Confirm resolution"),
    Stage.MAINTENANCE: ("close", "Close"),
}
"""The transition that leads on from each stage, and the words of its button."""

SHORT_TITLES = {
    "declare": "Declare",
    "inform": "Inform stakeholders",
    "assemble": "Assemble the team",
    "bridge": "Conference bridge",
    "war_room": "War room",
    "problem": "Problem ticket",
    "change": "Fix as a change",
    "review": "Review",
    "document": "Documentation",
    "measure": "Figures",
}
STEP_ACTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "inform": (("update", "Publish update", "send"),),
    "assemble": (("invite", "Invite", "user-plus"),),
    "bridge": (("bridge", "Set bridge", "phone"),),
    "war_room": (("open-war-room", "Open war room", "users-group"),),
    "problem": (("problem", "Open or link problem", "bug"),),
    "change": (("change", "Open or link change", "git-branch"),),
    "measure": (("clocks", "Clocks", "clock"),),
}
"""Guarded acts of each step: dialog, words of the button, icon."""


def find_incident(user: User, pk: int) -> MajorIncident | None:
    """The incident with its seats, for somebody who may see it; None otherwise."""
    seats = Seat.objects.filter(state__in=LIVE_SEATS).select_related("user").order_by("id")
    offers = CommandHandover.objects.filter(incident=OuterRef("pk"), state=CommandHandover.State.OFFERED)
    return (
        with_record(visible_incidents(user))
        .select_related("matrix", "declared_by", "situation_changed_by", "bridge", "war_room", "merged_into")
        .prefetch_related(Prefetch("seats", queryset=seats))
        .annotate(command_is_offered=Exists(offers))
        .filter(pk=pk)
        .first()
    )


@dataclass
class StepRow:
    """One step as the left column shows it."""

    step: IncidentStep
    holders: StepHolders
    consults: list[Consult]
    acts: tuple[tuple[str, str, str], ...]
    may_waive: bool
    proof: str

    @property
    def title(self) -> str:
        return SHORT_TITLES[self.step.key]

    @property
    def state(self) -> str:
        return {"done": "is-done", "waived": "is-waived", "open": "is-due"}.get(self.step.state, "")

    @property
    def seated_responsible(self) -> str:
        """Names of those whose seat carries R; empty when nobody accepted one."""
        return ", ".join(dict.fromkeys(p.display_name for _, people in self.holders.responsible for p in people))

    @property
    def accountable(self) -> str:
        """Names of those who sign for it, fallbacks included."""
        return ", ".join(dict.fromkeys(person.display_name for person in self.holders.accountable_people))

    @property
    def due(self) -> str:
        """Who is to do it now, by name."""
        people = self.holders.responsible_people or self.holders.accountable_people
        return ", ".join(dict.fromkeys(person.display_name for person in people)) or "nobody"


@dataclass
class StageRow:
    """One stage with its steps and the gate behind it."""

    stage: Stage
    state: str
    steps: list[StepRow]
    act: str
    act_label: str
    missing: list[StepRow]

    @property
    def name(self) -> str:
        return self.stage.label

    @property
    def note(self) -> str:
        """What the header says under the stage: who is due, or how much is done."""
        passed = sum(row.step.is_passed for row in self.steps)
        if self.state != "current" or not self.missing:
            return f"{passed} of {len(self.steps)}" if self.state != "done" else ""
        first = self.missing[0]
        return f"{first.title}: {first.due}"


class Room:
    """One incident as one person sees it."""

    def __init__(
        self,
        incident: MajorIncident,
        user: User,
        now: datetime | None = None,
        stand_ins: Callable[[], tuple[list[User], str]] | None = None,
    ) -> None:
        self.incident = incident
        self.user = user
        self.now = now or timezone.now()
        self.stand_ins = stand_ins

    # --- who
    @cached_property
    def seats(self) -> list[Seat]:
        """Invited and accepted seats, the manager first, then by column of the matrix."""
        order = {role: position for position, role in enumerate([Role.MAJOR_INCIDENT_MANAGER, *Role])}
        order[Role.MAJOR_INCIDENT_MANAGER] = -1
        return sorted(self.incident.seats.all(), key=lambda seat: (order[Role(seat.role)], seat.pk))

    @cached_property
    def manager(self) -> User | None:
        return next(
            (s.user for s in self.seats if s.role == Role.MAJOR_INCIDENT_MANAGER and s.state == SeatState.ACCEPTED),
            None,
        )

    @cached_property
    def my_invitations(self) -> list[Seat]:
        return [seat for seat in self.seats if seat.user_id == self.user.pk and seat.state == SeatState.INVITED]

    @cached_property
    def commands(self) -> bool:
        return is_usable(self.user) and self.user in commanders(self.incident)[0]

    @cached_property
    def may_command(self) -> bool:
        return self.commands and self.incident.is_open

    @cached_property
    def may_take_command(self) -> bool:
        holds = self.user.has_role(AccountRole.MAJOR_INCIDENT_MANAGER) and not self.user.is_guest
        return holds and self.incident.is_open and self.manager != self.user

    @cached_property
    def may_contribute(self) -> bool:
        """Notes, tasks, drafts: every accepted seat, and those who run incidents."""
        seated = any(seat.user_id == self.user.pk and seat.state == SeatState.ACCEPTED for seat in self.seats)
        runs = self.user.has_role(AccountRole.MAJOR_INCIDENT_MANAGER, AccountRole.SERVICE_DESK_MANAGER)
        return is_usable(self.user) and (seated or self.commands or (runs and not self.user.is_guest))

    @property
    def may_print(self) -> bool:
        """The packet has telephone numbers: staff only."""
        return can(self.user, "view_desk")

    # --- the process
    @cached_property
    def steps(self) -> list[IncidentStep]:
        rows = IncidentStep.objects.select_related("accountable_seat__user", "done_by", "waived_by").prefetch_related(
            Prefetch("consults", queryset=Consult.objects.select_related("user"))
        )
        if "steps" not in getattr(self.incident, "_prefetched_objects_cache", {}):
            prefetch_related_objects([self.incident], Prefetch("steps", queryset=rows))
        return list(self.incident.steps.all())

    @cached_property
    def holders(self) -> dict[str, StepHolders]:
        return step_holders(self.incident, steps=self.steps, stand_ins=self.stand_ins)

    @cached_property
    def step_rows(self) -> dict[str, StepRow]:
        return {step.key: self._row(step) for step in self.steps}

    def _row(self, step: IncidentStep) -> StepRow:
        holders = self.holders[step.key]
        is_open = self.incident.is_open
        may_do = is_open and self.user in (*holders.responsible_people, *holders.accountable_people)
        return StepRow(
            step=step,
            holders=holders,
            consults=list(step.consults.all()),
            acts=STEP_ACTS.get(step.key, ()) if may_do else (),
            may_waive=is_open and not step.is_passed and self.user in holders.accountable_people,
            proof=_proof(step),
        )

    @cached_property
    def stages(self) -> list[StageRow]:
        current = self.incident.stage
        order = list(OPEN_STAGES)
        at = order.index(Stage(current)) if current in order else len(order)
        rows = []
        for position, stage in enumerate(order):
            steps = [row for key, row in self.step_rows.items() if STEP_BY_KEY[key].stage == stage]
            act, label = NEXT_ACT[stage]
            state = "done" if position < at else "current" if position == at else "next"
            if current == Stage.STOOD_DOWN:
                state = "next"
            missing = [self.step_rows[key] for key in GATES[act] if not self.step_rows[key].step.is_passed]
            rows.append(StageRow(stage, state, steps, act, label, missing))
        return rows

    @cached_property
    def current(self) -> StageRow | None:
        return next((row for row in self.stages if row.state == "current"), None)

    @cached_property
    def waits_for(self) -> list[StepRow]:
        return self.current.missing if self.current else []

    @cached_property
    def may_update(self) -> bool:
        return bool(self.step_rows["inform"].acts)

    @cached_property
    def consults_for_me(self) -> list[Consult]:
        """Questions this person has not answered, of steps that are not passed yet."""
        found = [consult for row in self.step_rows.values() for consult in row.consults if not row.step.is_passed]
        return [consult for consult in found if consult.user_id == self.user.pk and consult.answered_at is None]

    @property
    def accepted_seats(self) -> list[Seat]:
        return [seat for seat in self.seats if seat.state == SeatState.ACCEPTED]

    # --- impact
    @cached_property
    def downtime(self) -> list[DowntimeInterval]:
        if "downtime" not in getattr(self.incident, "_prefetched_objects_cache", {}):
            rows = DowntimeInterval.objects.select_related("service")
            prefetch_related_objects([self.incident], Prefetch("downtime", queryset=rows))
        return list(self.incident.downtime.all())

    @cached_property
    def open_downtime(self) -> list[DowntimeInterval]:
        return [row for row in self.downtime if row.ended_at is None]

    @cached_property
    def cost(self) -> Decimal | None:
        return cost_of_downtime(self.downtime, self.now)

    @cached_property
    def cost_per_hour(self) -> Decimal | None:
        return cost_per_hour_now(self.downtime, self.now)

    @cached_property
    def downtime_seconds(self) -> float | None:
        return downtime_seconds(self.downtime, self.now) if self.downtime else None

    @cached_property
    def service_rows(self) -> list[dict[str, Any]]:
        """Each service that was down, with its seconds of downtime and whether it is down now."""
        rows: dict[int | None, dict[str, Any]] = {}
        for interval in self.downtime:
            row = rows.setdefault(
                interval.service_id, {"service": interval.service, "seconds": 0.0, "down_since": None, "times": 0}
            )
            row["seconds"] += ((interval.ended_at or self.now) - interval.started_at).total_seconds()
            row["times"] += 1
            row["down_since"] = interval.started_at if interval.ended_at is None else row["down_since"]
        return list(rows.values())

    @property
    def impact_since(self) -> datetime | None:
        return self.incident.started_at or self.incident.detected_at or self.incident.declared_at

    @property
    def impact_until(self) -> datetime | None:
        """When the impact clock stopped: restored, resolved or closed; None while it runs."""
        incident = self.incident
        return incident.restored_at or incident.resolved_at or incident.closed_at or self._ended

    @property
    def _ended(self) -> datetime | None:
        return None if self.incident.is_open else self.incident.updated_at

    # --- the team's work
    @property
    def bridge(self) -> Bridge | None:
        return getattr(self.incident, "bridge", None)

    @property
    def war_room(self) -> WarRoom | None:
        return getattr(self.incident, "war_room", None)

    @cached_property
    def present(self) -> dict[int, Presence]:
        """Who is in the war room now, by person."""
        rows = self.incident.presences.filter(left_at__isnull=True).select_related("user")
        return {row.user_id: row for row in rows}

    @property
    def is_present(self) -> bool:
        return self.user.pk in self.present

    @cached_property
    def visitors(self) -> list[User]:
        """In the war room without a seat."""
        seated = {seat.user_id for seat in self.seats}
        return [row.user for pk, row in self.present.items() if pk not in seated]

    @cached_property
    def problems(self) -> list[Any]:
        return list(self.incident.problems.select_related("owner").order_by("pk"))

    @cached_property
    def change_links(self) -> list[ChangeLink]:
        return list(self.incident.change_links.select_related("change").order_by("pk"))

    @cached_property
    def tasks(self) -> list[Task]:
        """The open ones and the last that were done."""
        rows = self.incident.tasks.select_related("assignee").exclude(status=TaskStatus.CANCELLED)
        return list(rows.order_by(Case(When(status=TaskStatus.DONE, then=1), default=0), "-id")[:MOST_TASKS])

    @property
    def handles(self) -> list[tuple[str, str]]:
        """What is offered after an @: a name each of the team answers to, and who that is."""
        rows = {seat.user_id: (handle_of(seat.user), seat) for seat in self.seats}
        return [(handle, f"{seat.user.display_name}, {seat.get_role_display()}") for handle, seat in rows.values()]

    @cached_property
    def work(self) -> Work:
        return work_of(self.tasks, self.now)

    @cached_property
    def rounds(self) -> list[OpenRound]:
        """Decisions that wait for strong objections."""
        return open_rounds(self.incident)

    @cached_property
    def marks(self) -> list[Marked]:
        return marks_of(self.incident)

    @cached_property
    def pinned(self) -> set[int]:
        """Ids of the entries pinned as known facts."""
        return {mark.event_id for mark in self.facts}

    @cached_property
    def public_drafts(self) -> set[int]:
        """Ids of the entries offered to the next status update."""
        return {mark.event_id for mark in self.marks if mark.kind == EntryMark.Kind.PUBLIC}

    @property
    def facts(self) -> list[Marked]:
        """Entries pinned as known facts, the oldest first."""
        return [mark for mark in self.marks if mark.kind == EntryMark.Kind.FACT]

    @cached_property
    def approvals(self) -> list[Approval]:
        return list(self.incident.approvals.select_related("approver", "asked_by").order_by("-id")[:20])


def _proof(step: IncidentStep) -> str:
    """The evidence of a step in one line; empty when there is none yet."""
    if step.state == StepState.WAIVED:
        return f"Waived by {step.waived_by.display_name if step.waived_by else 'the system'}: {step.waiver_reason}"
    facts = step.evidence or {}
    words = {
        "declare": lambda: f"by {facts.get('declared_by', '')}" if facts.get("declared_by") else "",
        "inform": lambda: _told(facts),
        "assemble": lambda: _count(sum(len(people) for people in facts.get("accepted", {}).values()), "seat accepted"),
        "bridge": lambda: _count(len(facts.get("invitation_delivered_to", [])), "invitation delivered"),
        "war_room": lambda: facts.get("location") or facts.get("url", ""),
        "problem": lambda: ", ".join(facts.get("problems", [])),
        "change": lambda: f"{facts['change']} implemented" if facts.get("change") else "",
    }
    return words.get(step.key, lambda: "")()


def _count(number: int, words: str) -> str:
    if not number:
        return ""
    first, _, rest = words.partition(" ")
    return f"{number} {first}{'' if number == 1 else 's'} {rest}".strip()


def _told(facts: dict[str, Any]) -> str:
    """How many people of each audience were told: "Technical team 5 of 5, Users 0 of 3"."""
    audiences = facts.get("audiences")
    if not isinstance(audiences, dict):
        return ""
    parts = []
    for name in [
        *(name for name in Audience.values if name in audiences),
        *sorted(set(audiences) - set(Audience.values)),
    ]:
        said = audiences[name]
        told = f"{said.get('told', 0)} of {said.get('of', 0)}" if isinstance(said, dict) else str(said)
        parts.append(f"{Audience(name).label if name in Audience.values else name} {told}")
    return ", ".join(parts)


def open_incidents(user: User) -> QuerySet[MajorIncident]:
    """Open major incidents the person may see, with what Command lists; a constant number of queries."""
    seats = Seat.objects.filter(state__in=LIVE_SEATS).select_related("user")
    steps = IncidentStep.objects.select_related("accountable_seat__user", "done_by", "waived_by").prefetch_related(
        Prefetch("consults", queryset=Consult.objects.select_related("user"))
    )
    return (
        visible_incidents(user)
        .filter(stage__in=OPEN_STAGES)
        .select_related("matrix")
        .prefetch_related(
            Prefetch("seats", queryset=seats),
            Prefetch("steps", queryset=steps),
            Prefetch("downtime", queryset=DowntimeInterval.objects.select_related("service")),
        )
        .order_by("severity", "-id")
    )
