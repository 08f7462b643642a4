"""The link with which a recipient acknowledges a message: signed, expiring, each person's own.

As with pages, the kept wording bears a link of nobody, and looking at it acknowledges nothing: programs that check
mails open every link.
"""

import copy

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.html import format_html

from notifications import chase
from notifications.models import ChannelKey, Delivery, Message

HOURS_VALID = 72
_SALT = "notifications.acknowledge_links"
_WORDS = "Please acknowledge that you have read this"


def secret_of(row: Delivery) -> str:
    return signing.dumps(row.pk, salt=_SALT)


def delivery_of(secret: str) -> Delivery | None:
    """Whose link it is; None for a forged or expired one."""
    try:
        key = signing.loads(secret, salt=_SALT, max_age=HOURS_VALID * 3600)
    except signing.BadSignature:
        return None
    rows = Delivery.objects.select_related("recipient", "event", "incident", "wording")
    return rows.filter(pk=key).first()


def personal(message: Message, row: Delivery) -> Message:
    """The message with the recipient's own link where an acknowledgement is waited for; else the same one."""
    if row.channel == ChannelKey.IN_APP or row.acknowledged_at is not None or chase.wanted_by(row) is None:
        return message
    link = f"{settings.PUBLIC_URL}{reverse('acknowledge', args=[secret_of(row)])}"
    own = copy.copy(message)
    own.text = f"{message.text}\n\n{_WORDS}: {link}\n"
    own.html = message.html.replace("</body>", format_html('<p><a href="{}">{}</a></p></body>', link, _WORDS))
    return own
