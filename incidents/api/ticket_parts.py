"""What belongs to a ticket: its conversation, its files, who watches it."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from incidents.actions import tickets
from incidents.api.endpoint import Collection, Making, Removing, or_404
from incidents.api.fields import Moment, Person, RefOut, Text, email_of
from incidents.api.parsers import StrictMultiPartParser
from incidents.api.shapes import MomentIn, Shape
from incidents.api.tickets import OnTicket
from incidents.models import Attachment, TicketComment, TicketWatcher
from incidents.queries.conversations import comments_for, files_for


class CommentOut(Shape):
    id = serializers.IntegerField()
    author = email_of("author")
    text = serializers.CharField()
    html = serializers.CharField()
    public = serializers.BooleanField()
    origin = RefOut("INC", source="origin_id", allow_null=True, help_text="The duplicate through which it came.")
    became = RefOut("INC", source="became_id", allow_null=True, help_text="The ticket split off from it.")
    created_at = Moment()


class TicketCommentIn(MomentIn):
    text = Text()
    public = serializers.BooleanField(required=False, default=False, help_text="Public ones reach the requester.")


class TicketCommentList(OnTicket, Collection, Making):
    """The conversation, oldest first. Requesters see and write public entries only."""

    In, Out = TicketCommentIn, CommentOut
    default_ordering = "id"
    search_fields = ("text",)
    queryset = TicketComment.objects.none()

    def rows(self) -> QuerySet:
        return comments_for(self.actor, self.find())

    def location(self, record: Any) -> str:
        return ""

    def make(self, **given: Any) -> TicketComment:
        at = given.pop("at", None) or self.now
        return tickets.comment(self.find().pk, actor=self.actor, at=at, **given)


class AttachmentOut(Shape):
    id = serializers.UUIDField(source="uuid")
    filename = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()
    uploaded_by = email_of("uploaded_by")
    created_at = Moment()


class AttachmentIn(Shape):
    file = serializers.FileField(max_length=200, allow_empty_file=True)


class TicketAttachmentList(OnTicket, Collection, Making):
    """Files of the ticket. `POST` as multipart/form-data with one part named `file`, up to 10 MiB."""

    In, Out = AttachmentIn, AttachmentOut
    parser_classes: list[type[BaseParser]] = [StrictMultiPartParser]
    default_ordering = "id"
    queryset = Attachment.objects.none()

    def rows(self) -> QuerySet:
        return files_for(self.actor, self.find())

    def location(self, record: Any) -> str:
        return str(record.uuid)

    def make(self, **given: Any) -> Attachment:
        return tickets.attach(self.find().pk, actor=self.actor, at=self.now, **given)


class WatcherOut(Shape):
    user = email_of("user")
    name = serializers.CharField(source="user.display_name")
    created_at = Moment()


class WatcherIn(Shape):
    user = Person(required=False, help_text="Absent means oneself.")


class TicketWatcherList(OnTicket, Collection, Making):
    """Who hears of what happens to it."""

    In, Out = WatcherIn, WatcherOut
    default_ordering = "id"
    queryset = TicketWatcher.objects.none()

    def rows(self) -> QuerySet:
        return self.find().watchers.select_related("user")

    def location(self, record: Any) -> str:
        return record.user.email

    def make(self, **given: Any) -> TicketWatcher:
        return tickets.watch(self.find().pk, actor=self.actor, at=self.now, **given)


class TicketAttachmentFile(OnTicket):
    """The file itself, always as a download."""

    Out = AttachmentOut
    queryset = Attachment.objects.none()

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        found = or_404(files_for(self.actor, self.find()), uuid=kwargs["uuid"])
        answer = FileResponse(
            found.file.open("rb"), as_attachment=True, filename=found.filename, content_type="application/octet-stream"
        )
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


class TicketWatcherDetail(OnTicket, Removing):
    """`DELETE`: no longer hears of it."""

    Out = WatcherOut
    queryset = TicketWatcher.objects.none()

    def remove(self) -> None:
        row = or_404(self.find().watchers.select_related("user"), user__email__iexact=self.kwargs["email"])
        tickets.unwatch(row.ticket_id, user=row.user, actor=self.actor, at=self.now)
