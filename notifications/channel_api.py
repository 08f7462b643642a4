"""Channels and the places many read over the API. Secrets go in and never come out."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.endpoint import Changing, Collection, Detail, Endpoint, Making, Removing, ShortList, Verb, or_404
from incidents.api.etags import etag_of, refuse_stale
from incidents.api.fields import Moment, ServiceNames, email_of
from incidents.api.shapes import Shape
from incidents.priority import Severity
from incidents.process import Audience
from notifications import channel_queries as queries
from notifications import channel_settings as acts
from notifications.channel_queries import ChannelShown
from notifications.channels import Outcome
from notifications.models import ChannelAccount, ChannelKey, Destination

ADMIN = ("admin",)
STATES = [(state, state) for state in ("not_set_up", "off", "failing", "unsteady", "ok", "unknown")]
PLACE_STATES = STATES[2:]
PLACE_CHANNELS = [(key, ChannelKey(key).label) for key in acts.WITH_PLACES]


class HealthShape(Shape):
    last_ok_at = Moment(allow_null=True, help_text="When a message was taken last.")
    last_failed_at = Moment(allow_null=True)
    last_failure = serializers.CharField(help_text="What the provider said then.")
    failures_in_row = serializers.IntegerField()


class ChannelStateOut(Shape):
    channel = serializers.ChoiceField(ChannelKey.choices, source="key")
    name = serializers.CharField(source="label")
    state = serializers.ChoiceField(STATES, help_text="`failing` after three failures in a row, `unknown` before use.")
    is_enabled = serializers.BooleanField()
    settings = serializers.DictField(child=serializers.CharField(), help_text="What was entered, without the secrets.")
    secrets_set = serializers.ListField(
        child=serializers.CharField(), help_text="Names of the secrets that are stored."
    )
    places = serializers.IntegerField(help_text="How many places are told by it.")
    health = HealthShape(source="row", allow_null=True, help_text="Null before anything was sent or entered.")


class ChannelChangeIn(Shape):
    settings = serializers.DictField(
        required=False, help_text="Names with values. Left out, or an empty secret: as it is stored."
    )
    is_enabled = serializers.BooleanField(required=False)


class NothingIn(Shape):
    pass


class TestIn(Shape):
    settings = serializers.DictField(
        required=False, help_text="Where to, by the names a place or an address of this channel has."
    )


class TestOut(Shape):
    accepted = serializers.BooleanField()
    answer = serializers.CharField(help_text="The provider's own words.")


class OnChannels(Endpoint):
    Out: Any = ChannelStateOut
    write_scopes = ADMIN
    queryset: Any = ChannelAccount.objects.none()

    def find(self) -> ChannelShown:
        self.require("configure")
        return queries.channel_shown(self.kwargs["channel"]) or or_404(ChannelAccount.objects.none())


class ChannelList(OnChannels, ShortList):
    """How messages leave, each with its state."""

    operation_ids = {"GET": "channels_list"}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.require("configure")
        return self.whole(queries.channels_shown())


class ChannelDetail(OnChannels, Detail, Removing):
    """One channel. PATCH sets its account up or changes it; DELETE forgets the account with its secrets."""

    In = ChannelChangeIn
    has_etag = False
    operation_ids = {"GET": "channel_read", "PATCH": "channel_change", "DELETE": "channel_remove"}

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = self.find().key
        given = self.given(partial=True)
        if "settings" in given:
            entered = {"given": given["settings"], "is_enabled": given.get("is_enabled")}
            acts.save_account(key, **entered, actor=self.actor, at=self.now)
        elif "is_enabled" in given:
            acts.switch_channel(key, on=given["is_enabled"], actor=self.actor, at=self.now)
        return self.record(self.find())

    def remove(self) -> None:
        acts.remove_account(self.find().key, actor=self.actor, at=self.now)


class ChannelTest(OnChannels, Verb):
    """Sends a real test message and answers what the provider said."""

    In, Out = TestIn, TestOut
    has_etag = False

    def act(self, record: ChannelShown, **given: Any) -> Outcome:
        return acts.try_channel(record.key, given=given.get("settings", {}), actor=self.actor, at=self.now)


# --- Places -----------------------------------------------------------------------------------
class PlaceOut(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    channel = serializers.ChoiceField(PLACE_CHANNELS)
    address = serializers.CharField(help_text="Of a secret address its host alone.")
    audiences = serializers.ListField(child=serializers.ChoiceField(Audience.choices))
    severities = serializers.ListField(child=serializers.ChoiceField(Severity.choices), help_text="Empty: all.")
    services = serializers.SerializerMethodField(help_text="Their slugs. Empty: all.")
    is_enabled = serializers.BooleanField()
    state = serializers.ChoiceField(PLACE_STATES, source="health")
    health = HealthShape(source="*")
    added_by = email_of("added_by")
    changed_at = Moment()

    def get_services(self, row: Destination) -> list[str]:
        return [service.slug for service in row.services.all()]


class PlaceChange(Shape):
    name = serializers.CharField(max_length=120, required=False)
    settings = serializers.DictField(
        required=False, help_text="`channel` for Slack, `room` for Matrix, `chat` for Telegram, `url` for the others."
    )
    audiences = serializers.ListField(child=serializers.ChoiceField(Audience.choices), required=False)
    severities = serializers.ListField(child=serializers.ChoiceField(Severity.choices), required=False)
    services = ServiceNames(required=False)
    is_enabled = serializers.BooleanField(required=False)


class PlaceIn(PlaceChange):
    name = serializers.CharField(max_length=120)
    channel = serializers.ChoiceField(PLACE_CHANNELS)
    settings = serializers.DictField()
    audiences = serializers.ListField(child=serializers.ChoiceField(Audience.choices), min_length=1)


class OnPlaces(Endpoint):
    Out: Any = PlaceOut
    write_scopes = ADMIN
    queryset: Any = Destination.objects.none()

    def rows(self) -> QuerySet:
        self.require("configure")
        return queries.places()

    def find(self) -> Destination:
        return or_404(self.rows(), pk=self.kwargs["id"])


class PlaceList(OnPlaces, Collection, Making):
    """Places many read, by name: a channel of Slack or Teams, a room, a topic."""

    In = PlaceIn
    default_ordering = "name"
    orderings = {"name": "name", "changed_at": "changed_at"}
    search_fields = ("name",)
    operation_ids = {"GET": "destinations_list", "POST": "destination_add"}

    def make(self, **given: Any) -> Destination:
        channel = given.pop("channel")
        made = acts.save_place(None, channel=channel, changes=given, actor=self.actor, at=self.now)
        return queries.places().get(pk=made.pk)


class PlaceDetail(OnPlaces, Changing, Removing):
    """One place. `channel` stays as it was; an empty secret keeps the stored one."""

    In = PlaceChange
    operation_ids = {"GET": "destination_read", "PATCH": "destination_change", "DELETE": "destination_remove"}

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Not in one transaction as elsewhere: the name of the address is resolved before anything is locked."""
        record = self.find()
        self.refuse_stale(record)
        if given := self.given(partial=True):
            acts.save_place(record.pk, changes=given, actor=self.actor, at=self.now)
        return self.record(self.find())

    def refuse_stale(self, record: Destination) -> None:
        if "If-Match" in self.request.headers:
            refuse_stale(self.request, etag_of(self.Out(record, context=self.get_serializer_context()).data))

    def remove(self) -> None:
        acts.remove_place(self.find().pk, actor=self.actor, at=self.now)


class PlaceTest(OnPlaces, Verb):
    """Sends a real test message there and answers what its provider said."""

    In, Out = NothingIn, TestOut
    has_etag = False

    def act(self, record: Destination, **given: Any) -> Outcome:
        return acts.try_place(record, actor=self.actor, at=self.now)
