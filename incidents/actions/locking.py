"""Locks that every action begins with, and the refusals of a transition."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django_fsm import TransitionNotAllowed

from incidents.errors import Invalid, OpenDowntime, StepsOutstanding, WrongStage
from incidents.models import MajorIncident
from incidents.process import STEP_BY_KEY, Stage

FUTURE_TOLERANCE = timedelta(minutes=2)
"""Clocks of two machines may differ; later than this is a typing error."""


def lock_incident(incident_id: int) -> MajorIncident:
    """The incident under its row lock, which also orders its timeline. Raises MajorIncident.DoesNotExist."""
    return MajorIncident.objects.select_for_update(of=("self",)).select_related("matrix").get(pk=incident_id)


def check_not_future(field: str, at: datetime | None) -> None:
    """Raises Invalid when `at` lies ahead of now by more than the tolerance."""
    if at is not None and at > timezone.now() + FUTURE_TOLERANCE:
        raise Invalid(**{field: f"{at:%Y-%m-%d %H:%M} UTC lies in the future."})


def check_reason(reason: str, field: str = "reason") -> str:
    """The reason without surrounding blanks. Raises Invalid when there is none."""
    if not reason or not reason.strip():
        raise Invalid(**{field: "Say why; it is kept in the record."})
    return reason.strip()


def check_open(incident: MajorIncident, doing: str) -> None:
    """Raises WrongStage when the incident is closed or stood down."""
    if not incident.is_open:
        raise WrongStage(
            f"{incident.ref} is {Stage(incident.stage).label.lower()}; {doing} needs an open incident.",
            stage=incident.stage,
        )


def advance(incident: MajorIncident, name: str, *args: Any) -> None:
    """Does the transition or says why not: first the stage, then the steps, or a late double click
    would be told the next stage's steps. Raises WrongStage, StepsOutstanding or OpenDowntime."""
    move: Any = getattr(incident, name)
    allowed_from = move._django_fsm.transitions
    if incident.stage not in allowed_from and "*" not in allowed_from:
        sources = ", ".join(Stage(source).label for source in allowed_from)
        raise WrongStage(
            f"{incident.ref} is in {Stage(incident.stage).label}; this is possible from {sources}.",
            stage=incident.stage,
            possible_from=list(allowed_from),
        )
    if outstanding := incident.missing_steps(name):
        named = "; ".join(STEP_BY_KEY[key].title for key in outstanding)
        raise StepsOutstanding(f"Still outstanding: {named}.", steps=outstanding)
    try:
        move(*args)
    except TransitionNotAllowed:
        down = [
            interval.service.slug if interval.service else "unknown"
            for interval in incident.downtime.filter(ended_at__isnull=True).select_related("service")
        ]
        raise OpenDowntime(
            f"Still down: {', '.join(down)}. Restore first, or end its downtime.", services=down
        ) from None
