"""The outbox, pages and their policies, channels and addresses, webhooks."""

from notifications.models.channels import (
    ChannelAccount,
    ChannelKey,
    ContactMessage,
    ContactPoint,
    ContactSettings,
    Destination,
    Health,
    TextReply,
    note_outcome,
)
from notifications.models.outbox import (
    WAITING_STATES,
    Delivery,
    DeliveryState,
    FanOut,
    Heartbeat,
    Message,
    Notice,
    QueuedMail,
    StatusSubscriber,
    Subscription,
)
from notifications.models.paging import (
    CallState,
    EscalationPolicy,
    Occasion,
    Page,
    PageCall,
    PageState,
)
from notifications.models.places import ChannelChange, PlaceAnswer, PlaceThread
from notifications.models.webhooks import (
    PublicWord,
    StatusEndpoint,
    Webhook,
    WebhookMessage,
    WebhookMessageState,
)
from notifications.models.wording import TemplateVersion

__all__ = [
    "WAITING_STATES",
    "CallState",
    "ChannelAccount",
    "ChannelChange",
    "ChannelKey",
    "ContactMessage",
    "ContactPoint",
    "ContactSettings",
    "Delivery",
    "DeliveryState",
    "Destination",
    "EscalationPolicy",
    "FanOut",
    "Health",
    "Heartbeat",
    "Message",
    "Notice",
    "Occasion",
    "Page",
    "PageCall",
    "PageState",
    "PlaceAnswer",
    "PlaceThread",
    "PublicWord",
    "QueuedMail",
    "StatusEndpoint",
    "StatusSubscriber",
    "Subscription",
    "TextReply",
    "Webhook",
    "WebhookMessage",
    "WebhookMessageState",
    "TemplateVersion",
    "note_outcome",
]
