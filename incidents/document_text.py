"""The incident document as Markdown, written from the facts. What people typed stays what they typed."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from incidents import markup
from incidents.models import MajorIncident, Review, TimelineEvent, UpdatePromise
from incidents.process import Audience, EventGroup, EventKind
from incidents.review_facts import review_facts, told

MAX_CHARACTERS = 200_000
_MOST_EVENTS = 1_500
_PIECE = 5_000
"""Parsed at once: hostile Markdown takes time that grows with the square of its length."""
_CHATTER = {
    *(EventKind.CLOCK_SET, EventKind.STEP_OPENED, EventKind.CONSULT_ASKED, EventKind.PROMISE_MADE),
    *(EventKind.WAR_ROOM_LEFT, EventKind.REVIEW_EDITED, EventKind.DOCUMENT_EDITED, EventKind.DOCUMENT_GENERATED),
    *(EventKind.TICKET_LINKED, EventKind.TASK_CHANGED, EventKind.BRIDGE_JOINED),
}


def write(incident: MajorIncident) -> str:
    """Markdown with impact, clocks, cause, fix, decisions, timeline, waivers and actions."""
    facts = review_facts(incident)
    review = Review.objects.filter(incident=incident).first()
    parts = [
        _summary(incident, facts),
        _section("Clocks (UTC)", _clocks(facts["clocks"])),
        _section("Downtime", _downtime(facts["downtime"])),
        _section("Cause", _cause(review, facts)),
        _section("Fix", _fix(facts)),
        _section("Cost", [f"- About {facts['cost']:,.0f} of downtime"] if facts["cost"] else []),
        _section("Who was told", _told_whom(facts)),
        _section("Decisions", [_line(event) for event in facts["decisions"]]),
        _section("Timeline (UTC)", _timeline(facts["timeline"])),
        _section("What did not go by the book", _deviations(facts)),
        _section("Findings", _text(review.findings if review else "")),
        _section("What contributed", [*_text(review.contributing_factors if review else ""), *_factors(facts)]),
        _section("What helped", _text(review.went_well if review else "")),
        _section("What hindered", _text(review.hindered if review else "")),
        _section("Actions", _actions(review)),
    ]
    return "\n\n".join(part for part in parts if part)[:MAX_CHARACTERS] + "\n"


def write_post_mortem(incident: MajorIncident) -> str:
    """A beginning for the public's text: only what the public was told already, and headings for the rest."""
    told = incident.updates.filter(audiences__contains=[Audience.USERS], undone_at=None).order_by("published_at")
    said = [f"- {update.published_at:%Y-%m-%d %H:%M} UTC: {plain(text)}" for update in told
            if (text := str(update.texts.get(Audience.USERS, "")).strip())]  # fmt: skip
    times = [f"- Began: {_moment(incident.started_at)}", f"- Working again: {_moment(incident.restored_at)}"]
    parts = [
        _section("What happened", ["Say in plain words what did not work, and for whom."]),
        _section("When (UTC)", times),
        _section("What we told you", said),
        _section("Why it happened", ["Say the cause without names and internal detail."]),
        _section("What we change", ["Say what is done so that it does not come back."]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def html_of(markdown: str) -> str:
    """Sanitised HTML of a document of any allowed length."""
    return "".join(markup.render(piece) for piece in pieces(markdown))


def pieces(markdown: str) -> list[str]:
    """The text cut between paragraphs into parts that are each quick to parse."""
    found: list[str] = []
    current: list[str] = []
    size = 0
    for block in re.split(r"\n{2,}", markdown[:MAX_CHARACTERS]):
        for part in _cut(block):
            if current and size + len(part) > _PIECE:
                found.append("\n\n".join(current))
                current, size = [], 0
            current.append(part)
            size += len(part) + 2
    return [*found, "\n\n".join(current)]


def _cut(block: str) -> list[str]:
    """A paragraph longer than what is parsed at once (a long list) falls apart between lines, at worst inside one."""
    parts, rest = [], block
    while len(rest) > _PIECE:
        end = rest.rfind("\n", 1, _PIECE)
        end = end if end > 0 else _PIECE
        parts.append(rest[:end])
        rest = rest[end:].lstrip("\n")
    return [*parts, rest]


def plain(text: object) -> str:
    """One line in which nothing is Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", " ".join(str(text).split()))


def _section(title: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f"## {title}\n\n{body}" if body else ""


def _summary(incident: MajorIncident, facts: dict[str, Any]) -> str:
    services = ", ".join(plain(service.name) for service in facts["services"]) or "unknown"
    rows = [
        ("Severity", incident.severity),
        ("Priority", f"{incident.priority} (impact {incident.impact}, urgency {incident.urgency})"),
        ("Services", services),
        ("Affects", incident.get_affects_display()),
        ("Users affected", incident.users_affected if incident.users_affected is not None else "unknown"),
        ("Linked tickets", facts["tickets"]),
    ]
    lines = [f"- **{name}:** {value}" for name, value in rows]
    for name, text in (("Revenue", incident.revenue_impact), ("Reputation", incident.reputation_impact)):
        if text:
            lines.append(f"- **{name}:** {plain(text)}")
    head = f"# {incident.ref} {plain(incident.title)}\n\n## Impact\n\n" + "\n".join(lines)
    return f"{head}\n\n{incident.description}" if incident.description else head


def _moment(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if value else "unknown"


def _clocks(clocks: list[dict[str, Any]]) -> list[str]:
    lines = ["| Clock | Time | Remark |", "|---|---|---|"]
    for clock in clocks:
        remarks = [f"corrected: {plain(entry.reason)}" for entry in clock["corrections"]]
        if clock["not_applicable"]:
            remarks.append(f"not applicable: {plain(clock['not_applicable'])}")
        lines.append(f"| {clock['label']} | {_moment(clock['value'])} | {'; '.join(remarks)} |")
    return lines


def _downtime(intervals: Iterable[Any]) -> list[str]:
    return [
        f"- {plain(row.service.name if row.service else 'Service unknown')}: {_moment(row.started_at)} to "
        + (f"{_moment(row.ended_at)} ({_length(row.ended_at - row.started_at)})" if row.ended_at else "now")
        for row in intervals
    ]


def _length(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _told_whom(facts: dict[str, Any]) -> list[str]:
    """Each update with its audiences, and how many of each heard of the declaration."""
    lines = [f"- {Audience(key).label}: {plain(said)} heard of the declaration"
             for key, said in facts["informed"].items() if key in Audience.values]  # fmt: skip
    for update in facts["updates"]:
        names = ", ".join(str(Audience(key).label) for key in update.audiences if key in Audience.values)
        lines.append(f"- {update.published_at:%Y-%m-%d %H:%M} update to {names or 'nobody'}")
    return lines


def _text(text: str) -> list[str]:
    return [text] if text else []


def _cause(review: Review | None, facts: dict[str, Any]) -> list[str]:
    lines = _text(review.cause) if review else []
    if review and not review.cause and review.unknown_because:
        lines.append(f"Unknown: {review.unknown_because}")
    for problem in facts["problems"]:
        owner = f", owned by {plain(problem.owner.display_name)}" if problem.owner else ""
        lines.append(f"\n- {problem.ref} {plain(problem.title)} ({problem.get_status_display().lower()}{owner})")
        lines += [f"    - Root cause: {plain(problem.root_cause)}"] if problem.root_cause else []
        lines += [f"    - Workaround: {plain(problem.workaround)}"] if problem.workaround else []
    lines += [f"\n- Caused by {change.ref} {plain(change.title)}" for change in facts["causes"]]
    return lines


def _factors(facts: dict[str, Any]) -> list[str]:
    """The trees of its problems, each factor under what it contributed to."""
    lines: list[str] = []
    for problem in facts["problems"]:
        below: dict[int | None, list[Any]] = {}
        for factor in problem.factors.all():
            below.setdefault(factor.parent_id, []).append(factor)
        open_ones = [(factor, 0) for factor in reversed(below.get(None, []))]
        while open_ones:
            factor, depth = open_ones.pop()
            mark = " (root)" if factor.is_root else ""
            lines.append(f"{'    ' * min(depth, 6)}- {plain(factor.text)}{mark}")
            open_ones += [(one, depth + 1) for one in reversed(below.get(factor.pk, []))]
    return ["", *lines] if lines else []


def _fix(facts: dict[str, Any]) -> list[str]:
    lines = []
    for change in facts["fixes"]:
        done = f", implemented {_moment(change.implemented_at)}" if change.implemented_at else ""
        lines.append(f"- {change.ref} {plain(change.title)} ({change.get_status_display().lower()}{done})")
        lines += [f"    - Plan: {plain(change.plan)}"] if change.plan else []
        lines += [f"    - Rolled back: {plain(change.roll_back_reason)}"] if change.roll_back_reason else []
    return lines


def _line(event: TimelineEvent) -> str:
    who = event.actor.display_name if event.actor else "the system"
    return f"- {event.at:%Y-%m-%d %H:%M:%S} **{plain(who)}** {plain(told(event))}"


def _timeline(events: list[TimelineEvent]) -> list[str]:
    shown = [event for event in events if event.kind not in _CHATTER and event.group != EventGroup.DECISIONS]
    lines = [_line(event) for event in shown[:_MOST_EVENTS]]
    if len(shown) > _MOST_EVENTS:
        lines.append(f"- and {len(shown) - _MOST_EVENTS} more entries in the record")
    return lines


def _deviations(facts: dict[str, Any]) -> list[str]:
    lines = [
        f"- Waived by {plain(step.waived_by.display_name if step.waived_by else 'the system')}: "
        f"{step.title}. {plain(step.waiver_reason)}"
        for step in facts["waivers"]
    ]
    lines += [f"- Done by a stand-in: {step.title}" for step in facts["fallbacks"] if step.state == "done"]
    lines += [
        f"- Promised update of {_moment(promise.due_at)} was late"
        for promise in facts["broken_promises"]
        if promise.state == UpdatePromise.State.BROKEN
    ]
    lines += [
        f"- {plain(consult.user.display_name)} did not answer about: {consult.step.title}"
        for consult in facts["unanswered_consults"]
    ]
    return lines


def _actions(review: Review | None) -> list[str]:
    if review is None:
        return []
    lines = [
        f"- {plain(action.title)} ({plain(action.owner.display_name)}, due {action.due_at:%Y-%m-%d}"
        + (f", done {action.done_at:%Y-%m-%d})" if action.done_at else ")")
        for action in review.actions.select_related("owner")
    ]
    if not lines and review.no_actions_because:
        lines = [f"None: {review.no_actions_because}"]
    return lines
