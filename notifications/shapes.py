"""What the API shows of deliveries and previews."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents.api.fields import Moment, RefOut, Text
from incidents.api.shapes import Shape
from incidents.priority import Priority, Severity
from incidents.process import Audience
from notifications import chase
from notifications.models import ChannelKey, Delivery, DeliveryState


class DeliveryOut(Shape):
    id = serializers.IntegerField()
    recipient = serializers.SerializerMethodField(
        help_text="E-mail address of the person or of who has no account; the name of a place."
    )
    channel = serializers.ChoiceField(ChannelKey.choices)
    audience = serializers.ChoiceField(
        Audience.choices, allow_blank=True, help_text="Whose words it uses; empty for a message to one person."
    )
    audiences = serializers.ListField(
        child=serializers.ChoiceField(Audience.choices), help_text="Every audience this message counts for."
    )
    moment = serializers.CharField(help_text="What it tells: declared, contained, update, …")
    subject = serializers.SerializerMethodField(help_text="Null until it was worded.")
    state = serializers.ChoiceField(DeliveryState.choices)
    attempts = serializers.IntegerField()
    reason = serializers.CharField(help_text="Why it failed, waits or was held back; empty otherwise.")
    answer = serializers.CharField(help_text="What the provider said last.")
    message_id = serializers.CharField(help_text="The same however often it is sent.")
    major_incident = RefOut("MI", source="incident_id", allow_null=True)
    queued_at = Moment()
    next_attempt_at = Moment(help_text="When it is tried next, while it waits.")
    delivered_at = Moment(allow_null=True, help_text="When the channel accepted it.")
    receipt = serializers.CharField(help_text="What the provider reported later, for example “delivered to handset”.")
    receipt_at = Moment(allow_null=True)
    acknowledge_by = serializers.SerializerMethodField(help_text="Until when an acknowledgement is wanted, or null.")
    acknowledged_at = Moment(allow_null=True)
    acknowledged_how = serializers.CharField(help_text="By which way, in words.")
    resent_at = Moment(allow_null=True)
    resend_reason = serializers.CharField()

    def get_recipient(self, delivery: Delivery) -> str:
        return delivery.recipient.email if delivery.recipient else delivery.addressed_to

    @extend_schema_field(Moment(allow_null=True))
    def get_acknowledge_by(self, delivery: Delivery) -> Any:
        due = chase.wanted_by(delivery)
        return Moment().to_representation(due) if due else None

    def get_subject(self, delivery: Delivery) -> str | None:
        return delivery.wording.subject if delivery.wording else None


class ResendIn(Shape):
    reason = serializers.CharField(max_length=250, help_text="It is kept with the message.")


class AudiencePreviewOut(Shape):
    audience = serializers.ChoiceField(Audience.choices)
    recipients = serializers.ListField(child=serializers.EmailField(), help_text="The first 200.")
    recipient_count = serializers.IntegerField()
    channels = serializers.ListField(child=serializers.ChoiceField(ChannelKey.choices))
    subject = serializers.CharField()
    text = serializers.CharField()
    empty_reason = serializers.CharField(help_text="Why nobody is to be told, when that is on purpose.")
    channel_counts = serializers.DictField(child=serializers.IntegerField(), help_text="{channel: people it reaches}")
    left_out = serializers.ListField(
        child=serializers.CharField(), help_text="Who belongs to it and is not told, with why; empty for a declaration."
    )


class TicketShortOut(Shape):
    ref = serializers.CharField()
    title = serializers.CharField()


class ClocksOut(Shape):
    started_at = Moment(allow_null=True)
    detected_at = Moment(allow_null=True)
    reported_at = Moment(allow_null=True)
    acknowledged_at = Moment(allow_null=True)
    declared_at = Moment()


class DeclarationPreviewOut(Shape):
    severity = serializers.ChoiceField(Severity.choices)
    priority = serializers.ChoiceField(Priority.choices)
    audiences = AudiencePreviewOut(many=True)
    recipient_count = serializers.IntegerField(help_text="People in all; each gets one message.")
    tickets = TicketShortOut(many=True, help_text="Tickets that would attach.")
    clocks = ClocksOut(help_text="Clocks as they would be set; null is unknown.")
    warnings = serializers.ListField(child=serializers.CharField())


class UpdatePreviewIn(Shape):
    text = Text(required=False, help_text="The same text for all `audiences`.")
    texts = serializers.DictField(child=Text(), required=False, help_text="{audience: text}")
    audiences = serializers.ListField(
        child=serializers.ChoiceField(Audience.choices),
        required=False,
        max_length=4,
        help_text="Absent: all, or those of `texts`.",
    )
    next_update_at = Moment(required=False, allow_null=True)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """`texts` for every chosen audience; `text` fills where there is none of its own."""
        own = given.get("texts", {})
        if unknown := [name for name in own if name not in Audience.values]:
            raise serializers.ValidationError({"texts": [f"Not an audience: {', '.join(unknown)}."]})
        if "text" not in given and not own:
            raise serializers.ValidationError({"text": ["Write what the audiences should read."]})
        chosen = given.get("audiences") or list(own) or Audience.values
        texts = {name: own.get(name, given.get("text", "")) for name in chosen}
        if silent := [name for name, text in texts.items() if not text]:
            raise serializers.ValidationError({"texts": [f"Write what {', '.join(silent)} should read."]})
        return {"texts": texts, "next_update_at": given.get("next_update_at")}


class UpdatePreviewOut(Shape):
    audiences = AudiencePreviewOut(many=True)
    recipient_count = serializers.IntegerField(help_text="People in all; each gets one message.")
    next_update_at = Moment(allow_null=True)
