"""What was told, and what management was asked."""

from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet, Value
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents.actions import promises, updates
from incidents.api.endpoint import Collection, Detail, Making, Verb, or_404
from incidents.api.fields import Moment, Person, Text, email_of
from incidents.api.filters import ChoicesFilter, PersonFilter
from incidents.api.incident_shapes import incident_rows
from incidents.api.major_incidents import OnIncident
from incidents.api.shapes import MomentIn, ReasonIn, Shape
from incidents.models import Approval, MajorIncident, StatusUpdate, UpdatePromise
from incidents.process import Audience


class UpdateOut(Shape):
    id = serializers.IntegerField()
    texts = serializers.DictField(child=serializers.CharField(), help_text="Markdown by audience.")
    audiences = serializers.ListField(child=serializers.ChoiceField(Audience.choices))
    author = email_of("author")
    published_at = Moment()
    next_update_at = Moment(allow_null=True)
    leaves_at = serializers.SerializerMethodField(help_text="{audience: when it leaves}; empty: it left at once.")
    undo_until = Moment(allow_null=True, help_text="Until then `undo` takes back what has not left.")
    undone_at = Moment(allow_null=True)
    undone_by = email_of("undone_by")
    corrects = serializers.IntegerField(source="corrects_id", allow_null=True, help_text="The update it puts right.")
    corrected_by = serializers.SerializerMethodField(help_text="Ids of updates that put this one right.")

    @extend_schema_field(serializers.DictField(child=Moment()))
    def get_leaves_at(self, update: StatusUpdate) -> dict[str, Any]:
        times = {name: update.leaves_to(name) for name in update.audiences}
        return {name: Moment().to_representation(at) for name, at in times.items() if at}

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_corrected_by(self, update: StatusUpdate) -> list[int]:
        return list(getattr(update, "corrected_by_ids", []))  # nobody has corrected what was made this moment


class TextsIn(Shape):
    technical = Text(required=False, allow_blank=True)
    management = Text(required=False, allow_blank=True)
    key_stakeholders = Text(required=False, allow_blank=True)
    users = Text(required=False, allow_blank=True)


class UpdateIn(MomentIn):
    texts = TextsIn(required=False, help_text="One text per audience.")
    text = Text(required=False, help_text="Instead of `texts`: the same for all `audiences`.")
    audiences = serializers.ListField(
        child=serializers.ChoiceField(Audience.choices),
        required=False,
        max_length=8,
        help_text="Absent: those of `texts`, or all four with `text`.",
    )
    next_update_at = Moment(required=False, allow_null=True, help_text="Promises the next update.")
    corrects = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2**31 - 1,
        help_text="Id of the update whose words were wrong. Its audiences must be told as well.",
    )  # fmt: skip

    def validate_texts(self, texts: dict[str, str]) -> dict[str, str]:
        given = self.initial_data.get("texts")
        if unknown := [name for name in given or {} if name not in Audience.values]:
            raise serializers.ValidationError(
                [f"“{name}” is not an audience. Known: {', '.join(Audience.values)}." for name in unknown]
            )
        return texts

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given.get("texts") and not given.get("text"):
            raise serializers.ValidationError({"text": ["Give `text`, or `texts` with one text per audience."]})
        return given


def texts_and_audiences(given: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The body as the action wants it. A text of its own goes before the common one."""
    own, common = dict(given.get("texts") or {}), given.get("text", "")
    audiences = list(given.get("audiences") or (Audience.values if common else own))
    return {audience: own.get(audience) or common for audience in audiences}, audiences


class UpdateList(OnIncident, Collection, Making):
    """Updates told, newest first; `POST` publishes one."""

    In, Out = UpdateIn, UpdateOut
    queryset = StatusUpdate.objects.none()
    orderings = {"id": "id", "published_at": "published_at"}

    def rows(self) -> QuerySet:
        return _updates(self.incident())

    def make(self, **given: Any) -> StatusUpdate:
        texts, audiences = texts_and_audiences(given)
        return updates.publish_update(
            self.incident().pk, texts=texts, audiences=audiences, next_update_at=given.get("next_update_at"),
            corrects=given.get("corrects"), actor=self.actor, at=given.get("at") or self.now,
        )  # fmt: skip


def _updates(incident: MajorIncident) -> QuerySet:
    still_said = Q(corrections__isnull=False, corrections__undone_at__isnull=True)
    corrections = ArrayAgg("corrections__pk", filter=still_said, order_by="corrections__pk", default=Value([]))
    return incident.updates.select_related("author", "undone_by").annotate(corrected_by_ids=corrections)


class UpdateDetail(OnIncident, Detail):
    """One update."""

    Out = UpdateOut
    queryset = StatusUpdate.objects.none()

    def find(self) -> StatusUpdate:
        return or_404(_updates(self.incident()), pk=self.kwargs["id"])


class UpdateUndo(UpdateDetail, Verb):
    """Takes back what has not left yet; 409 `too_late` after its waiting time: publish a correction then."""

    In = Shape
    http_method_names = ["post", "options"]

    def act(self, record: StatusUpdate, **given: Any) -> None:
        updates.undo_update(record.pk, actor=self.actor, at=self.now)


# --- The promised next update -----------------------------------------------------------------------------
class PromiseOut(Shape):
    id = serializers.IntegerField()
    due_at = Moment()
    made_at = Moment()
    made_by = email_of("made_by")
    state = serializers.ChoiceField(UpdatePromise.State.choices)
    settled_at = Moment(allow_null=True)
    reason = serializers.CharField(help_text="Why it was moved or withdrawn; empty otherwise.")


class PromiseIn(MomentIn):
    due_at = Moment(help_text="When the next update is promised for.")
    reason = Text(required=False, allow_blank=True, help_text="Needed when another time was promised before.")


class PromiseList(OnIncident, Collection, Making):
    """Promised next updates, the newest first; `POST` promises one or moves the one that is open."""

    In, Out = PromiseIn, PromiseOut
    queryset = UpdatePromise.objects.none()
    orderings = {"id": "id", "due_at": "due_at"}

    def rows(self) -> QuerySet:
        return self.incident().promises.select_related("made_by")

    def make(self, **given: Any) -> UpdatePromise:
        at = given.pop("at", None) or self.now
        return promises.move(self.incident().pk, actor=self.actor, at=at, **given)

    def address(self, record: UpdatePromise) -> str:
        return self.request.path.rstrip("/")


class PromiseWithdraw(OnIncident, Verb):
    """No next update is promised any more."""

    In = ReasonIn
    http_method_names = ["post", "options"]

    def find(self) -> MajorIncident:
        return self.incident()

    def act(self, record: MajorIncident, **given: Any) -> MajorIncident:
        promises.withdraw(record.pk, actor=self.actor, **given)
        return incident_rows(self.actor).get(pk=record.pk)


# --- Decisions of management ------------------------------------------------------------------------------
class ApprovalOut(Shape):
    id = serializers.IntegerField()
    question = serializers.CharField()
    options = serializers.ListField(child=serializers.CharField())
    approver = email_of("approver")
    asked_by = email_of("asked_by")
    asked_at = Moment()
    due_at = Moment(allow_null=True)
    cost_of_waiting = serializers.CharField()
    state = serializers.ChoiceField(Approval.State.choices)
    chosen = serializers.CharField()
    comment = serializers.CharField()
    decided_by = email_of("decided_by")
    decided_at = Moment(allow_null=True)


class ApprovalIn(MomentIn):
    question = Text()
    options = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=20, help_text="To choose from."
    )
    approver = Person()
    due_at = Moment(required=False, allow_null=True)
    cost_of_waiting = Text(required=False, allow_blank=True)


class ApprovalFilter(filters.FilterSet):
    state = ChoicesFilter(choices=Approval.State.choices)
    approver = PersonFilter()

    class Meta:
        model = Approval
        fields: list[str] = []


class OnApprovals(OnIncident):
    Out: Any = ApprovalOut
    queryset: Any = Approval.objects.none()

    def approvals(self) -> QuerySet:
        return self.incident().approvals.select_related("approver", "asked_by", "decided_by")


class ApprovalList(OnApprovals, Collection, Making):
    """Decisions asked of management; `POST` asks one."""

    In = ApprovalIn
    filterset_class = ApprovalFilter
    default_ordering = "id"
    orderings = {"id": "id", "due_at": "due_at"}

    def rows(self) -> QuerySet:
        return self.approvals()

    def make(self, **given: Any) -> Approval:
        at = given.pop("at", None) or self.now
        return updates.ask_approval(self.incident().pk, actor=self.actor, at=at, **given)


class ApprovalDetail(OnApprovals, Detail):
    """One decision."""

    def find(self) -> Approval:
        return or_404(self.approvals(), pk=self.kwargs["id"])


class DecisionIn(MomentIn):
    chosen = serializers.CharField(max_length=200, required=False, allow_blank=True)
    comment = Text(required=False, allow_blank=True)


class Approve(ApprovalDetail, Verb):
    """The approver says yes, once."""

    In = DecisionIn
    http_method_names = ["post", "options"]

    def act(self, record: Approval, **given: Any) -> None:
        updates.decide_approval(record.pk, approve=True, actor=self.actor, **given)


class Refuse(ApprovalDetail, Verb):
    """The approver says no, once."""

    In = DecisionIn
    http_method_names = ["post", "options"]

    def act(self, record: Approval, **given: Any) -> None:
        updates.decide_approval(record.pk, approve=False, actor=self.actor, **given)
