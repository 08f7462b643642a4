"""How the providers and addresses are, learned from what became of real messages and tests."""

from collections.abc import Iterable
from datetime import datetime

from notifications.channels import Outcome, Outgoing
from notifications.channels.kinds import KINDS
from notifications.models import ChannelAccount, ChannelKey, Health, note_outcome


class HealthBook:
    """One batch long, so that a row is read once and written when something changed."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._account: ChannelAccount | None = None
        self._seen: dict[tuple[type[Health], int], Health] = {}

    def note(self, group: Iterable[tuple[Outgoing, Outcome]], now: datetime) -> None:
        if self._channel == ChannelKey.IN_APP:
            return  # it has no provider that could fail
        for one, outcome in group:
            failure = "" if outcome.accepted else outcome.answer or "No answer"
            place = one.delivery.contact or one.delivery.destination
            if place is not None:
                note_outcome(self._kept(place), failure=failure, at=now)
            if not (failure and outcome.blames_address):
                note_outcome(self._provider(now), failure=failure, at=now)

    def _kept(self, row: Health) -> Health:
        return self._seen.setdefault((type(row), row.pk), row)

    def _provider(self, now: datetime) -> ChannelAccount:
        if self._account is None:
            key = KINDS[self._channel].account_key
            self._account, _ = ChannelAccount.objects.get_or_create(channel=key, defaults={"changed_at": now})
        return self._account
