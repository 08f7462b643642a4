"""Tells open pages that something changed. Never what: they refetch, so permission is asked in one place.

Topics: `MI-12` (one incident), `INC-7`, `PRB-3`, `CHG-4`, `CAN-2` (one record), `desk` (the ticket queue),
`command` (candidates and open incidents), `alerts` (what monitoring says), `user-5` (one person's inbox and work).
"""

import json
import logging

from redis.exceptions import RedisError

from incidents import errands
from incidents.broker import broker

CHANNEL_PREFIX = "mim:live:"
_log = logging.getLogger(__name__)


def changed(topic: str, kind: str, seq: int | None = None) -> None:
    """After commit, nudges every open page that follows the topic. A broker that is away only delays pages."""
    errands.after_commit(("live", topic), lambda: _publish(topic, kind, seq))


def _publish(topic: str, kind: str, seq: int | None) -> None:
    message = json.dumps({"topic": topic, "seq": seq, "kind": kind})
    try:
        broker().publish(CHANNEL_PREFIX + topic, message)
    except RedisError:
        _log.warning("live nudge lost: broker away", extra={"topic": topic})
