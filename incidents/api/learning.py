"""What is learnt: review, document, similar incidents, changes made before."""

from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import pdf, permissions
from incidents.actions import documents, reuse, reviews
from incidents.api.changes import ChangeOut, change_rows
from incidents.api.endpoint import Changing, Making, ShortList, Verb, or_404
from incidents.api.fields import Moment, People, Person, Ref, RefOut, Text, email_of
from incidents.api.major_incidents import OnIncident
from incidents.api.renderers import JsonRenderer
from incidents.api.shapes import MomentIn, ReasonIn, Shape
from incidents.models import ChangeLink, Document, MajorIncident, PlanUse, Review, ReviewAction
from incidents.priority import Severity
from incidents.process import Stage
from incidents.queries.past import changes_before, similar_incidents


# --- Review ---------------------------------------------------------------------------------------------
class ReviewActionOut(Shape):
    id = serializers.IntegerField()
    title = serializers.CharField()
    owner = email_of("owner")
    due_at = Moment()
    done_at = Moment(allow_null=True)
    done_by = email_of("done_by")
    proof = serializers.CharField(help_text="What shows that it is done.")
    reminded_at = Moment(allow_null=True)
    escalated_at = Moment(allow_null=True)


class ReviewOut(Shape):
    state = serializers.ChoiceField(Review.State.choices)
    cause = serializers.CharField()
    unknown_because = serializers.CharField()
    findings = serializers.CharField()
    went_well = serializers.CharField()
    hindered = serializers.CharField()
    contributing_factors = serializers.CharField()
    attendees = serializers.SerializerMethodField(help_text="E-mail addresses.")
    actions = ReviewActionOut(many=True)
    no_actions_because = serializers.CharField()
    observation_hours = serializers.IntegerField()
    opened_at = Moment()
    completed_at = Moment(allow_null=True)
    completed_by = email_of("completed_by")
    submitted_at = Moment(allow_null=True)
    submitted_by = email_of("submitted_by")
    updated_at = Moment()

    def get_attendees(self, review: Review) -> list[str]:
        return [person.email for person in review.attendees.all()]


class ReviewActionIn(Shape):
    id = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    title = serializers.CharField(max_length=250)
    owner = Person()
    due_at = Moment()


class ReviewIn(Shape):
    cause = Text(required=False, allow_blank=True)
    unknown_because = Text(required=False, allow_blank=True)
    findings = Text(required=False, allow_blank=True)
    went_well = Text(required=False, allow_blank=True)
    hindered = Text(required=False, allow_blank=True)
    contributing_factors = Text(required=False, allow_blank=True)
    attendees = People(required=False)
    actions = ReviewActionIn(many=True, required=False, max_length=100)  # type: ignore[call-arg]
    no_actions_because = Text(required=False, allow_blank=True)
    observation_hours = serializers.IntegerField(min_value=0, max_value=24 * 90, required=False)


class OnReview(OnIncident):
    Out: Any = ReviewOut
    queryset: Any = Review.objects.none()

    def find(self) -> Review:
        rows = Review.objects.select_related("completed_by", "submitted_by").prefetch_related(
            "actions__owner", "actions__done_by", "attendees"
        )
        return or_404(rows, incident=self.incident())


class ReviewDetail(OnReview, Changing):
    """The post-implementation review; 404 before the incident entered maintenance."""

    In = ReviewIn

    def change(self, record: Review, given: dict[str, Any]) -> None:
        reviews.edit_review(self.kwargs["ref"], changes=given, actor=self.actor, at=self.now)


class CompleteReview(OnReview, Verb):
    """The guarded act of the step; what is missing is named by field."""

    In = MomentIn

    def act(self, record: Review, **given: Any) -> None:
        reviews.complete_review(self.kwargs["ref"], actor=self.actor, **given)


class SubmitReview(OnReview, Verb):
    """Written: whoever holds R or A of the step signs it off next."""

    In = MomentIn

    def act(self, record: Review, **given: Any) -> None:
        reviews.submit_review(self.kwargs["ref"], actor=self.actor, **given)


class ReturnReview(OnReview, Verb):
    """Sent back to be written further."""

    In = ReasonIn

    def act(self, record: Review, **given: Any) -> None:
        reviews.return_review(self.kwargs["ref"], actor=self.actor, **given)


class DoneIn(MomentIn):
    proof = Text(required=False, allow_blank=True, max_length=2000, help_text="What shows that it is done.")


class CompleteReviewAction(OnReview, Verb):
    """An action of the review is done. Answers the review."""

    In = DoneIn

    def act(self, record: Review, **given: Any) -> None:
        action = or_404(ReviewAction.objects.filter(review=record), pk=self.kwargs["id"])
        reviews.complete_action(action.pk, actor=self.actor, **given)


# --- Document -------------------------------------------------------------------------------------------
class DocumentOut(Shape):
    title = serializers.CharField()
    markdown = serializers.CharField()
    html = serializers.CharField()
    version = serializers.IntegerField()
    generated_at = Moment()
    edited_at = Moment(allow_null=True)
    edited_by = email_of("edited_by")
    published_at = Moment(allow_null=True)
    published_by = email_of("published_by")
    public_markdown = serializers.CharField(help_text="The post-mortem for the status page.")
    public_published_at = Moment(allow_null=True)
    public_published_by = email_of("public_published_by")
    updated_at = Moment()


class DocumentIn(Shape):
    title = serializers.CharField(max_length=250, required=False)
    markdown = serializers.CharField(max_length=500_000, trim_whitespace=False, required=False)
    version = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, help_text="The version you edited; 412 when it is older."
    )


def _documents() -> QuerySet:
    return Document.objects.select_related("edited_by", "published_by", "public_published_by")


class OnDocument(OnIncident):
    Out: Any = DocumentOut
    queryset: Any = Document.objects.none()

    def find(self) -> Document:
        return or_404(
            Document.objects.select_related("edited_by", "published_by", "public_published_by"),
            incident=self.incident(),
        )


class DocumentDetail(OnDocument, Changing):
    """The incident document; 404 before it is generated. `POST` generates it (again) from the record."""

    In = DocumentIn

    def change(self, record: Document, given: dict[str, Any]) -> None:
        documents.edit_document(self.kwargs["ref"], actor=self.actor, at=self.now, **given)

    @extend_schema(request=MomentIn, responses={201: DocumentOut})
    @transaction.atomic
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        incident, given = self.incident(), self.given(MomentIn)
        documents.generate(incident.pk, actor=self.actor, at=given.get("at") or self.now)
        return self.record(self.find(), 201)


class PublishDocument(OnDocument, Verb):
    """The guarded act of the step: a knowledge article from now on. Generates the document when there is none."""

    In = MomentIn

    def find(self) -> Any:
        incident = self.incident()
        return (
            Document.objects.select_related("edited_by", "published_by", "public_published_by")
            .filter(incident=incident)
            .first()
        )

    @transaction.atomic
    def act(self, record: Document | None, **given: Any) -> None:
        if record is None:
            documents.generate(self.kwargs["ref"], actor=self.actor, **given)
        documents.publish_document(self.kwargs["ref"], actor=self.actor, **given)


class PostMortemIn(MomentIn):
    markdown = serializers.CharField(max_length=200_000, trim_whitespace=False)


class PublishPostMortem(OnDocument, Verb):
    """The text the public reads on the status page; the document stays internal."""

    In = PostMortemIn

    def act(self, record: Document, **given: Any) -> None:
        documents.publish_post_mortem(self.kwargs["ref"], actor=self.actor, **given)


class WithdrawPostMortem(OnDocument, Verb):
    """Takes it from the status page."""

    In = MomentIn

    def act(self, record: Document, **given: Any) -> None:
        documents.withdraw_post_mortem(self.kwargs["ref"], actor=self.actor, **given)


class _FileRenderer(BaseRenderer):
    """Lets a client ask for the file's own type; refusals stay JSON."""

    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return JsonRenderer().render(data)


def _renderer(media: str, suffix: str) -> type[_FileRenderer]:
    return type(f"{suffix.title()}Renderer", (_FileRenderer,), {"media_type": media, "format": suffix})


_FORMATS = {
    "pdf": ("application/pdf", pdf.to_pdf),
    "md": ("text/markdown; charset=utf-8", pdf.to_markdown),
    "html": ("text/html; charset=utf-8", pdf.to_html),
}


class DocumentFile(OnDocument):
    """The document as a file to keep."""

    suffix = "pdf"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        found = self.find()
        media, write = _FORMATS[self.suffix]
        answer = HttpResponse(write(found), content_type=media)
        answer["Content-Disposition"] = f'attachment; filename="MI-{found.incident_id}.{self.suffix}"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


class DocumentPdf(DocumentFile):
    """The document as tagged PDF."""

    suffix = "pdf"
    renderer_classes = [JsonRenderer, _renderer("application/pdf", "pdf")]

    @extend_schema(operation_id="document_pdf", responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().get(request, *args, **kwargs)


class DocumentMarkdown(DocumentFile):
    """The document as Markdown."""

    suffix = "md"
    renderer_classes = [JsonRenderer, _renderer("text/markdown", "md")]

    @extend_schema(operation_id="document_md", responses={(200, "text/markdown"): OpenApiTypes.STR})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().get(request, *args, **kwargs)


class DocumentHtml(DocumentFile):
    """The document as a page without scripts, as a download."""

    suffix = "html"
    renderer_classes = [JsonRenderer, _renderer("text/html", "html")]

    @extend_schema(operation_id="document_html", responses={(200, "text/html"): OpenApiTypes.STR})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().get(request, *args, **kwargs)


# --- The past -------------------------------------------------------------------------------------------
class SimilarOut(Shape):
    ref = serializers.CharField()
    title = serializers.CharField()
    stage = serializers.ChoiceField(Stage.choices)
    severity = serializers.ChoiceField(Severity.choices)
    services = serializers.SerializerMethodField()
    declared_at = Moment(allow_null=True)
    resolved_at = Moment(allow_null=True)
    likeness = serializers.FloatField(help_text="1 for each service both have, plus how much the words agree.")
    cause = serializers.SerializerMethodField(help_text="What its review found; empty when there is none.")
    fixed_by = serializers.SerializerMethodField(help_text="References of the changes that fixed it.")
    worked = serializers.SerializerMethodField(help_text="On how many other incidents its plan worked.")
    not_worked = serializers.SerializerMethodField(help_text="On how many it did not.")

    def get_services(self, incident: MajorIncident) -> list[str]:
        return [row.service.slug for row in incident.affected.all()]

    def get_cause(self, incident: MajorIncident) -> str:
        review: Review | None = getattr(incident, "review", None)
        return review.cause if review else ""

    def get_worked(self, incident: MajorIncident) -> int:
        return sum(use.outcome == PlanUse.Outcome.WORKED for use in incident.plan_uses.all())

    def get_not_worked(self, incident: MajorIncident) -> int:
        return sum(use.outcome == PlanUse.Outcome.NOT_WORKED for use in incident.plan_uses.all())

    def get_fixed_by(self, incident: MajorIncident) -> list[str]:
        return [f"CHG-{link.change_id}" for link in incident.change_links.all()]


class SimilarIncidents(OnIncident, ShortList):
    """Past incidents like this one, with the cause found and the fix that worked."""

    Out = SimilarOut

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        fixes = Prefetch("change_links", ChangeLink.objects.filter(relation=ChangeLink.Relation.FIX))
        rows = similar_incidents(self.incident(), self.actor)
        return self.whole(rows.select_related("review").prefetch_related("affected__service", "plan_uses", fixes))


class PlanUsedOut(Shape):
    id = serializers.IntegerField()
    major_incident = RefOut("MI", source="source_id", help_text="The past one whose plan was used.")
    change = serializers.SerializerMethodField(help_text="The draft made from its fix; null when there is none.")
    tasks = serializers.IntegerField(help_text="How many tasks were copied.")
    used_by = email_of("used_by")
    used_at = Moment()
    outcome = serializers.ChoiceField(PlanUse.Outcome.choices)
    judged_by = email_of("judged_by")
    judged_at = Moment(allow_null=True)

    def get_change(self, use: PlanUse) -> str | None:
        return f"CHG-{use.change_id}" if use.change_id else None


class PlanUsedIn(MomentIn):
    major_incident = Ref("MI", permissions.visible_incidents, help_text="The past one whose plan is taken over.")


class PlansUsed(OnIncident, ShortList, Making):
    """Plans of past incidents taken over here. `POST` copies the tasks and drafts the change that worked there."""

    In, Out = PlanUsedIn, PlanUsedOut
    queryset: Any = PlanUse.objects.none()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.whole(PlanUse.objects.filter(incident=self.incident()).select_related("used_by", "judged_by"))

    def make(self, **given: Any) -> PlanUse:
        source, at = given["major_incident"], given.get("at") or self.now
        return reuse.use_plan(self.incident().pk, source_id=source.pk, actor=self.actor, at=at)


class JudgedIn(MomentIn):
    worked = serializers.BooleanField()


class JudgePlan(OnIncident, Verb):
    """Whether the plan helped; it ranks what is offered the next time."""

    In: Any = JudgedIn
    Out: Any = PlanUsedOut
    queryset: Any = PlanUse.objects.none()

    def find(self) -> PlanUse:
        rows = PlanUse.objects.filter(incident=self.incident()).select_related("used_by", "judged_by")
        return or_404(rows, pk=self.kwargs["id"])

    def act(self, record: PlanUse, **given: Any) -> None:
        reuse.judge_plan(record.pk, actor=self.actor, **given)


class ChangesBefore(OnIncident, ShortList):
    """Changes of the 72 hours before the impact, on its services or what those need."""

    Out = ChangeOut

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        found = list(changes_before(self.incident(), self.actor).values_list("pk", flat=True)[:100])
        rows = change_rows(self.actor).in_bulk(found)
        return self.whole([rows[pk] for pk in found])
