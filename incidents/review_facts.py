"""What the record says about one major incident: the factual part of its review and of its document.

Who was told when belongs to the deliveries above; pages show it in a slot of its own.
"""

from typing import Any

from django.utils import timezone

from incidents.models import (
    ChangeLink,
    ClockEntry,
    Consult,
    MajorIncident,
    TimelineEvent,
    UpdatePromise,
)
from incidents.process import CLOCKS, EventGroup, EventKind, StepState
from incidents.queries.costs import cost_of_downtime


def review_facts(incident: MajorIncident) -> dict[str, Any]:
    """Records of the incident, by topic, in the order of time. A constant number of queries.

    Keys: clocks (name, value, corrections, not_applicable), timeline, decisions (events), stages, waivers (steps),
    fallbacks (steps), broken_promises, kept_promises (count), unanswered_consults, tasks, downtime, updates,
    problems, fixes and causes (changes), seats, tickets (count), cost (None when unknown), informed (audience to how
    many of how many).
    """
    steps = list(incident.steps.select_related("waived_by", "done_by"))
    promises = list(incident.promises.select_related("made_by"))
    links = list(incident.change_links.select_related("change__implementer").order_by("linked_at"))
    downtime = list(incident.downtime.select_related("service"))
    timeline = list(incident.events.select_related("actor").order_by("at", "id"))
    return {
        "clocks": _clocks(incident),
        "timeline": timeline,
        "decisions": [event for event in timeline if event.group == EventGroup.DECISIONS],
        "stages": list(incident.stage_entries.select_related("by")),
        "waivers": [step for step in steps if step.state == StepState.WAIVED],
        "fallbacks": [step for step in steps if step.by_fallback],
        "broken_promises": [promise for promise in promises if promise.state == UpdatePromise.State.BROKEN],
        "kept_promises": sum(promise.state == UpdatePromise.State.KEPT for promise in promises),
        "unanswered_consults": list(
            Consult.objects.filter(step__incident=incident, unanswered_at__isnull=False, answered_at__isnull=True)
            .select_related("user", "step")
            .order_by("asked_at")
        ),
        "tasks": list(incident.tasks.select_related("assignee")),
        "downtime": downtime,
        "updates": list(incident.updates.select_related("author").order_by("published_at")),
        "problems": list(incident.problems.select_related("owner").prefetch_related("factors")),
        "fixes": [link.change for link in links if link.relation == ChangeLink.Relation.FIX],
        "causes": [link.change for link in links if link.relation == ChangeLink.Relation.CAUSE],
        "seats": list(incident.seats.select_related("user")),
        "services": list(incident.services.all()),
        "tickets": incident.tickets.count(),
        "cost": cost_of_downtime(downtime, timezone.now()),
        "informed": next((step.evidence.get("audiences", {}) for step in steps if step.key == "inform"), {}),
    }


def _clocks(incident: MajorIncident) -> list[dict[str, Any]]:
    entries: dict[str, list[ClockEntry]] = {}
    for entry in incident.clock_entries.select_related("set_by"):
        if entry.is_correction:
            entries.setdefault(entry.clock, []).append(entry)
    return [
        {
            "name": name,
            "label": label_of(name),
            "value": getattr(incident, name),
            "corrections": entries.get(name, []),
            "not_applicable": incident.clocks_not_applicable.get(name, ""),
        }
        for name in CLOCKS
    ]


def label_of(clock: str) -> str:
    """`started_at` as a word: Started."""
    return clock.removesuffix("_at").capitalize()


_TOLD = {
    EventKind.STAGE_CHANGED: "Stage: {from} → {to}",
    EventKind.DECLARED: "Declared {severity}: {title}",
    EventKind.STEP_DONE: "Done: {title}",
    EventKind.STEP_WAIVED: "Waived: {title}. {reason}",
    EventKind.TICKET_LINKED: "Ticket {ticket} linked",
    EventKind.TICKET_UNLINKED: "Ticket {ticket} unlinked",
    EventKind.PROBLEM_LINKED: "Problem {problem} linked: {title}",
    EventKind.CHANGE_LINKED: "Change {change} linked as {relation}: {title}",
    EventKind.CHANGE_STATUS_CHANGED: "Change {change}: {from} → {to}",
    EventKind.CLOCK_CORRECTED: "Clock {clock} corrected: {reason}",
    EventKind.TICKETS_CASCADED: "Linked tickets ({kind}): {count}",
    EventKind.TASK_ADDED: "Task: {title}",
    EventKind.PLAN_USED: "Plan of {source} used: {title}",
}


def told(event: TimelineEvent) -> str:
    """One event as one line of plain text."""
    pattern = _TOLD.get(EventKind(event.kind)) if event.kind in EventKind.values else None
    label = event.get_kind_display()
    try:
        said = pattern.format(**event.payload) if pattern else label
    except (KeyError, IndexError, ValueError):
        said = label
    text = " ".join(event.text.split())
    return f"{said}: {text}" if text and text not in said else said
