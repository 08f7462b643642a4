"""Changes: drafted, approved, implemented, taken back."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from incidents import permissions
from incidents.actions import changes
from incidents.api.candidates import RefList
from incidents.api.endpoint import Changing, Collection, Endpoint, Making, Verb, or_404
from incidents.api.fields import Moment, People, Person, Ref, RefOut, Refs, ServiceNames, Text, email_of
from incidents.api.filters import ChoicesFilter, MomentFilter, PersonFilter, RefFilter, ServiceFilter
from incidents.api.shapes import CommentIn, MomentIn, ReasonIn, Shape
from incidents.errors import Invalid
from incidents.models import ApprovalState, Change, ChangeApproval, ChangeLink, ChangeStatus, ChangeType, Risk


class VoteOut(Shape):
    approver = email_of("approver")
    vote = serializers.ChoiceField(ChangeApproval.Vote.choices)
    comment = serializers.CharField()
    asked_at = Moment()
    voted_at = Moment(allow_null=True)


class ChangeLinkOut(Shape):
    major_incident = RefOut("MI", source="incident_id")
    relation = serializers.ChoiceField(ChangeLink.Relation.choices)


class ChangeOut(Shape):
    ref = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    type = serializers.ChoiceField(ChangeType.choices)
    status = serializers.ChoiceField(ChangeStatus.choices)
    approval_state = serializers.ChoiceField(ApprovalState.choices)
    approvers = serializers.SerializerMethodField()
    votes = VoteOut(source="approvals", many=True)
    approval_due_at = Moment(allow_null=True, help_text="Emergency changes: approval after the fact is due by then.")
    flagged_at = Moment(allow_null=True, help_text="When that time passed without approval.")
    accepted_by = email_of("accepted_by")
    accepted_at = Moment(allow_null=True)
    plan = serializers.CharField()
    backout_plan = serializers.CharField()
    test_plan = serializers.CharField()
    risk = serializers.ChoiceField(Risk.choices)
    window_start = Moment(allow_null=True)
    window_end = Moment(allow_null=True)
    services = serializers.SerializerMethodField(help_text="Slugs.")
    problems = RefList()
    owner = email_of("owner")
    requester = email_of("requester")
    implementer = email_of("implementer")
    major_incident = serializers.SerializerMethodField(help_text="The first major incident it is linked to.")
    relation = serializers.SerializerMethodField(help_text="`fix` or `cause` of that one.")
    links = ChangeLinkOut(many=True)
    started_at = Moment(allow_null=True)
    implemented_at = Moment(allow_null=True)
    rolled_back_at = Moment(allow_null=True)
    roll_back_reason = serializers.CharField()
    closed_at = Moment(allow_null=True)
    created_at = Moment()
    updated_at = Moment()

    def get_approvers(self, change: Change) -> list[str]:
        return [row.approver.email for row in change.approvals.all()]

    def get_services(self, change: Change) -> list[str]:
        return [service.slug for service in change.services.all()]

    def get_major_incident(self, change: Change) -> str | None:
        return next((f"MI-{link.incident_id}" for link in change.links.all()), None)

    def get_relation(self, change: Change) -> str | None:
        return next((link.relation for link in change.links.all()), None)


class ChangeIn(Shape):
    title = serializers.CharField(max_length=250)
    description = Text(required=False, allow_blank=True)
    type = serializers.ChoiceField(ChangeType.choices, required=False)
    plan = Text(required=False, allow_blank=True)
    backout_plan = Text(required=False, allow_blank=True)
    test_plan = Text(required=False, allow_blank=True)
    risk = serializers.ChoiceField(Risk.choices, required=False)
    window_start = Moment(required=False, allow_null=True)
    window_end = Moment(required=False, allow_null=True)
    services = ServiceNames(required=False)
    problems = Refs("PRB", permissions.visible_problems, required=False)
    approvers = People(required=False)
    owner = Person(required=False, allow_null=True)
    implementer = Person(required=False, allow_null=True)
    major_incident = Ref("MI", permissions.visible_incidents, required=False, allow_null=True)
    relation = serializers.ChoiceField(ChangeLink.Relation.choices, required=False)


def change_rows(user: Any) -> QuerySet:
    return (
        permissions.visible_changes(user)
        .select_related("owner", "requester", "implementer", "accepted_by")
        .prefetch_related("approvals__approver", "services", "problems", "links")
    )


class ChangeFilter(filters.FilterSet):
    status = ChoicesFilter(choices=ChangeStatus.choices)
    type = ChoicesFilter(choices=ChangeType.choices)
    approval_state = ChoicesFilter(choices=ApprovalState.choices)
    risk = ChoicesFilter(choices=Risk.choices)
    service = ServiceFilter(field_name="services")
    owner = PersonFilter()
    implementer = PersonFilter()
    major_incident = RefFilter("MI", field_name="links__incident")
    window_after = MomentFilter(field_name="window_end", lookup_expr="gte")
    window_before = MomentFilter(field_name="window_start", lookup_expr="lt")

    class Meta:
        model = Change
        fields: list[str] = []


class ChangeList(Collection, Making):
    """Changes, newest first; `POST` drafts one."""

    In, Out = ChangeIn, ChangeOut
    has_etag = True
    queryset = Change.objects.none()
    filterset_class = ChangeFilter
    orderings = {
        name: name for name in ("id", "title", "status", "window_start", "implemented_at", "created_at", "updated_at")
    }
    search_fields = ("title", "description", "plan")

    def rows(self) -> QuerySet:
        return change_rows(self.actor)

    def make(self, **given: Any) -> Change:
        return changes.open_change(actor=self.actor, at=self.now, **given)

    def shown(self, record: Change) -> Change:
        return change_rows(self.actor).get(pk=record.pk)


class OnChange(Endpoint):
    Out: Any = ChangeOut
    queryset: Any = Change.objects.none()

    def find(self) -> Change:
        return or_404(change_rows(self.actor), pk=self.kwargs["ref"])


class ChangeDetail(OnChange, Changing):
    In = ChangeIn

    def change(self, record: Change, given: dict[str, Any]) -> None:
        at, incident = self.now, given.pop("major_incident", None)
        relation = given.pop("relation", None)
        if incident is None and relation is not None:
            raise Invalid(major_incident="Name the major incident this change is the fix or the cause of.")
        if incident is not None:
            changes.link(record.pk, incident_id=incident.pk, relation=relation or "fix", actor=self.actor, at=at)
        if given:
            changes.edit_change(record.pk, changes=given, actor=self.actor, at=at)


class ChangeVerb(OnChange, Verb):
    In: Any = MomentIn


class SubmitChange(ChangeVerb):
    """A standard change is approved by that; any other waits for its approvers."""

    def act(self, record: Change, **given: Any) -> None:
        changes.submit(record.pk, actor=self.actor, **given)


class ApproveChange(ChangeVerb):
    """A named approver votes for it."""

    In = CommentIn

    def act(self, record: Change, **given: Any) -> None:
        changes.vote(record.pk, approve=True, actor=self.actor, **given)


class RejectChange(ChangeVerb):
    """A named approver votes against it."""

    In = CommentIn

    def act(self, record: Change, **given: Any) -> None:
        changes.vote(record.pk, approve=False, actor=self.actor, **given)


class StartChange(ChangeVerb):
    """Implementation begins."""

    def act(self, record: Change, **given: Any) -> None:
        changes.start(record.pk, actor=self.actor, **given)


class ImplementChange(ChangeVerb):
    """In place."""

    def act(self, record: Change, **given: Any) -> None:
        changes.implement(record.pk, actor=self.actor, **given)


class RollBackChange(ChangeVerb):
    """Taken back."""

    In = ReasonIn

    def act(self, record: Change, **given: Any) -> None:
        changes.roll_back(record.pk, actor=self.actor, **given)


class CloseChange(ChangeVerb):
    """Nothing left to do."""

    def act(self, record: Change, **given: Any) -> None:
        changes.close(record.pk, actor=self.actor, **given)


class OptionalReasonIn(MomentIn):
    reason = Text(required=False, allow_blank=True, default="")


class CancelChange(ChangeVerb):
    """Not needed any more; only before it is started."""

    In = OptionalReasonIn

    def act(self, record: Change, **given: Any) -> None:
        changes.cancel(record.pk, actor=self.actor, **given)


class AcceptRejectedChange(ChangeVerb):
    """Management lives with an emergency change that was rejected after the fact."""

    In = OptionalReasonIn

    def act(self, record: Change, **given: Any) -> None:
        changes.accept_rejected(record.pk, actor=self.actor, **given)
