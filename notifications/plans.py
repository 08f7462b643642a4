"""What a communication plan says, asked by everything that tells somebody something.

`plan_for(incident)` is the plan an incident runs under: the version in force when it was declared, or the one a
manager switched to. It costs one query for an incident, none when it was loaded with its version.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from incidents.communication import DEFAULT_ESCALATION, Moment, Telling
from incidents.models import MajorIncident, PlanVersion, Service
from incidents.queries import plans as reading

LOUD = (Telling.URGENT, Telling.ACKNOWLEDGE)


@dataclass(frozen=True)
class Plan:
    """`name` and `version` say which it is ("SEV1, Checkout", 3); `content` as in `incidents.communication`."""

    name: str
    severity: str
    version: int
    content: Mapping[str, Mapping[str, Any]]

    def __str__(self) -> str:
        return f"{self.name}, {f'version {self.version}' if self.version else 'as shipped'}"

    def _says(self, audience: str, moment: str) -> str:
        return str(self.content.get(audience, {}).get("moments", {}).get(moment, ""))

    def tells(self, audience: str, moment: str) -> bool:
        """Whether the audience hears of the moment. What no plan speaks of (a candidate) is told as the policy says."""
        return bool(self._says(audience, moment)) or moment not in Moment.values

    def is_urgent(self, audience: str, moment: str) -> bool:
        return self._says(audience, moment) in LOUD

    def channels(self, audience: str, moment: str) -> tuple[str, ...]:
        """Channel keys in their order; none means as the person prefers."""
        kind = "urgent_channels" if self.is_urgent(audience, moment) else "channels"
        return tuple(self.content.get(audience, {}).get(kind, ()))

    def cadence(self, audience: str) -> int:
        """How often the audience hears of an open incident, in minutes, unless an update promises otherwise."""
        return int(self.content[audience]["cadence_minutes"])

    def wants_acknowledgement(self, audience: str, moment: str) -> int | None:
        """Within how many minutes the message is to be acknowledged; None when that is not wanted."""
        if self._says(audience, moment) != Telling.ACKNOWLEDGE:
            return None
        return int(self.content[audience]["acknowledge_within_minutes"])

    def escalates_to(self, audience: str) -> str:
        """Who hears of it when nobody acknowledged: a target of `escalation_policy`."""
        return str(self.content.get(audience, {}).get("escalate_to") or DEFAULT_ESCALATION)

    def silent_because(self, audience: str) -> str:
        """Why the audience does not hear of a declaration; "" when it does."""
        told = self.tells(audience, Moment.DECLARED)
        return "" if told else str(self.content.get(audience, {}).get("silent_because", ""))


def plan_of(version: PlanVersion) -> Plan:
    return Plan(str(version.plan), version.plan.severity, version.number, version.content)


def plan_for(incident: MajorIncident) -> Plan:
    """The plan the incident runs under; the shipped one of its severity when it is older than plans."""
    return plan_of(reading.version_of(incident))


def plan_of_new(severity: str, services: Iterable[Service] = ()) -> Plan:
    """The plan an incident declared now would run under."""
    return plan_of(reading.in_force(severity, services))


def hearing(incident: MajorIncident | None, moment: str, audiences: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the audiences whom the incident's plan lets hear of the moment."""
    if incident is None or not audiences:
        return audiences
    plan = plan_for(incident)
    return tuple(one for one in audiences if plan.tells(one, moment))


def channels_for(incident: MajorIncident | None, moment: str, audience: str) -> tuple[str, ...]:
    """The channels the incident's plan names for this message; none means as the person prefers."""
    return plan_for(incident).channels(audience, moment) if incident is not None and audience else ()


def acknowledgement_due(incident: MajorIncident | None, moment: str, audiences: Iterable[str]) -> timedelta | None:
    """How long somebody of these audiences has to acknowledge; the shortest counts. None when it is not wanted."""
    if incident is None:
        return None
    plan = plan_for(incident)
    wanted = [minutes for one in audiences if (minutes := plan.wants_acknowledgement(one, moment))]
    return timedelta(minutes=min(wanted)) if wanted else None
