"""Working together on one major incident: bridge, war room, timeline, tasks."""

import re
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.actions import response, rounds, work
from incidents.api.endpoint import Changing, Collection, Detail, Making, Verb, or_404
from incidents.api.fields import Moment, Person, Text, email_of
from incidents.api.filters import ChoicesFilter, PersonFilter
from incidents.api.major_incidents import OnIncident
from incidents.api.shapes import MomentIn, Shape
from incidents.models import Bridge, MajorIncident, Task, TaskStatus, TimelineEvent, WarRoom
from incidents.process import EventGroup, EventKind

_UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")


# --- Bridge ---------------------------------------------------------------------------------------------
class BridgeOut(Shape):
    provider = serializers.ChoiceField(Bridge.Provider.choices)
    join_url = serializers.CharField()
    dial_in = serializers.CharField()
    set_by = email_of("set_by")
    set_at = Moment()
    revision = serializers.IntegerField(help_text="Grows with every change.")
    cancelled_at = Moment(allow_null=True, help_text="When the incident ended, and with it the invitation.")


class BridgeIn(MomentIn):
    provider = serializers.ChoiceField(Bridge.Provider.choices, required=False)
    join_url = serializers.URLField(
        max_length=500, required=False, allow_blank=True, help_text="This, a number, or both."
    )
    dial_in = serializers.CharField(max_length=200, required=False, allow_blank=True)


class BridgeDetail(OnIncident, Detail):
    """The conference bridge; 404 while none is set. `PUT` sets it and invites the team to it."""

    In, Out = BridgeIn, BridgeOut
    queryset = Bridge.objects.none()

    def find(self) -> Bridge:
        return or_404(Bridge.objects.select_related("set_by"), incident=self.incident())

    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        given = self.given()
        at = given.pop("at", None) or self.now
        return self.record(response.set_bridge(self.incident().pk, actor=self.actor, at=at, **given))


class JoinBridge(OnIncident, Verb):
    """The roll-call: says that one joined. Answers the bridge."""

    In, Out = MomentIn, BridgeOut

    def find(self) -> MajorIncident:
        return self.incident()

    def act(self, record: MajorIncident, **given: Any) -> Bridge:
        return response.join_bridge(record.pk, actor=self.actor, **given)


# --- War room -------------------------------------------------------------------------------------------
class WarRoomOut(Shape):
    location = serializers.CharField()
    url = serializers.CharField()
    opened_by = email_of("opened_by")
    opened_at = Moment()
    present = serializers.SerializerMethodField(help_text="Who is here now, by e-mail.")

    def get_present(self, room: WarRoom) -> list[str]:
        here = room.incident.presences.filter(left_at__isnull=True).select_related("user")
        return [presence.user.email for presence in here]


class WarRoomIn(MomentIn):
    location = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="For those on site.")
    url = serializers.URLField(max_length=500, required=False, allow_blank=True, help_text="For the others.")


class OnWarRoom(OnIncident):
    Out: Any = WarRoomOut
    queryset: Any = WarRoom.objects.none()

    def room(self) -> WarRoom:
        return or_404(WarRoom.objects.select_related("opened_by", "incident"), incident=self.incident())


class WarRoomDetail(OnWarRoom, Detail):
    """The war room; 404 while it is not open."""

    def find(self) -> WarRoom:
        return self.room()


class WarRoomVerb(OnWarRoom, Verb):
    In: Any = MomentIn

    def find(self) -> MajorIncident:
        return self.incident()


class OpenWarRoom(WarRoomVerb):
    """Opens it: a place for those on site, a link for the others."""

    In = WarRoomIn

    def act(self, record: MajorIncident, **given: Any) -> WarRoom:
        response.open_war_room(record.pk, actor=self.actor, **given)
        return self.room()


class EnterWarRoom(WarRoomVerb):
    """Says that one is here. The manager's entry is part of the step's evidence."""

    def act(self, record: MajorIncident, **given: Any) -> WarRoom:
        response.enter_war_room(record.pk, actor=self.actor, **given)
        return self.room()


class LeaveWarRoom(WarRoomVerb):
    """Says that one has left."""

    def act(self, record: MajorIncident, **given: Any) -> WarRoom:
        response.leave_war_room(record.pk, actor=self.actor, **given)
        return self.room()


# --- Timeline -------------------------------------------------------------------------------------------
class WordingOut(Shape):
    text = serializers.CharField()
    by = serializers.EmailField(allow_null=True)
    at = Moment()


class EntryOut(Shape):
    id = serializers.IntegerField()
    seq = serializers.IntegerField()
    kind = serializers.ChoiceField(EventKind.choices)
    group = serializers.ChoiceField(EventGroup.choices)
    actor = serializers.EmailField(source="actor.email", allow_null=True, help_text="Null for the product itself.")
    at = Moment(help_text="When it happened.")
    recorded_at = Moment(help_text="When it was written down.")
    text = serializers.SerializerMethodField()
    rationale = serializers.SerializerMethodField(help_text="Why, for decisions.")
    payload = serializers.SerializerMethodField(help_text="What the act was about, as it was written then.")
    history = serializers.SerializerMethodField(help_text="Earlier wordings, the first one first.")

    def get_text(self, entry: TimelineEvent) -> str:
        edits = list(entry.edits.all())
        return edits[-1].text if edits else entry.text

    def get_payload(self, entry: TimelineEvent) -> dict[str, Any]:
        return {name: with_z(value) for name, value in entry.payload.items()}

    def get_rationale(self, entry: TimelineEvent) -> str:
        return str(entry.payload.get("rationale", ""))

    @extend_schema_field(WordingOut(many=True))
    def get_history(self, entry: TimelineEvent) -> Any:
        edits = list(entry.edits.all())
        if not edits:
            return []
        first = {"text": entry.text, "by": entry.actor.email if entry.actor else None, "at": entry.recorded_at}
        later = [{"text": edit.text, "by": edit.edited_by.email, "at": edit.edited_at} for edit in edits[:-1]]
        return WordingOut([first, *later], many=True).data


def with_z(value: Any) -> Any:
    """Times in a payload were written with `+00:00`; they come out with `Z` like all others."""
    return f"{value[:-6]}Z" if isinstance(value, str) and _UTC_TIME.fullmatch(value) else value


class EntryIn(MomentIn):
    kind = serializers.ChoiceField([("note", "Note"), ("decision", "Decision")], required=False, default="note")
    text = Text()
    rationale = Text(required=False, allow_blank=True, help_text="Why, for a decision.")
    objections = Text(required=False, allow_blank=True, help_text="Who objected, for a decision.")
    objections_within = serializers.IntegerField(
        min_value=1, max_value=rounds.LONGEST_ROUND, required=False, allow_null=True,
        help_text="For a decision: minutes in which the team may object strongly before it stands.",
    )  # fmt: skip


class EntryChange(Shape):
    text = Text()


class TimelineFilter(filters.FilterSet):
    after = filters.NumberFilter(field_name="seq", lookup_expr="gt", min_value=0, max_value=2**31 - 1)
    kind = ChoicesFilter(choices=EventKind.choices)
    group = ChoicesFilter(choices=EventGroup.choices)
    actor = PersonFilter()

    class Meta:
        model = TimelineEvent
        fields: list[str] = []


def entry_rows(incident: MajorIncident) -> QuerySet:
    return incident.events.select_related("actor").prefetch_related("edits__edited_by")


class Timeline(OnIncident, Collection, Making):
    """Everything that happened, in the order of `seq`. `?after=12` goes on behind entry 12."""

    In, Out = EntryIn, EntryOut
    queryset = TimelineEvent.objects.none()
    filterset_class = TimelineFilter
    default_ordering = "seq"
    orderings = {"seq": "seq", "at": "at", "recorded_at": "recorded_at"}
    search_fields = ("text",)

    def rows(self) -> QuerySet:
        return entry_rows(self.incident())

    def make(self, **given: Any) -> TimelineEvent:
        at = given.pop("at", None) or self.now
        is_decision = given.pop("kind") == "decision"
        if is_decision:
            return response.record_decision(self.incident().pk, actor=self.actor, at=at, **given)
        return response.post_note(self.incident().pk, text=given["text"], actor=self.actor, at=at)


class TimelineEntry(OnIncident, Changing):
    """One entry. `PATCH` rewords one's own note or decision; earlier wordings stay in `history`."""

    In, Out = EntryChange, EntryOut
    queryset = TimelineEvent.objects.none()

    def find(self) -> TimelineEvent:
        return or_404(entry_rows(self.incident()), pk=self.kwargs["id"])

    def change(self, record: TimelineEvent, given: dict[str, Any]) -> None:
        response.edit_entry(record.pk, actor=self.actor, at=self.now, **given)


# --- Tasks ----------------------------------------------------------------------------------------------
class TaskOut(Shape):
    id = serializers.IntegerField()
    title = serializers.CharField()
    target = serializers.CharField(help_text="What it is done to.")
    minutes = serializers.IntegerField(allow_null=True, help_text="The time box, from when somebody took it.")
    checklist = serializers.CharField(help_text="The checklist it came from; empty for none.")
    assignee = email_of("assignee")
    due_at = Moment(allow_null=True)
    status = serializers.ChoiceField(TaskStatus.choices)
    created_by = email_of("created_by")
    created_at = Moment()
    started_at = Moment(allow_null=True)
    called_back_at = Moment(allow_null=True, help_text="When its owner was asked how it stands.")
    done_at = Moment(allow_null=True)
    result = serializers.CharField(help_text="What came of it.")
    updated_at = Moment()


class TaskIn(MomentIn):
    title = serializers.CharField(max_length=250)
    assignee = Person(required=False, allow_null=True)
    due_at = Moment(required=False, allow_null=True)
    status = serializers.ChoiceField(TaskStatus.choices, required=False)
    target = serializers.CharField(max_length=120, required=False, allow_blank=True)
    minutes = serializers.IntegerField(
        min_value=1,
        max_value=work.LONGEST_BOX,
        required=False,
        allow_null=True,
        help_text="Of a running one: from now on.",
    )
    result = Text(required=False, allow_blank=True)
    different = serializers.BooleanField(
        required=False, help_text="It is not the same as a task it reads like; else that is 409 `duplicate`."
    )


class TaskFilter(filters.FilterSet):
    status = ChoicesFilter(choices=TaskStatus.choices)
    assignee = PersonFilter()

    class Meta:
        model = Task
        fields: list[str] = []


class TaskList(OnIncident, Collection, Making):
    """Pieces of work of this incident."""

    In, Out = TaskIn, TaskOut
    queryset = Task.objects.none()
    filterset_class = TaskFilter
    default_ordering = "id"
    orderings = {"id": "id", "due_at": "due_at", "status": "status", "updated_at": "updated_at"}
    search_fields = ("title",)

    def rows(self) -> QuerySet:
        return self.incident().tasks.select_related("assignee", "created_by")

    def make(self, **given: Any) -> Task:
        at, status = given.pop("at", None) or self.now, given.pop("status", TaskStatus.OPEN)
        result = given.pop("result", "")
        task = work.add_task(self.incident().pk, actor=self.actor, at=at, **given)
        if status not in (TaskStatus.OPEN, task.status) or result:
            changes = {"status": status if status != TaskStatus.OPEN else task.status, "result": result}
            task = work.change_task(task.pk, changes=changes, actor=self.actor, at=at)
        return task


class TaskDetail(OnIncident, Changing):
    In, Out = TaskIn, TaskOut
    queryset = Task.objects.none()

    def find(self) -> Task:
        return or_404(self.incident().tasks.select_related("assignee", "created_by"), pk=self.kwargs["id"])

    def change(self, record: Task, given: dict[str, Any]) -> None:
        at = given.pop("at", None) or self.now
        work.change_task(record.pk, changes=given, actor=self.actor, at=at)
