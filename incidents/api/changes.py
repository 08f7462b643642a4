"""Changes: drafted, approved, implemented, taken back."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from incidents import permissions
from incidents.actions import change_votes, change_work, changes, freezes
from incidents.api.candidates import RefList
from incidents.api.endpoint import Changing, Collection, Endpoint, Making, Verb, or_404
from incidents.api.fields import Moment, People, Person, Ref, RefOut, Refs, ServiceNames, Text, email_of
from incidents.api.filters import ChoicesFilter, MomentFilter, PersonFilter, RefFilter, ServiceFilter
from incidents.api.shapes import CommentIn, MomentIn, ReasonIn, Shape
from incidents.errors import Invalid
from incidents.models import (
    ApprovalState,
    Change,
    ChangeApproval,
    ChangeLink,
    ChangeStatus,
    ChangeStep,
    ChangeType,
    CheckResult,
    Risk,
)
from incidents.risk import QUESTIONS


class VoteOut(Shape):
    approver = email_of("approver")
    vote = serializers.ChoiceField(ChangeApproval.Vote.choices)
    comment = serializers.CharField()
    condition = serializers.CharField(help_text="The approval holds once this is met.")
    condition_met_at = Moment(allow_null=True)
    delegate = email_of("delegate", help_text="Who may vote in the approver's place.")
    voted_by = email_of("voted_by")
    asked_at = Moment()
    voted_at = Moment(allow_null=True)


class ChangeStepOut(Shape):
    id = serializers.IntegerField()
    part = serializers.ChoiceField(ChangeStep.Part.choices)
    title = serializers.CharField()
    minutes = serializers.IntegerField(allow_null=True)
    done_at = Moment(allow_null=True)
    done_by = email_of("done_by")


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
    risk_answers = serializers.DictField(child=serializers.IntegerField(), help_text="Points by question.")
    quorum = serializers.IntegerField(allow_null=True, help_text="How many must approve; null for all of them.")
    template = serializers.CharField(source="template.name", allow_null=True)
    freeze_waived_by = email_of("freeze_waived_by")
    freeze_waived_because = serializers.CharField()
    check_result = serializers.ChoiceField(["", *CheckResult.values])
    check_notes = serializers.CharField()
    checked_at = Moment(allow_null=True)
    checked_by = email_of("checked_by")
    steps = ChangeStepOut(many=True)
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
    risk_answers = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=9), required=False,
        help_text="Points by question: " + "; ".join(f"{one.key} 0 to {len(one.answers) - 1}" for one in QUESTIONS)
        + ". All of them together decide the risk.",
    )  # fmt: skip
    quorum = serializers.IntegerField(min_value=1, max_value=50, required=False, allow_null=True)
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
        .select_related(
            "owner", "requester", "implementer", "accepted_by", "template", "checked_by", "freeze_waived_by"
        )
        .prefetch_related(
            "approvals__approver",
            "approvals__delegate",
            "approvals__voted_by",
            "services",
            "problems",
            "links",
            "steps__done_by",
        )  # fmt: skip
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


class ApprovingIn(CommentIn):
    condition = Text(required=False, allow_blank=True, help_text="The change begins once this is met.")


class ApproveChange(ChangeVerb):
    """A named approver, or a delegate, votes for it."""

    In = ApprovingIn

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


class WithdrawVote(ChangeVerb):
    """Takes the own vote back while nothing is decided."""

    def act(self, record: Change, **given: Any) -> None:
        change_votes.withdraw_vote(record.pk, actor=self.actor, **given)


class DelegateIn(MomentIn):
    to = Person(allow_null=True, help_text="Who votes in your place; null takes it back.")


class DelegateVote(ChangeVerb):
    """An approver lets somebody else vote."""

    In = DelegateIn

    def act(self, record: Change, **given: Any) -> None:
        change_votes.delegate_vote(record.pk, actor=self.actor, **given)


class ConditionIn(MomentIn):
    approver = Person(help_text="Who set the condition.")
    note = Text(required=False, allow_blank=True)


class MeetCondition(ChangeVerb):
    """The condition of an approver is met."""

    In = ConditionIn

    def act(self, record: Change, **given: Any) -> None:
        change_votes.meet_condition(record.pk, actor=self.actor, **given)


class WaiveFreeze(ChangeVerb):
    """A change manager lets it through although changes are frozen."""

    In = ReasonIn

    def act(self, record: Change, **given: Any) -> None:
        freezes.waive_freeze(record.pk, actor=self.actor, **given)


class CheckIn(MomentIn):
    result = serializers.ChoiceField(CheckResult.choices)
    notes = Text(required=False, allow_blank=True)


class CheckChange(ChangeVerb):
    """Whether it does what it should, after it was put in place."""

    In = CheckIn

    def act(self, record: Change, **given: Any) -> None:
        change_work.check(record.pk, actor=self.actor, **given)


class LogIn(MomentIn):
    text = Text()


class LogChange(ChangeVerb):
    """A line of the implementation log; it stands in the war room too."""

    In = LogIn

    def act(self, record: Change, **given: Any) -> None:
        change_work.log(record.pk, actor=self.actor, **given)


class StepsIn(MomentIn):
    part = serializers.ChoiceField(ChangeStep.Part.choices, default=ChangeStep.Part.PLAN)
    text = Text(help_text="One step a line; “(10 min)” at the end is how long it takes.")


class AddChangeSteps(ChangeVerb):
    """Steps of the plan, the test or the way back. Answers the change."""

    In = StepsIn

    def act(self, record: Change, **given: Any) -> None:
        change_work.add_steps(record.pk, actor=self.actor, **given)


class DoChangeStep(ChangeVerb):
    """A step is done. Answers the change."""

    def act(self, record: Change, **given: Any) -> None:
        step = or_404(ChangeStep.objects.filter(change=record), pk=self.kwargs["id"])
        change_work.do_step(record.pk, step.pk, actor=self.actor, **given)
