"""Clocks: set by the act that causes them, derived from linked records, corrected by people with a reason."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Min

from incidents import events
from incidents.actions import steps
from incidents.actions.locking import check_not_future, check_open, check_reason, lock_incident
from incidents.errors import ClockOrder, Invalid
from incidents.models import ClockEntry, MajorIncident, User
from incidents.permissions import require, require_step
from incidents.process import CLOCK_CHAINS, CLOCKS, EventKind

OLDEST_SIGNAL = timedelta(hours=24)
"""An alert that was on for longer when the outage was noticed is no sign of it: tools repeat what nobody mends."""
FOLLOWED_BY_DOWNTIME = ("started_at", "detected_at")


def check_order(values: Mapping[str, datetime | None]) -> None:
    """Raises ClockOrder naming the first pair that is reversed. Clocks without a value are skipped."""
    for chain in CLOCK_CHAINS:
        known = [(name, value) for name in chain if (value := values.get(name)) is not None]
        for (earlier, first), (later, second) in zip(known, known[1:], strict=False):
            if second < first:
                raise ClockOrder(
                    f"{later} ({second:%Y-%m-%d %H:%M:%S} UTC) would lie before {earlier} "
                    f"({first:%Y-%m-%d %H:%M:%S} UTC).",
                    earlier=earlier,
                    later=later,
                )


def enter(
    incident: MajorIncident,
    clock: str,
    value: datetime | None,
    *,
    actor: User | None,
    at: datetime,
    reason: str = "",
    is_correction: bool = False,
) -> bool:
    """Sets a clock on the locked incident (the caller saves it) and keeps the old value. False when unchanged."""
    previous = getattr(incident, clock)
    if previous == value:
        return False
    setattr(incident, clock, value)
    ClockEntry.objects.create(
        incident=incident, clock=clock, value=value, previous=previous, is_correction=is_correction,
        reason=reason, set_by=actor, set_at=at,
    )  # fmt: skip
    return True


def signals(incident: MajorIncident, heard: Iterable[datetime] = ()) -> dict[str, datetime | None]:
    """The first signal, report and acknowledgement among linked tickets, alerts and candidates; None where there is
    none. `heard` are the beginnings of alerts that are about to be linked. What a machine acknowledged is no
    acknowledgement, an alert is no report at the desk, and one that was on long before is no signal of this."""
    tickets = incident.tickets.aggregate(reported=Min("reported_at"), acknowledged=Min("acknowledged_at"))
    candidates = incident.candidates.aggregate(reported=Min("raised_at"), acknowledged=Min("acknowledged_at"))

    def first(*times: datetime | None) -> datetime | None:
        return min((time for time in times if time is not None), default=None)

    noticed = first(tickets["reported"], candidates["reported"], incident.declared_at)
    linked = incident.alerts.filter(is_drill=incident.is_drill, in_maintenance=False)
    if noticed is not None:
        linked = linked.filter(started_at__gte=noticed - OLDEST_SIGNAL)
        heard = [one for one in heard if one >= noticed - OLDEST_SIGNAL]
    alerts = linked.aggregate(first=Min("started_at"))
    return {
        "detected_at": first(tickets["reported"], candidates["reported"], alerts["first"], *heard),
        "reported_at": first(tickets["reported"], candidates["reported"]),
        "acknowledged_at": first(tickets["acknowledged"], candidates["acknowledged"], incident.declared_at),
    }


def derive(incident: MajorIncident, found: Mapping[str, datetime | None] | None = None) -> dict[str, datetime | None]:
    """detected_at, reported_at and acknowledged_at as the linked records say, fitted between the clocks that
    people set, so that a derived value never breaks the order. Clocks set by a person are returned as they are.
    `found` are the signals where the incident is not saved yet (preview)."""
    fixed, found = set(incident.corrected_clocks), signals(incident) if found is None else found
    detected = incident.detected_at
    if "detected_at" not in fixed:
        detected = _within(found["detected_at"] or incident.declared_at, incident.started_at, incident.declared_at)
    reported = incident.reported_at
    if "reported_at" not in fixed:
        ceiling = incident.acknowledged_at if "acknowledged_at" in fixed and not found["reported_at"] else None
        reported = _within(found["reported_at"] or incident.declared_at, detected or incident.started_at, ceiling)
    acknowledged = incident.acknowledged_at
    if "acknowledged_at" not in fixed:
        acknowledged = found["acknowledged_at"]
    return {
        "detected_at": detected,
        "reported_at": reported,
        "acknowledged_at": _within(acknowledged, reported or detected or incident.started_at, None),
    }


def _within(value: datetime | None, floor: datetime | None, ceiling: datetime | None) -> datetime | None:
    if value is None:
        return None
    if ceiling is not None:
        value = min(value, ceiling)
    return value if floor is None else max(value, floor)


def hear_alerts(incident: MajorIncident, starts: Iterable[datetime], *, at: datetime) -> None:
    """Alerts that began at these moments (aware) are about to be linked to the locked incident."""
    earlier = [one for one in starts if incident.detected_at is None or one < incident.detected_at]
    if earlier:
        recompute(incident, actor=None, at=at, heard=earlier)


def recompute(incident: MajorIncident, *, actor: User | None, at: datetime, heard: Iterable[datetime] = ()) -> None:
    """After tickets, alerts or candidates were linked to the locked incident: derive, save, move the downtime along."""
    changed = [
        clock
        for clock, value in derive(incident, signals(incident, heard)).items()
        if enter(incident, clock, value, actor=None, at=at, reason="Derived from linked records")
    ]
    if changed:
        incident.save(update_fields=[*changed, "updated_at"])
        move_downtime(incident)
        steps.refresh(incident, actor=actor, at=at)


def move_downtime(incident: MajorIncident) -> None:
    """Intervals that began with the incident begin at started_at, else detected_at, else declared_at."""
    begin = incident.started_at or incident.detected_at or incident.declared_at
    if begin is None:
        return
    for interval in incident.downtime.filter(follows_clocks=True):
        if interval.ended_at is not None and begin > interval.ended_at:
            raise ClockOrder(
                f"Downtime ended at {interval.ended_at:%Y-%m-%d %H:%M:%S} UTC, before this beginning.",
                earlier="started_at",
                later="restored_at",
            )
        if interval.started_at != begin:
            interval.started_at = begin
            interval.save(update_fields=["started_at"])


def check_clock_name(clock: str) -> None:
    if clock not in CLOCKS:
        raise Invalid(clock=f"“{clock}” is not a clock. Known: {', '.join(CLOCKS)}.")


@transaction.atomic
def correct(
    incident_id: int, *, clock: str, value: datetime | None, reason: str, actor: User, at: datetime
) -> MajorIncident:
    """A person sets what a clock really was, until closing; the old value stays in its history.

    `value` None means unknown. Raises Invalid, ClockOrder, WrongStage or NotAccountable.
    """
    return correct_many(incident_id, values={clock: value}, reason=reason, actor=actor, at=at)


@transaction.atomic
def correct_many(
    incident_id: int, *, values: Mapping[str, datetime | None], reason: str, actor: User, at: datetime
) -> MajorIncident:
    """Several clocks at once, so that moving all of them later or earlier never meets its own intermediate order."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_open(incident, "correcting a clock")
    reason = check_reason(reason)
    for clock, value in values.items():
        check_clock_name(clock)
        check_not_future(clock, value)
        _check_correctable(incident, clock, value)
    for clock, value in values.items():
        previous = getattr(incident, clock)
        if not enter(incident, clock, value, actor=actor, at=at, reason=reason, is_correction=True):
            continue
        if clock not in incident.corrected_clocks:
            incident.corrected_clocks = [*incident.corrected_clocks, clock]
        incident.clocks_not_applicable.pop(clock, None)
        if clock == "restored_at" and previous is not None and value is not None:
            incident.downtime.filter(ended_at=previous, started_at__lte=value).update(ended_at=value)
        events.record(
            EventKind.CLOCK_CORRECTED, incident, actor=actor, at=at, clock=clock, reason=reason,
            value=value and value.isoformat(), previous=previous and previous.isoformat(),
        )  # fmt: skip
    for clock, value in derive(incident).items():
        enter(incident, clock, value, actor=None, at=at, reason="Fitted to the correction")
    check_order(incident.clocks)
    incident.save()
    if set(values).intersection(FOLLOWED_BY_DOWNTIME):
        move_downtime(incident)
    steps.refresh(incident, actor=actor, at=at)
    return incident


def _check_correctable(incident: MajorIncident, clock: str, value: datetime | None) -> None:
    if value is None and clock == "declared_at":
        raise Invalid(declared_at="A declared incident has a time of declaration; correct it instead of emptying it.")
    if clock in ("resolved_at", "closed_at", "restored_at") and (value is None) != (getattr(incident, clock) is None):
        act = {"resolved_at": "confirm the resolution", "closed_at": "close", "restored_at": "restore"}[clock]
        raise Invalid(
            **{clock: f"This clock is set when you {act}, and cleared by reopening; then it can be corrected."}
        )


@transaction.atomic
def mark_not_applicable(incident_id: int, *, clock: str, reason: str, actor: User, at: datetime) -> MajorIncident:
    """A clock that has no value and needs none, with the reason; guarded by the step "measure"."""
    incident = lock_incident(incident_id)
    require_step(actor, incident, "measure")
    check_open(incident, "marking a clock")
    check_clock_name(clock)
    if getattr(incident, clock) is not None:
        raise Invalid(clock=f"{clock} has a value; only an unknown clock can be not applicable.")
    incident.clocks_not_applicable = {**incident.clocks_not_applicable, clock: check_reason(reason)}
    incident.save(update_fields=["clocks_not_applicable", "updated_at"])
    events.record(EventKind.CLOCK_NOT_APPLICABLE, incident, actor=actor, at=at, clock=clock, reason=reason.strip())
    steps.refresh(incident, actor=actor, at=at)
    return incident
