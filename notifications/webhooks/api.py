"""Webhooks over the API: made, corrected, rotated, tested, and what became of their messages."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.endpoint import Changing, Collection, Detail, Endpoint, Making, Removing, Verb, or_404
from incidents.api.fields import Moment, Person, ServiceNames, email_of
from incidents.api.filters import ChoicesFilter, MomentFilter
from incidents.api.shapes import Shape
from incidents.priority import Severity
from notifications.models import Webhook, WebhookMessage, WebhookMessageState
from notifications.webhooks import actions, catalogue
from notifications.webhooks.queries import STATES, health_of, messages, webhooks

ADMIN = ("admin",)
LONGEST_URL = 2000


class WebhookHealthOut(Shape):
    state = serializers.ChoiceField([(state, state) for state in STATES])
    waiting = serializers.IntegerField(help_text="Messages that are not taken yet.")
    waiting_since = Moment(allow_null=True, help_text="When the oldest of them was written.")
    delivered_last_day = serializers.IntegerField(source="delivered")
    failed_last_day = serializers.IntegerField(source="failed")


class WebhookOut(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    secret = serializers.SerializerMethodField(help_text="Only in the answer that made it; null ever after.")
    events = serializers.ListField(child=serializers.CharField(), help_text="Names of events; empty: all of them.")
    severities = serializers.ListField(
        child=serializers.ChoiceField(Severity.choices), help_text="Only major incidents of these; empty: everything."
    )
    services = serializers.SerializerMethodField(help_text="Slugs; only what is about these. Empty: everything.")
    include_drills = serializers.BooleanField()
    is_enabled = serializers.BooleanField()
    off_reason = serializers.CharField(help_text="Why it was switched off by itself; empty otherwise.")
    owner = email_of("owner", help_text="It tells what this person may read.")
    old_secret_until = Moment(allow_null=True, help_text="Until then the secret before this one signs, too.")
    last_tried_at = Moment(allow_null=True)
    last_status = serializers.IntegerField(allow_null=True, help_text="HTTP; null when nobody answered.")
    last_answer = serializers.CharField(help_text="What went wrong at the last try; empty when nothing did.")
    last_delivered_at = Moment(allow_null=True)
    failing_since = Moment(allow_null=True, help_text="After five days of it the webhook is switched off.")
    health = serializers.SerializerMethodField(help_text="How it does now; no part of the ETag.")
    created_at = Moment()

    def get_secret(self, row: Webhook) -> str | None:
        return getattr(row, "secret", None)

    def get_services(self, row: Webhook) -> list[str]:
        return [service.slug for service in row.services.all()]

    @extend_schema_field(WebhookHealthOut)
    def get_health(self, row: Webhook) -> dict[str, Any]:
        """Asked once for all rows of the page."""
        known: dict[int, Any] = self.context.setdefault("health", {})  # type: ignore[attr-defined]
        if row.pk not in known:
            known.update(health_of(self.context.get("together", [row]), timezone.now()))
        return dict(WebhookHealthOut(known[row.pk]).data)


class WebhookIn(Shape):
    name = serializers.CharField(max_length=120)
    url = serializers.CharField(max_length=LONGEST_URL, help_text="https; no user name or password in it.")
    events = serializers.ListField(
        child=serializers.ChoiceField(list(catalogue.choices())), required=False, max_length=200
    )
    severities = serializers.ListField(
        child=serializers.ChoiceField(Severity.choices), required=False, max_length=len(Severity)
    )
    services = ServiceNames(required=False)
    include_drills = serializers.BooleanField(required=False)
    is_enabled = serializers.BooleanField(required=False)
    owner = Person(required=False, help_text="An administrator; absent: who asks.")


class WebhookFilter(filters.FilterSet):
    is_enabled = filters.BooleanFilter()

    class Meta:
        model = Webhook
        fields: list[str] = []


class OnWebhooks(Endpoint):
    Out: Any = WebhookOut
    write_scopes = ADMIN
    queryset: Any = Webhook.objects.none()

    def rows(self) -> QuerySet:
        self.require("configure")
        return webhooks()

    def find(self) -> Any:
        return or_404(self.rows(), pk=self.kwargs["id"])

    def with_secret(self, made: tuple[Webhook, str]) -> Webhook:
        """The record with its secret, which no other answer shows."""
        row = webhooks().get(pk=made[0].pk)
        row.secret = made[1]  # type: ignore[attr-defined]
        return row


class WebhookList(OnWebhooks, Collection, Making):
    """Addresses that are told what happens, signed per Standard Webhooks. Only the answer that makes one shows its
    `secret`."""

    In = WebhookIn
    has_etag = True
    holds_secret = True
    filterset_class = WebhookFilter
    default_ordering = "name"
    orderings = {"name": "name", "created_at": "created_at"}
    search_fields = ("name", "url")

    def location(self, record: Webhook) -> str:
        return str(record.pk)

    def make(self, **given: Any) -> Webhook:
        return self.with_secret(actions.save_webhook(changes=given, actor=self.actor, at=self.now))


class WebhookDetail(OnWebhooks, Changing, Removing):
    """One webhook. Switched off (`is_enabled`), nothing is written for it and what waits has failed; `replay` with
    `missing` makes up for it."""

    In = WebhookIn

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The name server is asked before any lock is held."""
        self.find()
        given = self.given(partial=True)
        if "url" in given:
            actions.check_url(given["url"])
        return super().patch(request, *args, **kwargs)

    def change(self, record: Webhook, given: dict[str, Any]) -> None:
        actions.save_checked(record.pk, changes=given, actor=self.actor, at=self.now)

    def remove(self) -> None:
        actions.delete_webhook(self.find().pk, actor=self.actor, at=self.now)


class RotateIn(Shape):
    keep_old = serializers.BooleanField(
        required=False, default=True, help_text="For 24 hours both secrets sign; `false` ends the old one at once."
    )


class RotateWebhook(OnWebhooks, Verb):
    """A new secret, shown in this answer only."""

    In = RotateIn
    has_etag = False
    holds_secret = True

    def act(self, record: Webhook, **given: Any) -> Webhook:
        return self.with_secret(actions.rotate_secret(record.pk, **given, actor=self.actor, at=self.now))


# --- Messages -------------------------------------------------------------------------------------------
class WebhookMessageOut(Shape):
    id = serializers.IntegerField()
    webhook = serializers.IntegerField(source="webhook_id")
    message_id = serializers.CharField(help_text="The `webhook-id` of every try.")
    type = serializers.CharField(help_text="The name of the event.")
    state = serializers.ChoiceField(WebhookMessageState.choices)
    attempts = serializers.IntegerField()
    happened_at = Moment(source="event.at", allow_null=True, help_text="Null for a test.")
    queued_at = Moment()
    next_attempt_at = serializers.SerializerMethodField(help_text="Null once it was taken or given up.")
    delivered_at = Moment(allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text="HTTP, of the last try; null: nobody answered.")
    answer = serializers.CharField(help_text="How the last answer began.")
    reason = serializers.CharField(help_text="Why it waits or failed; empty otherwise.")

    @extend_schema_field(Moment(allow_null=True))
    def get_next_attempt_at(self, row: WebhookMessage) -> str | None:
        is_over = row.state in (WebhookMessageState.DELIVERED, WebhookMessageState.FAILED)
        return None if is_over else Moment().to_representation(row.next_attempt_at)


class WebhookMessageWholeOut(WebhookMessageOut):
    body = serializers.CharField(help_text="Exactly what was signed; empty before the first try.")


class WebhookMessageFilter(filters.FilterSet):
    state = ChoicesFilter(choices=WebhookMessageState.choices)
    type = filters.CharFilter(max_length=64)
    after = MomentFilter(field_name="queued_at", lookup_expr="gte")
    before = MomentFilter(field_name="queued_at", lookup_expr="lt")

    class Meta:
        model = WebhookMessage
        fields: list[str] = []


class OnMessages(Endpoint):
    Out: Any = WebhookMessageOut
    write_scopes = ADMIN
    queryset: Any = WebhookMessage.objects.none()

    def rows(self) -> QuerySet:
        self.require("configure")
        row = or_404(webhooks(), pk=self.kwargs["id"])
        return messages().filter(webhook=row)

    def find(self) -> Any:
        return or_404(self.rows(), pk=self.kwargs["message"])


class WebhookMessageList(OnMessages, Collection):
    """What a webhook was told, the newest first; kept for 90 days. The bodies stand in each message."""

    filterset_class = WebhookMessageFilter
    default_ordering = "-id"
    operation_ids = {"GET": "webhook_messages_list"}

    def rows(self) -> QuerySet:
        return super().rows().defer("body")


class WebhookMessageDetail(OnMessages, Detail):
    """One message with its body."""

    Out = WebhookMessageWholeOut
    operation_ids = {"GET": "webhook_message_read"}


class NothingIn(Shape):
    pass


class TestWebhook(OnWebhooks, Verb):
    """Sends one `webhook.test`, tried once, also while the webhook is off. Answers the message: read it again to see
    what became of it."""

    In, Out = NothingIn, WebhookMessageWholeOut
    has_etag = False

    def act(self, record: Webhook, **given: Any) -> WebhookMessage:
        return actions.send_test(record.pk, actor=self.actor, at=self.now)


class ReplayIn(Shape):
    message = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False, help_text="One, by its id.")
    since = Moment(required=False, past=True, help_text="Or what happened since; 90 days back at most.")
    which = serializers.ChoiceField(
        list(actions.WHICH.items()), required=False, default=actions.FAILED, help_text="With `since`."
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("message" in given) == ("since" in given):
            raise serializers.ValidationError({"since": ["Give either `message` or `since`."]})
        return given


class ReplayOut(Shape):
    queued = serializers.IntegerField(help_text="How many messages are sent again.")


class ReplayWebhook(OnWebhooks, Verb):
    """Sends again: the same body under the same `webhook-id`, so that a receiver knows what it has already."""

    In, Out = ReplayIn, ReplayOut
    has_etag = False

    def act(self, record: Webhook, **given: Any) -> dict[str, int]:
        if "message" in given:
            found = or_404(messages().filter(webhook=record), pk=given["message"])
            actions.replay_message(found.pk, actor=self.actor, at=self.now)
            return {"queued": 1}
        since, which = given["since"], given["which"]
        count = actions.replay_since(record.pk, since=since, which=which, actor=self.actor, at=self.now)
        return {"queued": count}
