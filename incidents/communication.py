"""Communication plans as data: who hears of what, how loudly, how often. No ORM. (process: "Telling people")

A plan's content maps each audience to
`{"moments": {moment: telling}, "channels": [...], "urgent_channels": [...], "cadence_minutes": n,
"acknowledge_within_minutes": n, "escalate_to": target, "silent_because": text}`.
A moment that is not listed is not told. No channels means: as the person prefers.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices

from incidents.process import AccountRole, Audience

TECHNICAL, MANAGEMENT, STAKEHOLDERS, USERS = Audience


class Moment(TextChoices):
    """What an audience hears of. Each has its own words for each audience."""

    DECLARED = "declared", "Declared"
    STAGE_CHANGED = "stage_changed", "Stage changed"
    CONTAINED = "contained", "Contained"
    UPDATE = "update", "Status update"
    RESTORED = "restored", "Service restored"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"
    REOPENED = "reopened", "Reopened"
    STOOD_DOWN = "stood_down", "Stood down"
    REINSTATED = "reinstated", "Stand-down reversed"
    STEP_DONE = "step_done", "Step done"
    STEP_WAIVED = "step_waived", "Step waived"


class Telling(TextChoices):
    """How loudly a moment is told; each includes the one before."""

    TOLD = "told", "Told"
    URGENT = "urgent", "Urgent"
    ACKNOWLEDGE = "acknowledge", "Urgent, to be acknowledged"


OF_STEPS = (Moment.STEP_DONE, Moment.STEP_WAIVED)
"""Told to those who work on the incident and to management only."""

DEFAULT_ESCALATION = f"on_call:{AccountRole.SERVICE_DESK_MANAGER}:1"
SHORTEST_CADENCE, LONGEST_CADENCE = 5, 24 * 60

_CADENCE_MINUTES: dict[str, dict[Audience, int]] = {
    "SEV1": {TECHNICAL: 15, MANAGEMENT: 30, STAKEHOLDERS: 30, USERS: 30},
    "SEV2": {TECHNICAL: 30, MANAGEMENT: 60, STAKEHOLDERS: 60, USERS: 60},
    "SEV3": {TECHNICAL: 60, MANAGEMENT: 120, STAKEHOLDERS: 120, USERS: 120},
}
_LOUD: dict[str, dict[Audience, dict[Moment, Telling]]] = {
    "SEV1": {
        TECHNICAL: {Moment.DECLARED: Telling.ACKNOWLEDGE, Moment.REOPENED: Telling.URGENT},
        MANAGEMENT: {Moment.DECLARED: Telling.ACKNOWLEDGE},
    },
    "SEV2": {TECHNICAL: {Moment.DECLARED: Telling.URGENT}},
    "SEV3": {},
}
ACKNOWLEDGE_WITHIN_MINUTES = 15


def moments_of(audience: str) -> list[Moment]:
    """What an audience can hear of, in the order of an incident's life."""
    return [one for one in Moment if one not in OF_STEPS or audience in (TECHNICAL, MANAGEMENT)]


def shipped(severity: str) -> dict[str, dict[str, Any]]:
    """The plan a severity has before anybody changes it: everybody hears of everything, on the cadence of the process.

    KeyError for an unknown severity.
    """
    cadence, loud = _CADENCE_MINUTES[severity], _LOUD[severity]
    return {
        audience.value: {
            "moments": {
                moment.value: loud.get(audience, {}).get(moment, Telling.TOLD).value for moment in moments_of(audience)
            },
            "channels": [],
            "urgent_channels": [],
            "cadence_minutes": cadence[audience],
            "acknowledge_within_minutes": ACKNOWLEDGE_WITHIN_MINUTES,
            "escalate_to": DEFAULT_ESCALATION,
            "silent_because": "",
        }
        for audience in Audience
    }


def promise_minutes(content: Mapping[str, Mapping[str, Any]]) -> int:
    """After how many minutes the next update is owed: the shortest cadence of an audience that hears of updates.

    One promise stands on the incident, so it must be early enough for whoever waits least; with nobody who hears
    of updates, the shortest of all.
    """
    hearing = [one for one in content.values() if Moment.UPDATE in one["moments"]]
    return min(one["cadence_minutes"] for one in hearing or content.values())
