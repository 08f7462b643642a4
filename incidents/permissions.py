"""Who may do what: account roles for the desk, seats and RACI letters for a major incident.

One place, asked by pages, API and actions alike. Deny unless a rule here allows. An act's predicate takes
the person and the record; `require` raises `NotAccountable` naming who may.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import rules
from django.db.models import Q, QuerySet
from django.utils import timezone

from incidents.errors import NotAccountable
from incidents.models import (
    Candidate,
    Change,
    IncidentStep,
    MajorIncident,
    Problem,
    Seat,
    Ticket,
    User,
    people_with_role,
)
from incidents.on_call import on_call
from incidents.process import STEP_BY_KEY, AccountRole, Role, SeatState

A = AccountRole
DESK_ROLES = (
    A.SERVICE_DESK_TECHNICIAN,
    A.TECHNICAL_STAFF,
    A.MAJOR_INCIDENT_MANAGER,
    A.CHANGE_MANAGER,
    A.PROBLEM_MANAGER,
    A.SERVICE_DESK_MANAGER,
    A.ADMINISTRATOR,
)
"""Work the desk: read and change tickets, problems and changes."""
STAFF_ROLES = (*DESK_ROLES, A.MANAGEMENT)
"""Read the desk and its figures."""

LIVE_SEATS = (SeatState.INVITED, SeatState.ACCEPTED)


# --- Predicates ---------------------------------------------------------------------------
def is_usable(user: User) -> bool:
    """Signed in, not disabled, and not a guest whose access has ended."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return False
    return user.access_expires_at is None or user.access_expires_at > timezone.now()


def _roles(*roles: str) -> rules.Predicate:
    @rules.predicate
    def holds(user: User) -> bool:
        return is_usable(user) and not user.is_guest and user.has_role(*roles)

    return holds


is_staff = _roles(*STAFF_ROLES)
is_desk = _roles(*DESK_ROLES)
is_stakeholder = _roles(A.KEY_STAKEHOLDER)
is_incident_manager = _roles(A.MAJOR_INCIDENT_MANAGER)
is_desk_manager = _roles(A.SERVICE_DESK_MANAGER)
is_change_manager = _roles(A.CHANGE_MANAGER)
is_problem_manager = _roles(A.PROBLEM_MANAGER)
is_management = _roles(A.MANAGEMENT)
is_administrator = _roles(A.ADMINISTRATOR)
has_any_role = _roles(*(role for role in A if role != A.EXTERNAL_CONSULTANT))


@rules.predicate
def is_requester_of(user: User, ticket: Ticket | None) -> bool:
    return is_usable(user) and not user.is_guest and ticket is not None and ticket.requester_id == user.pk


@rules.predicate
def watches(user: User, ticket: Ticket | None) -> bool:
    if not is_usable(user) or user.is_guest or ticket is None:
        return False
    return any(row.user_id == user.pk for row in ticket.watchers.all())


def seats_that_count(user: User, states: tuple[str, ...] = LIVE_SEATS) -> QuerySet[Seat]:
    """Seats by which the person may see something. A guest's counts as long as its pass opens; who came in by a link
    has `only_incident`, the one it is for."""
    rows = Seat.objects.filter(user=user, state__in=states)
    if not user.is_guest:
        return rows
    rows = rows.filter(Q(guest_pass=None) | Q(guest_pass__revoked_at=None, guest_pass__expires_at__gt=timezone.now()))
    return rows if user.only_incident is None else rows.filter(incident=user.only_incident)


def _seats_of(user: User, incidents: Iterable[MajorIncident], states: tuple[str, ...]) -> bool:
    wanted = {incident.pk for incident in incidents}
    return bool(wanted) and seats_that_count(user, states).filter(incident__in=wanted).exists()


@rules.predicate
def holds_seat(user: User, incident: MajorIncident | None) -> bool:
    return is_usable(user) and incident is not None and _seats_of(user, [incident], LIVE_SEATS)


@rules.predicate
def accepted_seat(user: User, incident: MajorIncident | None) -> bool:
    return is_usable(user) and incident is not None and _seats_of(user, [incident], (SeatState.ACCEPTED,))


@rules.predicate
def seated_on_its_incident(user: User, record: Problem | Change | Candidate | None) -> bool:
    """Holds a seat on an incident the problem or change belongs to."""
    if not is_usable(user) or record is None:
        return False
    if isinstance(record, Problem):
        incidents = list(record.major_incidents.all())
    elif isinstance(record, Change):
        incidents = [link.incident for link in record.links.all()]
    else:
        return False
    return _seats_of(user, incidents, LIVE_SEATS)


@rules.predicate
def commands(user: User, incident: MajorIncident | None) -> bool:
    """Holds the manager's seat, or is its fallback while nobody does."""
    return is_usable(user) and incident is not None and user in commanders(incident)[0]


@rules.predicate
def owns_problem(user: User, problem: Problem | None) -> bool:
    return is_usable(user) and problem is not None and problem.owner_id == user.pk


@rules.predicate
def runs_change(user: User, change: Change | None) -> bool:
    return (
        is_usable(user)
        and change is not None
        and user.pk in (change.owner_id, change.requester_id, change.implementer_id)
    )


@rules.predicate
def is_approver(user: User, change: Change | None) -> bool:
    if not is_usable(user) or change is None or user.pk in (change.requester_id, change.implementer_id):
        return False
    return any(user.pk in (row.approver_id, row.delegate_id) for row in change.approvals.all())


@rules.predicate
def is_part_of_change(user: User, change: Change | None) -> bool:
    return change is not None and user.pk in (change.requester_id, change.implementer_id)


ACTS: dict[str, rules.Predicate] = {
    "open_ticket": has_any_role,
    "view_ticket": is_staff | is_requester_of | watches,
    "comment_ticket": is_desk | is_requester_of | watches,
    "reopen_ticket": is_desk | is_requester_of,
    "work_ticket": is_desk,
    "propose": is_desk,
    "view_desk": is_staff,
    "view_alerts": is_staff,
    "report_alerts": is_desk,
    "view_candidate": is_staff,
    "acknowledge_candidate": is_incident_manager | is_desk_manager,
    "judge_candidate": is_incident_manager,
    "declare": is_incident_manager,
    "view_incident": is_staff | is_stakeholder | holds_seat,
    "contribute": accepted_seat | commands | is_incident_manager | is_desk_manager,
    "name_stand_in": (accepted_seat & has_any_role) | commands,
    "command": commands,
    "take_command": is_incident_manager,
    "view_problem": is_staff | seated_on_its_incident,
    "work_problem": is_desk | owns_problem,
    "own_problem": is_problem_manager | owns_problem,
    "view_change": is_staff | seated_on_its_incident,
    "work_change": is_desk,
    "run_change": is_change_manager | runs_change,
    "implement_change": _roles(A.TECHNICAL_STAFF, A.CHANGE_MANAGER) | runs_change,
    "approve_change": is_approver,
    "waive_freeze": is_change_manager & ~is_part_of_change,
    "configure_changes": is_change_manager | is_administrator,
    "accept_rejected_change": is_management,
    "view_knowledge": is_staff,
    "view_figures": is_staff,
    "configure_figures": is_administrator | is_desk_manager | is_management,
    "view_overview": is_management | is_desk_manager | is_incident_manager | is_administrator | is_stakeholder,
    "view_services": is_staff | is_stakeholder,
    "configure_services": is_administrator | is_desk_manager,
    "configure_integrations": is_administrator | is_desk_manager,
    "keep_rota": is_administrator | is_desk_manager,
    "be_on_call": is_desk,
    "configure": is_administrator,
    "view_mail": is_administrator | is_desk_manager,
    "keep_checklists": is_administrator | is_desk_manager | is_incident_manager,
    "configure_influx": is_administrator | is_desk_manager | is_incident_manager,
    "configure_communication": is_administrator | is_incident_manager,
    "import_history": is_administrator | is_desk_manager,
    "use_portal": has_any_role,
    "resend_message": is_administrator | is_desk_manager | is_incident_manager,
}
for _act, _predicate in ACTS.items():
    rules.add_perm(f"incidents.{_act}", _predicate)


def can(user: User, act: str, record: object = None) -> bool:
    """Whether the person may do the act on the record (None for acts without one). KeyError for an unknown act."""
    if act not in ACTS:
        raise KeyError(act)
    return is_usable(user) and rules.has_perm(f"incidents.{act}", user, record)


def require(user: User | None, act: str, record: object = None) -> None:
    """Raises NotAccountable naming who may. `user` None is the system itself, which passes only its own acts."""
    if user is not None and can(user, act, record):
        return
    raise NotAccountable(_refusal(act), act=act, who_may=_who_may(act, record))


_REFUSALS = {
    "declare": "Only a major incident manager declares a major incident.",
    "judge_candidate": "Only a major incident manager decides about a candidate.",
    "command": "Only the major incident manager of this incident does that.",
    "approve_change": "Only a named approver votes, and never the requester or the implementer.",
    "waive_freeze": "Only a change manager who neither asked for the change nor carries it out grants an exception.",
    "configure_changes": "Only a change manager or an administrator changes freezes and templates.",
    "contribute": "Only people with a seat on this incident contribute to it.",
    "name_stand_in": "Somebody seated here names a stand-in; guests ask whoever invited them.",
    "configure": "Only an administrator changes this.",
    "configure_integrations": "Only an administrator or a service desk manager looks after integrations and rules.",
    "configure_communication": "Only an administrator or a major incident manager changes plans and templates.",
    "configure_figures": "Only management, a service desk manager or an administrator sets targets and reports.",
    "view_mail": "Only service desk managers and administrators see to mail that comes in.",
    "resend_message": "Only major incident managers, service desk managers and administrators send a message again.",
    "keep_checklists": "Only major incident managers, service desk managers and administrators keep checklists.",
    "keep_rota": "Only the service desk manager or an administrator changes a rota.",
}


def _refusal(act: str) -> str:
    return _REFUSALS.get(act, f"Your roles do not include this ({act.replace('_', ' ')}).")


def _who_may(act: str, record: object) -> list[str]:
    """E-mail addresses of those who may; empty when it is no short list."""
    if act == "command" and isinstance(record, MajorIncident):
        return [person.email for person in commanders(record)[0]]
    if act in ("declare", "judge_candidate", "take_command"):
        return list(people_with_role(A.MAJOR_INCIDENT_MANAGER).values_list("email", flat=True)[:20])
    if act == "configure_integrations":
        return list(people_with_role(A.ADMINISTRATOR, A.SERVICE_DESK_MANAGER).values_list("email", flat=True)[:20])
    if act == "configure_communication":
        return list(people_with_role(A.ADMINISTRATOR, A.MAJOR_INCIDENT_MANAGER).values_list("email", flat=True)[:20])
    if act in ("configure_changes", "waive_freeze"):
        return list(people_with_role(A.CHANGE_MANAGER).values_list("email", flat=True)[:20])
    if act == "configure":
        return list(people_with_role(A.ADMINISTRATOR).values_list("email", flat=True)[:20])
    if act == "approve_change" and isinstance(record, Change):
        return [row.approver.email for row in record.approvals.select_related("approver")]
    return []


# --- Seats and letters ----------------------------------------------------------------------
@dataclass(frozen=True)
class StepHolders:
    """Who holds each letter of one step now; each a list of (role, people) in column order.

    `fallback` is the sentence of the warning when R or A has no accepted holder, else "".
    `accountable_people` and `responsible_people` are who may act, fallbacks included.
    """

    responsible: list[tuple[str, list[User]]]
    accountable: list[tuple[str, list[User]]]
    consulted: list[tuple[str, list[User]]]
    informed: list[tuple[str, list[User]]]
    responsible_people: list[User]
    accountable_people: list[User]
    seated: frozenset[int]
    fallback: str


def accepted_people(incident: MajorIncident) -> dict[str, list[User]]:
    """Accepted seats by role. One query, none when `seats__user` was prefetched."""
    found: dict[str, list[User]] = {role: [] for role in Role.values}
    for seat in incident.seats.all():
        if seat.state == SeatState.ACCEPTED and is_usable(seat.user):
            found[seat.role].append(seat.user)
    return found


def last_resort(at: datetime) -> tuple[list[User], str]:
    """Who stands in for an accountable nobody holds: service desk manager on call, any, then administrators."""
    if people := on_call(A.SERVICE_DESK_MANAGER, at):
        return people, "the service desk manager on call"
    if people := list(people_with_role(A.SERVICE_DESK_MANAGER)):
        return people, "a service desk manager"
    return list(people_with_role(A.ADMINISTRATOR)), "an administrator"


def commanders(incident: MajorIncident) -> tuple[list[User], bool]:
    """Who may do the manager's acts, and whether by fallback."""
    if people := accepted_people(incident)[Role.MAJOR_INCIDENT_MANAGER]:
        return people, False
    return last_resort(timezone.now())[0], True


def step_holders(
    incident: MajorIncident,
    *,
    steps: Iterable[IncidentStep] | None = None,
    stand_ins: Callable[[], tuple[list[User], str]] | None = None,
) -> dict[str, StepHolders]:
    """Holders of every step of the incident, by step key. Query count does not depend on steps or seats.

    `stand_ins` answers who stands in for nobody, for a page that asks about many incidents and looks it up once.
    """
    seated = accepted_people(incident)
    rows = {step.key: step for step in (incident.steps.all() if steps is None else steps)}
    resort: tuple[list[User], str] | None = None
    found: dict[str, StepHolders] = {}
    for key in STEP_BY_KEY:
        by_letter = {
            letter: [(role, seated[role]) for role in incident.matrix.roles_with(key, letter)] for letter in "RACI"
        }
        handed = rows[key].accountable_seat if key in rows else None
        if handed is not None and handed.state == SeatState.ACCEPTED:
            by_letter["A"] = [(handed.role, [handed.user])]
        accountable = [person for _, people in by_letter["A"] for person in people]
        responsible = [person for _, people in by_letter["R"] for person in people]
        warnings = []
        holding = frozenset(person.pk for person in accountable + responsible)
        if not accountable:
            resort = resort or (stand_ins() if stand_ins else last_resort(timezone.now()))
            accountable = resort[0]
            warnings.append(f"Nobody seated is accountable: {resort[1]} stands in.")
        if not responsible:
            responsible = accountable
            warnings.append("Nobody seated is responsible: the accountable does it.")
        found[key] = StepHolders(
            by_letter["R"], by_letter["A"], by_letter["C"], by_letter["I"], responsible, accountable, holding,
            " ".join(warnings),
        )  # fmt: skip
    return found


def may_do_step(user: User, incident: MajorIncident, key: str) -> bool:
    """Whether the person holds R or A of the step now, fallbacks included."""
    holders = step_holders(incident)[key]
    return is_usable(user) and user in (*holders.responsible_people, *holders.accountable_people)


def require_step(user: User | None, incident: MajorIncident, key: str) -> bool:
    """Lets R and A pass and says whether it was by fallback. Anybody else gets the refusal the matrix demands:
    the step, the letters that may, and who holds them now."""
    holders = step_holders(incident)[key]
    if user is not None and is_usable(user) and user in (*holders.responsible_people, *holders.accountable_people):
        return user.pk not in holders.seated
    raise step_refusal(key, holders, letters="R or A")


def require_accountable(user: User | None, incident: MajorIncident, key: str) -> bool:
    """Lets only A pass (waiving, handing over) and says whether it was by fallback."""
    holders = step_holders(incident)[key]
    if user is not None and is_usable(user) and user in holders.accountable_people:
        return user.pk not in holders.seated
    raise step_refusal(key, holders, letters="A")


def step_refusal(key: str, holders: StepHolders, *, letters: str) -> NotAccountable:
    people = list(dict.fromkeys([*holders.accountable_people, *(holders.responsible_people if "R" in letters else [])]))
    named = ", ".join(person.display_name for person in people) or "nobody at the moment"
    title = STEP_BY_KEY[key].title
    return NotAccountable(
        f"“{title}” may be done by {letters} of the RACI matrix: {named}.",
        step=key,
        letters=letters,
        who_may=[person.email for person in people],
    )


# --- What somebody may see -------------------------------------------------------------------
def visible_tickets(user: User):
    """Tickets the person may open: all for staff, own and watched ones otherwise."""
    if is_staff(user):
        return Ticket.objects.all()
    if not is_usable(user) or user.is_guest:
        return Ticket.objects.none()
    return Ticket.objects.filter(Q(requester=user) | Q(pk__in=user.watched_tickets.values("ticket")))


def visible_incidents(user: User):
    """Major incidents the person may open: all for staff and key stakeholders, those with a seat otherwise."""
    if is_staff(user) or is_stakeholder(user):
        return MajorIncident.objects.all()
    if not is_usable(user):
        return MajorIncident.objects.none()
    return MajorIncident.objects.filter(pk__in=seats_that_count(user).values("incident"))


def visible_problems(user: User):
    if is_staff(user):
        return Problem.objects.all()
    return Problem.objects.filter(major_incidents__in=visible_seated(user)).distinct()


def visible_changes(user: User):
    if is_staff(user):
        return Change.objects.all()
    return Change.objects.filter(links__incident__in=visible_seated(user)).distinct()


def visible_seated(user: User):
    """Incidents on which the person holds a live seat; none for somebody not usable."""
    if not is_usable(user):
        return MajorIncident.objects.none()
    return MajorIncident.objects.filter(pk__in=seats_that_count(user).values("incident"))


def visible_candidates(user: User):
    return Candidate.objects.all() if is_staff(user) else Candidate.objects.none()


def may_follow(user: User, topic: str) -> bool:
    """Whether the person may hear that this live topic changed; the same people who may open its page."""
    name, _, number = topic.partition("-")
    if not is_usable(user):
        return False
    if name == "user":
        return number == str(user.pk)
    if topic in ("desk", "command", "alerts", "webhooks"):
        return is_staff(user)
    visible = {
        "MI": visible_incidents,
        "INC": visible_tickets,
        "PRB": visible_problems,
        "CHG": visible_changes,
        "CAN": visible_candidates,
    }.get(name)
    return visible is not None and number.isdigit() and len(number) < 15 and visible(user).filter(pk=number).exists()
