"""Tickets: reports, their conversation, and what is done with them."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents import permissions
from incidents.actions import tickets
from incidents.api.candidates import CandidateOut, candidate_rows
from incidents.api.endpoint import Changing, Collection, Endpoint, Making, Verb, or_404
from incidents.api.fields import (
    Level,
    Moment,
    Person,
    Ref,
    RefOut,
    Refs,
    ServiceName,
    TeamName,
    Text,
    email_of,
)
from incidents.api.filters import ChoicesFilter, MomentFilter, PersonFilter, RefFilter, ServiceFilter
from incidents.api.shapes import MomentIn, ReasonIn, Shape, shown
from incidents.models import (
    Channel,
    Scope,
    SlaKind,
    Ticket,
    TicketEscalation,
    TicketKind,
    TicketStatus,
)
from incidents.priority import Priority
from incidents.queries.words import matching


class SlaClockOut(Shape):
    target_seconds = serializers.IntegerField(help_text="In service hours.")
    used_seconds = serializers.FloatField(help_text="In service hours, up to when it was last paused or ended.")
    due_at = Moment(allow_null=True, help_text="Null while paused.")
    warn_at = Moment(allow_null=True, help_text="When three quarters of the time are over.")
    ended_at = Moment(allow_null=True, help_text="When it was answered, or solved.")
    breached_at = Moment(allow_null=True)
    state = serializers.ChoiceField(["running", "paused", "breached", "met", "missed"])


class SlaOut(Shape):
    response = serializers.SerializerMethodField()
    resolution = serializers.SerializerMethodField()
    due_at = Moment(source="sla_due_at", allow_null=True, help_text="The nearest promise; null while none runs.")

    @extend_schema_field(SlaClockOut(allow_null=True))
    def get_response(self, ticket: Ticket) -> Any:
        return self._clock(ticket, SlaKind.RESPONSE)

    @extend_schema_field(SlaClockOut(allow_null=True))
    def get_resolution(self, ticket: Ticket) -> Any:
        return self._clock(ticket, SlaKind.RESOLUTION)

    def _clock(self, ticket: Ticket, kind: str) -> Any:
        found = next((clock for clock in ticket.clocks.all() if clock.kind == kind), None)
        return shown(SlaClockOut, found) if found else None


class TicketOut(Shape):
    ref = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    kind = serializers.ChoiceField(TicketKind.choices)
    channel = serializers.ChoiceField(Channel.choices)
    requester = email_of("requester")
    requester_email = serializers.CharField()
    service = serializers.CharField(source="service.slug", allow_null=True)
    configuration_item = serializers.CharField()
    impact = serializers.IntegerField()
    urgency = serializers.IntegerField()
    priority = serializers.ChoiceField(Priority.choices)
    status = serializers.ChoiceField(TicketStatus.choices)
    assignee = email_of("assignee")
    team = serializers.CharField(source="team.slug", allow_null=True)
    support_tier = serializers.IntegerField()
    major_incident = RefOut("MI", source="major_incident_id", allow_null=True)
    candidate = RefOut("CAN", source="candidate_id", allow_null=True)
    merged_into = RefOut("INC", source="merged_into_id", allow_null=True, help_text="It is a duplicate of this one.")
    split_from = RefOut("INC", source="split_from_id", allow_null=True)
    kept_open_reason = serializers.CharField(help_text="Why resolving the major incident leaves it open.")
    sla = SlaOut(source="*")
    hold_reason = serializers.CharField()
    resolution = serializers.CharField()
    reported_at = Moment()
    acknowledged_at = Moment(allow_null=True)
    acknowledged_by = email_of("acknowledged_by")
    resolved_at = Moment(allow_null=True)
    closed_at = Moment(allow_null=True)
    created_at = Moment()
    updated_at = Moment()


class TicketIn(Shape):
    title = serializers.CharField(max_length=250)
    description = Text(required=False, allow_blank=True)
    kind = serializers.ChoiceField(TicketKind.choices, required=False)
    channel = serializers.ChoiceField(Channel.choices, required=False, help_text="Absent means `api`.")
    requester_email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    service = ServiceName(required=False, allow_null=True, max_length=120)
    configuration_item = serializers.CharField(required=False, allow_blank=True, max_length=200)
    impact = Level(required=False)
    urgency = Level(required=False)
    priority = serializers.ChoiceField(Priority.choices, required=False, help_text="Else from impact and urgency.")
    assignee = Person(required=False, allow_null=True)
    team = TeamName(required=False, allow_null=True, max_length=120)
    major_incident = Ref("MI", permissions.visible_incidents, required=False, allow_null=True)
    reported_at = Moment(required=False, past=True)


class TicketChange(TicketIn):
    status = serializers.ChoiceField(
        TicketStatus.choices, required=False, help_text="Does what the verb of that state does, by the same rules."
    )
    reason = Text(required=False, help_text="For holding, reopening, unlinking.")
    resolution = Text(required=False, help_text="For resolving.")


def ticket_rows(user: Any) -> QuerySet:
    return (
        permissions.visible_tickets(user)
        .select_related("requester", "service", "assignee", "team", "acknowledged_by")
        .prefetch_related("clocks")
    )


class TicketFilter(filters.FilterSet):
    status = ChoicesFilter(choices=TicketStatus.choices)
    kind = ChoicesFilter(choices=TicketKind.choices)
    channel = ChoicesFilter(choices=Channel.choices)
    priority = ChoicesFilter(choices=Priority.choices)
    impact = filters.NumberFilter(min_value=1, max_value=4)
    urgency = filters.NumberFilter(min_value=1, max_value=4)
    service = ServiceFilter()
    assignee = PersonFilter()
    requester = PersonFilter()
    team = filters.CharFilter(field_name="team__slug")
    major_incident = RefFilter("MI")
    candidate = RefFilter("CAN")
    merged_into = RefFilter("INC")
    due_before = MomentFilter(field_name="sla_due_at", lookup_expr="lt")
    reported_after = MomentFilter(field_name="reported_at", lookup_expr="gte")
    reported_before = MomentFilter(field_name="reported_at", lookup_expr="lt")

    class Meta:
        model = Ticket
        fields: list[str] = []


class TicketList(Collection, Making):
    """Every report the person may see; `POST` files one."""

    In, Out = TicketIn, TicketOut
    has_etag = True
    queryset = Ticket.objects.none()
    write_scopes = (Scope.WRITE.value, Scope.INGEST.value)
    filterset_class = TicketFilter
    orderings = {
        "id": "id", "reported_at": "reported_at", "updated_at": "updated_at", "priority": "priority",
        "status": "status", "title": "title", "resolved_at": "resolved_at",
        "sla_due_at": "sla_due_at",
    }  # fmt: skip
    search_fields = ("title", "description")

    def rows(self) -> QuerySet:
        return ticket_rows(self.actor)

    def search(self, rows: QuerySet, words: str) -> QuerySet:
        return matching(rows, words, *self.search_fields)

    def make(self, **given: Any) -> Ticket:
        assignee, team = given.pop("assignee", None), given.pop("team", None)
        given.setdefault("channel", Channel.API.value)
        at = self.now
        ticket = tickets.open_ticket(actor=self.actor, at=at, **given)
        if assignee or team:
            ticket = tickets.assign(ticket.pk, assignee=assignee, team=team, actor=self.actor, at=at)
        return ticket


class OnTicket(Endpoint):
    """One ticket of the path, 404 when the person may not know of it."""

    queryset: Any = Ticket.objects.none()

    def find(self) -> Ticket:
        return or_404(ticket_rows(self.actor), pk=self.kwargs["ref"])


class TicketDetail(OnTicket, Changing):
    In, Out = TicketChange, TicketOut

    def change(self, record: Ticket, given: dict[str, Any]) -> None:
        tickets.edit_ticket(record.pk, changes=given, actor=self.actor, at=self.now)


class TicketVerb(OnTicket, Verb):
    In: Any = MomentIn
    Out: Any = TicketOut


class AcknowledgeTicket(TicketVerb):
    """Somebody has seen it."""

    def act(self, record: Ticket, **given: Any) -> None:
        tickets.acknowledge(record.pk, actor=self.actor, **given)


class AssignmentIn(MomentIn):
    assignee = Person(required=False, allow_null=True)
    team = TeamName(required=False, allow_null=True, max_length=120)


class AssignTicket(TicketVerb):
    """Gives it to a person, a team or both. Without either: to oneself."""

    In = AssignmentIn

    def act(self, record: Ticket, **given: Any) -> None:
        if not given.get("assignee") and not given.get("team"):
            given["assignee"] = self.actor
        tickets.assign(record.pk, actor=self.actor, **given)


class HoldTicket(TicketVerb):
    """It waits for somebody else; the reason says for whom."""

    In = ReasonIn

    def act(self, record: Ticket, **given: Any) -> None:
        tickets.hold(record.pk, actor=self.actor, **given)


class ResolutionIn(MomentIn):
    resolution = Text(help_text="What was done, in words for the requester.")


class ResolveTicket(TicketVerb):
    """It works again as far as the desk knows."""

    In = ResolutionIn

    def act(self, record: Ticket, **given: Any) -> None:
        tickets.resolve(record.pk, actor=self.actor, **given)


class ReopenTicket(TicketVerb):
    """Still broken."""

    In = ReasonIn

    def act(self, record: Ticket, **given: Any) -> None:
        tickets.reopen(record.pk, actor=self.actor, **given)


class CloseTicket(TicketVerb):
    """The requester agreed that it works."""

    def act(self, record: Ticket, **given: Any) -> None:
        tickets.close(record.pk, actor=self.actor, **given)


class EscalationIn(ReasonIn):
    kind = serializers.ChoiceField(TicketEscalation.Kind.choices)
    to = serializers.CharField(
        required=False, max_length=254, help_text="A person's e-mail, a team, or a tier number (functional)."
    )


class EscalateTicket(TicketVerb):
    """Functional: to another skill. Hierarchical: up the line, to `to` or the assignee's line manager."""

    In = EscalationIn

    def act(self, record: Ticket, **given: Any) -> None:
        tickets.escalate(record.pk, actor=self.actor, **escalation_target(given.pop("to", "")), **given)


def escalation_target(to: str) -> dict[str, Any]:
    """`to` as the action's keyword: a person when it has an @, a tier when it is a digit, else a team."""
    if not to:
        return {}
    try:
        if "@" in to:
            return {"to_user": Person().run_validation(to)}
        if to.isascii() and to.isdigit() and len(to) == 1:
            return {"to_tier": int(to)}
        return {"to_team": TeamName().run_validation(to)}
    except serializers.ValidationError as refusal:
        raise serializers.ValidationError({"to": refusal.detail}) from None


class LinkIn(MomentIn):
    major_incident = Ref("MI", permissions.visible_incidents)


class LinkTicket(TicketVerb):
    """Makes it a child of an open major incident."""

    In = LinkIn

    def act(self, record: Ticket, **given: Any) -> None:
        incident = given.pop("major_incident")
        tickets.link([record.pk], incident_id=incident.pk, actor=self.actor, **given)


class UnlinkTicket(TicketVerb):
    """It was not this outage."""

    In = ReasonIn

    def act(self, record: Ticket, **given: Any) -> None:
        tickets.unlink(record.pk, actor=self.actor, **given)


class ProposalIn(ReasonIn):
    business_impact = Text(required=False, allow_blank=True)
    tickets = Refs("INC", permissions.visible_tickets, required=False, help_text="Further tickets of the same outage.")


class ProposeTicket(TicketVerb):
    """A technician thinks this may be a major incident. Answers the candidate."""

    In, Out = ProposalIn, CandidateOut

    def act(self, record: Ticket, **given: Any) -> Any:
        others = [ticket.pk for ticket in given.pop("tickets", [])]
        candidate = tickets.propose([record.pk, *others], actor=self.actor, **given)
        return candidate_rows(self.actor).get(pk=candidate.pk)
