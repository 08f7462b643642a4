"""The ways a message can leave, one file a family, behind one small protocol and one registry."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from notifications.models import Delivery, Message


@dataclass(frozen=True)
class Outgoing:
    """One delivery that is wanted still, with its words. `digested` are ids of deliveries it speaks for as well."""

    delivery: Delivery
    message: Message
    digested: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What the channel said. `is_final` refusals are not tried again; `answer` is the provider's own words.

    `blames_address`: the address is wrong, the provider is well. `retry_after` is how long the provider asked to be
    left alone, None when it did not say. `provider_id` is what it calls the message; receipts name it later.
    `was_asked` is False when nobody was asked, because an administrator had switched it off: nobody's health suffers.
    """

    accepted: bool
    answer: str = ""
    is_final: bool = False
    blames_address: bool = False
    retry_after: timedelta | None = None
    provider_id: str = ""
    was_asked: bool = True


class Channel(Protocol):
    """`batch` messages are taken at once. With `one_at_a_time` no two workers send by it together, so that a
    worker that dies repeats one message at most, and a provider that hangs holds one thread at most."""

    key: str
    batch: int
    one_at_a_time: bool

    def send(self, wanted: Iterable[Outgoing]) -> Iterator[list[tuple[Outgoing, Outcome]]]:
        """Sends what it is given and yields the outcomes in groups; each group is settled before the next."""
        ...


def registry() -> dict[str, Channel]:
    """Every channel by its key, the fastest first."""
    from notifications.channels.apprise import AppriseChannel
    from notifications.channels.email import EmailChannel
    from notifications.channels.in_app import InAppChannel
    from notifications.channels.matrix import MatrixChannel
    from notifications.channels.mattermost import MattermostChannel
    from notifications.channels.ntfy import NtfyChannel
    from notifications.channels.phone import SmsChannel, VoiceChannel
    from notifications.channels.slack import SlackChannel
    from notifications.channels.teams import TeamsChannel
    from notifications.channels.telegram import TelegramChannel
    from notifications.channels.web_push import WebPushChannel

    channels: tuple[Channel, ...] = (
        InAppChannel(),
        EmailChannel(),
        SmsChannel(),
        VoiceChannel(),
        WebPushChannel(),
        SlackChannel(),
        TeamsChannel(),
        MattermostChannel(),
        MatrixChannel(),
        TelegramChannel(),
        NtfyChannel(),
        AppriseChannel(),
    )
    return {channel.key: channel for channel in channels}


LONGEST_SHORT_TEXT = 300
"""Characters. Two SMS parts in the usual alphabet, or five in another; and what a locked telephone shows."""


def short_text(outgoing: Outgoing) -> str:
    """One line with its link (of a page: the recipient's own), cut in the words and never in the link.

    What was worded before messages had a short text is made of its subject.
    """
    message = outgoing.message
    if message.short:
        return message.short
    link = f" {message.url}" if message.url else ""
    room = max(LONGEST_SHORT_TEXT - len(link), 60)
    said = " ".join(message.subject.split())
    return f"{said if len(said) <= room else said[: room - 1] + '…'}{link}"


LOCAL = ("in_app", "email")
"""Sent by every sweep of the outbox. Each other channel has a task of its own, so that a provider that hangs holds up
nobody else's messages."""
