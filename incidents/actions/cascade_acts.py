"""What a job does with one ticket. Each act answers a sentence and whether it changed anything."""

from collections.abc import Callable
from datetime import datetime

from incidents.actions import clocks, ticket_links, ticket_states, tickets
from incidents.actions.children import adopt
from incidents.actions.duplicates import say_solved
from incidents.actions.input import clean_text
from incidents.actions.locking import check_open
from incidents.actions.sla_follow import clocks_of, follow
from incidents.errors import Invalid
from incidents.models import CascadeJob, CascadeOutcome, CascadeResult, MajorIncident, Service, Team, Ticket, User
from incidents.process import Stage
from incidents.queries.sla import current_rules

_KIND = CascadeJob.Kind
Said = tuple[str, bool]


class Batch:
    """Some tickets of a job under lock, and what is read once for all of them."""

    def __init__(
        self, job: CascadeJob, incident: MajorIncident | None, tickets: dict[int, Ticket], at: datetime
    ) -> None:
        self.job, self.incident, self.tickets, self.at = job, incident, tickets, at
        self.actor = job.requested_by
        self.rules = current_rules()
        self.clocks = clocks_of(list(tickets.values()))
        merged = Ticket.objects.filter(merged_into__in=tickets)
        self.with_duplicates = set(merged.values_list("merged_into", flat=True))
        self.do: Callable[[Ticket], Said] = _ACTS[job.kind](self)

    def finish(self) -> None:
        """What is done once for the whole batch: an incident's clocks follow its tickets."""
        if self.incident is not None and self.job.kind in (_KIND.LINK, _KIND.UNLINK):
            clocks.recompute(self.incident, actor=self.actor, at=self.at)

    def follow(self, ticket: Ticket) -> list[str]:
        """The ticket's own clocks."""
        return follow(ticket, at=self.at, rules=self.rules, clocks=self.clocks[ticket.pk])


def check(kind: str, incident: MajorIncident | None, parameters: dict) -> None:
    """Refuses a job that could do nothing with any ticket. Raises Invalid or WrongStage."""
    if kind == _KIND.REPLY:
        clean_text("text", parameters.get("text"), required=True)
    elif kind == _KIND.UNLINK:
        clean_text("reason", parameters.get("reason"), required=True)
    elif kind == _KIND.RESOLVE:
        clean_text("resolution", parameters.get("resolution"), required=True)
    elif kind == _KIND.SERVICE and not Service.objects.filter(pk=parameters.get("service_id") or 0).exists():
        raise Invalid(service="Name the service.")
    elif kind == _KIND.ASSIGN and not (parameters.get("assignee_id") or parameters.get("team_id")):
        raise Invalid(assignee="Name a person or a team.")
    if kind in (_KIND.LINK, _KIND.UNLINK):
        if incident is None:
            raise Invalid(incident="Name the major incident.")
        check_open(incident, f"{kind}ing tickets")


def _was(ticket: Ticket) -> str:
    if ticket.merged_into_id:
        return f"was merged into INC-{ticket.merged_into_id}"
    return f"was {ticket.get_status_display().lower()} already"


def _resolve_with_incident(batch: Batch) -> Callable[[Ticket], Said]:
    incident, at = batch.incident, batch.at

    def act(ticket: Ticket) -> Said:
        if incident is None or incident.stage not in (Stage.MAINTENANCE, Stage.CLOSED):
            return f"{incident.ref if incident else 'It'} was reopened in between", False
        if ticket.major_incident_id != incident.pk:
            return f"was unlinked from {incident.ref} in between", False
        if not ticket.is_open:
            return _was(ticket), False
        if ticket.kept_open_reason:
            who = ticket.assignee or ticket.team
            return f"kept open{f' with {who}' if who else ''} because {ticket.kept_open_reason}", False
        before = ticket.status
        ticket.to_resolved()
        ticket.resolved_at = max(incident.resolved_at or at, ticket.reported_at)
        ticket.resolution, ticket.hold_reason = f"Resolved with {incident.ref}: {incident.title}", ""
        names = ["status", "resolved_at", "resolution", "hold_reason"]
        ticket.save(update_fields=[*names, *batch.follow(ticket), "updated_at"])
        ticket_states.record_status(ticket, before, actor=None, at=at, reason=ticket.resolution, cascade=batch.job.pk)
        if ticket.pk in batch.with_duplicates:
            say_solved(ticket, before, actor=None, at=at)
        return "resolved", True

    return act


def _resolve_chosen(batch: Batch) -> Callable[[Ticket], Said]:
    text = batch.job.parameters["resolution"]

    def act(ticket: Ticket) -> Said:
        if not ticket.is_open:
            return _was(ticket), False
        ticket_states.resolve(ticket.pk, resolution=text, actor=batch.actor, at=batch.at)
        return "resolved", True

    return act


def _resolve(batch: Batch) -> Callable[[Ticket], Said]:
    return _resolve_with_incident(batch) if batch.job.is_of_incident else _resolve_chosen(batch)


def _reopen(batch: Batch) -> Callable[[Ticket], Said]:
    """Only what the last resolving cascade resolved, and nobody reopened since."""
    job, incident, at = batch.job, batch.incident, batch.at
    last = incident.cascades.filter(kind=_KIND.RESOLVE, requested_by=None, pk__lt=job.pk).last() if incident else None
    done = CascadeResult.objects.filter(job=last, outcome=CascadeOutcome.DONE, ticket__in=batch.tickets)
    resolved_here = set(done.values_list("ticket", flat=True)) if last else set()
    ref = incident.ref if incident else ""

    def act(ticket: Ticket) -> Said:
        if ticket.pk not in resolved_here:
            return f"was not resolved by {ref}", False
        if ticket.is_open:
            return "was open again already", False
        if ticket.merged_into_id:
            return _was(ticket), False
        before = ticket.status
        ticket.to_reopened()
        ticket.resolved_at = ticket.closed_at = None
        ticket.save(update_fields=["status", "resolved_at", "closed_at", *batch.follow(ticket), "updated_at"])
        ticket_states.record_status(ticket, before, actor=None, at=at, reason=f"{ref} came back.", cascade=job.pk)
        return "reopened", True

    return act


def addressee_of(ticket: Ticket) -> str:
    """One word for whoever reported it, the same on all their tickets; "" when nobody can be told."""
    if ticket.channel == "monitoring":
        return ""
    return f"person {ticket.requester_id}" if ticket.requester_id else ticket.requester_email.lower()


def _reply(batch: Batch) -> Callable[[Ticket], Said]:
    """Once to each requester, in the first of their conversations."""
    people = [ticket.requester_id for ticket in batch.tickets.values() if ticket.requester_id]
    emails = [ticket.requester_email for ticket in batch.tickets.values() if not ticket.requester_id]
    before = CascadeResult.objects.filter(job=batch.job, outcome=CascadeOutcome.DONE).select_related("ticket")
    theirs = before.filter(ticket__requester__in=people) | before.filter(
        ticket__requester=None, ticket__requester_email__in=emails
    )
    told = {addressee_of(row.ticket): row.ticket.ref for row in theirs}

    def act(ticket: Ticket) -> Said:
        key = addressee_of(ticket)
        if not key:
            return "has no requester who could be told", False
        if key in told:
            return f"the requester was told in {told[key]}", False
        if ticket.merged_into_id:
            return _was(ticket), False
        tickets.comment(ticket.pk, text=batch.job.parameters["text"], public=True, actor=batch.actor, at=batch.at)
        told[key] = ticket.ref
        return "the requester was told", True

    return act


def _link(batch: Batch) -> Callable[[Ticket], Said]:
    incident = batch.incident

    def act(ticket: Ticket) -> Said:
        assert incident is not None  # noqa: S101 – checked when the job was made
        check_open(incident, "linking tickets")
        if ticket.merged_into_id:
            return _was(ticket), False
        if ticket.major_incident_id not in (None, incident.pk):
            return f"belongs to MI-{ticket.major_incident_id}; unlink it there first", False
        linked = adopt([ticket], incident, actor=batch.actor, at=batch.at)
        return (f"linked to {incident.ref}", True) if linked else (f"was linked to {incident.ref} already", False)

    return act


def _unlink(batch: Batch) -> Callable[[Ticket], Said]:
    incident, reason = batch.incident, batch.job.parameters["reason"]

    def act(ticket: Ticket) -> Said:
        assert incident is not None  # noqa: S101 – checked when the job was made
        if ticket.major_incident_id != incident.pk:
            return f"was not linked to {incident.ref}", False
        ticket_links.leave(ticket, incident, reason=reason, actor=batch.actor, at=batch.at)
        return "unlinked", True

    return act


def _assign(batch: Batch) -> Callable[[Ticket], Said]:
    given = batch.job.parameters
    assignee = User.objects.filter(pk=given.get("assignee_id")).first()
    team = Team.objects.filter(pk=given.get("team_id")).first()

    def act(ticket: Ticket) -> Said:
        if not ticket.is_open:
            return _was(ticket), False
        if ticket.assignee_id == given.get("assignee_id") and team in (None, ticket.team):
            return f"was with {assignee or team} already", False
        ticket_states.assign(ticket.pk, assignee=assignee, team=team, actor=batch.actor, at=batch.at)
        return f"given to {assignee or team}", True

    return act


def _name_service(batch: Batch) -> Callable[[Ticket], Said]:
    service, actor = Service.objects.get(pk=batch.job.parameters["service_id"]), batch.actor

    def act(ticket: Ticket) -> Said:
        if ticket.merged_into_id:
            return _was(ticket), False
        if ticket.service_id == service.pk:
            return f"was about {service} already", False
        assert actor is not None  # noqa: S101 – only jobs that follow from an incident are nobody's
        tickets.edit_ticket(ticket.pk, changes={"service": service}, actor=actor, at=batch.at)
        return f"is about {service} now", True

    return act


def _close(batch: Batch) -> Callable[[Ticket], Said]:
    def act(ticket: Ticket) -> Said:
        if ticket.status == "closed":
            return _was(ticket), False
        ticket_states.close(ticket.pk, actor=batch.actor, at=batch.at)
        return "closed", True

    return act


_ACTS: dict[str, Callable[[Batch], Callable[[Ticket], Said]]] = {
    _KIND.RESOLVE: _resolve,
    _KIND.REOPEN: _reopen,
    _KIND.REPLY: _reply,
    _KIND.LINK: _link,
    _KIND.UNLINK: _unlink,
    _KIND.ASSIGN: _assign,
    _KIND.CLOSE: _close,
    _KIND.SERVICE: _name_service,
}
