"""The link in a page's message that answers it: signed, expiring, each person's own.

The kept wording of a message bears a link of nobody, so that whoever reads it in the log cannot answer for others.
Each person's own is put in just before the message leaves.
"""

import copy

from django.conf import settings
from django.core import signing
from django.urls import reverse

from notifications.models import ChannelKey, Delivery, Message, Page, PageCall

MOMENT = "page"
PATH_OF_NOBODY = "/page/link-of-the-recipient/"
HOURS_VALID = 12
_SALT = "notifications.page_links"


def secret_of(call: PageCall) -> str:
    return signing.dumps(call.pk, salt=_SALT)


def call_of(secret: str) -> PageCall | None:
    """Whose link it is; None for a forged or expired one."""
    try:
        key = signing.loads(secret, salt=_SALT, max_age=HOURS_VALID * 3600)
    except signing.BadSignature:
        return None
    rows = PageCall.objects.select_related("person", "page__candidate__service", "page__incident", "page__answered_by")
    return rows.filter(pk=key).first()


def record_path(page: Page) -> str:
    """The page of the candidate or incident inside the product."""
    if page.candidate_id:
        return reverse("candidate", args=[page.candidate_id])
    return reverse("war_room", args=[page.incident_id])


def personal(message: Message, row: Delivery) -> Message:
    """The message with the recipient's own link; the same one when it has none. The kept wording stays untouched."""
    if row.moment != MOMENT:
        return message
    call = PageCall.objects.select_related("page").filter(event=row.event_id, person=row.recipient_id).first()
    if call is None:
        return message
    own = copy.copy(message)
    link = f"{settings.PUBLIC_URL}{reverse('page_answer', args=[secret_of(call)])}"
    nobody = f"{settings.PUBLIC_URL}{PATH_OF_NOBODY}"
    for part in ("text", "html", "short"):
        setattr(own, part, getattr(message, part).replace(nobody, link))
    is_inside = row.channel == ChannelKey.IN_APP
    own.url = f"{settings.PUBLIC_URL}{record_path(call.page)}" if is_inside else link
    return own
