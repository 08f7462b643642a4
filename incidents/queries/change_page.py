"""The steps of a change as its page shows them: by part, each with the time it is planned to begin."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.models import Change, ChangeStep


@dataclass(frozen=True)
class PlannedStep:
    """`begins_at` is None without a window, or once an earlier step says not how long it takes."""

    step: ChangeStep
    begins_at: datetime | None


@dataclass(frozen=True)
class Part:
    key: str
    name: str
    steps: list[PlannedStep]

    @property
    def done(self) -> int:
        return sum(one.step.done_at is not None for one in self.steps)

    @property
    def minutes(self) -> int | None:
        """How long all of it takes; None when a step does not say."""
        told = [one.step.minutes for one in self.steps]
        return None if None in told else sum(minutes or 0 for minutes in told)


def planned_steps(change: Change) -> list[Part]:
    """Plan, then test, each step after the one before; the way back has no time of its own. No query."""
    found, at = [], change.window_start
    for part in ChangeStep.Part:
        steps = []
        for step in (one for one in change.steps.all() if one.part == part):
            is_timed = part != ChangeStep.Part.BACK
            steps.append(PlannedStep(step, at if is_timed else None))
            if is_timed:
                at = at + timedelta(minutes=step.minutes) if at and step.minutes is not None else None
        if steps:
            found.append(Part(part.value, str(part.label), steps))
    return found
