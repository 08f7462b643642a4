"""Working together, continued: decisions that wait for objections, marks on entries, files, checklists."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from incidents.actions import marks, response, rounds, work
from incidents.api.endpoint import Changing, Collection, Making, Removing, Verb, or_404
from incidents.api.fields import Moment, ServiceName, Text, email_of
from incidents.api.major_incidents import OnIncident
from incidents.api.parsers import StrictMultiPartParser
from incidents.api.response import EntryOut, TaskOut, entry_rows
from incidents.api.shapes import MomentIn, Shape
from incidents.models import Checklist, ChecklistKind, DecisionRound, EntryMark, RoomFile, RoundState, TimelineEvent


# --- Decisions that wait for strong objections ------------------------------------------------------------
class ObjectionOut(Shape):
    person = email_of("person")
    text = serializers.CharField()
    made_at = Moment()


class DecisionOut(Shape):
    id = serializers.IntegerField()
    entry = serializers.IntegerField(source="event_id", help_text="The entry of the timeline that says it.")
    text = serializers.CharField(source="event.text")
    state = serializers.ChoiceField(RoundState.choices)
    closes_at = Moment(help_text="Without an objection it stands then.")
    settled_at = Moment(allow_null=True)
    settled_by = email_of("settled_by")
    reason = serializers.CharField(help_text="Why it stands against objections, or was withdrawn.")
    objections = ObjectionOut(many=True, source="objections.all")


class OnDecision(OnIncident):
    Out: Any = DecisionOut
    queryset: Any = DecisionRound.objects.none()

    def rows(self) -> QuerySet:
        rows = DecisionRound.objects.filter(incident=self.incident()).select_related("event", "settled_by")
        return rows.prefetch_related("objections__person")


class DecisionList(OnDecision, Collection):
    """Decisions about which the team was asked for strong objections; they are made by `POST` to the timeline."""

    default_ordering = "id"


class DecisionVerb(OnDecision, Verb):
    def find(self) -> DecisionRound:
        return or_404(self.rows(), pk=self.kwargs["id"])


class ObjectionIn(MomentIn):
    text = Text(max_length=4000, help_text="Why it must not be done.")


class ObjectToDecision(DecisionVerb):
    """A strong objection: the decision then waits for whoever commands."""

    In = ObjectionIn

    def act(self, record: DecisionRound, **given: Any) -> None:
        rounds.object_to(record.pk, actor=self.actor, **given)


class StandIn(MomentIn):
    reason = Text(required=False, allow_blank=True, max_length=4000, help_text="Needed when somebody objected.")


class DecisionStands(DecisionVerb):
    """It is done. Against objections only whoever commands says so, and why."""

    In = StandIn

    def act(self, record: DecisionRound, **given: Any) -> None:
        rounds.stand(record.pk, actor=self.actor, **given)


class WithdrawIn(MomentIn):
    reason = Text(max_length=4000)


class WithdrawDecision(DecisionVerb):
    """It is not done."""

    In = WithdrawIn

    def act(self, record: DecisionRound, **given: Any) -> None:
        rounds.withdraw(record.pk, actor=self.actor, **given)


# --- Marks ------------------------------------------------------------------------------------------------
class MarkIn(MomentIn):
    kind = serializers.ChoiceField(EntryMark.Kind.choices)


class MarkVerb(OnIncident, Verb):
    In: Any = MarkIn
    Out: Any = EntryOut

    def find(self) -> TimelineEvent:
        return or_404(entry_rows(self.incident()), pk=self.kwargs["id"])


class MarkEntry(MarkVerb):
    """Pins the entry as a known fact, or offers it to whoever writes the next status update."""

    def act(self, record: TimelineEvent, **given: Any) -> None:
        marks.mark(record.pk, actor=self.actor, **given)


class UnmarkEntry(MarkVerb):
    """Takes the mark off; the entry stays as it is."""

    def act(self, record: TimelineEvent, **given: Any) -> None:
        marks.unmark(record.pk, actor=self.actor, **given)


# --- Files ------------------------------------------------------------------------------------------------
class RoomFileOut(Shape):
    id = serializers.UUIDField(source="uuid")
    filename = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()
    uploaded_by = email_of("uploaded_by")
    created_at = Moment()


class RoomFileIn(Shape):
    file = serializers.FileField(max_length=200, allow_empty_file=True)
    text = Text(required=False, allow_blank=True, help_text="Words of the note that carries it.")


class RoomFileList(OnIncident, Collection, Making):
    """Files of the room. `POST` as multipart/form-data with one part named `file` makes a note that carries it."""

    In, Out = RoomFileIn, RoomFileOut
    parser_classes: list[type[BaseParser]] = [StrictMultiPartParser]
    default_ordering = "id"
    queryset = RoomFile.objects.none()

    def rows(self) -> QuerySet:
        return self.incident().files.select_related("uploaded_by")

    def location(self, record: Any) -> str:
        return str(record.uuid)

    def make(self, **given: Any) -> RoomFile:
        note = response.post_note(
            self.incident().pk, text=given.get("text", ""), files=[given["file"]], actor=self.actor, at=self.now
        )
        return self.rows().get(uuid=note.payload["files"][0]["id"])


class RoomFileContent(OnIncident):
    """The file itself, always as a download."""

    Out = RoomFileOut
    queryset = RoomFile.objects.none()

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        found = or_404(self.incident().files.all(), uuid=kwargs["uuid"])
        answer = FileResponse(
            found.file.open("rb"), as_attachment=True, filename=found.filename, content_type="application/octet-stream"
        )
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


# --- Checklists -------------------------------------------------------------------------------------------
class ItemShape(Shape):
    title = serializers.CharField(max_length=250)
    target = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    minutes = serializers.IntegerField(min_value=1, max_value=work.LONGEST_BOX, required=False, allow_null=True)


class ChecklistOut(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(ChecklistKind.choices)
    service = serializers.CharField(source="service.slug", allow_null=True, default=None)
    items = ItemShape(many=True)
    changed_by = email_of("changed_by")
    changed_at = Moment()


class ChecklistIn(Shape):
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(ChecklistKind.choices, required=False)
    service = ServiceName(max_length=120, required=False, allow_null=True, help_text="Absent: for every service.")
    items = ItemShape(many=True)


class ChecklistRows:
    In: Any = ChecklistIn
    Out: Any = ChecklistOut
    queryset: Any = Checklist.objects.none()

    def rows(self) -> QuerySet:
        self.require("view_desk")  # type: ignore[attr-defined]
        return Checklist.objects.select_related("service", "changed_by")


class ChecklistList(ChecklistRows, Collection, Making):
    """Templates of tasks, by service and kind of outage."""

    default_ordering = "name"
    orderings = {"name": "name", "id": "id"}
    search_fields = ("name",)

    def make(self, **given: Any) -> Checklist:
        return work.keep_checklist(None, actor=self.actor, at=self.now, **given)


class ChecklistDetail(ChecklistRows, Changing, Removing):
    """One checklist. Incidents that started it keep the tasks they have."""

    def find(self) -> Checklist:
        return or_404(self.rows(), pk=self.kwargs["id"])

    def change(self, record: Checklist, given: dict[str, Any]) -> None:
        present = {"name": record.name, "kind": record.kind, "service": record.service, "items": record.items}
        work.keep_checklist(record, **{**present, **given}, actor=self.actor, at=self.now)

    def remove(self) -> None:
        work.remove_checklist(self.find(), actor=self.actor, at=self.now)


class StartIn(MomentIn):
    checklist = serializers.PrimaryKeyRelatedField(queryset=Checklist.objects.all())


class StartedOut(Shape):
    tasks = TaskOut(many=True)
    left_out = serializers.ListField(child=serializers.CharField(), help_text="Titles of what is under way already.")


class StartChecklist(OnIncident, Verb):
    """Its items become tasks that wait for somebody; what is under way already is left out and named."""

    In, Out = StartIn, StartedOut
    has_etag = False

    def find(self) -> Any:
        return self.incident()

    def act(self, record: Any, **given: Any) -> Any:
        made, left_out = work.start_checklist(record.pk, actor=self.actor, **given)
        return {"tasks": made, "left_out": left_out}
