"""What the rules make of alerts: a ticket shared by many, a candidate, nothing; or they join what is open already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from incidents import events
from incidents.actions import candidates, clocks, tickets
from incidents.alert_defaults import DEFAULT_RULES
from incidents.alert_episodes import Episode
from incidents.alert_words import described, further, host_of, reasons, title_of
from incidents.errors import ProcessError
from incidents.models import (
    OPEN_CANDIDATE_STATUSES,
    OPEN_TICKET_STATUSES,
    AffectedService,
    AlertFold,
    AlertOutcome,
    AlertRule,
    Candidate,
    CandidateSource,
    Channel,
    Integration,
    MajorIncident,
    Service,
    Team,
    Ticket,
    TimelineEvent,
)
from incidents.process import EventKind, Stage
from incidents.queries.alert_rules import Rulebook, active_rules

JOINED_STAGES = (Stage.IDENTIFICATION, Stage.CONTAINMENT, Stage.RESOLUTION)
"""While an incident is in one of these, alerts of its services belong to it; later they are something new."""
TOLD_AGAIN_AFTER = timedelta(minutes=1)
"""How often a record tells that further alerts joined it: a storm is one line a minute."""
_TRY_AGAIN_AFTER = timedelta(seconds=10)


@dataclass
class _Group:
    """Alerts of one rule and service that are decided together."""

    rule: AlertRule
    service_id: int | None
    episodes: list[Episode] = field(default_factory=list)


def defaults_if_none() -> None:
    """The shipped rules, when there is no rule at all; switch rules off rather than delete all of them."""
    if not AlertRule.objects.exists():
        for rule in DEFAULT_RULES:
            AlertRule.objects.get_or_create(name=rule["name"], defaults=rule)


def decide(integration: Integration, episodes: Iterable[Episode], *, at: datetime) -> None:
    """Decides about those that began, came back or got worse, and about those whose time has come; the caller saves.

    The caller holds the sender's lock and writes the alerts in the same transaction. Drills make no noise. What the
    process refuses at this moment is tried again by the sweep.
    """
    waiting = [episode for episode in episodes if _is_to_decide(episode, at)]
    if not waiting:
        return
    rules = active_rules()
    if not rules:
        defaults_if_none()
        rules = active_rules()
    book = Rulebook(rules, integration_id=integration.pk)
    groups: dict[tuple[int, int], _Group] = {}
    for episode in waiting:
        episode.decided = True
        rule = _rule_for(episode, book, at)
        if rule is not None:
            key = (episode.service_id or 0, rule.pk)
            groups.setdefault(key, _Group(rule, episode.service_id)).episodes.append(episode)
    _carry_out(integration, [groups[key] for key in sorted(groups)], at=at)


def _is_to_decide(episode: Episode, at: datetime) -> bool:
    if episode.decide_at is not None:
        is_urgent = episode.worsened and not episode.in_maintenance
        return episode.ended or episode.decide_at <= at or is_urgent
    if episode.is_flapping:
        return False
    is_new = episode.began or episode.returned
    return is_new or (episode.worsened and episode.outcome in ("", AlertOutcome.NOTHING))


def _rule_for(episode: Episode, book: Rulebook, at: datetime) -> AlertRule | None:
    """The rule that is to be carried out now; None when there is nothing to do, or not yet."""
    has_waited, episode.decide_at = episode.decide_at is not None, None
    rule = None if episode.is_drill else book.first_that_fits(episode)
    episode.rule_id = rule.pk if rule else None
    if rule is None or rule.outcome == AlertRule.Outcome.NOTHING or _is_over(episode, rule, has_waited):
        episode.outcome = AlertOutcome.NOTHING
        return None
    if rule.after_seconds:
        due_at = episode.fires_since + timedelta(seconds=rule.after_seconds)
        if due_at > at:
            episode.outcome, episode.decide_at = "", due_at
            return None
    if episode.service_id is None and rule.service is not None and rule.service.is_active:
        episode.service_id = rule.service_id
    return rule


def _is_over(episode: Episode, rule: AlertRule, has_waited: bool) -> bool:
    """It resolved before anybody had to hear of it. A ticket is made all the same where the rule asks for one at
    once: that something critical fired belongs to the record, however late the worker came to it."""
    if episode.is_open:
        return False
    return has_waited or bool(rule.after_seconds) or rule.outcome == AlertRule.Outcome.CANDIDATE


def _carry_out(integration: Integration, groups: Sequence[_Group], *, at: datetime) -> None:
    """Locks in one order for everybody: incidents, candidates, folds, tickets."""
    if not groups:
        return
    services = {group.service_id for group in groups if group.service_id is not None}
    named: dict[int | None, Service] = dict(Service.objects.in_bulk(services)) if services else {}
    incidents = _open_incidents(services)
    open_candidates = _open_candidates(groups, incidents)
    for group in groups:
        service = named.get(group.service_id)
        try:
            with transaction.atomic():
                if group.service_id in incidents:
                    _join_incident(group, incidents[group.service_id], at=at)
                elif (found := open_candidates.get(_cluster_of(group))) is not None:
                    _join_candidate(group, found, at=at)
                elif group.rule.outcome == AlertRule.Outcome.CANDIDATE:
                    open_candidates[_cluster_of(group)] = _propose(integration, group, service, at=at)
                else:
                    _ticket(integration, group, service, at=at)
        except ProcessError as refusal:
            _put_off(group, str(refusal), at=at)


def _put_off(group: _Group, reason: str, *, at: datetime) -> None:
    for episode in group.episodes:
        episode.outcome, episode.decide_at = "", at + _TRY_AGAIN_AFTER
        episode.ticket_id = episode.candidate_id = episode.major_incident_id = None


def _open_incidents(services: set[int]) -> dict[int | None, MajorIncident]:
    """The latest incident of each service that alerts join, locked."""
    if not services:
        return {}
    rows = AffectedService.objects.filter(
        service__in=services, incident__stage__in=JOINED_STAGES, incident__is_drill=False
    ).order_by("incident_id")
    latest = dict(rows.values_list("service_id", "incident_id"))
    if not latest:
        return {}
    locked = MajorIncident.objects.select_for_update(of=("self",)).select_related("matrix")
    found = {one.pk: one for one in locked.filter(pk__in=set(latest.values())).order_by("pk")}
    return {service: found[pk] for service, pk in latest.items() if pk in found and found[pk].stage in JOINED_STAGES}


def _cluster_of(group: _Group) -> tuple[int | None, str]:
    """What a candidate of the group is known by: its service, else the rule."""
    return (group.service_id, "" if group.service_id is not None else f"alert rule {group.rule.pk}")


def _open_candidates(
    groups: Sequence[_Group], incidents: Mapping[int | None, MajorIncident]
) -> dict[tuple[int | None, str], Candidate]:
    """Candidates that wait for a verdict about the services (or rules) of the groups, locked."""
    wanted = [_cluster_of(group) for group in groups if group.service_id not in incidents]
    services = [service for service, _ in wanted if service is not None]
    clusters = [cluster for _, cluster in wanted if cluster]
    waiting = Candidate.objects.select_for_update(of=("self",)).filter(status__in=OPEN_CANDIDATE_STATUSES)
    found: dict[tuple[int | None, str], Candidate] = {}
    if services:
        found |= {(one.service_id, ""): one for one in waiting.filter(service__in=services).order_by("pk")}
    if clusters:
        unnamed = waiting.filter(service__isnull=True, cluster__in=clusters).order_by("pk")
        found |= {(None, one.cluster): one for one in unnamed}
    return found


def _join_incident(group: _Group, incident: MajorIncident, *, at: datetime) -> None:
    for episode in group.episodes:
        episode.outcome, episode.major_incident_id = AlertOutcome.INCIDENT, incident.pk
    _tell_joined(incident, group, at=at)
    clocks.hear_alerts(incident, [episode.started_at for episode in group.episodes], at=at)


def _join_candidate(group: _Group, candidate: Candidate, *, at: datetime) -> None:
    for episode in group.episodes:
        episode.outcome, episode.candidate_id = AlertOutcome.CANDIDATE, candidate.pk
    _tell_joined(candidate, group, at=at)


def _propose(integration: Integration, group: _Group, service: Service | None, *, at: datetime) -> Candidate:
    candidate = candidates.gather(
        title=title_of(group.episodes),
        source=CandidateSource.ALERT_RULE,
        service=service,
        cluster=_cluster_of(group)[1],
        reasons=reasons(group.rule, group.episodes, integration, service),
        actor=None,
        at=at,
    )
    for episode in group.episodes:
        episode.outcome, episode.candidate_id = AlertOutcome.CANDIDATE, candidate.pk
    return candidate


def _ticket(integration: Integration, group: _Group, service: Service | None, *, at: datetime) -> None:
    """The open ticket of this rule and service, else a new one. The fold's row lock lets two senders make only one."""
    AlertFold.objects.bulk_create([AlertFold(rule=group.rule, service=service)], ignore_conflicts=True)
    fold = AlertFold.objects.select_for_update(of=("self",)).get(rule=group.rule, service=service)
    ticket = Ticket.objects.select_for_update(of=("self",)).filter(pk=fold.ticket_id or 0).first()
    if ticket is not None and ticket.status in OPEN_TICKET_STATUSES:
        _tell_joined(ticket, group, at=at)
    else:
        ticket = _open_ticket(integration, group, service, at=at)
        AlertFold.objects.filter(pk=fold.pk).update(ticket=ticket)
    for episode in group.episodes:
        episode.outcome, episode.ticket_id = AlertOutcome.TICKET, ticket.pk


def _open_ticket(integration: Integration, group: _Group, service: Service | None, *, at: datetime) -> Ticket:
    ticket = tickets.open_ticket(
        title=title_of(group.episodes),
        description=described(group.rule, group.episodes, integration),
        channel=Channel.MONITORING,
        service=service,
        configuration_item=host_of(group.episodes),
        impact=group.rule.impact,
        urgency=group.rule.urgency,
        actor=None,
        at=at,
    )
    team_id = group.rule.team_id or integration.team_id
    if team_id is not None:
        ticket = tickets.assign(ticket.pk, team=Team.objects.get(pk=team_id), actor=None, at=at)
    return ticket


def _tell_joined(record: MajorIncident | Candidate | Ticket, group: _Group, *, at: datetime) -> None:
    """One line for all that joined, at most one a minute; the count tells those in between."""
    owner = {MajorIncident: "incident", Candidate: "candidate", Ticket: "ticket"}[type(record)]
    said = TimelineEvent.objects.filter(**{owner: record.pk}, kind=EventKind.ALERTS_JOINED).order_by("-id")
    latest = said.values_list("at", flat=True).first()
    if latest is not None and latest > at - TOLD_AGAIN_AFTER:
        return
    events.record(
        EventKind.ALERTS_JOINED, record, actor=None, at=at, text=further(group.episodes), alerts=len(group.episodes),
        rule=group.rule.name,
    )  # fmt: skip
