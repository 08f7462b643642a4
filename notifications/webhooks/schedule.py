"""When a message is tried again: the schedule that Standard Webhooks recommends, ten tries within three days."""

import random
from datetime import datetime, timedelta

from incidents.outgoing import Reply, pause_asked

_MINUTE, _HOUR = 60, 3600
PAUSES_SECONDS = (
    *(5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR),
)
TRIES = len(PAUSES_SECONDS) + 1
LONGEST_REST = timedelta(hours=24)
ASKS_FOR_REST = (429, 503)


def next_try(attempts: int, *, at: datetime, rest_until: datetime | None = None) -> datetime | None:
    """When the message is tried after its `attempts`-th try failed `at`; None when that was the last.

    Each pause is up to a fifth longer at random, so that what failed together does not come back together. Never
    before `rest_until`.
    """
    if attempts >= TRIES:
        return None
    seconds = PAUSES_SECONDS[attempts - 1] * random.uniform(1.0, 1.2)  # noqa: S311 – spreads load, guards nothing
    due = at + timedelta(seconds=seconds)
    return max(due, rest_until) if rest_until else due


def rest_until(reply: Reply, *, at: datetime) -> datetime | None:
    """Until when the endpoint wants to be left alone (429 and 503 with Retry-After), 24 hours at most; else None."""
    pause = pause_asked(reply.headers, at) if reply.status in ASKS_FOR_REST else None
    return at + min(pause, LONGEST_REST) if pause else None
