"""Who has the room on the screen now: signs of life that the broker keeps for a while. With it away nobody knows."""

import time

from redis.exceptions import RedisError

from incidents import live
from incidents.broker import broker

SECONDS = 150
"""The page says every minute that it is open; two missed ones and it is not."""
_KEY = "mim:here:{}"


def mark(incident_id: int, user_id: int) -> None:
    """The person's page is open. Other pages hear of it when it was not before."""
    key, now = _KEY.format(incident_id), time.time()
    try:
        before = broker().zscore(key, str(user_id))
        with broker().pipeline(transaction=False) as pipeline:
            pipeline.zadd(key, {str(user_id): now})
            pipeline.zremrangebyscore(key, 0, now - SECONDS)
            pipeline.expire(key, SECONDS)
            pipeline.execute()
    except RedisError:
        return
    if before is None or float(before) < now - SECONDS:
        live.changed(f"MI-{incident_id}", "presence")


def open_pages(incident_id: int) -> frozenset[int]:
    """Ids of the people whose page is open; empty while the broker is away."""
    try:
        found = broker().zrangebyscore(_KEY.format(incident_id), time.time() - SECONDS, "+inf")
    except RedisError:
        return frozenset()
    return frozenset(int(one) for one in found if isinstance(one, bytes | str))
