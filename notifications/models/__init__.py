"""The outbox, pages and their policies, channels and addresses."""

from notifications.models.channels import (
    ChannelAccount,
    ChannelKey,
    ContactPoint,
    ContactSettings,
    Destination,
    Health,
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
from notifications.models.wording import TemplateVersion

__all__ = [
    "WAITING_STATES",
    "CallState",
    "ChannelAccount",
    "ChannelKey",
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
    "QueuedMail",
    "StatusSubscriber",
    "Subscription",
    "TemplateVersion",
    "note_outcome",
]
