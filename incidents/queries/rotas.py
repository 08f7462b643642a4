"""Reading who is on call: now, over the days of a calendar, for one person; and when nobody would be."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from incidents import rota as turns
from incidents.models import HandoverNote, OnCallShift, Rota, RotaLayer, Team, User
from incidents.on_call import LayerPlan, OnDuty, layer_plans
from incidents.process import AccountRole
from incidents.rota import Gap

DAYS_WATCHED = 14
MINUTE = timedelta(minutes=1)
MUST_BE_COVERED = (AccountRole.MAJOR_INCIDENT_MANAGER, AccountRole.SERVICE_DESK_MANAGER)
"""Roles that are paged for a candidate (process: Candidates); a gap leaves it unanswered."""
ROLES_ON_CALL = (
    AccountRole.MAJOR_INCIDENT_MANAGER,
    AccountRole.SERVICE_DESK_MANAGER,
    AccountRole.TECHNICAL_STAFF,
    AccountRole.CHANGE_MANAGER,
    AccountRole.PROBLEM_MANAGER,
)
_MOST_SHIFTS = 1000


@dataclass(frozen=True)
class Held:
    """One person on call from–to: by a turn or cover of `layer`, or by a single `shift`. `rank` 1 is first in line."""

    person: User
    rank: int
    starts_at: datetime
    ends_at: datetime
    layer: RotaLayer | None = None
    cover: int | None = None
    shift: OnCallShift | None = None

    @property
    def by(self) -> str:
        if self.layer is None:
            return "single shift"
        return f"{self.layer.rota.name}, {self.layer.name}"


@dataclass
class Duty:
    """What people are on call for, a role or a team, with everything that says who. `held` is cut to the calendar."""

    key: str
    label: str
    role: str = ""
    team: Team | None = None
    rotas: list[Rota] = field(default_factory=list)
    plans: list[LayerPlan] = field(default_factory=list)
    shifts: list[OnCallShift] = field(default_factory=list)
    now: list[OnDuty] = field(default_factory=list)
    until: datetime | None = None
    gaps: list[Gap] = field(default_factory=list)

    @property
    def is_needed(self) -> bool:
        """Whether a gap matters: candidates page this role, or somebody began to keep it."""
        return self.role in MUST_BE_COVERED or bool(self.plans or self.shifts)

    def held(self, since: datetime, until: datetime) -> list[Held]:
        """By rank, then by time."""
        found = [one for plan in self.plans for one in held_by(plan, since, until)]
        found += [
            Held(shift.person, shift.rank, max(shift.starts_at, since), min(shift.ends_at, until), shift=shift)
            for shift in self.shifts
            if shift.starts_at < until and shift.ends_at > since
        ]
        return sorted(found, key=lambda one: (one.rank, one.starts_at))


def held_by(plan: LayerPlan, since: datetime, until: datetime) -> list[Held]:
    return [
        Held(plan.people[one.person], one.rank, one.starts_at, one.ends_at, plan.layer, one.cover)
        for one in plan.segments(since, until)
    ]


def duties(at: datetime, *, since: datetime | None = None, until: datetime | None = None) -> list[Duty]:
    """Everything people are on call for, the roles of the process first. Four queries.

    `now` and `gaps` (of the next 14 days) are of `at`; plans and shifts reach over `since`–`until` as well.
    """
    watched = at + timedelta(days=DAYS_WATCHED)
    since, until = min(since or at, at), max(until or watched, watched)
    found = {role: Duty(role, str(AccountRole(role).label), role=role) for role in map(str, ROLES_ON_CALL)}
    for rota in Rota.objects.select_related("team"):
        _of(found, rota.role, rota.team).rotas.append(rota)
    for plan in layer_plans(Q(), since=since, until=until):
        _of(found, plan.layer.rota.role, plan.layer.rota.team).plans.append(plan)
    rows = OnCallShift.objects.filter(ends_at__gt=since, starts_at__lt=until, person__is_active=True)
    for shift in rows.select_related("person", "team").order_by("starts_at", "rank", "id")[:_MOST_SHIFTS]:
        _of(found, shift.role, shift.team).shifts.append(shift)
    for duty in found.values():
        held = duty.held(at, watched)
        duty.now = _line(held, at)
        duty.until = _until(held, at)
        duty.gaps = turns.gaps(held, at, watched, least=MINUTE) if duty.is_needed else []
    return list(found.values())


def _of(found: dict[str, Duty], role: str, team: Team | None) -> Duty:
    if team is not None:
        return found.setdefault(f"team-{team.pk}", Duty(f"team-{team.pk}", team.name, team=team))
    return found.setdefault(role, Duty(role, str(AccountRole(role).label), role=role))


def _line(held: Iterable[Held], at: datetime) -> list[OnDuty]:
    """As `on_call.line` answers: each once, single shifts before rotas of the same rank."""
    present = sorted((one for one in held if one.starts_at <= at), key=lambda one: (one.rank, one.shift is None))
    firsts: dict[int, OnDuty] = {}
    for one in present:
        firsts.setdefault(one.person.pk, OnDuty(one.person, one.rank, one.by))
    return list(firsts.values())


def _until(held: Iterable[Held], at: datetime) -> datetime | None:
    """When whoever is first in line goes, at the latest at the end of the days watched; None for nobody."""
    present = sorted((one for one in held if one.starts_at <= at), key=lambda one: (one.rank, one.shift is None))
    return present[0].ends_at if present else None


def with_gaps(found: Iterable[Duty]) -> list[Duty]:
    """The duties with a gap: those paged for a candidate first, then whose gap is next."""
    gapped = [duty for duty in found if duty.gaps]
    return sorted(gapped, key=lambda duty: (duty.role not in MUST_BE_COVERED, duty.gaps[0].starts_at))


# --- The calendar -----------------------------------------------------------------------------
VIEWS = {"week": (7, 24), "fortnight": (14, 8), "month": (28, 4)}
"""Days shown, and into how many columns each is cut."""
TINTS = 8


@dataclass(frozen=True)
class Cell:
    """Columns in a row with one person, or nobody. `tint` tells people apart; `is_gap`: nobody at all is on call."""

    width: int
    starts_at: datetime
    ends_at: datetime
    held: Held | None = None
    tint: int = 0
    is_gap: bool = False
    is_narrow: bool = False

    @property
    def short(self) -> str:
        """The first letters of the name, for a cell too narrow for it."""
        words = self.held.person.display_name.split() if self.held else []
        return "".join(word[0] for word in words[:1] + words[1:][-1:])


@dataclass(frozen=True)
class Row:
    label: str
    note: str
    layer: RotaLayer | None
    cells: list[Cell]
    held: list[Held]


@dataclass(frozen=True)
class Group:
    duty: Duty
    rows: list[Row]


@dataclass(frozen=True)
class Calendar:
    view: str
    days: list[date]
    slots: int
    groups: list[Group]
    before: date
    after: date

    @property
    def columns(self) -> int:
        return len(self.days) * self.slots


def calendar(view: str, first: date, found: Sequence[Duty]) -> Calendar:
    """Rows by duty and layer over the days, in the reader's zone. No query: `found` must reach over the days."""
    count, slots = VIEWS[view]
    days = [first + timedelta(days=number) for number in range(count)]
    grid = _Grid(days, slots)
    groups = [Group(duty, _rows(duty, grid)) for duty in found if duty.is_needed or duty.rotas]
    return Calendar(view, days, slots, groups, first - timedelta(days=count), first + timedelta(days=count))


def span_of(view: str, first: date) -> tuple[datetime, datetime]:
    """The moments at which the days of a calendar begin and end in the reader's zone."""
    return _midnight(first), _midnight(first + timedelta(days=VIEWS[view][0]))


def _midnight(day: date) -> datetime:
    return turns.midnight(day, timezone.get_current_timezone())


class _Grid:
    def __init__(self, days: list[date], slots: int) -> None:
        self.days, self.slots, self.columns = days, slots, len(days) * slots
        self.since, self.until = _midnight(days[0]), _midnight(days[-1] + timedelta(days=1))

    def column(self, at: datetime) -> int:
        local = timezone.localtime(at)
        minutes = local.hour * 60 + local.minute
        return (local.date() - self.days[0]).days * self.slots + minutes * self.slots // 1440

    def at(self, column: int) -> datetime:
        day, slot = divmod(column, self.slots)
        local = datetime.combine(self.days[0] + timedelta(days=day), datetime.min.time())
        local += timedelta(minutes=slot * 1440 // self.slots)
        return turns.instant(local, timezone.get_current_timezone())

    def cells(self, held: Sequence[Held], tints: dict[int, int]) -> list[Cell]:
        """Left to right; what is shorter than a column still gets one when there is room."""
        return self._fill(held, lambda width, one: Cell(width, one.starts_at, one.ends_at, one, tints[one.person.pk]))

    def gap_cells(self, gaps: Sequence[Gap]) -> list[Cell]:
        return self._fill(gaps, lambda width, one: Cell(width, one.starts_at, one.ends_at, is_gap=True))

    def _fill(self, spans: Sequence[Any], cell: Callable[[int, Any], Cell]) -> list[Cell]:
        cells: list[Cell] = []
        reached = 0
        for one in spans:
            begins = max(self.column(one.starts_at), reached)
            ends = min(max(self.column(one.ends_at), begins + 1), self.columns)
            if begins >= ends:
                continue
            if begins > reached:
                cells.append(Cell(begins - reached, self.at(reached), one.starts_at))
            cells.append(replace(cell(ends - begins, one), is_narrow=(ends - begins) * 18 < self.columns))
            reached = ends
        if reached < self.columns:
            cells.append(Cell(self.columns - reached, self.at(reached), self.until))
        return cells


def _rows(duty: Duty, grid: _Grid) -> list[Row]:
    held = duty.held(grid.since, grid.until)
    people = dict.fromkeys(one.person.pk for one in held)
    tints = {pk: number % TINTS for number, pk in enumerate(people)}
    rows = []
    for plan in duty.plans:
        mine = sorted(held_by(plan, grid.since, grid.until), key=lambda one: one.starts_at)
        several = len(duty.rotas) > 1
        label = f"{plan.layer.rota.name}: {plan.layer.name}" if several else plan.layer.name
        rows.append(Row(label, rank_words(plan.layer.rank), plan.layer, grid.cells(mine, tints), mine))
    for rank in sorted({one.rank for one in held if one.shift}):
        mine = sorted((one for one in held if one.shift and one.rank == rank), key=lambda one: one.starts_at)
        rows.append(Row("Single shifts", rank_words(rank), None, grid.cells(mine, tints), mine))
    gaps = turns.gaps(held, grid.since, grid.until, least=MINUTE) if duty.is_needed else []
    if gaps:
        rows.append(Row("Nobody", "gaps", None, grid.gap_cells(gaps), []))
    return rows


def rank_words(rank: int) -> str:
    return {1: "first in line", 2: "backup"}.get(rank, f"number {rank} in line")


# --- One person, one rota ---------------------------------------------------------------------
_LONGEST_TURN = timedelta(days=185)


def shifts_of(person: User, since: datetime, until: datetime) -> list[Held]:
    """When the person is on call between the two moments, each shift whole unless it lasts over half a year."""
    plans = layer_plans(
        Q(members__person=person) | Q(overrides__person=person), since=since - _LONGEST_TURN, until=until
    )
    shifts = OnCallShift.objects.filter(person=person, starts_at__lt=until, ends_at__gt=since)
    rows = shifts.select_related("team", "person")[:_MOST_SHIFTS]
    return _whole(plans, rows, since, until, person)


def shifts_of_rota(rota: Rota, since: datetime, until: datetime) -> list[Held]:
    """Everybody's shifts on one rota between the two moments, whole as above."""
    plans = layer_plans(Q(rota=rota), since=since - _LONGEST_TURN, until=until)
    return _whole(plans, [], since, until, None)


def _whole(
    plans: Sequence[LayerPlan], shifts: Iterable[OnCallShift], since: datetime, until: datetime, person: User | None
) -> list[Held]:
    found = [
        one
        for plan in plans
        for one in held_by(plan, since - _LONGEST_TURN, until)
        if one.ends_at > since and (person is None or one.person.pk == person.pk)
    ]
    found += [Held(one.person, one.rank, one.starts_at, one.ends_at, shift=one) for one in shifts]
    return sorted(found, key=lambda one: (one.starts_at, one.rank))


def uid_of(held: Held, host: str) -> str:
    """The same for the same shift, however often the calendar is read."""
    if held.shift is not None:
        return f"shift-{held.shift.pk}@{host}"
    layer = held.layer.pk if held.layer else 0
    kind = f"cover-{held.cover}" if held.cover else "turn"
    return f"{kind}-{layer}-{int(held.starts_at.timestamp())}-{held.person.pk}@{host}"


def notes_for(rotas: Iterable[Rota], *, at: datetime) -> QuerySet[HandoverNote]:
    """Notes of these rotas that nobody took yet, and those of the last two weeks; newest first, at most 20."""
    recent = Q(seen_at__isnull=True) | Q(written_at__gte=at - timedelta(days=14))
    rows = HandoverNote.objects.filter(recent, rota__in=list(rotas)).select_related("author", "rota", "seen_by")
    return rows[:20]


@dataclass(frozen=True)
class LayerAhead:
    """What a layer means for the time ahead: its shifts in order, and whether there are more than shown."""

    layer: RotaLayer
    people: list[User]
    held: list[Held]
    has_more: bool
    restricted: str


AHEAD_SHOWN = 14


def rota_ahead(rota: Rota, since: datetime, until: datetime) -> list[LayerAhead]:
    """Its layers in the order of paging. Two queries."""
    plans = layer_plans(Q(rota=rota), since=since, until=until)
    return [
        _ahead(plan.layer, _in_turn(plan), [one for one in held_by(plan, since, until) if one.ends_at > since])
        for plan in plans
    ]


def layer_ahead(layer: RotaLayer, people: Sequence[User], since: datetime, until: datetime) -> LayerAhead:
    """The same for a layer that is typed still: without anybody standing in. No query."""
    known = {person.pk: person for person in people}
    plan = LayerPlan(layer, layer.as_turns([person.pk for person in people]), [], known)
    return _ahead(layer, list(people), held_by(plan, since, until))


def _in_turn(plan: LayerPlan) -> list[User]:
    return [plan.people[key] for key in plan.turns.people if key in plan.people]


def _ahead(layer: RotaLayer, people: list[User], held: list[Held]) -> LayerAhead:
    held = sorted(held, key=lambda one: one.starts_at)
    return LayerAhead(layer, people, held[:AHEAD_SHOWN], len(held) > AHEAD_SHOWN, windows_in_words(layer.windows))


_SHORT_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def windows_in_words(windows: Sequence[dict]) -> str:
    """`Mon–Fri 09:00–17:00, Sat 10:00–14:00`; empty for around the clock."""
    return ", ".join(f"{_days(one['weekdays'])} {one['begins']}–{one['ends']}" for one in windows)


def _days(days: Sequence[int]) -> str:
    if len(days) > 2 and list(days) == list(range(days[0], days[-1] + 1)):
        return f"{_SHORT_DAYS[days[0]]}–{_SHORT_DAYS[days[-1]]}"
    return ", ".join(_SHORT_DAYS[day] for day in days)
