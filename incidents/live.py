"""Tells open pages that something changed. Never what: they refetch, so permission is asked in one place.

Topics: `MI-12` (one incident), `INC-7`, `PRB-3`, `CHG-4`, `CAN-2` (one record), `desk` (the ticket queue),
`command` (candidates and open incidents), `user-5` (one person's inbox and work).
"""

import json
import logging
from functools import lru_cache, partial

import redis
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError

from incidents.models import Seat, Ticket, User
from incidents.process import AccountRole, SeatState

CHANNEL_PREFIX = "mim:live:"
_log = logging.getLogger(__name__)
_STAFF = tuple(role for role in AccountRole if role not in ("requester", "external_consultant", "key_stakeholder"))


@lru_cache(maxsize=1)
def _connection() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, **settings.REDIS_TIMEOUTS)


def changed(topic: str, kind: str, seq: int | None = None) -> None:
    """After commit, nudges every open page that follows the topic. A broker that is away only delays pages."""
    transaction.on_commit(partial(_publish, topic, kind, seq), robust=True)


def _publish(topic: str, kind: str, seq: int | None) -> None:
    message = json.dumps({"topic": topic, "seq": seq, "kind": kind})
    try:
        _connection().publish(CHANNEL_PREFIX + topic, message)
    except RedisError:
        _log.warning("live nudge lost: broker away", extra={"topic": topic})


def may_follow(user: User, topic: str) -> bool:
    """Whether the person may hear that this topic changed; the same people who may open its page."""
    name, _, number = topic.partition("-")
    if name == "user":
        return number == str(user.pk)
    if user.is_guest or not user.account_roles:
        return name == "MI" and number.isdigit() and _holds_seat(user, int(number))
    if name in ("desk", "command", "CAN", "PRB", "CHG"):
        return user.has_role(*_STAFF)
    if name == "MI":
        return number.isdigit() and (user.has_role(*_STAFF, "key_stakeholder") or _holds_seat(user, int(number)))
    if name == "INC":
        return number.isdigit() and (
            user.has_role(*_STAFF) or Ticket.objects.filter(pk=number, requester=user).exists()
        )
    return False


def _holds_seat(user: User, incident_id: int) -> bool:
    live_states = (SeatState.INVITED, SeatState.ACCEPTED)
    return Seat.objects.filter(user=user, incident=incident_id, state__in=live_states).exists()
