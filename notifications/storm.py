"""Storm control: at most three messages per person in ten minutes for one cause, then a digest.

Asked just before a message leaves, so that it holds whatever wrote the outbox. The first is never held back, and
nothing is inside the product: there everything is shown at once.
"""

import copy
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.html import format_html, format_html_join

from notifications.models import ChannelKey, Delivery, DeliveryState, Message

MOST = 3
WITHIN = timedelta(minutes=10)
CONTROLLED = ("page", "candidate", "page_unanswered", "page_late")
"""Moments that machines repeat. What people do by hand is told as it happens."""
_INFORMATION = "candidate"


@dataclass(frozen=True)
class Verdict:
    """Leave now, taking `digested` along; or wait until `hold_until`."""

    hold_until: datetime | None = None
    digested: tuple[Delivery, ...] = ()


class Control:
    """One batch long: also counts what left in this batch and is not settled yet."""

    def __init__(self) -> None:
        self._left: dict[Hashable, list[int]] = {}

    def judge(self, row: Delivery, now: datetime) -> Verdict:
        """Whether this message may leave now; when it may, it counts from now on."""
        if row.moment not in CONTROLLED or row.channel == ChannelKey.IN_APP:
            return Verdict()
        left = self._left.setdefault(_cause(row), [])
        same = _same_cause(row)
        sent = same.exclude(pk__in=[*left, row.pk]).filter(
            Q(state=DeliveryState.DELIVERED, delivered_at__gt=now - WITHIN)
            | Q(state=DeliveryState.SENDING, lease_until__gt=now) & ~Q(lease=row.lease)
        )
        times = list(sent.order_by("-delivered_at").values_list("delivered_at", flat=True)[:MOST])
        if len(times) + len(left) >= MOST:
            return Verdict(hold_until=min((at for at in times if at), default=now) + WITHIN)
        left.append(row.pk)
        if row.held_until is None:
            return Verdict()
        held = same.filter(state__in=(DeliveryState.QUEUED, DeliveryState.SENDING), held_until__isnull=False)
        return Verdict(digested=tuple(held.exclude(pk=row.pk).select_related("event").order_by("id")))


def _cause(row: Delivery) -> Hashable:
    if row.moment == _INFORMATION:
        return row.address, _INFORMATION
    return row.address, row.event.candidate_id, row.incident_id


def _same_cause(row: Delivery) -> QuerySet[Delivery]:
    """Controlled messages to the same address about the same candidate or incident. That a candidate was raised is
    information: all candidates together are one cause then, or an outage of fifty services would be fifty mails."""
    rows = Delivery.objects.filter(channel=row.channel, address=row.address, moment__in=CONTROLLED)
    if row.moment == _INFORMATION:
        return rows.filter(moment=_INFORMATION)
    if row.event.candidate_id:
        return rows.filter(event__candidate=row.event.candidate_id)
    return rows.filter(incident=row.incident_id, event__candidate__isnull=True)


def with_digest(message: Message, others: Iterable[Message]) -> Message:
    """The message with the subjects of those that waited with it, each once. The kept wording stays untouched."""
    subjects = list(dict.fromkeys(one.subject for one in others if one.subject != message.subject))
    if not subjects:
        return message
    whole = copy.copy(message)
    whole.subject = f"{message.subject[:220]} (and {len(subjects)} more)"
    whole.short = f"{message.short} (and {len(subjects)} more)" if message.short else ""
    heading = "Held back in the last ten minutes, so that you were not flooded:"
    whole.text = "\n".join([message.text, "", heading, *(f"- {subject}" for subject in subjects)])
    listed = format_html("<p>{}</p><ul>{}</ul>", heading, format_html_join("", "<li>{}</li>", ((s,) for s in subjects)))
    whole.html = message.html.replace("</body>", f"{listed}</body>")
    return whole
