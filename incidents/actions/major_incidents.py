"""The life of a major incident: declared, moved through its stages, stood down, merged, reopened."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from incidents import events
from incidents.actions import bridges, clocks, documents, downtime, plans, seats, steps, updates
from incidents.actions.affected import carry_over
from incidents.actions.children import adopt_alerts
from incidents.actions.locking import advance, check_not_future, check_open, check_reason, lock_incident
from incidents.actions.wake import wake
from incidents.errors import ClockOrder, Duplicate, Invalid, WrongStage
from incidents.models import (
    AffectedService,
    Affects,
    Alert,
    Candidate,
    CascadeJob,
    MajorIncident,
    Organisation,
    RaciMatrix,
    Review,
    Service,
    StageEntry,
    Ticket,
    User,
    default_cells,
)
from incidents.on_call import on_call
from incidents.permissions import require
from incidents.priority import Severity, priority_for, severity_for
from incidents.process import RENEWED_BY_REOPENING, AccountRole, EventKind

SETTABLE_CLOCKS = ("started_at", "detected_at", "reported_at", "acknowledged_at", "declared_at")
"""What may be given while declaring. A value of None means unknown; an absent clock is derived."""


def current_matrix() -> RaciMatrix:
    """The newest version; the shipped table becomes version 1 on first use."""
    newest = RaciMatrix.objects.first()
    return newest or RaciMatrix.objects.get_or_create(version=1, defaults={"cells": default_cells()})[0]


@transaction.atomic
def declare(
    *,
    title: str,
    services: Iterable[Service] = (),
    impact: int,
    urgency: int,
    actor: User | None,
    at: datetime,
    description: str = "",
    severity: str | None = None,
    affects: str = "both",
    users_affected: int | None = None,
    revenue_impact: str = "",
    reputation_impact: str = "",
    tickets: Iterable[Ticket] = (),
    candidate: Candidate | None = None,
    is_drill: bool = False,
    clocks_given: Mapping[str, datetime | None] | None = None,
) -> MajorIncident:
    """Declares a major incident: seats the manager, starts the clocks, attaches tickets, opens downtime.

    From a candidate, from tickets, or from nothing. `actor` None is an automatic declaration, which seats the
    on-call manager. No services means "unknown". Raises Invalid, ClockOrder, WrongStage or NotAccountable.
    """
    if actor is not None:
        require(actor, "declare")
    given = dict(clocks_given or {})
    _check_declaration(title, impact, urgency, severity, affects, users_affected, given)
    services = list(dict.fromkeys(services))
    candidate = _take_candidate(candidate)
    children = _take_tickets(tickets, candidate)
    declared_at = given.get("declared_at") or at
    agreed = severity or severity_for(impact, urgency)
    incident = MajorIncident(
        title=title.strip(),
        description=description.strip(),
        impact=impact,
        urgency=urgency,
        priority=priority_for(impact, urgency, Organisation.current().priority_table),
        severity=agreed,
        affects=affects,
        users_affected=users_affected,
        revenue_impact=revenue_impact.strip(),
        reputation_impact=reputation_impact.strip(),
        is_drill=is_drill,
        matrix=current_matrix(),
        plan_version=plans.current_version(agreed, services, at=declared_at),
        declared_by=actor,
        declared_at=declared_at,
        corrected_clocks=sorted(given),
        **{name: given.get(name) for name in SETTABLE_CLOCKS if name != "declared_at"},
    )
    _check_given_clocks(incident)
    incident.save()
    _attach(incident, children, candidate, services, actor=actor, at=declared_at)
    _start_clocks(incident, actor=actor, at=declared_at)
    downtime.open_for(
        incident, services, at=incident.started_at or incident.detected_at or declared_at, follows_clocks=True
    )
    manager = actor or next(iter(on_call(AccountRole.MAJOR_INCIDENT_MANAGER, declared_at)), None)
    if manager is not None:
        seats.seat_manager(incident, manager, actor=actor, at=declared_at)
    steps.create_all(incident)
    _enter_stage(incident, "declare", "", actor=actor, at=declared_at)
    events.record(
        EventKind.DECLARED, incident, actor=actor, at=declared_at, title=incident.title, severity=incident.severity,
        services=[service.name for service in services], is_drill=is_drill, tickets=len(children),
        communication_plan=str(incident.plan_version),
    )  # fmt: skip
    steps.open_stage(incident, actor=actor, at=declared_at)
    bridges.open_by_plan(incident, actor=actor, at=declared_at)
    steps.refresh(incident, actor=actor, at=declared_at)
    promised_from = max(declared_at, timezone.now()) if not is_drill else declared_at
    updates.promise_by_plan(incident, since=promised_from, actor=actor, at=declared_at)
    return incident


def _check_declaration(
    title: str,
    impact: int,
    urgency: int,
    severity: str | None,
    affects: str,
    users_affected: int | None,
    given: Mapping[str, datetime | None],
) -> None:
    wrong: dict[str, str] = {}
    if not title.strip():
        wrong["title"] = "Say in a few words what is broken."
    elif len(title.strip()) > 250:
        wrong["title"] = "At most 250 characters; put the rest into the description."
    for name, level in (("impact", impact), ("urgency", urgency)):
        if level not in (1, 2, 3, 4):
            wrong[name] = "Choose a level from 1 (highest) to 4."
    if severity is not None and severity not in Severity.values:
        wrong["severity"] = f"Known severities: {', '.join(Severity.values)}."
    if affects not in Affects.values:
        wrong["affects"] = f"Choose one of: {', '.join(Affects.values)}."
    if users_affected is not None and not 0 <= users_affected < 2**31:
        wrong["users_affected"] = "Give a number of people, 0 or more."
    if unknown := [name for name in given if name not in SETTABLE_CLOCKS]:
        wrong["clocks"] = f"Cannot be set while declaring: {', '.join(unknown)}."
    if "declared_at" in given and given["declared_at"] is None:
        wrong["declared_at"] = "A declaration has a time; leave the field out for now."
    if wrong:
        raise Invalid(**wrong)
    for name, value in given.items():
        check_not_future(name, value)


def _check_given_clocks(incident: MajorIncident) -> None:
    """The clocks that people gave must be in order among themselves; an early acknowledgement counts as the report."""
    if incident.acknowledged_at and incident.reported_at and incident.acknowledged_at < incident.reported_at:
        incident.acknowledged_at = incident.reported_at
    clocks.check_order(incident.clocks)


def _take_candidate(candidate: Candidate | None) -> Candidate | None:
    """The candidate under its lock. Raises WrongStage when its verdict was given already."""
    if candidate is None:
        return None
    locked = Candidate.objects.select_for_update(of=("self",)).get(pk=candidate.pk)
    if not locked.is_open:
        raise WrongStage(f"{locked.ref} was {locked.get_status_display().lower()} already.", status=locked.status)
    return locked


def _take_tickets(tickets: Iterable[Ticket], candidate: Candidate | None) -> list[Ticket]:
    """The tickets that become children, under their locks: those named, and those of the candidate."""
    wanted = {ticket.pk for ticket in tickets}
    if candidate is not None:
        wanted |= set(candidate.tickets.filter(major_incident__isnull=True).values_list("pk", flat=True))
    found = list(Ticket.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk"))
    if taken := [
        f"{ticket.ref} belongs to MI-{ticket.major_incident_id}" for ticket in found if ticket.major_incident_id
    ]:
        raise Invalid(tickets=f"{'; '.join(taken)}. Unlink it first, or leave it out.")
    return found


def _attach(
    incident: MajorIncident,
    children: list[Ticket],
    candidate: Candidate | None,
    services: list[Service],
    *,
    actor: User | None,
    at: datetime,
) -> None:
    AffectedService.objects.bulk_create(
        AffectedService(incident=incident, service=service, added_at=at) for service in services
    )
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in children]).update(
        major_incident=incident, updated_at=timezone.now()
    )
    for ticket in children:
        ticket.major_incident = incident
        events.record(EventKind.TICKET_LINKED, ticket, actor=actor, at=at, to=incident.ref)
    adopt_alerts(Alert.objects.filter(ticket__in=children), incident)
    if candidate is not None:
        adopt_alerts(candidate.alerts.all(), incident)
        candidate.to_declared()
        candidate.major_incident, candidate.decided_by, candidate.decided_at = incident, actor, at
        candidate.save()
        carry_over(candidate.affected_people.all(), incident)
        events.record(EventKind.CANDIDATE_DECLARED, candidate, actor=actor, at=at, to=incident.ref)


def _start_clocks(incident: MajorIncident, *, actor: User | None, at: datetime) -> None:
    """Derives what was not given, then writes the first entry of every clock that has a value."""
    derived = clocks.derive(incident)
    values = {**{name: getattr(incident, name) for name in SETTABLE_CLOCKS}, **derived}
    for name in SETTABLE_CLOCKS:
        setattr(incident, name, None)
    for name, value in values.items():
        clocks.enter(incident, name, value, actor=actor, at=at)
    clocks.check_order(incident.clocks)
    incident.save()


def _enter_stage(
    incident: MajorIncident, transition: str, came_from: str, *, actor: User | None, at: datetime, reason: str = ""
) -> None:
    StageEntry.objects.create(
        incident=incident, transition=transition, from_stage=came_from, to_stage=incident.stage, by=actor, at=at,
        reason=reason,
    )  # fmt: skip


def _begin(incident_id: int, name: str, *, actor: User, at: datetime) -> MajorIncident:
    """A transition that only moves on: gate, history, event, next steps."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_not_future("at", at)
    came_from = incident.stage
    advance(incident, name)
    incident.save(update_fields=["stage", "updated_at"])
    _enter_stage(incident, name, came_from, actor=actor, at=at)
    events.record(EventKind.STAGE_CHANGED, incident, actor=actor, at=at, **{"from": came_from, "to": incident.stage})
    steps.open_stage(incident, actor=actor, at=at)
    return incident


@transaction.atomic
def begin_containment(incident_id: int, *, actor: User, at: datetime) -> MajorIncident:
    """identification → containment, once "declare" and "inform" are done or waived."""
    return _begin(incident_id, "begin_containment", actor=actor, at=at)


@transaction.atomic
def begin_resolution(incident_id: int, *, actor: User, at: datetime) -> MajorIncident:
    """containment → resolution, once team, bridge, war room and problem are there."""
    return _begin(incident_id, "begin_resolution", actor=actor, at=at)


@transaction.atomic
def confirm_resolution(incident_id: int, *, actor: User, at: datetime) -> MajorIncident:
    """resolution → maintenance: the fix is in place and nothing is down. Sets resolved_at, opens the review and
    resolves the linked tickets."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_not_future("at", at)
    came_from, previous = incident.stage, incident.resolved_at
    advance(incident, "confirm_resolution", at)
    incident.resolved_at = previous
    clocks.enter(incident, "resolved_at", at, actor=actor, at=at)
    clocks.check_order(incident.clocks)
    incident.save()
    _enter_stage(incident, "confirm_resolution", came_from, actor=actor, at=at)
    updates.settle_promise(incident, at=at)
    events.record(EventKind.RESOLVED, incident, actor=actor, at=at, **{"from": came_from, "to": incident.stage})
    _open_review(incident, actor=actor, at=at)
    documents.generate_unless_edited(incident.pk, at=at)
    CascadeJob.objects.create(major_incident=incident, kind=CascadeJob.Kind.RESOLVE, created_at=at)
    wake()
    steps.open_stage(incident, actor=actor, at=at)
    return incident


def _open_review(incident: MajorIncident, *, actor: User | None, at: datetime) -> None:
    hours = Organisation.current().observation_hours
    _, created = Review.objects.get_or_create(incident=incident, defaults={"opened_at": at, "observation_hours": hours})
    if created:
        events.record(EventKind.REVIEW_OPENED, incident, actor=actor, at=at, observation_hours=hours)


@transaction.atomic
def fall_back(incident_id: int, *, reason: str, actor: User, at: datetime) -> MajorIncident:
    """resolution → containment: the fix failed; a new fix is needed."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_not_future("at", at)
    came_from = incident.stage
    advance(incident, "fall_back", at)
    reason = check_reason(reason)
    incident.save(update_fields=["stage", "fix_counts_from", "updated_at"])
    _enter_stage(incident, "fall_back", came_from, actor=actor, at=at, reason=reason)
    steps.renew(incident, ["change"], actor=actor, at=at)
    events.record(
        EventKind.STAGE_CHANGED, incident, actor=actor, at=at, text=reason,
        **{"from": came_from, "to": incident.stage, "reason": reason},
    )  # fmt: skip
    return incident


@transaction.atomic
def close(incident_id: int, *, actor: User, at: datetime) -> MajorIncident:
    """maintenance → closed, once review, document and figures are there. Sets closed_at."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_not_future("at", at)
    came_from = incident.stage
    advance(incident, "close", at)
    incident.closed_at = None
    clocks.enter(incident, "closed_at", at, actor=actor, at=at)
    clocks.check_order(incident.clocks)
    incident.save()
    _enter_stage(incident, "close", came_from, actor=actor, at=at)
    updates.settle_promise(incident, at=at, withdraw=True)
    incident.presences.filter(left_at__isnull=True, entered_at__lte=at).update(left_at=at)
    events.record(EventKind.CLOSED, incident, actor=actor, at=at, **{"from": came_from, "to": incident.stage})
    bridges.cancel(incident, "the incident is closed", actor=actor, at=at)
    return incident


@transaction.atomic
def reopen(incident_id: int, *, reason: str, actor: User | None, at: datetime) -> MajorIncident:
    """maintenance or closed → containment: it came back. `actor` None is the system, after a failed observation.

    Clears restored_at, resolved_at and closed_at (history kept), opens a new downtime interval per service, and asks
    for new evidence of change, review, document and figures.
    """
    incident = lock_incident(incident_id)
    if actor is not None:
        require(actor, "command", incident)
    check_not_future("at", at)
    if incident.merged_into_id:
        raise WrongStage(f"{incident.ref} was merged into MI-{incident.merged_into_id}; reopen that one.")
    came_from, cleared = incident.stage, ("restored_at", "resolved_at", "closed_at")
    before = {name: getattr(incident, name) for name in cleared}
    advance(incident, "reopen", at)
    reason = check_reason(reason)
    if before["resolved_at"] is not None and at < before["resolved_at"]:
        raise ClockOrder("It cannot come back before it was resolved.", earlier="resolved_at", later="at")
    for name, value in before.items():
        setattr(incident, name, value)
        clocks.enter(incident, name, None, actor=actor, at=at, reason=reason)
    incident.corrected_clocks = [name for name in incident.corrected_clocks if name not in cleared]
    incident.clocks_not_applicable = {
        name: why for name, why in incident.clocks_not_applicable.items() if name not in cleared
    }
    incident.save()
    incident.downtime.filter(ended_at__isnull=True).update(ended_at=at)
    downtime.open_for(incident, incident.services.all(), at=at, follows_clocks=False)
    steps.renew(incident, RENEWED_BY_REOPENING, actor=actor, at=at)
    Review.objects.filter(incident=incident).update(state=Review.State.DRAFT, completed_at=None, completed_by=None)
    if document := getattr(incident, "document", None):
        document.published_at = document.published_by = None
        document.save(update_fields=["published_at", "published_by", "updated_at"])
    CascadeJob.objects.create(major_incident=incident, kind=CascadeJob.Kind.REOPEN, created_at=at)
    wake()
    _enter_stage(incident, "reopen", came_from, actor=actor, at=at, reason=reason)
    events.record(
        EventKind.REOPENED, incident, actor=actor, at=at, text=reason,
        **{"from": came_from, "to": incident.stage, "reason": reason},
    )  # fmt: skip
    updates.promise_by_plan(incident, since=at, actor=actor, at=at)
    bridges.revive(incident, actor=actor, at=at)
    steps.refresh(incident, actor=actor, at=at)
    return incident


@transaction.atomic
def stand_down(incident_id: int, *, reason: str, actor: User, at: datetime) -> MajorIncident:
    """Declared in error: everybody who was told hears that it was a false alarm; left out of every KPI."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_not_future("at", at)
    came_from = incident.stage
    check_open(incident, "standing down")
    reason = check_reason(reason)
    advance(incident, "stand_down", reason)
    incident.save(update_fields=["stage", "stood_down_reason", "updated_at"])
    _enter_stage(incident, "stand_down", came_from, actor=actor, at=at, reason=reason)
    updates.settle_promise(incident, at=at, withdraw=True)
    events.record(
        EventKind.STOOD_DOWN, incident, actor=actor, at=at, text=reason,
        **{"from": came_from, "to": incident.stage, "reason": reason},
    )  # fmt: skip
    bridges.cancel(incident, "it was a false alarm", actor=actor, at=at)
    return incident


@transaction.atomic
def reinstate(incident_id: int, *, reason: str, actor: User, at: datetime) -> MajorIncident:
    """stood_down → identification: the stand-down was the mistake. Steps keep what they had."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_not_future("at", at)
    came_from = incident.stage
    advance(incident, "reinstate")
    reason = check_reason(reason)
    incident.save(update_fields=["stage", "stood_down_reason", "updated_at"])
    _enter_stage(incident, "reinstate", came_from, actor=actor, at=at, reason=reason)
    events.record(
        EventKind.REINSTATED, incident, actor=actor, at=at, text=reason,
        **{"from": came_from, "to": incident.stage, "reason": reason},
    )  # fmt: skip
    updates.promise_by_plan(incident, since=at, actor=actor, at=at)
    bridges.revive(incident, actor=actor, at=at)
    steps.open_stage(incident, actor=actor, at=at)
    return incident


@transaction.atomic
def merge_into(incident_id: int, *, target_id: int, actor: User, at: datetime) -> MajorIncident:
    """It is the same outage as `target_id`: tickets, problems, tasks and services move there, this one closes."""
    if incident_id == target_id:
        raise Invalid(target="An incident cannot be merged into itself.")
    locked = {pk: lock_incident(pk) for pk in sorted((incident_id, target_id))}
    incident, target = locked[incident_id], locked[target_id]
    require(actor, "command", incident)
    check_not_future("at", at)
    check_open(incident, "merging")
    check_open(target, "merging into it")
    came_from = incident.stage
    advance(incident, "merge", target, at)
    moved = _move_belongings(incident, target, at=at)
    before = {name: getattr(incident, name) for name in ("started_at", "restored_at", "resolved_at")}
    incident.closed_at = max([at, *(value for value in before.values() if value is not None)])
    incident.save()
    _enter_stage(incident, "merge_into", came_from, actor=actor, at=at, reason=f"Merged into {target.ref}")
    updates.settle_promise(incident, at=at, withdraw=True)
    events.record(EventKind.MERGED, incident, actor=actor, at=at, into=target.ref, **moved)
    bridges.cancel(incident, f"it goes on as {target.ref}", actor=actor, at=at)
    events.record(EventKind.MERGED, target, actor=actor, at=at, merged=incident.ref, **moved)
    clocks.recompute(target, actor=actor, at=at)
    steps.refresh(target, actor=actor, at=at)
    return incident


def _move_belongings(incident: MajorIncident, target: MajorIncident, *, at: datetime) -> dict[str, Any]:
    """Moves what belongs to the outage and returns how many of each."""
    new_services = incident.affected.exclude(service__in=target.services.all())
    service_ids = list(new_services.values_list("service", flat=True))
    incident.downtime.filter(service__in=service_ids).update(incident=target, follows_clocks=False)
    AffectedService.objects.bulk_create(
        AffectedService(incident=target, service_id=pk, added_at=at) for pk in service_ids
    )
    for problem in incident.problems.all():
        problem.major_incidents.add(target)
    carry_over(incident.affected_people.all(), target)
    return {
        "tickets": incident.tickets.update(major_incident=target, updated_at=timezone.now()),
        "alerts": incident.alerts.update(major_incident=target),
        "tasks": incident.tasks.update(incident=target),
        "problems": incident.problems.count(),
    }


@transaction.atomic
def contain(incident_id: int, *, actor: User, at: datetime) -> MajorIncident:
    """The spread is stopped or a workaround is in place: sets contained_at, in any open stage."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_open(incident, "containing")
    check_not_future("at", at)
    since = incident.fix_counts_from
    if incident.contained_at is not None and (since is None or incident.contained_at > since):
        raise Duplicate(
            f"Contained since {incident.contained_at:%Y-%m-%d %H:%M} UTC; correct the clock if that is wrong."
        )
    clocks.enter(incident, "contained_at", at, actor=actor, at=at)
    clocks.check_order(incident.clocks)
    incident.save()
    events.record(EventKind.CONTAINED, incident, actor=actor, at=at, contained_at=at.isoformat())
    steps.refresh(incident, actor=actor, at=at)
    return incident


EDITABLE = (
    "title", "description", "impact", "urgency", "severity", "affects", "users_affected", "revenue_impact",
    "reputation_impact",
)  # fmt: skip


@transaction.atomic
def edit(incident_id: int, *, changes: dict[str, Any], reason: str, actor: User, at: datetime) -> MajorIncident:
    """Corrects texts, levels and affected services (`services`: the new list), until closing, with a reason."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_open(incident, "correcting it")
    reason = check_reason(reason)
    if unknown := set(changes) - {*EDITABLE, "services"}:
        raise Invalid(**dict.fromkeys(unknown, "This cannot be changed here."))
    values = {name: changes[name] for name in EDITABLE if name in changes}
    merged = {name: values.get(name, getattr(incident, name)) for name in EDITABLE}
    _check_declaration(
        merged["title"], merged["impact"], merged["urgency"], merged["severity"], merged["affects"],
        merged["users_affected"], {},
    )  # fmt: skip
    before = {name: getattr(incident, name) for name in values if getattr(incident, name) != values[name]}
    for name in before:
        setattr(incident, name, values[name])
    if {"impact", "urgency"} & set(before):
        incident.priority = priority_for(incident.impact, incident.urgency, Organisation.current().priority_table)
    incident.save()
    services = _change_services(incident, changes["services"], at=at) if "services" in changes else {}
    if before or services:
        events.record(
            EventKind.INCIDENT_EDITED, incident, actor=actor, at=at, reason=reason, before=before,
            after={name: values[name] for name in before}, **services,
        )  # fmt: skip
        downtime.sync_restored(incident, actor=actor, at=at)
        steps.refresh(incident, actor=actor, at=at)
    return incident


def _change_services(incident: MajorIncident, wanted: Iterable[Service], *, at: datetime) -> dict[str, Any]:
    """Adds (down from now on) and removes affected services; a removed one was never down here."""
    wanted, current = list(dict.fromkeys(wanted)), set(incident.services.all())
    added = [service for service in wanted if service not in current]
    removed = [service for service in current if service not in wanted]
    incident.affected.filter(service__in=removed).delete()
    incident.downtime.filter(service__in=removed).delete()
    AffectedService.objects.bulk_create(
        AffectedService(incident=incident, service=service, added_at=at) for service in added
    )
    # The first services ever known were down from the beginning; one that joins later goes down now.
    begin = at if current else incident.started_at or incident.detected_at or at
    downtime.open_for(incident, added, at=begin, follows_clocks=not current)
    if not added and not removed:
        return {}
    return {"services_added": [s.name for s in added], "services_removed": [s.name for s in removed]}
