"""DATA and PURE: how soon a ticket is answered and solved, by priority, until an administrator says otherwise."""

import uuid
from dataclasses import dataclass

from incidents.service_hours import Hours

WARN_SHARE = 0.75
"""Of the promised time: then whoever has the ticket is warned."""


@dataclass(frozen=True)
class Target:
    """In minutes of service hours, or of any hours when `around_the_clock`."""

    response_minutes: int
    resolution_minutes: int
    around_the_clock: bool = False

    def seconds(self, kind: str) -> int:
        """Of `response` or `resolution`."""
        return 60 * (self.response_minutes if kind == "response" else self.resolution_minutes)


DEFAULT_TARGETS: dict[str, Target] = {
    #           answered  solved
    "P1": Target(15, 4 * 60, around_the_clock=True),
    "P2": Target(30, 8 * 60),
    "P3": Target(4 * 60, 30 * 60),
    "P4": Target(8 * 60, 50 * 60),
}
"""Ten service hours a day: P3 is solved within three working days, P4 within five."""


@dataclass(frozen=True)
class Rules:
    """Everything clocks are computed from. `stamp` changes with any of it."""

    stamp: uuid.UUID
    targets: dict[tuple[int | None, str], Target]
    hours_of: dict[int, Hours]
    default_hours: Hours
    always: Hours

    def target(self, service_id: int | None, priority: str) -> Target:
        """The service's own target, else that of all services, else the one shipped."""
        own = self.targets.get((service_id, priority)) or self.targets.get((None, priority))
        return own or DEFAULT_TARGETS[priority]

    def hours(self, service_id: int | None, target: Target) -> Hours:
        if target.around_the_clock:
            return self.always
        return self.hours_of.get(service_id, self.default_hours) if service_id else self.default_hours

    def hours_for(self, service_id: int) -> Hours:
        """When the service is looked after."""
        return self.hours_of.get(service_id, self.default_hours)
