"""Candidates: raised, joined by more evidence, seen, and judged."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django_fsm import TransitionNotAllowed

from incidents import events
from incidents.actions import clocks
from incidents.actions.affected import carry_over
from incidents.actions.children import adopt, adopt_alerts
from incidents.actions.input import clean_choice, clean_text, clean_title
from incidents.actions.locking import check_open, lock_incident
from incidents.actions.ticket_states import allow
from incidents.errors import NotAccountable, WrongStage
from incidents.models import (
    OPEN_CANDIDATE_STATUSES,
    Candidate,
    CandidateSource,
    CandidateStatus,
    Service,
    Ticket,
    User,
)
from incidents.permissions import visible_candidates
from incidents.process import EventKind

_TRIES = 5


def flag(
    *,
    title: str,
    source: str,
    service: Service | None = None,
    cluster: str = "",
    reasons: Sequence[str] = (),
    evidence: dict[str, Any] | None = None,
    business_impact: str = "",
    ticket_ids: Sequence[int] = (),
    actor: User | None,
    at: datetime,
) -> Candidate:
    """Evidence that a major incident may be under way; joins the open candidate of the service or cluster."""
    clean_choice("source", source, CandidateSource.values)
    allow(actor, "propose")
    return gather(
        title=title,
        source=source,
        service=service,
        cluster=cluster,
        reasons=reasons,
        evidence=evidence,
        business_impact=business_impact,
        ticket_ids=ticket_ids,
        actor=actor,
        at=at,
    )


@transaction.atomic
def gather(
    *,
    title: str,
    source: str,
    service: Service | None = None,
    cluster: str = "",
    reasons: Sequence[str] = (),
    evidence: dict[str, Any] | None = None,
    business_impact: str = "",
    ticket_ids: Sequence[int] = (),
    joins: Candidate | None = None,
    actor: User | None,
    at: datetime,
) -> Candidate:
    """Makes the candidate or joins the open one. Two at the same moment end in one: the unique constraint decides."""
    said = [clean_text("reason", reason) for reason in reasons]
    impact = clean_text("business_impact", business_impact)
    candidate = _lock_open(joins, service, cluster)
    made = False
    for _ in range(_TRIES):
        if candidate is not None:
            break
        fresh = Candidate(
            title=clean_title(title),
            source=source,
            service=service,
            cluster="" if service else clean_text("cluster", cluster, 120),
            reasons=said,
            evidence=evidence or {},
            business_impact=impact,
            raised_by=actor,
            raised_at=at,
        )
        try:
            with transaction.atomic():
                fresh.save(force_insert=True)
            candidate, made = fresh, True
        except IntegrityError:
            candidate = _lock_open(None, service, cluster)
    if candidate is None:
        raise WrongStage("Candidates of this service are being decided at this moment. Try again.")
    added = _attach(candidate, ticket_ids)
    if made:
        events.record(
            EventKind.CANDIDATE_FLAGGED,
            candidate,
            actor=actor,
            at=at,
            reasons=said,
            tickets=added,
            title=candidate.title,
            service=service.name if service else None,
        )
    else:
        _join(candidate, said, impact, evidence or {}, added, actor=actor, at=at)
    return candidate


def _lock_open(joins: Candidate | None, service: Service | None, cluster: str) -> Candidate | None:
    waiting = Candidate.objects.select_for_update(of=("self",)).filter(status__in=OPEN_CANDIDATE_STATUSES)
    if joins is not None and (found := waiting.filter(pk=joins.pk).first()):
        return found
    if service is not None:
        return waiting.filter(service=service).first()
    return waiting.filter(service__isnull=True, cluster=cluster).first() if cluster else None


def _attach(candidate: Candidate, ticket_ids: Iterable[int]) -> list[str]:
    """Tickets become evidence; those of another open candidate stay there. Answers the references added."""
    tickets = Ticket.objects.select_for_update(of=("self",)).filter(pk__in=list(ticket_ids), major_incident=None)
    added = []
    for ticket in tickets.select_related("candidate").order_by("pk"):
        if ticket.candidate_id == candidate.pk or (ticket.candidate and ticket.candidate.is_open):
            continue
        ticket.candidate = candidate
        ticket.save(update_fields=["candidate", "updated_at"])
        added.append(ticket.ref)
    return added


def _join(
    candidate: Candidate,
    said: list[str],
    impact: str,
    evidence: dict[str, Any],
    added: list[str],
    *,
    actor: User | None,
    at: datetime,
) -> None:
    new = [reason for reason in said if reason not in candidate.reasons]
    candidate.reasons = [*candidate.reasons, *new]
    candidate.evidence = {**candidate.evidence, **evidence}
    if impact and impact not in candidate.business_impact:
        candidate.business_impact = f"{candidate.business_impact}\n\n{impact}".strip()
    candidate.save(update_fields=["reasons", "evidence", "business_impact", "updated_at"])
    events.record(EventKind.CANDIDATE_EVIDENCE_ADDED, candidate, actor=actor, at=at, reasons=new, tickets=added)


def locked(candidate_id: int) -> Candidate:
    """The candidate under its row lock. Raises Candidate.DoesNotExist."""
    return Candidate.objects.select_for_update(of=("self",)).get(pk=candidate_id)


def judge(candidate: Candidate, move: Callable[[], None]) -> None:
    """Does the transition of a verdict. Raises WrongStage naming the verdict that was given already."""
    try:
        move()
    except TransitionNotAllowed:
        by = f" by {candidate.decided_by.display_name}" if candidate.decided_by else ""
        raise WrongStage(
            f"{candidate.ref} was {candidate.get_status_display().lower()}{by} already; its verdict stands.",
            status=candidate.status,
        ) from None


@transaction.atomic
def acknowledge(candidate_id: int, *, actor: User, at: datetime) -> Candidate:
    """A manager has seen it, which stops the paging. Doing it again changes nothing."""
    candidate = locked(candidate_id)
    allow(actor, "acknowledge_candidate", candidate)
    if candidate.status == CandidateStatus.ACKNOWLEDGED:
        return candidate
    judge(candidate, candidate.to_acknowledged)
    candidate.acknowledged_by, candidate.acknowledged_at = actor, max(at, candidate.raised_at)
    candidate.save(update_fields=["status", "acknowledged_by", "acknowledged_at", "updated_at"])
    events.record(EventKind.CANDIDATE_ACKNOWLEDGED, candidate, actor=actor, at=at)
    return candidate


@transaction.atomic
def link(candidate_id: int, *, incident_id: int, actor: User, at: datetime) -> Candidate:
    """It belongs to a major incident that is open already; its tickets become children."""
    incident = lock_incident(incident_id)
    candidate = locked(candidate_id)
    allow(actor, "judge_candidate", candidate)
    judge(candidate, candidate.to_linked)
    check_open(incident, "linking a candidate")
    candidate.major_incident, candidate.decided_by, candidate.decided_at = incident, actor, at
    candidate.save(update_fields=["status", "major_incident", "decided_by", "decided_at", "updated_at"])
    tickets = Ticket.objects.select_for_update(of=("self",)).filter(candidate=candidate, major_incident=None)
    count = adopt(tickets.order_by("pk"), incident, actor=actor, at=at)
    adopt_alerts(candidate.alerts.all(), incident)
    carry_over(candidate.affected_people.all(), incident)
    events.record(
        EventKind.CANDIDATE_LINKED,
        candidate,
        actor=actor,
        at=at,
        incident=incident,
        candidate=candidate.ref,
        major_incident=incident.ref,
        tickets=count,
    )
    clocks.recompute(incident, actor=actor, at=at)
    return candidate


@transaction.atomic
def dismiss(candidate_id: int, *, reason: str, actor: User, at: datetime) -> Candidate:
    """It was nothing; the reason stays with it. Its tickets go on as they are."""
    candidate = locked(candidate_id)
    allow(actor, "judge_candidate", candidate)
    text = clean_text("reason", reason, required=True)
    judge(candidate, candidate.to_dismissed)
    candidate.dismiss_reason, candidate.decided_by, candidate.decided_at = text, actor, at
    candidate.save(update_fields=["status", "dismiss_reason", "decided_by", "decided_at", "updated_at"])
    events.record(EventKind.CANDIDATE_DISMISSED, candidate, actor=actor, at=at, text=text)
    return candidate


MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Judged:
    """What became of one candidate of many: done, unchanged or refused, and in words."""

    ref: str
    title: str
    outcome: str
    said: str


def judge_many(
    candidate_ids: Iterable[int], verdict: str, *, reason: str = "", actor: User, at: datetime
) -> list[Judged]:
    """Acknowledges or dismisses several, one at a time and each in a transaction of its own: what another manager
    judged meanwhile, or this person may not judge, is said in its row and holds up none of the others.

    Raises Invalid when there is no reason to dismiss with.
    """
    if clean_choice("verdict", verdict, ("acknowledge", "dismiss")) == "dismiss":
        reason = clean_text("reason", reason, required=True)
    wanted = list(dict.fromkeys(candidate_ids))[:MOST_AT_ONCE]
    known = {row.pk: row for row in visible_candidates(actor).filter(pk__in=wanted)}
    return [_judge_one(known.get(number), number, verdict, reason, actor, at) for number in wanted]


def _judge_one(row: Candidate | None, number: int, verdict: str, reason: str, actor: User, at: datetime) -> Judged:
    if row is None:
        return Judged(f"CAN-{number}", "", "refused", "There is no such candidate that you may see.")
    try:
        if verdict == "dismiss":
            dismiss(row.pk, reason=reason, actor=actor, at=at)
            return Judged(row.ref, row.title, "done", "Dismissed.")
        found = acknowledge(row.pk, actor=actor, at=at)
    except (NotAccountable, WrongStage) as refusal:
        return Judged(row.ref, row.title, "refused", refusal.message)
    if row.status == CandidateStatus.ACKNOWLEDGED:
        who = found.acknowledged_by.display_name if found.acknowledged_by else "somebody"
        return Judged(row.ref, row.title, "unchanged", f"{who} had acknowledged it already.")
    return Judged(row.ref, row.title, "done", "Acknowledged; nobody else is paged.")
