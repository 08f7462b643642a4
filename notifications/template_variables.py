"""What the words of a message may name: every variable, what it is, a sample, and whether it may be empty.

The list beside the editor, the check of a template and the samples a template is tried on are all made from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from incidents.communication import Moment
from incidents.process import Audience
from notifications.policy import PUBLIC_MOMENTS

SAMPLE_AT = datetime(2026, 3, 2, 13, 7, tzinfo=UTC)
INTERNAL = "is internal and is not said to users or requesters."


@dataclass(frozen=True)
class Variable:
    """`path` as it is written. `sample` is a full value; one that is `optional` may be empty when a message is sent.
    `public` ones may be said to users."""

    path: str
    what: str
    sample: Any
    optional: bool = False
    public: bool = False

    @property
    def is_list(self) -> bool:
        return isinstance(self.sample, list)

    @property
    def nothing(self) -> Any:
        """What stands there when it is empty."""
        if isinstance(self.sample, bool):
            return False
        return "" if isinstance(self.sample, str) else [] if self.is_list else None

    @property
    def shown(self) -> str:
        """The sample as a person reads it."""
        if isinstance(self.sample, datetime):
            return f"{self.sample:%Y-%m-%d %H:%M} UTC"
        if isinstance(self.sample, bool):
            return "yes" if self.sample else "no"
        return ", ".join(map(str, self.sample)) if self.is_list else str(self.sample)


def _v(path: str, what: str, sample: Any, kind: str = "") -> Variable:
    """`kind`: o optional, p public."""
    return Variable(path, what, sample, optional="o" in kind, public="p" in kind)


def _after(minutes: int) -> datetime:
    return SAMPLE_AT + timedelta(minutes=minutes)


_ALWAYS = (
    _v("organisation", "name of the organisation", "Example Shop", "p"),
    _v("zone", "its time zone, for the filters zoned and clock", "Europe/Berlin", "p"),
    _v("at", "when it happened", SAMPLE_AT, "p"),
    _v("link", "where the message leads", "https://desk.example.org/major-incidents/MI-12/", "p"),
)
_ACTOR = _v("actor", "who did it; empty when the system did", "Mara Manager", "o")
_INCIDENT = (
    _v("incident.ref", "reference", "MI-12"),
    _v("incident.title", "title", "Checkout answers 502"),
    _v("incident.severity", "severity", "SEV1"),
    _v("incident.stage", "stage", "Containment"),
    _v("incident.services_in_words", "affected services as one phrase", "Checkout and Payments", "p"),
    _v("incident.services", "affected services as a list", ["Checkout", "Payments"], "op"),
    _v("incident.description", "what is known", "Gateway times out since the last release.", "o"),
    _v("incident.affects", "who is affected", "customers and employees", "p"),
    _v("incident.users_affected", "how many people are affected", 1200, "op"),
    _v("incident.revenue_impact", "revenue impact in words", "About 4,000 € an hour.", "o"),
    _v("incident.reputation_impact", "reputation impact in words", "Complaints on social media.", "o"),
    _v("incident.is_drill", "whether it is an exercise", False, "p"),
    _v("incident.is_open", "whether it is still worked on", True, "p"),
    _v("incident.started_at", "when the impact began", _after(-25), "op"),
    _v("incident.declared_at", "when it was declared", _after(-20), "op"),
    _v("incident.contained_at", "when it was contained", _after(-5), "op"),
    _v("incident.restored_at", "when the service came back", _after(-3), "op"),
    _v("incident.resolved_at", "when the fix was confirmed", _after(-1), "op"),
    _v("incident.next_update_at", "when the next update is promised", _after(30), "op"),
    _v("incident.manager", "major incident manager", "Mara Manager", "o"),
    _v("incident.conditions", "pinned: what is broken", "One in three payments fails.", "o"),
    _v("incident.tried", "pinned: what was tried", "Restarted two nodes.", "o"),
    _v("incident.needs", "pinned: what is missing", "Somebody from the payment provider.", "o"),
    _v("incident.bridge_url", "join link of the conference bridge", "https://meet.example.org/mi-12", "o"),
    _v("incident.dial_in", "its dial-in", "+49 30 1234567, code 42", "o"),
    _v("incident.url", "address of the war room", "https://desk.example.org/major-incidents/MI-12/"),
)
_OF_AUDIENCES = (
    _v("cadence", "how often this audience hears, in minutes, by the communication plan", 30, "p"),
    _v("next_update_at", "when they hear again: promised by the update or on the incident", _after(30), "op"),
    _v("step_count", "how many steps the process has", 10),
)
_REASON = _v("it.reason", "the reason that was given", "The error rate fell to normal.", "o")
_QUOTE = _v("quote", "the text somebody wrote; it stands below the words by itself", "We are rolling back.", "op")
_TICKET = (
    _v("it.ref", "reference of the ticket", "INC-3041", "p"),
    _v("it.title", "its title", "I cannot pay", "p"),
    _v("it.priority", "its priority", "P2", "p"),
    _v("it.resolution", "how it was solved", "The payment page was restarted.", "op"),
)
_SLA = (
    _v("it.due_at", "when it is due", _after(60), "o"),
    _v("it.promise", "response or resolution", "response", "o"),
    _v("it.kind", "functional or hierarchical", "functional", "o"),
)
_APPROVAL = (
    _v("it.options", "what can be chosen", ["Fail over", "Wait"], "o"),
    _v("it.due_at", "by when", _after(20), "o"),
    _v("it.cost_of_waiting", "what waiting costs", "About 70 € a minute.", "o"),
    _v("it.state", "what became of it", "approved"),
    _v("it.chosen", "what was chosen", "Fail over", "o"),
    _v("it.comment", "what was said to it", "Do it now.", "o"),
    _v("it.decided_by", "who decided", "Dora Director", "o"),
)
_CANDIDATE = (
    _v("it.ref", "reference of the candidate or incident", "CAN-7"),
    _v("it.title", "its title", "Checkout answers 502"),
    _v("it.service", "the service", "Checkout", "o"),
    _v("it.source", "where it comes from", "Influx"),
    _v("it.reasons", "why it was raised", ["14 tickets in 12 minutes, normally 1.1", "11 mention checkout"], "o"),
    _v("it.business_impact", "impact in words", "Nobody can pay.", "o"),
)
_STEP = (
    _v("it.title", "title of the step", "Setting up a conference bridge"),
    _v("it.number", "its number", 4),
)
_CHANGE = (
    _v("it.ref", "reference of the change", "CHG-5"),
    _v("it.title", "its title", "Roll back the gateway"),
    _v("it.type", "standard, normal or emergency", "emergency"),
    _v("it.risk", "risk", "low"),
    _v("it.due_at", "by when it must be approved", _after(24 * 60), "o"),
    _v("it.requester", "who asked for it", "Erik Engineer", "o"),
)
_REVIEW_ACTION = (
    _v("it.title", "what was promised", "Limit the CPU of one rule"),
    _v("it.owner", "who promised it", "Erik Engineer"),
    _v("it.due_at", "when it is due", _after(30), "o"),
)
_TASK = (
    _v("it.title", "the task", "Ask the provider"),
    _v("it.due_at", "when it is due", _after(30), "o"),
    _v("it.target", "what it is done to", "web-3", "o"),
    _v("it.assignee", "whose it is", "Erik Engineer", "o"),
)
_PAGE = (*(one for one in _CANDIDATE if one.path not in ("it.source",)), _v("it.is_incident", "MI, not CAN", False))

_OF_MOMENT: dict[str, tuple[Variable, ...]] = {
    "stage_changed": (
        _v("it.from", "stage it left", "identification", "p"),
        _v("it.to", "stage it entered", "containment", "p"),
        _REASON,
    ),
    "update": (
        _v("it.next_update_at", "when the next update is promised by this one", _after(30), "op"),
        Variable(_QUOTE.path, _QUOTE.what, _QUOTE.sample, public=True),
    ),
    "step_done": (*_STEP, _REASON),
    "step_waived": (*_STEP, _REASON),
    "step_reassigned": (*_STEP, _REASON),
    "acknowledgement_reminded": (),
    "acknowledgement_missing": (_v("it.people", "who has not acknowledged", ["Dora Director", "Erik Engineer"]),),
    "webhook_off": (
        _v("it.name", "name of the webhook", "Chat bridge"),
        _v("it.reason", "why it was switched off", "Its endpoint has not answered for five days."),
    ),
    "candidate": _CANDIDATE,
    "page": (
        *_PAGE,
        _v("it.why", "as what the reader is paged", "on call as major incident manager, first in line"),
        _v("it.page", "address of the candidate or incident", "https://desk.example.org/candidates/CAN-7/", "o"),
    ),
    "page_unanswered": _PAGE,
    "page_late": (
        *_PAGE,
        _v("it.late_seconds", "how late the next step is, in seconds", 75),
        _v("it.waiting", "how many pages wait", 2),
    ),
    "on_call_changed": (
        _v("it.person", "who is on call now", "Erik Engineer"),
        _v("it.what", "what was changed", "stands in for Mara Manager"),
        _v("it.rota", "rota", "Major incident managers"),
        _v("it.layer", "layer", "Primary"),
        _v("it.starts_at", "from", _after(60)),
        _v("it.ends_at", "to", _after(600)),
        _REASON,
    ),
    "seat_invited": (
        _v("it.role", "role of the seat", "technical staff"),
        _v("it.name", "who is invited", "Erik Engineer", "o"),
        _v("it.access_ends_at", "when a guest’s access ends", _after(24 * 60), "o"),
        _v("it.instead_of", "for whom the reader would stand in", "Lena Lead", "o"),
        _QUOTE,
    ),
    "seat_released": (_v("it.role", "role of the seat", "technical staff"),),
    "guest_link": (
        _v("it.access_ends_at", "when the guest’s access ends", _after(24 * 60), "o"),
        _v("it.is_new", "whether the link is a new one", True, "o"),
    ),
    "command_offered": (
        _v("it.giver", "who hands over command", "Mara Manager"),
        _QUOTE,
    ),
    "bridge_cancelled": (_REASON,),
    "bridge": (
        _v("it.join_url", "join link", "https://meet.example.org/mi-12", "o"),
        _v("it.dial_in", "dial-in", "+49 30 1234567, code 42", "o"),
        _v("it.provider", "provider", "Jitsi"),
    ),
    "consult_asked": (
        _v("it.title", "title of the step", "Implementing the resolution plan as a change"),
        _v("it.due_at", "by when an answer is wanted", _after(15), "o"),
    ),
    "approval_asked": (*_APPROVAL, _QUOTE),
    "approval_decided": (*_APPROVAL, _QUOTE),
    "review_action_due": _REVIEW_ACTION,
    "review_action_overdue": _REVIEW_ACTION,
    "review_submitted": (),
    "problem_came_back": (
        _v("it.ref", "reference of the problem", "PRB-3"),
        _v("it.title", "its title", "No limit on the CPU of one rule"),
        _v("it.count", "how often it came back", 2),
    ),
    "task_added": _TASK,
    "task_called_back": _TASK,
    "mentioned": (_QUOTE,),
    "decision_round": (
        _v("it.closes_at", "by when to object; empty when nobody is asked", _after(5), "o"),
        _v("it.rationale", "why it is to be done", "Every minute costs 200 €.", "o"),
        _QUOTE,
    ),
    "decision_objected": (_v("it.decision", "the decision", "Fail over to the second region"), _QUOTE),
    "ticket_opened": _TICKET,
    "ticket_commented": (*_TICKET, _QUOTE),
    "ticket_resolved": (*_TICKET, _v("choices", "whether the message asks if it works", True, "op")),
    "ticket_linked": _TICKET,
    "ticket_gathered": (*_TICKET, _v("it.service", "the service", "Checkout", "op")),
    "ticket_merged": _TICKET,
    "ticket_unmerged": _TICKET,
    "ticket_assigned": _TICKET,
    "ticket_escalated": (*_TICKET, *_SLA, _REASON),
    "sla_warned": (*_TICKET, *_SLA),
    "change_approval_asked": (*_CHANGE, _QUOTE),
    "change_flagged": _CHANGE,
}
_WITH_INCIDENT = (
    *Moment.values,
    "step_reassigned",
    "seat_invited",
    "seat_released",
    "guest_link",
    "command_offered",
    "bridge",
    "bridge_cancelled",
    "consult_asked",
    "approval_asked",
    "approval_decided",
    "task_added",
    "review_action_due",
    "review_action_overdue",
    "review_submitted",
    "task_called_back",
    "mentioned",
    "decision_round",
    "decision_objected",
    "promise_overdue",
    "promise_due_soon",
    "acknowledgement_reminded",
    "acknowledgement_missing",
    "ticket_linked",
)
_CERTAIN: dict[str, tuple[str, ...]] = {
    "contained": ("incident.contained_at",),
    "restored": ("incident.restored_at",),
    "resolved": ("incident.resolved_at",),
    "promise_overdue": ("incident.next_update_at",),
    "promise_due_soon": ("incident.next_update_at",),
}
_DECLARED = "incident.declared_at"
"""Known whenever anybody is told of an incident: only imported ones lack it, and of those nobody is told."""


def is_public(moment: str, audience: str) -> bool:
    """Whether users or requesters read it, so that it may say nothing internal."""
    return audience == Audience.USERS or moment in PUBLIC_MOMENTS


def variables_of(moment: str, audience: str) -> list[Variable]:
    """What the words of this moment may name for this audience, in the order of the list beside the editor."""
    known = [one for one in _everything(moment, audience) if one.public or not is_public(moment, audience)]
    certain = (*_CERTAIN.get(moment, ()), _DECLARED)
    return [_certainly(one) if one.path in certain else one for one in known]


def barred_from(moment: str, audience: str) -> dict[str, str]:
    """Paths that the words may not name here, and why."""
    if not is_public(moment, audience):
        return {}
    return {one.path: INTERNAL for one in _everything(moment, audience) if not one.public}


def _everything(moment: str, audience: str) -> Iterable[Variable]:
    # Of a public moment addressed to a requester, who answered may be named; to the audience "users" nobody is.
    actor = Variable(_ACTOR.path, _ACTOR.what, _ACTOR.sample, optional=True, public=not audience)
    yield from _ALWAYS
    yield actor
    if moment in _WITH_INCIDENT:
        yield from _INCIDENT
    if audience and moment in Moment.values:
        yield from _OF_AUDIENCES
    yield from _OF_MOMENT.get(moment, (_REASON,) if moment in Moment.values else ())


def _certainly(one: Variable) -> Variable:
    return Variable(one.path, one.what, one.sample, public=one.public)
