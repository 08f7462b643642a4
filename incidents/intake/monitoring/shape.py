"""The one shape every monitoring tool is brought into, and what an adapter is. Pure: no ORM, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from incidents.alert_signals import Grade, Says, Signal

__all__ = ["Adapter", "Answer", "Grade", "Malformed", "Received", "Says", "Signal"]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as an adapter sees it. `body` is inflated already; `headers` have lower-case names and hold no
    credentials; `rest` is what stood behind the key in the address, without slashes at its ends. `settings` are the
    integration's, and in `signing_secrets` its secrets in clear, the newest first.

    `read` is given the same in the request and in the worker, so it sees no `payload_id`; `accepted` does. A key of
    the sender inside the body is replaced by asterisks before anybody reads it."""

    kind: str
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    method: str = "POST"
    rest: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    received_at: datetime | None = None
    payload_id: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told, in its own dialect: JSON unless `content_type` says otherwise."""

    status: int
    body: Mapping[str, Any] | list[Any] | str = field(default_factory=dict)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Malformed(Exception):
    """The body cannot be read. `field` names the place when there is one; `status` is the answer's (4xx)."""

    def __init__(self, sentence: str, *, field: str = "", status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence, self.field, self.status = sentence, field, status


class Adapter(Protocol):
    """One kind of sender. `read` raises only Malformed, whatever the bytes; reading twice gives the same signals.

    It runs in the request to answer bad input at once, and again in the worker, so it must be quick and pure: it
    depends on nothing but its argument.
    """

    kind: str

    def read(self, received: Received) -> list[Signal]:
        """The signals of one body, in the sender's order; may be empty (a test message)."""
        ...

    def accepted(self, received: Received, signals: list[Signal]) -> Answer:
        """The answer once the body is stored and committed."""
        ...

    def refused(self, received: Received, why: Malformed) -> Answer:
        """The answer to a body that cannot be read, as the sender's client expects errors."""
        ...

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        """A body and headers (content-type at least) as the tool sends them: for the test button and the tests."""
        ...
