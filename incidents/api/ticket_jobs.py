"""Acts on many tickets: a job, its figures, and a row for each ticket."""

from typing import Any

from django.db.models import Count, Q, QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from incidents import permissions
from incidents.actions import cascades
from incidents.api.endpoint import Collection, Detail, Endpoint, Making, Verb, or_404
from incidents.api.fields import Moment, Person, Ref, RefOut, Refs, ServiceName, TeamName, Text, email_of
from incidents.api.filters import ChoicesFilter, RefFilter
from incidents.api.shapes import MomentIn, Shape
from incidents.errors import Invalid
from incidents.models import CascadeJob, CascadeOutcome, CascadeResult, Ticket

CHOSEN_KINDS = [kind for kind in CascadeJob.Kind.choices if kind[0] != CascadeJob.Kind.REOPEN]


class TicketJobOut(Shape):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(CascadeJob.Kind.choices)
    major_incident = RefOut("MI", source="major_incident_id", allow_null=True)
    requested_by = email_of("requested_by", help_text="Null: it follows from the major incident itself.")
    waiting = serializers.IntegerField()
    done = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()
    created_at = Moment()
    finished_at = Moment(allow_null=True)


class TicketJobIn(Shape):
    kind = serializers.ChoiceField(CHOSEN_KINDS)
    tickets = Refs(
        "INC", permissions.visible_tickets, required=False, help_text="Absent: all tickets of `major_incident`."
    )
    major_incident = Ref("MI", permissions.visible_incidents, required=False, allow_null=True)
    text = Text(required=False, allow_blank=True, help_text="Of a reply; each requester gets it once.")
    resolution = Text(required=False, allow_blank=True, help_text="For resolving.")
    reason = Text(required=False, allow_blank=True, help_text="For unlinking.")
    service = ServiceName(required=False, allow_null=True, help_text="The service the tickets are about.")
    assignee = Person(required=False, allow_null=True)
    team = TeamName(required=False, allow_null=True, max_length=120)


def job_rows() -> QuerySet:
    counts = {outcome: Count("results", filter=Q(results__outcome=outcome)) for outcome in CascadeOutcome.values}
    return CascadeJob.objects.select_related("requested_by").annotate(**counts)


class TicketJobFilter(filters.FilterSet):
    kind = ChoicesFilter(choices=CascadeJob.Kind.choices)
    major_incident = RefFilter("MI")

    class Meta:
        model = CascadeJob
        fields: list[str] = []


class TicketJobList(Collection, Making):
    """Acts on many tickets at once; `POST` begins one, which a worker does with a row for each ticket."""

    In, Out = TicketJobIn, TicketJobOut
    queryset = CascadeJob.objects.none()
    filterset_class = TicketJobFilter
    orderings = {"id": "id"}

    def rows(self) -> QuerySet:
        self.require("view_desk")
        return job_rows()

    def make(self, **given: Any) -> CascadeJob:
        self.require("work_ticket")
        incident, chosen = given.get("major_incident"), given.get("tickets")
        if chosen is None and (incident is None or given["kind"] == CascadeJob.Kind.LINK):
            raise Invalid(tickets="Name the tickets.")
        rows = Ticket.objects.filter(pk__in=[one.pk for one in chosen or ()])
        if chosen is None:
            rows = Ticket.objects.filter(major_incident=incident)
        parameters = {name: given[name] for name in ("text", "resolution", "reason") if given.get(name)}
        parameters |= {f"{name}_id": given[name].pk for name in ("assignee", "team", "service") if given.get(name)}
        return cascades.begin(
            given["kind"], rows, incident=incident, parameters=parameters, actor=self.actor, at=self.now
        )

    def shown(self, record: CascadeJob) -> CascadeJob:
        return job_rows().get(pk=record.pk)


class OnTicketJob(Endpoint):
    queryset: Any = CascadeJob.objects.none()

    def find(self) -> CascadeJob:
        self.require("view_desk")
        return or_404(job_rows(), pk=self.kwargs["id"])


class TicketJobDetail(OnTicketJob, Detail):
    Out = TicketJobOut


class TicketJobResultOut(Shape):
    ticket = RefOut("INC", source="ticket_id")
    outcome = serializers.ChoiceField(CascadeOutcome.choices)
    detail = serializers.CharField(help_text="What happened, or why nothing did.")
    attempts = serializers.IntegerField()
    at = Moment()


class TicketJobResultFilter(filters.FilterSet):
    outcome = ChoicesFilter(choices=CascadeOutcome.choices)

    class Meta:
        model = CascadeResult
        fields: list[str] = []


class TicketJobResults(OnTicketJob, Collection):
    """What became of each ticket."""

    Out = TicketJobResultOut
    queryset = CascadeResult.objects.none()
    filterset_class = TicketJobResultFilter
    default_ordering = "id"

    def rows(self) -> QuerySet:
        return CascadeResult.objects.filter(job=self.find().pk)


class RetryTicketJob(OnTicketJob, Verb):
    """What failed is tried again."""

    In: Any = MomentIn
    Out: Any = TicketJobOut

    def act(self, record: CascadeJob, **given: Any) -> None:
        cascades.retry_failed(record.pk, actor=self.actor, **given)
