"""What every channel with an HTTP API has in common: its account, its places, and what an answer means."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from incidents.outgoing import OutgoingFailed, OutgoingRefused, Reply, pause_asked
from incidents.sealed import SealBroken
from notifications.channels import Outcome, Outgoing
from notifications.channels.kinds import KINDS, Setting
from notifications.models import ChannelAccount, ContactPoint, Destination

SHORTEST_SECRET = 8
SAID = 300
"""So many characters of a provider's answer are kept."""
_SHOWN_LENGTH = 254


@dataclass(frozen=True)
class Values:
    """What was entered for the account and for the place or address, by the names of `KINDS`."""

    account: Mapping[str, str] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)


class NotSetUp(Exception):
    """The account or the address lacks something; says what."""


class NotWanted(Exception):
    """An administrator switched the channel or place off, or removed it, after the message was queued."""


class RemoteChannel(ABC):
    """Sends one message after the other. What hangs is asked once a batch, so that it costs one time-out."""

    key: str
    batch = 5
    one_at_a_time = True

    def send(self, wanted: Iterable[Outgoing]) -> Iterator[list[tuple[Outgoing, Outcome]]]:
        account, hung = _Account(self.key), dict[str, Outcome]()
        for one in wanted:
            asked = self.hangs_together(one)
            if asked not in hung:
                outcome, has_hung = self._tried(one, account)
                if has_hung:
                    hung[asked] = outcome
            else:
                outcome = hung[asked]
            yield [(one, outcome)]

    def hangs_together(self, one: Outgoing) -> str:
        """What is down together: the provider, or the address where each has a server of its own."""
        return self.key if KINDS[self.key].needs_account else one.delivery.address

    @abstractmethod
    def tell(self, one: Outgoing, values: Values) -> Outcome:
        """Sends one message. Raises OutgoingRefused, OutgoingFailed, NotSetUp."""

    def _tried(self, one: Outgoing, account: "_Account") -> tuple[Outcome, bool]:
        """The outcome, and whether nobody answered."""
        has_provider = KINDS[self.key].needs_account
        values = Values()
        try:
            values = Values(account.values(), place_values(one))
            outcome, has_hung = self.tell(one, values), False
        except OutgoingRefused as refused:
            # A provider's address is an administrator's fault, which can be mended: the message waits for it.
            outcome, has_hung = Outcome(False, str(refused), not has_provider, not has_provider), False
        except OutgoingFailed as failed:
            outcome, has_hung = Outcome(False, str(failed), blames_address=not has_provider), True
        except NotWanted as gone:
            outcome, has_hung = Outcome(False, str(gone), is_final=True, was_asked=False), False
        except (NotSetUp, SealBroken) as missing:
            outcome, has_hung = Outcome(False, str(missing), blames_address=not has_provider), False
        return replace(outcome, answer=without_secrets(outcome.answer, self.key, values)[:500]), has_hung


class _Account:
    """One batch long."""

    def __init__(self, key: str) -> None:
        self._key, self._values = key, dict[str, str]()
        self._is_read = False

    def values(self) -> dict[str, str]:
        if not self._is_read:
            self._values, self._is_read = account_values(self._key), True
        return self._values


def account_values(channel: str) -> dict[str, str]:
    """What was entered for the account, with the defaults. Raises NotSetUp, NotWanted, SealBroken."""
    kind = KINDS[channel]
    settings = KINDS[kind.account_key].account
    row = ChannelAccount.objects.filter(channel=kind.account_key).first()
    if row is not None and not row.is_enabled:
        raise NotWanted(f"{row} is switched off.")
    if not settings:
        return {}
    given = {**row.settings, **row.secrets} if row else {}
    found = {one.name: str(given.get(one.name) or one.default) for one in settings}
    if missing := [one.label for one in settings if one.is_required and not found[one.name]]:
        raise NotSetUp(f"Not set up: {', '.join(missing)}. An administrator enters it under Channels.")
    return found


def place_values(one: Outgoing) -> dict[str, str]:
    """What was entered for the place or the person's address. Raises NotWanted when it is gone meanwhile."""
    row = one.delivery.destination or one.delivery.contact
    if row is None:
        raise NotWanted("The place or address was removed.")
    if isinstance(row, Destination) and not row.is_enabled:
        raise NotWanted("The place is switched off.")
    return values_of(row)


def values_of(row: Destination | ContactPoint) -> dict[str, str]:
    """By the names of `KINDS`: what is secret from the seal, the rest from `address`. Raises SealBroken."""
    secrets = row.secrets
    return {
        one.name: str(secrets.get(one.name, "")) if one.is_secret else row.address for one in settings_of_place(row)
    }


def settings_of_place(row: Destination | ContactPoint) -> tuple[Setting, ...]:
    kind = KINDS[row.channel]
    return kind.place if isinstance(row, Destination) else kind.personal


def shown_address(setting: Setting, value: str) -> str:
    """What of a place may be shown: all of it, or of a secret address its host alone."""
    if not setting.is_secret:
        return value[:_SHOWN_LENGTH]
    parts = urlsplit(value)
    host = parts.hostname if setting.kind == "url" else ""
    return f"{parts.scheme}://{host or ''}{'/' if host else ''}…"[:_SHOWN_LENGTH] if parts.scheme else "…"


def without_secrets(text: str, channel: str, values: Values) -> str:
    """The text with every secret value, and the paths of secret addresses, blacked out: providers quote requests."""
    kind = KINDS[channel]
    named = [*((one, values.account) for one in KINDS[kind.account_key].account)]
    named += [*((one, values.place) for one in {*kind.place, *kind.personal})]
    for setting, given in named:
        secret = given.get(setting.name, "") if setting.is_secret else ""
        for part in sorted(_parts(setting, secret), key=len, reverse=True):
            if len(part) >= SHORTEST_SECRET:
                text = text.replace(part, "…")
    return text


def _parts(setting: Setting, secret: str) -> list[str]:
    """What must not be quoted: of a web address all but its host, of anything else every piece."""
    parts = urlsplit(secret) if setting.kind == "url" else None
    pieces = re.split(r"[/@:?&=]+", f"{parts.path}?{parts.query}" if parts else secret)
    return [secret, *pieces]


# --- Answers ----------------------------------------------------------------------------------
def judged(reply: Reply, said: str = "", *, blames_address: bool = True) -> Outcome:
    """What the status of an answer means: 2xx took it, 408, 425, 429 and 5xx are tried again, the rest is final."""
    answer = f"{reply.status} {said or first_words(reply.text)}".strip()
    if 200 <= reply.status < 300:
        return Outcome(True, answer)
    if 300 <= reply.status < 400:
        return Outcome(
            False, f"{reply.status}: it leads elsewhere, which is not followed. Enter the final address.", True, True
        )
    is_passing = reply.status in (408, 425, 429) or reply.status >= 500
    return Outcome(False, answer, not is_passing, blames_address, pause_asked(reply.headers))


def first_words(text: str) -> str:
    return cut(" ".join(text.split()), SAID)


def cut(text: str, most: int) -> str:
    """At most `most` characters, the last one an ellipsis when something was left out."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def words(one: Outgoing) -> str:
    """What the message says, without its frame."""
    return (one.message.summary or one.message.text).strip()
