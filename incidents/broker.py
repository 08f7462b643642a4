"""The broker as a place for nudges and flags. Celery has connections of its own."""

from functools import lru_cache

import redis
from django.conf import settings


@lru_cache(maxsize=1)
def broker() -> redis.Redis:
    """One client a process; every call has a short time-out. Raises RedisError while the broker is away."""
    return redis.Redis.from_url(settings.REDIS_URL, **settings.REDIS_TIMEOUTS)
