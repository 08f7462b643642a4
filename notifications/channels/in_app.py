"""Inside the product: a notice in the inbox. Needs no provider, so it always arrives."""

from collections.abc import Iterable, Iterator

from django.utils import timezone

from incidents import live
from notifications.channels import Outcome, Outgoing
from notifications.models import ChannelKey, Notice


class InAppChannel:
    key = ChannelKey.IN_APP.value
    batch = 200
    one_at_a_time = False

    def send(self, wanted: Iterable[Outgoing]) -> Iterator[list[tuple[Outgoing, Outcome]]]:
        """Writes the notices in one statement; one that is there already stays as it is."""
        outgoing = list(wanted)
        Notice.objects.bulk_create([_notice(one) for one in outgoing], ignore_conflicts=True)
        yield [(one, Outcome(accepted=True, answer="In the inbox")) for one in outgoing]
        for one in outgoing:
            live.changed(f"user-{one.delivery.recipient_id}", "notice")


def _notice(one: Outgoing) -> Notice:
    return Notice(
        user=one.delivery.recipient,
        event_id=one.delivery.event_id,
        title=one.message.subject,
        text=one.message.summary or one.message.text,
        url=one.message.url,
        created_at=timezone.now(),
    )
