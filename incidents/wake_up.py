"""Wakes a worker for a sweep: one message for however many ask until the sweep begins.

Only a hint: what it misses, the sweep finds when beat asks for it.
"""

from contextlib import suppress
from functools import partial

from celery import current_app
from redis.exceptions import RedisError

from incidents.broker import broker
from incidents.errands import after_commit

FORGOTTEN_AFTER = 5
"""Seconds until a call that nobody heard is made again: as often as beat asks."""


def wake_for(task: str) -> None:
    """After the commit, has a worker run the task, named as Celery knows it. The task says that it has `begun`."""
    after_commit(("wake up for", task), partial(_call, task))


def begun(task: str) -> None:
    """Said by the task before it reads anything: whoever commits from now on calls again."""
    with suppress(RedisError):  # the flag forgets itself
        broker().delete(_flag(task))


def _call(task: str) -> None:
    if not broker().set(_flag(task), b"1", nx=True, ex=FORGOTTEN_AFTER):
        return
    try:
        current_app.send_task(task, ignore_result=True, retry=False, expires=60)
    except Exception:
        begun(task)
        raise


def _flag(task: str) -> str:
    return f"mim:wake:{task}"
